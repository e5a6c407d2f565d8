"""Knex's client: whether something is one, and what it makes of names and of ``upsert()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....databases import MYSQL
from ...target import AnyArbiter, PrimaryKey, Unread
from .drizzle_schema import first_parameter, returned_by
from .identifiers import Casing
from .meaning import Expression, External
from .nodes import FUNCTIONS, arguments_of, text_of, unwrapped

if TYPE_CHECKING:
    from ...target import Target
    from .meaning import Properties
    from .values import Values

__all__ = ["KnexClients"]

_DEPTH = 20
_CLIENTS = ("conn", "database", "db", "knex", "pg", "sql", "trx", "tx")
"""What the name of a member has in it, in lower case, that is called with a table: ``this.db('t')``."""
_BY_ANY = frozenset({MYSQL.name, "mysql2"})
_EITHER = Unread(
    "upsert() is UPSERT of CockroachDB, by the primary key, or REPLACE of MySQL, by any unique key, "
    "and which database it is cannot be read"
)


class KnexClients:
    """Reads what tables are asked of."""

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def called(self, root: Expression | None) -> Expression | None:
        """Return ``knex`` of ``knex('t')``; None: nothing is called with a table's name."""
        if root is None or root.node.type != "call_expression" or len(arguments_of(root.node)) != 1:
            return None
        function = root.node.child_by_field_name("function")
        return None if function is None else root.at(function)

    def is_one(self, called: Expression, depth: int = _DEPTH) -> bool:
        """Return whether what is called with a table's name is Knex's, as far as is known, or only passes it on."""
        meaning = self._values.meaning(called)
        if isinstance(meaning, Expression) and meaning.node.type in FUNCTIONS:
            returned = returned_by(meaning)
            call = None if returned is None else unwrapped(returned)
            if call is None or call.type != "call_expression" or not depth:
                return False
            given = [text_of(argument) for argument in arguments_of(call)]
            function = call.child_by_field_name("function")
            return (
                given == [first_parameter(meaning.node)]
                and function is not None
                and self.is_one(meaning.at(function), depth - 1)
            )
        name = called.node.child_by_field_name("property")
        return name is None or _is_clients(text_of(name))

    def is_named(self, client: Expression) -> bool:
        """Return whether something is called as clients are, whatever it is."""
        node = unwrapped(client.node)
        name = node.child_by_field_name("property") if node.type == "member_expression" else node
        is_name = name is not None and name.type in ("identifier", "property_identifier")
        return is_name and name is not None and _is_clients(text_of(name))

    def casing(self, client: Expression) -> Casing:
        """Return what becomes of names: kept, unless ``wrapIdentifier`` or ``knexSnakeCaseMappers()`` is set."""
        options = self._options(client)
        if options is None:
            return Casing.UNKNOWN
        return Casing.KEPT if options.get("wrapIdentifier") is None else Casing.UNKNOWN

    def target_of_upsert(self, client: Expression | None) -> Target | Unread:
        """Return what ``upsert()`` takes rows for the same by (dialects/: the others throw)."""
        options = None if client is None else self._options(client)
        stated = None if options is None else options.get("client")
        name = self._values.text(stated) if isinstance(stated, Expression) else None
        if name == "cockroachdb":
            return PrimaryKey()
        return AnyArbiter() if name in _BY_ANY else _EITHER

    def _options(self, client: Expression) -> Properties | None:
        """What ``require('knex')({ ... })`` was given; None: it is not known."""
        meaning = self._values.meaning(client)
        if not isinstance(meaning, Expression) or meaning.node.type != "call_expression":
            return None
        function = meaning.node.child_by_field_name("function")
        made = None if function is None else self._values.meaning(meaning.at(function))
        is_knex = isinstance(made, External) and made.package == "knex"
        arguments = arguments_of(meaning.node)
        if not is_knex or len(arguments) != 1:
            return None
        return self._values.properties(meaning.at(arguments[0]))


def _is_clients(name: str) -> bool:
    return any(each in name.lower() for each in _CLIENTS)
