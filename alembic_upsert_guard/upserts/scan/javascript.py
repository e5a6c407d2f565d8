"""Upserts of supabase-js, in TypeScript and JavaScript: ``.from('x').upsert(rows, { onConflict: 'a,b' })``."""

from __future__ import annotations

from collections import defaultdict
from functools import cache, cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from ..target import NamedTable, PrimaryKey, Unread
from ..upsert import Form, Place, Source, Upsert
from .bounds import check_time
from .supabase import target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..target import Target

__all__ = ["SUFFIXES", "JavaScriptSource"]

SUFFIXES = (".cjs", ".cts", ".js", ".jsx", ".mjs", ".mts", ".ts", ".tsx")

_WRAPPERS = frozenset(
    {
        "as_expression",
        "await_expression",
        "non_null_expression",
        "parenthesized_expression",
        "satisfies_expression",
        "type_assertion",
    }
)
_NAMES = frozenset({"identifier", "shorthand_property_identifier_pattern"})
_DEPTH = 20


@cache
def _parser(suffix: str) -> Parser:
    if suffix in (".ts", ".mts", ".cts"):
        return Parser(Language(tree_sitter_typescript.language_typescript()))
    if suffix == ".tsx":
        return Parser(Language(tree_sitter_typescript.language_tsx()))
    return Parser(Language(tree_sitter_javascript.language()))


class JavaScriptSource:
    """One parsed file. A part that does not parse hides no other."""

    def __init__(self, path: str, source: bytes) -> None:
        """The file is parsed.

        :param path: as it was asked for; it ends in one of :data:`SUFFIXES`.
        """
        self._path = path
        self._root = _parser(PurePath(path).suffix).parse(source).root_node
        self._constants: dict[str, Node | None] = {}
        self._changed: dict[str, bool] = {}

    def upserts(self) -> Iterator[Upsert]:
        """Return every upsert of the file."""
        for node in _nodes(self._root):
            if node.type == "call_expression":
                upsert = self._upsert(node)
                if upsert is not None:
                    yield upsert

    def comments(self) -> Iterator[tuple[int, str]]:
        """Return the line, counted from 1, and the text of every comment."""
        for node in _nodes(self._root):
            if node.type == "comment":
                yield node.start_point[0] + 1, _text(node)

    def _upsert(self, call: Node) -> Upsert | None:
        """The upsert that a call makes; None: it is another call.

        Other libraries have methods of that name: it counts on what ``from()`` returned, or with ``onConflict``.
        """
        method = _method(call)
        if method is None or _text(method) != "upsert":
            return None
        owner = _owner(call)
        table = None if owner is None else self._table(owner, _DEPTH)
        arguments = _arguments(call)
        options = arguments[1] if len(arguments) > 1 else None
        spread = next((a for a in arguments if a.type == "spread_element"), None)
        if table is None:
            if options is None or "onConflict" not in _text(options):
                return None
            table = Unread("which table it is cannot be read: upsert() is not called on from(...)")
        return Upsert(
            source=Source.CODE,
            place=Place(
                path=self._path,
                line=method.start_point[0] + 1,
                extent=(call.start_point[0] + 1, call.end_point[0] + 1),
            ),
            table=table,
            target=self._target(spread or options),
            form=Form.SUPABASE_JAVASCRIPT,
        )

    def _table(self, node: Node, depth: int) -> NamedTable | Unread | None:
        node = _unwrapped(node)
        if node.type == "identifier" and depth:
            value = self._constant(node)
            return None if value is None else self._table(value, depth - 1)
        method = _method(node)
        if method is None or _text(method) != "from":
            return None
        arguments = _arguments(node)
        owner = _owner(node)
        if len(arguments) != 1 or owner is None or _text(owner) in ("Array", "Buffer", "Object"):
            return None
        name = self._string(arguments[0])
        if isinstance(name, Unread):
            return name
        return self._in_schema(owner, name)

    def _in_schema(self, client: Node, name: str) -> NamedTable | Unread:
        """``client.schema('crm').from('x')`` names the schema, ``client.from('x')`` none."""
        client = _unwrapped(client)
        if client.type == "identifier":
            client = _unwrapped(self._constant(client) or client)
        method = _method(client)
        if method is None or _text(method) != "schema":
            return NamedTable(name)
        arguments = _arguments(client)
        schema = (
            self._string(arguments[0]) if len(arguments) == 1 else Unread("schema() names none")
        )
        return schema if isinstance(schema, Unread) else NamedTable(name, schema)

    def _target(self, options: Node | None) -> Target | Unread:
        if options is None:
            return PrimaryKey()
        options = _unwrapped(options)
        if options.type == "identifier":
            value = self._constant(options)
            if value is None or self._is_changed(options):
                return Unread(f"what {_text(options)} names as onConflict cannot be read")
            options = _unwrapped(value)
        if options.type != "object":
            return Unread("its options cannot be read")
        found: Target | Unread = PrimaryKey()
        for part in options.named_children:
            # what is named last counts
            found = self._named(part) or found
        return found

    def _named(self, part: Node) -> Target | Unread | None:
        """What one part of the options says of the target; None: nothing."""
        if part.type == "comment":
            return None
        if part.type == "shorthand_property_identifier":
            return self._columns(part) if _text(part) == "onConflict" else None
        key, value = part.child_by_field_name("key"), part.child_by_field_name("value")
        if part.type != "pair" or key is None or value is None:
            return Unread(f"{_text(part)} may name the target")
        if key.type == "computed_property_name":
            return Unread(f"{_text(key)} may name the target")
        return self._columns(value) if _text(key).strip("'\"") == "onConflict" else None

    def _columns(self, value: Node) -> Target | Unread:
        if value.type in ("null", "undefined"):
            return PrimaryKey()
        columns = self._string(value)
        return columns if isinstance(columns, Unread) else target_of(columns)

    def _string(self, node: Node) -> str | Unread:
        """The string that an expression is: a literal, a template without holes, or a constant that is one."""
        node = _unwrapped(node)
        if node.type in ("identifier", "shorthand_property_identifier"):
            value = self._constant(node)
            if value is not None and _unwrapped(value).type in ("string", "template_string"):
                node = _unwrapped(value)
        whole = all(part.type == "string_fragment" for part in node.named_children)
        if node.type not in ("string", "template_string") or not whole:
            return Unread(f"what {_text(node)} is cannot be read")
        return "".join(_text(part) for part in node.named_children)

    def _is_changed(self, identifier: Node) -> bool:
        """Whether the object of that name is changed in place: ``options.x = y``, ``Object.assign(options, y)``."""
        name = _text(identifier)
        if name not in self._changed:
            self._changed[name] = self._changes(name)
        return self._changed[name]

    def _changes(self, name: str) -> bool:
        for node in self._named_nodes[name]:
            parent = node.parent
            if node.type != "identifier" or parent is None:
                continue
            if parent.type in ("member_expression", "subscript_expression"):
                if parent.child_by_field_name("object") == node and _is_set_through(parent):
                    return True
            elif parent.type == "arguments" and parent.parent is not None:
                method = _method(parent.parent)
                if method is not None and _text(method) in ("assign", "defineProperty"):
                    return True
        return False

    def _constant(self, identifier: Node) -> Node | None:
        """What the one ``const`` of that name is set to; None: there is none, or the name is bound otherwise too."""
        name = _text(identifier)
        if name not in self._constants:
            values = [_value_of_const(node) for node in self._named_nodes[name] if _binds(node)]
            self._constants[name] = values[0] if len(values) == 1 else None
        return self._constants[name]

    @cached_property
    def _named_nodes(self) -> defaultdict[str, list[Node]]:
        """The nodes that use or bind a name, by the name."""
        found: defaultdict[str, list[Node]] = defaultdict(list)
        for node in _nodes(self._root):
            if node.type in _NAMES:
                found[_text(node)].append(node)
        return found


def _is_set_through(member: Node) -> bool:
    """Whether ``options.x`` or ``options[x]`` is assigned to, deleted or passed on."""
    parent = member.parent
    if parent is None:
        return False
    if parent.type in ("assignment_expression", "augmented_assignment_expression"):
        return parent.child_by_field_name("left") == member
    return parent.type in ("update_expression", "unary_expression")


def _binds(node: Node) -> bool:
    """Whether an identifier is where a name is bound, as far as its place tells."""
    if node.type == "shorthand_property_identifier_pattern":
        return True
    parent = node.parent
    if parent is None:
        return False
    if parent.type in ("member_expression", "pair", "arguments", "call_expression"):
        return False
    if parent.type == "variable_declarator":
        return parent.child_by_field_name("name") == node
    return parent.type in _BINDING_PLACES or (
        parent.type in ("assignment_expression", "augmented_assignment_expression")
        and parent.child_by_field_name("left") == node
    )


_BINDING_PLACES = frozenset(
    {
        *("array_pattern", "assignment_pattern", "catch_clause", "class_declaration"),
        *("formal_parameters", "function_declaration", "import_clause", "import_specifier"),
        *("namespace_import", "object_pattern", "optional_parameter", "pair_pattern"),
        *("required_parameter", "rest_pattern", "for_in_statement", "arrow_function"),
    }
)


def _value_of_const(node: Node) -> Node | None:
    declarator = node.parent
    if declarator is None or declarator.type != "variable_declarator":
        return None
    declaration = declarator.parent
    if declaration is None or declaration.type != "lexical_declaration":
        return None
    kind = declaration.child_by_field_name("kind")
    if kind is None or _text(kind) != "const":
        return None
    return declarator.child_by_field_name("value")


def _unwrapped(node: Node) -> Node:
    while node.type in _WRAPPERS and node.named_children:
        node = node.named_children[-1 if node.type == "type_assertion" else 0]
    return node


def _member(call: Node) -> Node | None:
    """The member expression that is called; None: something else is."""
    function = call.child_by_field_name("function") if call.type == "call_expression" else None
    if function is not None:
        # the grammar takes `await x.upsert<T>(...)` for a call of what is awaited
        function = _unwrapped(function)
    return function if function is not None and function.type == "member_expression" else None


def _method(call: Node) -> Node | None:
    """The name of the method that is called; None: no method is."""
    member = _member(call)
    return None if member is None else member.child_by_field_name("property")


def _owner(call: Node) -> Node | None:
    """What the method is called on."""
    member = _member(call)
    return None if member is None else member.child_by_field_name("object")


def _arguments(call: Node) -> list[Node]:
    found = call.child_by_field_name("arguments")
    return [] if found is None else [n for n in found.named_children if n.type != "comment"]


def _nodes(root: Node) -> Iterator[Node]:
    """Every node, in the order of the source."""
    waiting = [root]
    while waiting:
        check_time()
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def _text(node: Node) -> str:
    return "" if node.text is None else node.text.decode(errors="replace")
