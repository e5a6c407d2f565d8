"""What the names of a file are bound to, scope by scope."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .nodes import CLASSES, FUNCTIONS, string_in, text_of
from .patterns import PATTERNS, bound_by, imported_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node

__all__ = ["Binding", "BindingKind", "Scopes"]

_BLOCKS = frozenset(
    {
        *("catch_clause", "class_static_block", "for_in_statement", "for_statement", "program"),
        *("statement_block", "switch_body"),
    }
)
_SCOPES = FUNCTIONS | _BLOCKS
_DECLARATIONS = CLASSES | {
    *("enum_declaration", "function_declaration", "generator_function_declaration")
}
_ASSIGNMENTS = frozenset(
    {"assignment_expression", "augmented_assignment_expression", "update_expression"}
)


class BindingKind(Enum):
    """What binds a name."""

    VALUE = "a value"
    """``const``, or a variable that nothing else sets."""
    PARAMETER = "a parameter"
    IMPORT = "an import"
    DECLARATION = "a function, class or enum"
    OTHER = "something else"
    """A loop, a catch clause, a pattern with rest, or several of all of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Where a name comes from."""

    kind: BindingKind
    node: Node
    """The value; the function of the parameter; the declaration; else where it is bound."""
    path: tuple[str, ...] = ()
    """The properties that lead from the value to the name: ``const { a: { b } } = value``."""
    default: Node | None = None
    """What it is where the value has no such property, or the argument is left out; None: undefined."""
    index: int = 0
    """Of the parameter."""
    source: str = ""
    """The module that is imported from."""
    name: str = ""
    """The name that is imported; ``*``: the module itself."""


class Scopes:
    """The bindings of one file."""

    def __init__(self, nodes: Iterable[Node], parent: Callable[[Node], Node | None]) -> None:
        """All bindings are collected.

        :param parent: the node around one of `nodes`; None: it is the file.
        """
        self._parent = parent
        self._bound: defaultdict[int, dict[str, list[Binding]]] = defaultdict(dict)
        self._assigned: defaultdict[str, list[Node]] = defaultdict(list)
        collectors: dict[str, Callable[[Node], None]] = {
            **dict.fromkeys(_DECLARATIONS, self._declaration),
            **dict.fromkeys(_ASSIGNMENTS, self._assignment),
            "variable_declarator": self._declarator,
            "formal_parameters": self._parameters,
            "arrow_function": self._single_parameter,
            "for_in_statement": self._loop,
            "catch_clause": self._catch,
            "import_statement": self._import,
        }
        for node in nodes:
            collect = collectors.get(node.type)
            if collect is not None:
                collect(node)

    def binding(self, identifier: Node) -> Binding | None:
        """Return what binds a name where it is used; None: nothing in the file does."""
        name = text_of(identifier)
        scope = self._scope_of(identifier, name)
        return None if scope is None else self._single(scope, name)

    def top_level(self, root: Node, name: str) -> Binding | None:
        """Return what binds a name at the top of the file; None: nothing does."""
        return self._single(root.id, name) if name in self._bound[root.id] else None

    def _single(self, scope: int, name: str) -> Binding:
        found = self._bound[scope][name]
        is_set_again = any(self._scope_of(node, name) == scope for node in self._assigned[name])
        if len(found) == 1 and not is_set_again:
            return found[0]
        return Binding(kind=BindingKind.OTHER, node=found[0].node)

    def _scope_of(self, identifier: Node, name: str) -> int | None:
        node = self._parent(identifier)
        while node is not None:
            if node.id in self._bound and name in self._bound[node.id]:
                return node.id
            node = self._parent(node)
        return None

    def _scope_around(self, node: Node, kinds: frozenset[str] = _SCOPES) -> int:
        around = self._parent(node)
        while around is not None and around.type not in kinds:
            node, around = around, self._parent(around)
        return (around or node).id

    def _bind(self, scope: int, name: str, binding: Binding) -> None:
        self._bound[scope].setdefault(name, []).append(binding)

    def _declarator(self, node: Node) -> None:
        declaration, name = self._parent(node), node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        if declaration is None or name is None:
            return
        hoisted = FUNCTIONS | {"program"}
        is_var = declaration.type == "variable_declaration"
        scope = self._scope_around(node, hoisted if is_var else _SCOPES)
        for identifier, path, default in bound_by(name):
            is_read = path is not None and value is not None
            self._bind(
                scope,
                text_of(identifier),
                Binding(
                    kind=BindingKind.VALUE if is_read else BindingKind.OTHER,
                    node=value or node,
                    path=path or (),
                    default=default,
                ),
            )

    def _declaration(self, node: Node) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            binding = Binding(kind=BindingKind.DECLARATION, node=node)
            self._bind(self._scope_around(node), text_of(name), binding)

    def _parameters(self, node: Node) -> None:
        function = self._parent(node)
        if function is None or function.type not in FUNCTIONS:
            return
        patterns = [n for n in node.named_children if n.type != "comment"]
        if patterns and text_of(patterns[0]).startswith("this:"):
            del patterns[0]  # TypeScript's, and no argument's
        for index, pattern in enumerate(patterns):
            self._parameter(function, index, pattern)

    def _single_parameter(self, node: Node) -> None:
        parameter = node.child_by_field_name("parameter")
        if parameter is not None:
            self._parameter(node, 0, parameter)

    def _parameter(self, function: Node, index: int, pattern: Node) -> None:
        whole: Node | None = None
        if pattern.type in ("required_parameter", "optional_parameter"):
            whole = pattern.child_by_field_name("value")
            inner = pattern.child_by_field_name("pattern")
            if inner is None:
                return
            pattern = inner
        for identifier, path, default in bound_by(pattern):
            self._bind(
                function.id,
                text_of(identifier),
                Binding(
                    kind=BindingKind.OTHER if path is None else BindingKind.PARAMETER,
                    node=function,
                    path=path or (),
                    default=default or (None if path else whole),
                    index=index,
                ),
            )

    def _loop(self, node: Node) -> None:
        left = node.child_by_field_name("left")
        if left is not None and node.child_by_field_name("kind") is not None:
            self._other(node, left)
        elif left is not None:
            self._assign(left)

    def _catch(self, node: Node) -> None:
        parameter = node.child_by_field_name("parameter")
        if parameter is not None:
            self._other(node, parameter)

    def _other(self, scope: Node, pattern: Node) -> None:
        for identifier, _, _ in bound_by(pattern):
            binding = Binding(kind=BindingKind.OTHER, node=identifier)
            self._bind(scope.id, text_of(identifier), binding)

    def _assignment(self, node: Node) -> None:
        left = node.child_by_field_name("left") or node.child_by_field_name("argument")
        if left is not None:
            self._assign(left)

    def _assign(self, left: Node) -> None:
        if left.type == "identifier" or left.type in PATTERNS:
            for identifier, _, _ in bound_by(left):
                self._assigned[text_of(identifier)].append(identifier)

    def _import(self, node: Node) -> None:
        source = node.child_by_field_name("source")
        for clause in node.named_children:
            if clause.type == "import_require_clause":
                source = clause.child_by_field_name("source")
        said = None if source is None else string_in(source)
        if said is None:
            return
        for identifier, name in imported_names(node):
            self._bind(
                self._scope_around(node),
                text_of(identifier),
                Binding(kind=BindingKind.IMPORT, node=node, source=said, name=name),
            )
