"""Functions that are entered by a call, and what they return."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Unread
from .arguments import bound, given_by
from .nodes import last_part, parts_of, remembered
from .reading import Memory
from .scope import Argument, Frame, Scope
from .values import Expression, Function, is_none

if TYPE_CHECKING:
    from .meaning import Names
    from .module import Module
    from .reading import Call
    from .scope import FunctionNode
    from .values import Meaning

__all__ = [
    "Functions",
    "LaterCall",
    "calls_super",
    "decorators",
    "method_class",
    "own_nodes",
    "receives_class",
]

_TRANSPARENT = frozenset(
    """
    abstractmethod cache cached_property classmethod declared_attr deprecated directive final hybrid_property lru_cache
    memoized_property override property staticmethod
    """.split()  # noqa: SIM905 - a list of words
)
"""Decorators that leave what a function returns as it is, by the last part of their names."""
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class LaterCall(ast.Call):
    """The arguments of ``functools.partial`` behind its first: a call that is to come gives the others."""


class Functions:
    """Enters functions."""

    def __init__(self, names: Names) -> None:
        """None is entered yet."""
        self._names = names
        self._frames: Memory[Call, Frame | None] = Memory()

    def partial(self, scope: Scope, call: ast.Call, depth: int) -> list[Meaning] | None:
        """Return the functions that ``functools.partial(f, ...)`` makes; None: f is none that was read."""
        found = self._names.meanings(scope, call.args[0], depth)
        functions = [m for m in found if isinstance(m, Function)]
        if not functions or len(functions) != len(found):
            return None
        given = Argument(scope, call)
        return [Function(f.scope, f.node, f.receiver, (*f.given, given)) for f in functions]

    def enter(self, function: Function, scope: Scope, call: ast.AST) -> Frame | None:
        """Return the frame of a function that a call enters; None: it cannot be called so.

        :param call: a call; an attribute, where the function is a property's; a class that gets a declared attribute.
        """
        reading = self._names.current
        key = (function, scope, call)
        kept = self._frames.recall(reading, key)
        if kept is not None:
            return kept.found
        if key in reading.frames:
            reading.own += 1
            return reading.frames[key]
        mark, dropped = reading.mark(), reading.drops_none
        frame = self._entered(function, scope, call)
        reading.drops_none = dropped  # None as a list of arguments is none as a result
        if mark.own == reading.own:
            self._frames.keep(reading, key, frame, mark)
        else:
            reading.frames[key] = frame
        return frame

    def _entered(self, function: Function, scope: Scope, call: ast.AST) -> Frame | None:
        partial = [(a.scope, a.node) for a in function.given]
        calls = [
            (at, node.args[1:], node.keywords) for at, node in partial if isinstance(node, ast.Call)
        ]
        if isinstance(call, ast.Call):
            calls.append((scope, call.args, call.keywords))
        is_bound = function.receiver is not None
        given = given_by(calls, self._spread)
        if isinstance(call, LaterCall):  # the rest may be given then
            given.more_positional = given.more_named = True
        arguments = bound(function.node, function.scope, given, skip_first=is_bound)
        if arguments is None:
            return None
        return Frame(
            entered=function.node,
            receiver=function.receiver,
            closure=function.scope.frame,
            arguments=arguments,
        )

    def _spread(self, scope: Scope, node: ast.expr) -> Argument | None:
        match self._names.meanings(scope, node):
            case [Expression(at, ast.List() | ast.Tuple() | ast.Dict() as literal)]:
                return Argument(at, literal)
        return None

    def result(
        self, scope: Scope, call: ast.AST, function: Function, depth: int
    ) -> list[Meaning] | None:
        """Return everything that a function can return to a call; None: it is not known."""
        node = function.node
        if _is_generator(node) or not _is_transparent(node):
            return self._names.annotations.of_result(function, depth)
        frame = self.enter(function, scope, call)
        if frame is None:
            return None
        inner = Scope(function.scope.module, frame)
        found = [
            m
            for value in self._returned(inner, node)
            for m in self._names.meanings(inner, value, depth - 1)
        ]
        some = [m for m in found if not is_none(m)]
        if not some or any(_is_opaque(m) for m in some):
            return self._names.annotations.of_result(function, depth) or some or None
        if len(some) < len(found) or _may_end(node):
            self._names.current.drops_none = True
        return some

    def _returned(self, inner: Scope, node: FunctionNode) -> list[ast.expr]:
        if isinstance(node, ast.Lambda):
            return [node.body]
        returns = _returns(node)
        if len(returns) > 1:
            returns = tuple(r for r in returns if self._names.branches.is_reached(inner, r))
        return [r.value for r in returns if r.value is not None]


def _is_opaque(meaning: Meaning) -> bool:
    """Whether an annotation may say more of it: nothing that was read leads on."""
    match meaning:
        case Unread() | Expression(_, ast.Call() | ast.Attribute()):
            return True
    return False


@remembered
def _returns(function: FunctionNode) -> tuple[ast.Return, ...]:
    return tuple(node for node in own_nodes(function) if isinstance(node, ast.Return))


@remembered
def _may_end(function: FunctionNode) -> bool:
    """Whether a function may end without a value: by ``return`` alone, or behind its last statement."""
    if isinstance(function, ast.Lambda):
        return False
    bare = any(each.value is None for each in _returns(function))
    return bare or not _leaves(function.body)


def _leaves(block: list[ast.stmt]) -> bool:
    match block[-1] if block else None:
        case ast.Return() | ast.Raise():
            return True
        case ast.If(body=body, orelse=orelse):
            return _leaves(body) and _leaves(orelse)
        case ast.With(body=body) | ast.AsyncWith(body=body):
            return _leaves(body)
        case ast.Try(body=body, handlers=handlers):
            return _leaves(body) and all(_leaves(handler.body) for handler in handlers)
    return False


@remembered
def own_nodes(function: FunctionNode | ast.ClassDef) -> tuple[ast.AST, ...]:
    """Return the nodes of a function's body that have parts, those of functions and classes inside it left out."""
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [*reversed(body)]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, _SCOPES):
            waiting += reversed(parts_of(node))
    return tuple(found)


def decorators(function: FunctionNode) -> list[str]:
    """Return the last parts of the names of a function's decorators, arguments left out."""
    if isinstance(function, ast.Lambda):
        return []
    plain = [d.func if isinstance(d, ast.Call) else d for d in function.decorator_list]
    return [last_part(d) for d in plain]


@remembered
def _is_transparent(function: FunctionNode) -> bool:
    return all(name in _TRANSPARENT for name in decorators(function))


@remembered
def _is_generator(function: FunctionNode) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function))


def receives_class(function: FunctionNode) -> bool:
    """Return whether a method's first parameter is the class."""
    if isinstance(function, ast.Lambda):
        return False
    return "classmethod" in decorators(function) or function.name in (
        "__init_subclass__",
        "__class_getitem__",
        "__new__",
    )


def method_class(module: Module, function: FunctionNode, name: str) -> ast.ClassDef | None:
    """Return the class of a method whose receiver a parameter is; None: it is an argument as others are."""
    if isinstance(function, ast.Lambda):
        return None
    first = [*function.args.posonlyargs, *function.args.args][:1]
    if not first or first[0].arg != name or "staticmethod" in decorators(function):
        return None
    around = module.parent(function)
    while isinstance(around, ast.If | ast.Try):
        around = module.parent(around)
    return around if isinstance(around, ast.ClassDef) else None


def calls_super(function: ast.AST, name: str) -> bool:
    """Return whether a function calls the one of a name that its class inherits."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == name
        and ast.unparse(node.value).startswith("super(")
        for node in ast.walk(function)
    )
