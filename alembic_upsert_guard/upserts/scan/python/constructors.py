"""How an instance is made by those who use a library: by the defaults, where no call of the tree says more."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from ...target import Unread
from .arguments import defaults
from .changes import changed_by
from .functions import decorators, own_nodes
from .nodes import remembered
from .scope import Argument, Frame, Scope

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .callers import Caller, Callers, FoundCallers
    from .meaning import Names
    from .module import Module
    from .scope import Entered

__all__ = ["Constructors"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_HANDED_ON = 4
"""How many functions in a row hand ``**`` on, at most."""


class Constructors:
    """Reads how constructors are entered."""

    def __init__(self, names: Names, callers: Callers) -> None:
        """Nothing is read yet."""
        self._names = names
        self._callers = callers

    def by_default(
        self,
        module: Module,
        node: Entered | ast.ClassDef,
        found: FoundCallers,
        names: Collection[str],
    ) -> tuple[Frame | None, Sequence[Caller]]:
        """How a constructor is entered by the calls that leave some parameters at their defaults; and the other calls.

        Where no call is in the tree, users of a library call it, and the default is what the source says; what only
        hands on a ``**`` of theirs is called by them, too. Where some calls leave the defaults, one that gives what
        comes at run time is left out, and so is one by which a class makes one more of itself: the upsert is reported
        by its default.
        None: no call is known to leave them.
        """
        if not isinstance(node, _FUNCTIONS) or not _makes_instance(node) or not found.complete:
            return None, found.callers
        scope = Scope(module)
        stated = {name: Argument(scope, value) for name, value in defaults(node).items()}
        calls = [self._without_spread(caller, names, stated) for caller in found.callers]
        leaving: list[Mapping[str, Argument | Unread]] = []
        giving: list[Caller] = []
        handing: list[Caller] = []
        left_out = 0
        for caller in calls:
            given = {} if caller.frame is None else caller.frame.arguments or {}
            if all(name in stated and given.get(name) == stated[name] for name in names):
                # a class that makes one more of itself may give it what else it was given itself
                leaving += [] if caller.is_own else [given]
                left_out += caller.is_own
            elif all(self._is_constant(given.get(name)) for name in names):
                giving.append(caller)
                left_out += caller.is_own and not self._is_called(caller)
            elif caller.is_own and _spread(caller) is None:
                follows = all(_is_by_default(caller, given.get(name)) for name in names)
                giving += [caller] if follows else []
                left_out += 1
            elif _may_leave(caller, names):
                handing.append(caller)
        known = len(calls) == len(handing) + left_out or leaving
        if not set(names) <= set(stated) or not known:
            return None, calls
        unchanged = {n: a for n, a in stated.items() if all(given.get(n) == a for given in leaving)}
        entered = Frame(entered=node, arguments=unchanged)
        return entered, giving if leaving else [*giving, *handing]

    def _is_constant(self, given: Argument | Unread | None) -> bool:
        if not isinstance(given, Argument):
            return False
        with self._names.reading():
            return self._names.branches.constants(given.scope, given.node) is not None

    def _is_called(self, caller: Caller) -> bool:
        """Whether the method that a call is in may be called in the tree; else it is for users, as the class is."""
        around = caller.module.around(caller.node)
        function = next((n for n in around if isinstance(n, _FUNCTIONS)), None)
        if function is None:
            return True
        found = self._callers.of(caller.module, function)
        return bool(found.callers) or not found.complete

    def _without_spread(
        self, caller: Caller, names: Collection[str], stated: Mapping[str, Argument]
    ) -> Caller:
        """A call with the defaults of what ``**kwargs`` may have, where these are the users' own and they leave it."""
        call, frame = _spread(caller), caller.frame
        if call is None or frame is None or frame.arguments is None:
            return caller
        given = frame.arguments
        left = [n for n in names if n in stated and isinstance(given.get(n), Unread)]
        if not left or not self._is_of_users(caller, call, left, _HANDED_ON):
            return caller
        return replace(
            caller, frame=replace(frame, arguments={**given, **{n: stated[n] for n in left}})
        )

    def _is_of_users(
        self, caller: Caller, call: ast.Call, names: Collection[str], left: int
    ) -> bool:
        """Whether a call hands on the ``**kwargs`` of its function, in which no call of that names any of `names`."""
        module = caller.module
        function = next((n for n in module.around(call) if isinstance(n, _FUNCTIONS)), None)
        kwarg = None if function is None else function.args.kwarg
        match [keyword.value for keyword in call.keywords if keyword.arg is None]:
            case [ast.Name(id=name)] if left and kwarg is not None and kwarg.arg == name:
                if function is None or any(name in changed_by(n) for n in own_nodes(function)):
                    return False
            case _:
                return False
        found = self._callers.of(module, function)
        return found.complete and all(self._leaves(c, names, left - 1) for c in found.callers)

    def _leaves(self, caller: Caller, names: Collection[str], left: int) -> bool:
        call = caller.node
        if not isinstance(call, ast.Call) or any(keyword.arg in names for keyword in call.keywords):
            return False
        spread = _spread(caller)
        return all(keyword.arg for keyword in call.keywords) or (
            spread is not None and self._is_of_users(caller, spread, names, left)
        )


def _spread(caller: Caller) -> ast.Call | None:
    """A call that hands on more than is written, and all of it by name; None: it does not."""
    call = caller.node
    if not isinstance(call, ast.Call) or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    return call if any(keyword.arg is None for keyword in call.keywords) else None


def _may_leave(caller: Caller, names: Collection[str]) -> bool:
    """Whether settings that a call hands on may have some parameters, and no word of its file says so: ``**self.x``."""
    call = _spread(caller)
    if call is None or not all(
        isinstance(keyword.value, ast.Attribute) for keyword in call.keywords if keyword.arg is None
    ):
        return False
    given = {} if caller.frame is None else caller.frame.arguments or {}
    return all(
        isinstance(given.get(name), Unread) and not _has_word(caller.module, name) for name in names
    )


def _is_by_default(caller: Caller, given: Argument | Unread | None) -> bool:
    """Whether a call hands on a literal, or a parameter of its function that has a default."""
    match given:
        case Argument(node=ast.Constant()):
            return True
        case Argument(node=ast.Name(id=name)):
            around = caller.module.around(caller.node)
            function = next((n for n in around if isinstance(n, _FUNCTIONS)), None)
            return function is not None and name in defaults(function)
    return False


def _has_word(module: Module, word: str) -> bool:
    """Whether a file names a key or an argument so."""
    return any(
        (isinstance(node, ast.Constant) and node.value == word)
        or (isinstance(node, ast.keyword) and node.arg == word)
        for node in module.near([word])
    )


@remembered
def _makes_instance(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is a constructor: ``__init__``, or a class method that calls its class."""
    if node.name == "__init__":
        return True
    first = [*node.args.posonlyargs, *node.args.args][:1]
    return "classmethod" in decorators(node) and any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == first[0].arg
        for n in own_nodes(node)
        if first
    )
