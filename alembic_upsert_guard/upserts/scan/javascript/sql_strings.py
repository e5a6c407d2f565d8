"""SQL in strings and templates: literals, pieces that are added up, tagged templates; the rest stays a hole."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ...target import Cause, Elements, Unread
from ...upsert import Form, Source, Upsert
from ..sql import HOLE, read_sql
from .identifiers import quoted_names
from .meaning import Expression, External
from .nodes import (
    arguments_of,
    line_of,
    method_call,
    tagged,
    text_of,
    unescaped,
    unwrapped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

    from ..sql import SqlUpsert
    from .drizzle_schema import DrizzleSchemas
    from .module import Module
    from .values import Values

__all__ = ["SqlStrings"]

_Part = TypeVar("_Part")

_DEPTH = 30
_STRINGS = frozenset({"string", "template_string"})
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


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text of one literal, or a hole."""

    text: str
    fragment: Node | None
    """Where the text is; None: nowhere in the source."""
    binds: bool = False
    """Whether it is a hole that takes a value, as far as its own source says."""
    is_parameter: bool = False
    """Whether it is a hole for an argument of the function around it."""


class SqlStrings:
    """Reads the SQL in a file's strings."""

    def __init__(self, values: Values, schemas: DrizzleSchemas) -> None:
        """Nothing is read yet."""
        self._values = values
        self._schemas = schemas

    def read_all(self, module: Module) -> Iterator[tuple[Expression, Upsert]]:
        """Return every upsert in a string of the file, with the whole of the string."""
        composed = {}
        for node in self.roots(module):
            expression = Expression(module, node)
            composed[node.id] = expression, list(self._pieces(expression, _DEPTH))
        taken = {
            module.parent(piece.fragment)
            for root, pieces in composed.values()
            for piece in pieces
            if piece.fragment is not None and not _is_within(root.node, piece.fragment)
        }
        for root, pieces in composed.values():
            # a string that another one takes in is read there
            if root.node not in taken:
                yield from ((root, upsert) for upsert in _upserts(root, pieces))

    def read(self, root: Expression) -> list[Upsert]:
        """Return the upserts in one string, within the calls that led to it."""
        return list(_upserts(root, list(self._pieces(root, _DEPTH))))

    def roots(self, module: Module) -> list[Node]:
        """Return the strings that may be SQL, each with all that is added to it."""
        found = {}
        for node in module.nodes:
            parent = module.parent(node)
            is_type = parent is not None and parent.type == "literal_type"
            if node.type in _STRINGS and not is_type and _may_be_sql(node):
                root = _root(module, node)
                found[root.id] = root
        return list(found.values())

    def _pieces(
        self, expression: Expression, depth: int, tag: str | None = None
    ) -> Iterator[_Piece]:
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
            case "binary_expression" if _is_sum(node):
                for side in ("left", "right"):
                    part = node.child_by_field_name(side)
                    if part is not None:
                        yield from self._pieces(expression.at(part), depth)
            case "call_expression":
                yield from self._of_call(expression, depth)
            case "identifier" | "member_expression" | "subscript_expression" if depth:
                yield from self._named(expression, depth)
            case _:
                yield _hole(node)

    def _of_literal(self, of: Expression, depth: int, tag: str | None) -> Iterator[_Piece]:
        for part in of.node.named_children:
            if part.type == "template_substitution":
                inside = of.at(part.named_children[0])
                yield from self._bound(inside, depth, tag) if tag else self._pieces(inside, depth)
            elif part.type == "escape_sequence":
                yield _Piece(unescaped(text_of(part)), part)
            else:
                yield _Piece(text_of(part), part)

    def _of_call(self, call: Expression, depth: int) -> Iterator[_Piece]:
        """A string that is trimmed, a list that is joined, or a hole."""
        method = method_call(call.node)
        if method is not None and method.name == "trim" and not method.arguments:
            yield from self._pieces(call.at(method.owner), depth)
            return
        text = None if method is None or method.name != "join" else self._values.text(call)
        if isinstance(text, str):
            yield _Piece(text, call.node)
            return
        items = (
            self._values.items(call.at(method.owner)) if method and method.name == "join" else None
        )
        if method is None or items is None or isinstance(items, Unread) or not depth:
            yield _hole(call.node, why=items)
            return
        between = self._values.text(call.at(method.arguments[0])) if method.arguments else ","
        for position, item in enumerate(items):
            if position:
                yield _Piece(between, None) if isinstance(between, str) else _hole(call.node)
            yield from self._pieces(item, depth - 1)

    def _named(self, expression: Expression, depth: int) -> Iterator[_Piece]:
        meaning = self._values.meaning(expression)
        if isinstance(meaning, Expression) and meaning.node.type in (
            *("binary_expression", "call_expression", "string", "template_string"),
        ):
            yield from self._pieces(meaning, depth - 1)
        else:
            yield _hole(expression.node, why=meaning)

    # -- tagged templates

    def _bound(self, inside: Expression, depth: int, tag: str) -> Iterator[_Piece]:
        """What a tagged template makes of a hole: a piece of SQL, a name, or a value that is bound."""
        meaning = self._values.meaning(inside)
        node = meaning.node if isinstance(meaning, Expression) else inside.node
        if isinstance(meaning, Expression):
            table = self._schemas.table(meaning)
            named = None if table is None or isinstance(table, Unread) else table.named
            if named is not None and not isinstance(named, Unread):
                parts = [named.schema, named.name]
                yield _Piece(quoted_names(part for part in parts if part), None)
                return
            if meaning.node.type == "call_expression" or tagged(meaning.node):
                yield from self._of_helper(meaning, depth, tag)
                return
        is_known = isinstance(meaning, Expression | External) or node.type == "member_expression"
        yield _hole(inside.node, binds=node.type in _VALUES and is_known, why=meaning)

    def _of_helper(self, call: Expression, depth: int, tag: str) -> Iterator[_Piece]:
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
            yield _hole(call.node) if names is None else _Piece(names, None)
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


def _hole(node: Node, *, binds: bool = False, why: object = None) -> _Piece:
    row, column = node.start_point
    is_parameter = isinstance(why, Unread) and why.cause is Cause.PARAMETER
    return _Piece(f"{HOLE}{row}x{column}_", None, binds, is_parameter)


def _is_sum(node: Node) -> bool:
    operator = node.child_by_field_name("operator")
    return node.type == "binary_expression" and operator is not None and text_of(operator) == "+"


def _may_be_sql(node: Node) -> bool:
    lower = (node.text or b"").lower()
    return b"conflict" in lower or b"on duplicate" in lower or b"insert" in lower


def _root(module: Module, node: Node) -> Node:
    """The largest string expression around a literal."""
    root = node
    for around in module.around(node):
        parts = tagged(around)
        if parts is not None and parts[1] == root:
            root = around
        elif around.type in ("parenthesized_expression", "template_substitution") or (
            around.type == "array" and _is_joined(module, around)
        ):
            continue
        elif around.type == "template_string" or _is_sum(around) or _joins(around):
            root = around
        elif around.type == "member_expression" and _is_joined(module, around):
            continue
        else:
            break
    return root


def _is_joined(module: Module, node: Node) -> bool:
    """Whether a list, or ``list.join``, is all that a call joins."""
    parent = module.parent(node)
    if parent is not None and parent.type == "member_expression":
        parent = module.parent(parent)
    return parent is not None and _joins(parent)


def _joins(node: Node) -> bool:
    call = method_call(node)
    if call is None:
        return False
    if call.name == "trim":
        return unwrapped(call.owner).type in (*_STRINGS, "binary_expression", "call_expression")
    return call.name == "join" and unwrapped(call.owner).type == "array"


def _is_within(root: Node, fragment: Node) -> bool:
    return root.start_byte <= fragment.start_byte and fragment.end_byte <= root.end_byte


def _upserts(root: Expression, pieces: Sequence[_Piece]) -> Iterator[Upsert]:
    text = "".join(piece.text for piece in pieces)
    lower = text.lower()
    if "conflict" not in lower and "duplicate" not in lower:
        return
    places = _Places(root, pieces)
    is_parametric = any(piece.is_parameter for piece in pieces)
    for upsert in _with_values(read_sql(text), pieces):
        yield Upsert(
            source=Source.CODE,
            place=root.module.place(places.line(upsert.start), root.node),
            table=_of_parameter(upsert.table) if is_parametric else upsert.table,
            target=_of_parameter(upsert.target) if is_parametric else upsert.target,
            binds=upsert.binds,
            form=Form.SQL,
        )


def _of_parameter(part: _Part) -> _Part:
    """What is put in by an argument, where something is."""
    if isinstance(part, Unread) and part.cause is Cause.FILLED_IN:
        return replace(part, cause=Cause.PARAMETER)
    return part


def _with_values(upserts: list[SqlUpsert], pieces: Sequence[_Piece]) -> list[SqlUpsert]:
    """The upserts whose target is put in, as they are with parameters in the holes that take values."""
    if not any(piece.binds for piece in pieces) or not any(map(_is_put_in, upserts)):
        return upserts
    # as long as the hole, so that every upsert keeps its place
    bound = [f" $1{' ' * (len(p.text) - 3)}" if p.binds else p.text for p in pieces]
    others = read_sql("".join(bound))
    if [upsert.start for upsert in upserts] != [upsert.start for upsert in others]:
        return upserts
    return [
        replace(upsert, target=other.target, binds=other.binds) if _is_put_in(upsert) else upsert
        for upsert, other in zip(upserts, others, strict=True)
    ]


def _is_put_in(upsert: SqlUpsert) -> bool:
    target = upsert.target
    unread = target.predicate if isinstance(target, Elements) else target
    return isinstance(unread, Unread) and unread.cause is Cause.FILLED_IN


class _Places:
    """Which line of the source a character of a composed string is in."""

    def __init__(self, root: Expression, pieces: Sequence[_Piece]) -> None:
        self._root = root
        self._pieces = pieces
        self._ends: list[int] = []
        at = 0
        for piece in pieces:
            at += len(piece.text)
            self._ends.append(at)

    def line(self, start: int) -> int:
        """Return the line of a conflict clause, where it is in the string itself; else the string's first."""
        number = bisect_right(self._ends, start)
        root = self._root.node
        if number == len(self._pieces):
            return line_of(root)
        piece = self._pieces[number]
        if piece.fragment is None or not _is_within(root, piece.fragment):
            return line_of(root)
        begins = self._ends[number] - len(piece.text)
        return line_of(piece.fragment) + piece.text.count("\n", 0, start - begins)
