"""One parsed file of TypeScript or JavaScript."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from ...upsert import Place
from ..aliases import with_aliases
from ..bounds import check_time
from . import markup
from .bindings import Scopes
from .nodes import CLASSES, FUNCTIONS, callee_name, line_of, method_call, text_of, unwrapped
from .suffixes import MARKUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bindings import Binding

__all__ = ["Module"]

_MUTATORS = frozenset(
    {
        *("copyWithin", "fill", "pop", "push", "reverse", "shift", "sort", "splice", "unshift"),
        *("assign", "defineProperty", "defineProperties"),
    }
)
"""Methods that change what they are called on, or what they are given first."""
_NAMES = frozenset({"identifier", "property_identifier", "shorthand_property_identifier"})


@cache
def _parser(suffix: str) -> Parser:
    if suffix in (".ts", ".mts", ".cts"):
        return Parser(Language(tree_sitter_typescript.language_typescript()))
    if suffix == ".tsx":
        return Parser(Language(tree_sitter_typescript.language_tsx()))
    return Parser(Language(tree_sitter_javascript.language()))


class Module:
    """One parsed file; a part that does not parse hides no other. Nodes know their parents."""

    def __init__(self, path: str, source: bytes, shown_path: str | None = None) -> None:
        """The file is parsed.

        :param path: the real path; it ends in one of :data:`.suffixes.SUFFIXES`.
        :param shown_path: as it was asked for; None: nothing is reported of it.
        """
        self.path = path
        self._shown_path = shown_path or path
        self._given = source
        suffix = Path(path).suffix
        if suffix in MARKUP:
            source, is_jsx = markup.script_of(source, suffix)
            suffix = ".tsx" if is_jsx else ".ts"
        self.source = source
        self.root = _parser(suffix).parse(source).root_node
        self._parents: dict[int, Node] = {}
        self.nodes: list[Node] = []
        """Every named node, in the order of the source."""
        waiting = [self.root]
        while waiting:
            check_time()
            node = waiting.pop()
            self.nodes.append(node)
            children = node.named_children
            for child in children:
                self._parents[child.id] = node
            waiting += reversed(children)

    def is_of(self, source: bytes, shown_path: str) -> bool:
        """Return whether it was made of these bytes, under that path."""
        return self._given == source and self._shown_path == shown_path

    def parent(self, node: Node) -> Node | None:
        """Return the node around `node`; None: it is the file."""
        return self._parents.get(node.id)

    def around(self, node: Node) -> Iterator[Node]:
        """Return the nodes around `node`, from the inside out."""
        found = self.parent(node)
        while found is not None:
            yield found
            found = self.parent(found)

    def functions_around(self, node: Node) -> list[Node]:
        """Return the functions that a node is in, from the inside out."""
        return [around for around in self.around(node) if around.type in FUNCTIONS]

    def class_around(self, node: Node) -> Node | None:
        """Return the class that a node is in; None: it is in none."""
        return next((around for around in self.around(node) if around.type in CLASSES), None)

    def binding(self, identifier: Node) -> Binding | None:
        """Return what binds a name where it is used; None: nothing in the file does."""
        return self._scopes.binding(identifier)

    def top_level(self, name: str) -> Binding | None:
        """Return what binds a name at the top of the file; None: nothing does."""
        return self._scopes.top_level(self.root, name)

    def place(self, line: int, whole: Node) -> Place:
        """Return the place of an upsert, under the path by which the file was asked for.

        :param whole: the call or the string that holds it, where a comment counts for it.
        """
        extent = line_of(whole), whole.end_point[0] + 1
        return Place(path=self._shown_path, line=line, extent=extent)

    @cached_property
    def calls(self) -> list[Node]:
        """Every call, in the order of the source."""
        return [node for node in self.nodes if node.type == "call_expression"]

    @cached_property
    def calls_of(self) -> dict[str, list[Node]]:
        """The calls by the name of what is called, without what is in front of it."""
        found: dict[str, list[Node]] = {}
        for call in self.calls:
            name = callee_name(call)
            if name is not None:
                found.setdefault(name, []).append(call)
        return found

    @cached_property
    def uses_of(self) -> dict[str, list[Node]]:
        """The places where names, and names of properties, are written, by the name."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            if node.type in _NAMES:
                found.setdefault(text_of(node), []).append(node)
        return found

    @cached_property
    def _scopes(self) -> Scopes:
        return Scopes(self.nodes, self.parent)

    @cached_property
    def packages(self) -> frozenset[str]:
        """What the file imports from, as it is written there."""
        found = []
        for node in self.nodes:
            if node.type == "import_statement" or (
                node.type == "call_expression" and text_of(node).startswith(("require(", "import("))
            ):
                strings = [n for n in node.named_children if n.type in ("string", "arguments")]
                found += [text_of(n).strip("()'\"`") for n in strings]
        return frozenset(found)

    def imports_from(self, *packages: str) -> bool:
        """Return whether the file imports one of these packages, or a part of one."""
        return any(
            said == package or said.startswith(f"{package}/")
            for said in self.packages
            for package in packages
        )

    @cached_property
    def changed(self) -> frozenset[str]:
        """Names of objects and lists that are changed in place: ``options.x = y``, ``KEYS.push(x)``.

        So are those that another name is given to: ``const k = KEYS; k.push(x)``.
        """
        changed = {name for node in self.nodes for name in _changes(node)}
        others = (pair for node in self.nodes for pair in _two_names(node))
        return with_aliases(changed, others if changed else ())


def _two_names(node: Node) -> Iterator[tuple[str, str]]:
    if node.type not in ("variable_declarator", "assignment_expression"):
        return
    name = node.child_by_field_name("name") or node.child_by_field_name("left")
    value = node.child_by_field_name("value") or node.child_by_field_name("right")
    if (
        name is not None
        and value is not None
        and name.type == unwrapped(value).type == "identifier"
    ):
        yield text_of(name), text_of(unwrapped(value))


def _changes(node: Node) -> Iterator[str]:
    match node.type:
        case "assignment_expression" | "augmented_assignment_expression":
            yield from _owner_of_member(node.child_by_field_name("left"))
        case "update_expression" | "unary_expression":
            if node.type == "update_expression" or text_of(node).startswith("delete"):
                yield from _owner_of_member(node.child_by_field_name("argument"))
        case "call_expression":
            call = method_call(node)
            if call is not None and call.name in _MUTATORS:
                first = (
                    call.arguments[0] if call.name[:2] in ("as", "de") and call.arguments else None
                )
                changed = first or call.owner
                if changed.type == "identifier":
                    yield text_of(changed)


def _owner_of_member(node: Node | None) -> Iterator[str]:
    """The name of what ``x.a`` or ``x.a[0]`` belongs to."""
    depth = 0
    while node is not None and node.type in ("member_expression", "subscript_expression"):
        node, depth = node.child_by_field_name("object"), depth + 1
    if node is not None and depth and node.type == "identifier":
        yield text_of(node)
