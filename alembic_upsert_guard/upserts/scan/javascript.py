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
from .javascript_nodes import (
    arguments_of,
    binds,
    is_set_through,
    method_of,
    nodes_in,
    owner_of,
    text_of,
    unwrapped,
    value_of_const,
)
from .supabase import target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..target import Target

__all__ = ["SUFFIXES", "JavaScriptSource"]

SUFFIXES = (".cjs", ".cts", ".js", ".jsx", ".mjs", ".mts", ".ts", ".tsx")

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
        for node in nodes_in(self._root):
            if node.type == "call_expression":
                upsert = self._upsert(node)
                if upsert is not None:
                    yield upsert

    def comments(self) -> Iterator[tuple[int, str]]:
        """Return the line, counted from 1, and the text of every comment."""
        for node in nodes_in(self._root):
            if node.type == "comment":
                yield node.start_point[0] + 1, text_of(node)

    def _upsert(self, call: Node) -> Upsert | None:
        """The upsert that a call makes; None: it is another call.

        Other libraries have methods of that name: it counts on what ``from()`` returned, or with ``onConflict``.
        """
        method = method_of(call)
        if method is None or text_of(method) != "upsert":
            return None
        owner = owner_of(call)
        table = None if owner is None else self._table(owner, _DEPTH)
        arguments = arguments_of(call)
        options = arguments[1] if len(arguments) > 1 else None
        spread = next((a for a in arguments if a.type == "spread_element"), None)
        if table is None:
            if options is None or "onConflict" not in text_of(options):
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
        node = unwrapped(node)
        if node.type == "identifier" and depth:
            value = self._constant(node)
            return None if value is None else self._table(value, depth - 1)
        method = method_of(node)
        if method is None or text_of(method) != "from":
            return None
        arguments = arguments_of(node)
        owner = owner_of(node)
        if len(arguments) != 1 or owner is None or text_of(owner) in ("Array", "Buffer", "Object"):
            return None
        name = self._string(arguments[0])
        if isinstance(name, Unread):
            return name
        return self._in_schema(owner, name)

    def _in_schema(self, client: Node, name: str) -> NamedTable | Unread:
        """``client.schema('crm').from('x')`` names the schema, ``client.from('x')`` none."""
        client = unwrapped(client)
        if client.type == "identifier":
            client = unwrapped(self._constant(client) or client)
        method = method_of(client)
        if method is None or text_of(method) != "schema":
            return NamedTable(name)
        arguments = arguments_of(client)
        schema = (
            self._string(arguments[0]) if len(arguments) == 1 else Unread("schema() names none")
        )
        return schema if isinstance(schema, Unread) else NamedTable(name, schema)

    def _target(self, options: Node | None) -> Target | Unread:
        if options is None:
            return PrimaryKey()
        options = unwrapped(options)
        if options.type == "identifier":
            value = self._constant(options)
            if value is None or self._is_changed(options):
                return Unread(f"what {text_of(options)} names as onConflict cannot be read")
            options = unwrapped(value)
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
            return self._columns(part) if text_of(part) == "onConflict" else None
        key, value = part.child_by_field_name("key"), part.child_by_field_name("value")
        if part.type != "pair" or key is None or value is None:
            return Unread(f"{text_of(part)} may name the target")
        if key.type == "computed_property_name":
            return Unread(f"{text_of(key)} may name the target")
        return self._columns(value) if text_of(key).strip("'\"") == "onConflict" else None

    def _columns(self, value: Node) -> Target | Unread:
        if value.type in ("null", "undefined"):
            return PrimaryKey()
        columns = self._string(value)
        return columns if isinstance(columns, Unread) else target_of(columns)

    def _string(self, node: Node) -> str | Unread:
        """The string that an expression is: a literal, a template without holes, or a constant that is one."""
        node = unwrapped(node)
        if node.type in ("identifier", "shorthand_property_identifier"):
            value = self._constant(node)
            if value is not None and unwrapped(value).type in ("string", "template_string"):
                node = unwrapped(value)
        whole = all(part.type == "string_fragment" for part in node.named_children)
        if node.type not in ("string", "template_string") or not whole:
            return Unread(f"what {text_of(node)} is cannot be read")
        return "".join(text_of(part) for part in node.named_children)

    def _is_changed(self, identifier: Node) -> bool:
        """Whether the object of that name is changed in place: ``options.x = y``, ``Object.assign(options, y)``."""
        name = text_of(identifier)
        if name not in self._changed:
            self._changed[name] = self._changes(name)
        return self._changed[name]

    def _changes(self, name: str) -> bool:
        for node in self._named_nodes[name]:
            parent = node.parent
            if node.type != "identifier" or parent is None:
                continue
            if parent.type in ("member_expression", "subscript_expression"):
                if parent.child_by_field_name("object") == node and is_set_through(parent):
                    return True
            elif parent.type == "arguments" and parent.parent is not None:
                method = method_of(parent.parent)
                if method is not None and text_of(method) in ("assign", "defineProperty"):
                    return True
        return False

    def _constant(self, identifier: Node) -> Node | None:
        """What the one ``const`` of that name is set to; None: there is none, or the name is bound otherwise too."""
        name = text_of(identifier)
        if name not in self._constants:
            values = [value_of_const(node) for node in self._named_nodes[name] if binds(node)]
            self._constants[name] = values[0] if len(values) == 1 else None
        return self._constants[name]

    @cached_property
    def _named_nodes(self) -> defaultdict[str, list[Node]]:
        """The nodes that use or bind a name, by the name."""
        found: defaultdict[str, list[Node]] = defaultdict(list)
        for node in nodes_in(self._root):
            if node.type in _NAMES:
                found[text_of(node)].append(node)
        return found
