"""SQL in strings and templates: literals, pieces that are added up, tagged templates; the rest stays a hole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Cause, Unread
from ..sql import HOLE, are_qualifiers
from .identifiers import quoted_names
from .meaning import Expression, External
from .nodes import (
    arguments_of,
    method_call,
    tagged,
    text_of,
    unescaped,
    unwrapped,
)
from .pg_promise import insert_of
from .sql_pieces import Piece, is_within, upserts_in
from .sql_roots import is_sum, operands_of, roots_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from ...target import NamedTable
    from ...upsert import Upsert
    from .drizzle_schema import DrizzleSchemas
    from .module import Module
    from .values import Values

__all__ = ["SqlStrings"]

_DEPTH = 12
"""How many constants may be in each other: a file can double its text with each."""
_PLAIN_TAGS = frozenset({"String.raw", "dedent", "outdent", "stripIndent", "stripIndents"})
"""Tags that leave what is put in as it is; others bind it."""
_RAW = frozenset({"raw", "unsafe"})
"""``sql.raw('x')``, ``Prisma.raw('x')``, ``sql.unsafe('x')``: text as it is."""
_NAMES = frozenset({"id", "identifier", "ref", "table"})
"""``sql.identifier('x')``, ``sql.table('x')``: a name in quotes."""
_VALUES = frozenset(
    {
        *("call_expression", "false", "member_expression", "new_expression", "null", "number"),
        *("string", "template_string", "true"),
    }
)
"""What a tagged template binds, unless it is a piece of SQL."""


class SqlStrings:
    """Reads the SQL in a file's strings."""

    def __init__(self, values: Values, schemas: DrizzleSchemas) -> None:
        """Nothing is read yet."""
        self._values = values
        self._schemas = schemas
        self._roots: dict[str, list[Node]] = {}

    def read_all(self, module: Module) -> Iterator[tuple[Expression, Upsert]]:
        """Return every upsert in a string of the file, with the whole of the string."""
        composed = {}
        for node in self.roots(module):
            expression = Expression(module, node)
            composed[node.id] = expression, list(self._pieces(expression, _DEPTH))
        taken = {
            around
            for root, pieces in composed.values()
            for piece in pieces
            if piece.fragment is not None and not is_within(root.node, piece.fragment)
            for around in _string_around(module, piece.fragment)
        }
        for root, pieces in composed.values():
            # a string that another one takes in is read there
            if root.node not in taken:
                yield from ((root, upsert) for upsert in upserts_in(root, pieces))

    def read(self, root: Expression) -> list[Upsert]:
        """Return the upserts in one string, within the calls that led to it."""
        return list(upserts_in(root, list(self._pieces(root, _DEPTH))))

    def roots(self, module: Module) -> list[Node]:
        """Return the strings that may be SQL, each with all that is added to it."""
        if module.path not in self._roots:
            self._roots[module.path] = roots_of(module)
        return self._roots[module.path]

    def _pieces(
        self, expression: Expression, depth: int, tag: str | None = None
    ) -> Iterator[Piece]:
        node = unwrapped(expression.node)
        expression = expression.at(node)
        parts = tagged(node)
        if parts is not None:
            said = text_of(parts[0])
            yield from self._pieces(
                expression.at(parts[1]), depth, None if said in _PLAIN_TAGS else said
            )
            return
        match node.type:
            case "string" | "template_string":
                yield from self._of_literal(expression, depth, tag)
            case "binary_expression" if is_sum(node):
                for operand in operands_of(node):
                    yield from self._pieces(expression.at(operand), depth)
            case "call_expression":
                yield from self._of_call(expression, depth)
            case "identifier" | "member_expression" | "subscript_expression" if depth:
                yield from self._named(expression, depth)
            case "ternary_expression" if self._may_qualify(expression, depth):
                yield from (_hole(node), Piece(".", None))
            case _:
                yield _hole(node)

    def _may_qualify(self, choice: Expression, depth: int) -> bool:
        """``schema ? `${schema}.` : ''``, in front of a table's name."""
        sides = (choice.node.child_by_field_name(of) for of in ("consequence", "alternative"))
        pieces = [
            list(self._pieces(choice.at(side), depth - 1)) for side in sides if side and depth
        ]
        return are_qualifiers(["".join(piece.text for piece in each) for each in pieces])

    def _of_literal(self, of: Expression, depth: int, tag: str | None) -> Iterator[Piece]:
        for part in of.node.named_children:
            if part.type == "template_substitution":
                inside = of.at(part.named_children[0])
                yield from self._bound(inside, depth, tag) if tag else self._pieces(inside, depth)
            elif part.type == "escape_sequence":
                yield Piece(unescaped(text_of(part)), part)
            else:
                yield Piece(text_of(part), part)

    def _of_call(self, call: Expression, depth: int) -> Iterator[Piece]:
        """A string that is trimmed, a list that is joined, or a hole."""
        method = method_call(call.node)
        insert = insert_of(self._values, call)
        if insert is not None:
            yield Piece(insert, None)
            return
        if method is not None and method.name == "trim" and not method.arguments:
            yield from self._pieces(call.at(method.owner), depth)
            return
        items = (
            self._values.items(call.at(method.owner)) if method and method.name == "join" else None
        )
        if method is None or items is None or isinstance(items, Unread) or not depth:
            text = None if items is None else self._values.text(call)
            yield Piece(text, None) if isinstance(text, str) else _hole(call.node, why=items)
            return
        between = self._values.text(call.at(method.arguments[0])) if method.arguments else ","
        for position, item in enumerate(items):
            if position:
                yield Piece(between, None) if isinstance(between, str) else _hole(call.node)
            yield from self._pieces(item, depth - 1)

    def _named(self, expression: Expression, depth: int) -> Iterator[Piece]:
        meaning = self._values.meaning(expression)
        if isinstance(meaning, Expression) and meaning.node.type in (
            *("binary_expression", "call_expression", "string", "template_string"),
            "ternary_expression",
        ):
            yield from self._pieces(meaning, depth - 1)
        else:
            yield _hole(expression.node, why=meaning)

    # -- tagged templates

    def _bound(self, inside: Expression, depth: int, tag: str) -> Iterator[Piece]:
        """What a tagged template makes of a hole: a piece of SQL, a name, or a value that is bound."""
        meaning = self._values.meaning(inside)
        node = meaning.node if isinstance(meaning, Expression) else inside.node
        if isinstance(meaning, Expression):
            table = self._schemas.table(meaning)
            named = None if table is None or isinstance(table, Unread) else table.named
            if named is not None and not isinstance(named, Unread):
                yield from _table_pieces(inside.node, named)
                return
            if meaning.node.type == "call_expression" or tagged(meaning.node):
                yield from self._of_helper(meaning, depth, tag)
                return
        is_known = isinstance(meaning, Expression | External) or node.type == "member_expression"
        yield _hole(inside.node, binds=node.type in _VALUES and is_known, why=meaning)

    def _of_helper(self, call: Expression, depth: int, tag: str) -> Iterator[Piece]:
        """``sql`...```, ``sql.raw('x')``, ``sql.identifier('x')``, ``sql('x')`` of the same tag, or a value."""
        if tagged(call.node) is not None:
            yield from self._pieces(call, depth - 1) if depth else (_hole(call.node),)
            return
        function = call.node.child_by_field_name("function")
        said = "" if function is None else text_of(function)
        method = method_call(call.node)
        name = None if method is None else method.name
        if name in _RAW and method is not None and len(method.arguments) == 1:
            yield from self._pieces(call.at(method.arguments[0]), depth - 1)
            return
        if said == tag or name in _NAMES:
            names = self._names(call, is_path=said != tag)
            yield _hole(call.node) if names is None else Piece(names, None)
            return
        root = tag.partition(".")[0]
        is_piece = said.startswith((f"{root}.", "Prisma.", "sql"))
        yield _hole(call.node, binds=not is_piece)

    def _names(self, call: Expression, *, is_path: bool) -> str | None:
        """The names in quotes that a helper makes of constants; None: it is given something else.

        One that has upper case may be written in another case: ``transform`` of postgres.js, Kysely's plugin.
        """
        arguments = arguments_of(call.node)
        if len(arguments) != 1:
            return None
        text = self._values.text(call.at(arguments[0]))
        if isinstance(text, str):
            # postgres.js and Kysely take a dot for the end of a schema's name
            return quoted_names(text.split(".")) if text == text.lower() else None
        items = self._values.items(call.at(arguments[0]))
        texts = [] if isinstance(items, Unread) else [self._values.text(item) for item in items]
        names = [text for text in texts if isinstance(text, str) and text == text.lower()]
        if not names or len(names) != len(texts):
            return None
        return quoted_names(names) if is_path else ", ".join(quoted_names([n]) for n in names)


def _string_around(module: Module, fragment: Node) -> Iterator[Node]:
    """The literal that a fragment is of, and the tagged template that this is of."""
    literal = module.parent(fragment)
    tag = None if literal is None else module.parent(literal)
    if literal is not None:
        yield literal
    if tag is not None and tagged(tag) is not None:
        yield tag


def _table_pieces(node: Node, table: NamedTable) -> Iterator[Piece]:
    """A table's name in quotes, and its schema's in front."""
    if isinstance(table.schema, Unread):
        yield from (_hole(node, why=table.schema), Piece(".", None))
    schema = table.schema if isinstance(table.schema, str) else ""
    yield Piece(quoted_names(part for part in (schema, table.name) if part), None)


def _hole(node: Node, *, binds: bool = False, why: object = None) -> Piece:
    row, column = node.start_point
    is_parameter = isinstance(why, Unread) and why.cause is Cause.PARAMETER
    return Piece(f"{HOLE}{row}x{column}_", None, binds, is_parameter)
