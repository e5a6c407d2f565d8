"""Knex, and Objection on it: ``knex('t').insert(rows).onConflict(['a', 'b']).merge()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import AnyArbiter, Unread
from ...upsert import Form
from ..sql import read_sql
from .drizzle_schema import first_parameter, returned_by
from .identifiers import Casing, cased, dotted_table, elements_of
from .meaning import UNDEFINED, Expression, External
from .nodes import CLASSES, FUNCTIONS, arguments_of, method_call, text_of, unwrapped
from .site import Site

if TYPE_CHECKING:
    from tree_sitter import Node

    from ...target import NamedTable, Target
    from .module import Module
    from .nodes import MethodCall
    from .values import Values

__all__ = ["Knex"]

_TABLE_METHODS = frozenset({"from", "into", "table"})
_ACTIONS = frozenset({"ignore", "merge"})
_INSERTS = frozenset({"insert", "insertGraph"})
_STATEMENT_METHODS = _INSERTS | {
    *("as", "comment", "from", "into", "query", "queryBuilder", "returning", "table"),
    *("$relatedQuery", "relatedQuery", "transacting", "withSchema"),
}
"""What a statement can begin with that names no table by being called."""
_DEPTH = 20
_CLIENTS = ("conn", "database", "db", "knex", "pg", "sql", "trx", "tx")
"""What the name of a member has in it, in lower case, that is called with a table: ``this.db('t')``."""


class Knex:
    """Reads Knex's and Objection's upserts."""

    methods = ("onConflict",)

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        links, root = self._statement(of.at(call.owner))
        inserts = any(link.name in _INSERTS for link, _ in links)
        if not inserts and not _has_action(of.module, call.node):
            return None
        if any(link.name == "query" for link, _ in links):
            table, casing = self._objection(root)
            return Site(form=Form.OBJECTION, table=table, target=self._target(of, call, casing))
        table, casing = self._table(links, root)
        return Site(form=Form.KNEX, table=table, target=self._target(of, call, casing))

    def _statement(
        self, expression: Expression
    ) -> tuple[list[tuple[MethodCall, Expression]], Expression | None]:
        """The calls of methods that a statement is made of, the last one first, and what the first is called on."""
        links: list[tuple[MethodCall, Expression]] = []
        meaning = self._values.meaning(expression)
        while isinstance(meaning, Expression) and len(links) < _DEPTH:
            link = method_call(meaning.node)
            if link is None or _names_table(meaning, link):
                return links, meaning
            links.append((link, meaning))
            expression = meaning.at(link.owner)
            meaning = self._values.meaning(expression)
        return links, expression

    def _table(
        self, links: list[tuple[MethodCall, Expression]], root: Expression | None
    ) -> tuple[NamedTable | Unread, Casing]:
        stated: Expression | None = None
        schema: str | Unread | None = None
        client = root
        for link, at in links:
            if link.name in _TABLE_METHODS and len(link.arguments) == 1:
                stated = stated or at.at(link.arguments[0])
            elif link.name == "insert" and len(link.arguments) > 1:
                return Unread("which table it inserts into cannot be read"), Casing.UNKNOWN
            elif link.name == "withSchema" and len(link.arguments) == 1:
                schema = self._values.text(at.at(link.arguments[0]))
        if root is not None and root.node.type == "call_expression":
            arguments = arguments_of(root.node)
            function = root.node.child_by_field_name("function")
            client = None if function is None else root.at(function)
            if stated is None and client is not None and not self._is_client(client, _DEPTH):
                return Unread(f"what {client.source}() makes of it is not known"), Casing.UNKNOWN
            stated = stated or (root.at(arguments[0]) if len(arguments) == 1 else None)
        casing = Casing.UNKNOWN if client is None else self._casing(client)
        if stated is None:
            return Unread("which table it inserts into cannot be read"), casing
        name = self._values.text(stated)
        if isinstance(name, Unread):
            return name, casing
        spelled = cased(name, casing, "Knex")
        return (spelled if isinstance(spelled, Unread) else dotted_table(spelled, schema)), casing

    def _is_client(self, called: Expression, depth: int) -> bool:
        """Whether what is called with a table's name is Knex's, as far as is known, or only passes the name on."""
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
                and self._is_client(meaning.at(function), depth - 1)
            )
        name = called.node.child_by_field_name("property")
        return name is None or any(each in text_of(name).lower() for each in _CLIENTS)

    def _casing(self, client: Expression) -> Casing:
        """Names are kept unless ``wrapIdentifier`` is set; ``knexSnakeCaseMappers()`` sets it."""
        meaning = self._values.meaning(client)
        if not isinstance(meaning, Expression) or meaning.node.type != "call_expression":
            return Casing.UNKNOWN
        function = meaning.node.child_by_field_name("function")
        made = None if function is None else self._values.meaning(meaning.at(function))
        is_knex = isinstance(made, External) and made.package == "knex"
        arguments = arguments_of(meaning.node)
        if not is_knex or len(arguments) != 1:
            return Casing.UNKNOWN
        options = self._values.properties(meaning.at(arguments[0]))
        return Casing.KEPT if options.get("wrapIdentifier") is None else Casing.UNKNOWN

    # -- Objection

    def _objection(self, root: Expression | None) -> tuple[NamedTable | Unread, Casing]:
        """The table of ``static tableName = 't'`` or ``static get tableName() { return 't' }``."""
        model = None if root is None else self._values.meaning(root)
        if not isinstance(model, Expression) or model.node.type not in CLASSES:
            return Unread("which model it inserts into cannot be read"), Casing.UNKNOWN
        body = model.node.child_by_field_name("body")
        for member in [] if body is None else body.named_children:
            named = member.child_by_field_name("name") or member.child_by_field_name("property")
            if named is None or text_of(named) != "tableName":
                continue
            value = member.child_by_field_name("value")
            if member.type in FUNCTIONS:
                value = returned_by(model.at(member))
            name = self._values.text(model.at(value)) if value is not None else None
            if isinstance(name, str):
                return dotted_table(name), Casing.UNKNOWN
        return Unread(f"the table of {model.source[:40]} cannot be read"), Casing.UNKNOWN

    # -- the target

    def _target(self, of: Expression, call: MethodCall, casing: Casing) -> Target | Unread:
        if not call.arguments:
            return AnyArbiter()
        stated = of.at(call.arguments[0])
        meaning = self._values.meaning(stated)
        if meaning == UNDEFINED:
            return AnyArbiter()
        if isinstance(meaning, Expression) and meaning.node.type == "array":
            items = self._values.items(meaning)
            if isinstance(items, Unread):
                return items
            return elements_of(self._name(item, casing) for item in items)
        if isinstance(meaning, Expression):
            link = method_call(meaning.node)
            if link is not None and link.name == "raw":
                return self._raw(meaning, link)
        return elements_of([self._name(stated, casing)])

    def _name(self, stated: Expression, casing: Casing) -> str | Unread:
        name = self._values.text(stated)
        return name if isinstance(name, Unread) else cased(name, casing, "Knex")

    def _raw(self, of: Expression, raw: MethodCall) -> Target | Unread:
        """``knex.raw('(email) where active')``, which follows ON CONFLICT as it is."""
        unread = Unread(f"what {of.source} is cannot be read")
        if len(raw.arguments) != 1:
            return unread
        text = self._values.text(of.at(raw.arguments[0]))
        if isinstance(text, Unread):
            return text
        upserts = read_sql(f"INSERT INTO t DEFAULT VALUES ON CONFLICT {text} DO NOTHING")
        return upserts[0].target if len(upserts) == 1 else unread


def _names_table(of: Expression, link: MethodCall) -> bool:
    """Whether it is ``this.db('t')``, and no method of a statement: nothing is called before it."""
    is_first = method_call(unwrapped(link.owner)) is None
    is_call = of.module.parent(link.node) is not None and len(link.arguments) == 1
    return is_first and is_call and link.name not in _STATEMENT_METHODS


def _has_action(module: Module, call: Node) -> bool:
    """Whether ``.merge()`` or ``.ignore()`` follows."""
    member = module.parent(call)
    outer = None if member is None else module.parent(member)
    link = None if outer is None else method_call(outer)
    return link is not None and link.name in _ACTIONS and unwrapped(link.owner) == call
