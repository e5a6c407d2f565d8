"""What a name, a property or an argument stands for: bindings, imports and objects are followed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from ..bounds import check_time
from .bindings import BindingKind
from .classes import can_vary, enum_member, field_value
from .heirs import is_overridden_elsewhere
from .meaning import UNDEFINED, Expression, External, Namespace, Properties
from .nodes import (
    CLASSES,
    arguments_of,
    called_name,
    key_of,
    method_call,
    string_in,
    text_of,
    unwrapped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from .bindings import Binding
    from .meaning import Meaning
    from .module import Module
    from .modules import Modules

__all__ = ["DEPTH", "Names", "unread", "why_unread"]

DEPTH = 40
"""How many steps an expression is followed."""

_CHANGEABLE = frozenset({"array", "object"})


class Names(ABC):
    """Reads expressions."""

    def __init__(self, modules: Modules) -> None:
        """Nothing is read yet."""
        self._modules = modules
        self._open: set[tuple[str, int]] = set()
        self._varying: dict[tuple[str, int, str], bool] = {}

    def meaning(self, expression: Expression, depth: int = DEPTH) -> Meaning:
        """Return what an expression stands for: the literal, call or declaration that its names lead to."""
        check_time()
        node = unwrapped(expression.node)
        expression = expression.at(node)
        if not depth:
            return unread(expression)
        match node.type:
            case "identifier" | "shorthand_property_identifier" | "type_identifier" | "undefined":
                return self._named(expression, depth)
            case "member_expression":
                owner, name = _parts(node, "object", "property")
                if owner is not None and name is not None:
                    return self._member(expression, expression.at(owner), text_of(name), depth)
            case "subscript_expression":
                owner, index = _parts(node, "object", "index")
                name_of = None if index is None else self.text(expression.at(index))
                if owner is not None and isinstance(name_of, str):
                    return self._member(expression, expression.at(owner), name_of, depth)
                return unread(expression)
            case "call_expression":
                return self._call(expression, depth)
        return expression

    def _call(self, expression: Expression, depth: int) -> Meaning:
        node = expression.node
        if called_name(node) == "require":
            said = [string_in(argument) for argument in arguments_of(node)]
            if len(said) == 1 and said[0] is not None:
                return self._module(expression.module, said[0], depth)
        call = method_call(node)
        if call is not None and call.name == "freeze" and text_of(call.owner) == "Object":
            return self.meaning(expression.at(call.arguments[0]), depth - 1)
        return expression

    def _module(self, importer: Module, source: str, depth: int) -> Meaning:
        found = self._modules.imported(importer, source)
        if found is None:
            return External(source, "*")
        whole = self._modules.exporting(found, "*")
        if whole is not None and whole[1] is not None and whole[1].type != "object":
            return self.meaning(Expression(whole[0], whole[1]), depth - 1)
        return Namespace(found)

    def _named(self, expression: Expression, depth: int) -> Meaning:
        name = text_of(expression.node)
        binding = expression.module.binding(expression.node)
        if binding is None:
            return External("", name)
        match binding.kind:
            case BindingKind.VALUE:
                return self._value(expression, binding, depth)
            case BindingKind.PARAMETER:
                return self._parameter(expression, binding, depth)
            case BindingKind.IMPORT:
                return self._imported(expression.module, binding, depth)
            case BindingKind.DECLARATION:
                return expression.at(binding.node)
        return Unread(f"{name} can have several values", Cause.REBOUND)

    def _value(self, expression: Expression, binding: Binding, depth: int) -> Meaning:
        name = text_of(expression.node)
        found = self.meaning(expression.at(binding.node), depth - 1)
        is_kept = name not in expression.module.changed
        if not is_kept and isinstance(found, Expression) and found.node.type in _CHANGEABLE:
            return Unread(f"{name} is changed after it is set", Cause.REBOUND)
        return self._along(expression, found, binding, depth)

    def _along(
        self, expression: Expression, found: Meaning, binding: Binding, depth: int
    ) -> Meaning:
        """What the properties of a pattern lead to."""
        for name in binding.path:
            found = self._property(expression, found, name, depth)
        if found == UNDEFINED and binding.default is not None:
            return self.meaning(expression.at(binding.default), depth - 1)
        return found

    def _parameter(self, expression: Expression, binding: Binding, depth: int) -> Meaning:
        name = text_of(expression.node)
        frame = (
            None
            if expression.frame is None
            else expression.frame.of(expression.module, binding.node)
        )
        if frame is None:
            return Unread(f"{name} is a parameter", Cause.PARAMETER)
        if frame.arguments is None:
            return Unread(f"the arguments of the call are spread, and {name} is one of them")
        found: Meaning = UNDEFINED
        if binding.index < len(frame.arguments):
            found = self.meaning(frame.arguments[binding.index], depth - 1)
        return self._along(expression, found, binding, depth)

    def _imported(self, module: Module, binding: Binding, depth: int) -> Meaning:
        origin = self._modules.imported(module, binding.source)
        if origin is None:
            return External(binding.source, binding.name)
        if binding.name == "*":
            return Namespace(origin)
        return self.exported(origin, binding.name, depth)

    def exported(self, module: Module, name: str, depth: int = DEPTH) -> Meaning:
        """Return what a file exports by a name."""
        found = self._modules.exporting(module, name)
        if found is None and name == "default":
            found = self._modules.exporting(module, "*")
        if found is None:
            return Unread(f"what {name} is in another file cannot be read")
        origin, node = found
        if node is None:
            return Namespace(origin)
        if node.type == "type_identifier":
            declaration = origin.parent(node)
            return (
                unread(Expression(origin, node))
                if declaration is None
                else Expression(origin, declaration)
            )
        return self.meaning(Expression(origin, node), depth - 1)

    @abstractmethod
    def text(self, expression: Expression, depth: int = DEPTH) -> str | Unread:
        """Return the string that an expression is."""

    # -- properties

    def _member(self, expression: Expression, owner: Expression, name: str, depth: int) -> Meaning:
        if unwrapped(owner.node).type == "this":
            return self._of_this(expression, name, depth)
        return self._property(expression, self.meaning(owner, depth - 1), name, depth)

    def _property(self, expression: Expression, owner: Meaning, name: str, depth: int) -> Meaning:
        match owner:
            case Namespace(module):
                return self.exported(module, name, depth)
            case External(package, of) if owner != UNDEFINED:
                return External(package, name if of == "*" else f"{of}.{name}")
            case Unread():
                return owner
            case Expression(node=node) if node.type == "object":
                found = self.properties(owner).get(name)
                if found is None:
                    return UNDEFINED
                return found if isinstance(found, Unread) else self.meaning(found, depth - 1)
            case Expression(node=node) if node.type == "enum_declaration":
                return enum_member(owner, name) or unread(expression)
            case Expression(node=node) if node.type in CLASSES:
                return self._of_class(owner, name, depth, is_static=True) or unread(expression)
        return expression

    def _of_this(self, expression: Expression, name: str, depth: int) -> Meaning:
        around = expression.module.class_around(expression.node)
        if around is None:
            return unread(expression)
        found = self._of_class(expression.at(around), name, depth, is_static=False)
        return unread(expression) if found is None else found

    def _of_class(
        self, of: Expression, name: str, depth: int, *, is_static: bool
    ) -> Meaning | None:
        """A field of a class that nothing else sets; None: it has none with a value."""
        value = field_value(of, name, is_static=is_static)
        if value is None:
            return None
        if self.may_vary(of, name):
            return Unread(f"{name} can have several values", Cause.REBOUND)
        return self.meaning(value, depth - 1)

    def may_vary(self, of: Expression, name: str) -> bool:
        """Return whether a member of a class can be another one: set again, or had by a class that extends it."""
        key = (of.module.path, of.node.id, name)
        if key not in self._varying:
            self._varying[key] = can_vary(of, name) or is_overridden_elsewhere(
                self._modules, of, name
            )
        return self._varying[key]

    def properties(self, expression: Expression) -> Properties:
        """Return what an object states, spreads of objects included."""
        found = Properties({})
        meaning = self.meaning(expression)
        if meaning == UNDEFINED:
            return found
        if not isinstance(meaning, Expression) or meaning.node.type != "object":
            found.unread = why_unread(meaning, expression)
            return found
        with self._entered(meaning) as is_new:
            if not is_new:
                found.unread = unread(expression)
                return found
            for part in meaning.node.named_children:
                self._state(found, meaning, part)
        return found

    @contextmanager
    def _entered(self, of: Expression) -> Iterator[bool]:
        """Whether an object or list is not one that is being read already, as one that spreads itself."""
        key = (of.module.path, of.node.id)
        is_new = key not in self._open
        self._open.add(key)
        try:
            yield is_new
        finally:
            if is_new:
                self._open.discard(key)

    def _state(self, found: Properties, of: Expression, part: Node) -> None:
        """Add what one part of an object states; what is said last counts."""
        if part.type == "comment":
            return
        if part.type == "shorthand_property_identifier":
            found.named[text_of(part)] = of.at(part)
            return
        if part.type == "spread_element":
            spread = self.properties(of.at(part.named_children[0]))
            if spread.unread is not None:
                reason = f"{of.at(part).source} may name others"
                found.named, found.unread = {}, Unread(reason, spread.unread.cause)
            found.named.update(spread.named)
            return
        key = part.child_by_field_name("key") or part.child_by_field_name("name")
        value = part.child_by_field_name("value")
        name = None if key is None else key_of(key)
        is_accessor = part.type == "method_definition" and text_of(part).startswith(
            ("get ", "set ")
        )
        if name is None and key is not None and key.named_children:
            computed = self.text(of.at(key.named_children[0]))
            name = computed if isinstance(computed, str) else None
        if name is None or is_accessor:
            found.named, found.unread = {}, Unread(f"{of.at(part).source} may name others")
        else:
            found.named[name] = of.at(value if value is not None else part)


def _parts(node: Node, first: str, second: str) -> tuple[Node | None, Node | None]:
    return node.child_by_field_name(first), node.child_by_field_name(second)


def why_unread(meaning: Meaning, expression: Expression) -> Unread:
    """Return why a meaning is not what an expression should be."""
    return meaning if isinstance(meaning, Unread) else unread(expression)


def unread(expression: Expression) -> Unread:
    """Return that an expression cannot be read."""
    return Unread(f"what {expression.source} is cannot be read")
