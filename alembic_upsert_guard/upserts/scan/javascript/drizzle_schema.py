"""The tables and columns of Drizzle's schema files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...target import NamedTable, Unread
from .identifiers import Casing, cased
from .meaning import Expression, External, Frame
from .nodes import FUNCTIONS, arguments_of, chain_of, key_of, method_call, text_of, unwrapped

if TYPE_CHECKING:
    from tree_sitter import Node

    from .meaning import Meaning
    from .values import Values

__all__ = ["DrizzleSchemas", "DrizzleTable", "is_drizzle", "returned_by"]

_TABLES = frozenset({"mysqlTable", "pgTable", "singlestoreTable", "sqliteTable"})
_CREATORS = frozenset(f"{name}Creator" for name in _TABLES)
_SCHEMAS = frozenset({"mysqlSchema", "pgSchema", "singlestoreSchema"})
_MADE_COLUMNS = frozenset({"customType", "mysqlEnum", "pgEnum"})
_LAST_ARGUMENTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DrizzleTable:
    """One table of a schema file."""

    name: str | Unread
    schema: str | Unread | None
    columns: Expression
    """The object, or the function that returns it."""
    node: Node
    """The call that makes it."""

    @property
    def named(self) -> NamedTable | Unread:
        """The table as upserts name it."""
        if isinstance(self.name, Unread):
            return self.name
        return NamedTable(self.name, self.schema)


class DrizzleSchemas:
    """Reads tables where they are used; each is looked up in the file that makes it."""

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def table(self, expression: Expression) -> DrizzleTable | Unread | None:
        """Return the table that an expression means; None: it is no table of Drizzle's."""
        meaning = self._values.meaning(expression)
        if not isinstance(meaning, Expression):
            return meaning if isinstance(meaning, Unread) else None
        node = meaning.node
        while (link := method_call(node)) is not None and link.name == "enableRLS":
            node = unwrapped(link.owner)
        function = node.child_by_field_name("function") if node.type == "call_expression" else None
        arguments = arguments_of(node)
        if function is None or len(arguments) < _LAST_ARGUMENTS:
            return None
        made = self._made(meaning, function)
        if made is None:
            return None
        creator, schema = made
        name = self._name(meaning.at(arguments[0]), creator)
        return DrizzleTable(name=name, schema=schema, columns=meaning.at(arguments[1]), node=node)

    def _made(
        self, of: Expression, function: Node
    ) -> tuple[Expression | None, str | Unread | None] | None:
        """What writes the name of the table that a function makes, and its schema; None: it makes none."""
        meaning = self._values.meaning(of.at(function))
        if is_drizzle(meaning, _TABLES):
            return None, None
        if isinstance(meaning, Expression) and self._is_called(meaning, _CREATORS):
            return meaning.at(arguments_of(meaning.node)[0]), None
        if unwrapped(function).type == "member_expression":
            owner = function.child_by_field_name("object")
            schema = None if owner is None else self._values.meaning(of.at(owner))
            if isinstance(schema, Expression) and self._is_called(schema, _SCHEMAS):
                return None, self._values.text(schema.at(arguments_of(schema.node)[0]))
        return None

    def _is_called(self, call: Expression, names: frozenset[str]) -> bool:
        """Whether it is a call of one of Drizzle's functions, with an argument."""
        if call.node.type != "call_expression" or not arguments_of(call.node):
            return False
        function = call.node.child_by_field_name("function")
        return function is not None and is_drizzle(self._values.meaning(call.at(function)), names)

    def _name(self, stated: Expression, creator: Expression | None) -> str | Unread:
        """The name of a table, as ``pgTableCreator((name) => `app_${name}`)`` writes it."""
        if creator is None:
            return self._values.text(stated)
        function = self._values.meaning(creator)
        body = returned_by(function)
        if not isinstance(function, Expression) or body is None:
            return Unread("what writes the names of the tables cannot be read")
        frame = Frame(function.node, function.module, (stated,), function.frame)
        return self._values.text(Expression(function.module, body, frame))

    def column(self, expression: Expression, casing: Casing) -> str | Unread | None:
        """Return the name that the database has for ``table.key``; None: it is no column of a table."""
        meaning = self._values.meaning(expression)
        if not isinstance(meaning, Expression):
            return meaning if isinstance(meaning, Unread) else None
        node = meaning.node
        owner = node.child_by_field_name("object")
        key = node.child_by_field_name("property") or node.child_by_field_name("index")
        if owner is None or key is None:
            return None
        table = self.table(meaning.at(owner))
        if table is None or isinstance(table, Unread):
            return table
        name = text_of(key) if node.type == "member_expression" else key_of(key)
        return self._column(table, name or "", casing)

    def _column(self, table: DrizzleTable, key: str, casing: Casing) -> str | Unread:
        columns, parameter = self._values.meaning(table.columns), None
        body = returned_by(columns)
        if isinstance(columns, Expression) and body is not None:
            parameter = first_parameter(columns.node)
            columns = columns.at(body)
        if not isinstance(columns, Expression):
            return Unread("the columns of the table cannot be read")
        stated = self._values.properties(columns).get(key)
        if stated is None:
            return Unread(f"the table has no column {key} in its schema file")
        if isinstance(stated, Unread):
            return Unread(f"the columns of the table cannot be read: {stated.reason}")
        return self._database_name(stated, key, casing, parameter)

    def _database_name(
        self, stated: Expression, key: str, casing: Casing, parameter: str | None
    ) -> str | Unread:
        """What a column is called, or its key where the schema file says nothing else."""
        meaning = self._values.meaning(stated)
        root = None if not isinstance(meaning, Expression) else _root_call(meaning.node)
        if not isinstance(meaning, Expression) or root is None:
            return Unread(f"the column {key} cannot be read")
        if not self._makes_column(meaning, root, parameter):
            return Unread(f"what makes the column {key} is no function of Drizzle's")
        arguments = arguments_of(root)
        if arguments and unwrapped(arguments[0]).type != "object":
            return self._values.text(meaning.at(arguments[0]))
        return cased(key, casing, "Drizzle")

    def _makes_column(self, of: Expression, root: Node, parameter: str | None) -> bool:
        function = root.child_by_field_name("function")
        method = method_call(root)
        if method is not None and parameter is not None and text_of(method.owner) == parameter:
            return True
        if function is None:
            return False
        meaning = self._values.meaning(of.at(function))
        if isinstance(meaning, Expression):
            return self._is_called(meaning, _MADE_COLUMNS)
        return is_drizzle(meaning)


def is_drizzle(meaning: Meaning, names: frozenset[str] | None = None) -> bool:
    """Return whether a name is one of Drizzle's; `names`: one of these."""
    if not isinstance(meaning, External):
        return False
    is_its = meaning.package == "drizzle-orm" or meaning.package.startswith("drizzle-orm/")
    return is_its and (names is None or meaning.name.rpartition(".")[2] in names)


def returned_by(function: Meaning) -> Node | None:
    """Return what a function returns, whatever constants it sets before; None: it does more, or is none."""
    if not isinstance(function, Expression) or function.node.type not in FUNCTIONS:
        return None
    body = function.node.child_by_field_name("body")
    if body is None or body.type != "statement_block":
        return body
    statements = [node for node in body.named_children if node.type != "comment"]
    *before, last = statements or [body]
    if last.type != "return_statement" or any(n.type != "lexical_declaration" for n in before):
        return None
    return last.named_children[0] if last.named_children else None


def first_parameter(function: Node) -> str | None:
    """Return the name, or the pattern, of a function's first parameter; None: it has none."""
    parameters = function.child_by_field_name("parameters")
    if parameters is None:
        single = function.child_by_field_name("parameter")
        return None if single is None else text_of(single)
    first = parameters.named_children[0] if parameters.named_children else None
    if first is None:
        return None
    return text_of(first.child_by_field_name("pattern") or first)


def _root_call(node: Node) -> Node | None:
    """``varchar('x')`` in ``varchar('x').notNull()``."""
    chain = chain_of(node)
    if not chain:
        return node if node.type == "call_expression" else None
    inner = unwrapped(chain[-1].owner)
    return inner if inner.type == "call_expression" else chain[-1].node
