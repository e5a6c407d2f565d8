"""The calls of a function in the files that are scanned, each proven to be one."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...target import Unread
from .functions import LaterCall
from .homes import may_make, may_use
from .makers import makers_in
from .scope import Argument, Scope
from .values import Class, Expression, Function, Instance, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .homes import Homes
    from .meaning import Names
    from .module import Module
    from .modules import Modules
    from .scope import Frame, FunctionNode
    from .values import Meaning

__all__ = ["Caller", "Callers", "FoundCallers"]

_CALLERS = 300
"""Calls of one function that are followed, at most."""

_FORWARDING = frozenset({"partial", "to_thread", "run_in_executor", "submit"})
"""Functions that call the one they are given, with the arguments behind it, by the last part of their names."""
_HANDING = frozenset({"runInteraction", "run_sync"})
"""Those of connections, SQLAlchemy's and Twisted's, which hand in one of their own before the arguments."""
_THREADS = frozenset({"from_thread", "to_thread"})
"""AnyIO's modules, whose ``run_sync`` hands in nothing of its own."""
_OWN = ast.Constant(...)
"""What is handed in: something, and nothing that a literal says."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One call."""

    module: Module
    node: ast.expr
    """What is shown as its place."""
    frame: Frame | None
    """None: its arguments cannot be separated."""
    is_own: bool = False
    """Whether the class calls itself, by what its methods belong to: ``cls(...)``."""


@dataclass(frozen=True, slots=True)
class FoundCallers:
    """The calls of one function."""

    callers: tuple[Caller, ...]
    complete: bool
    """False: something may be another call, or the function is handed on as a value."""


class Callers:
    """Finds calls."""

    def __init__(self, names: Names, modules: Modules, homes: Homes) -> None:
        """Nothing is found yet."""
        self._names = names
        self._modules = modules
        self._homes = homes
        self._known: dict[FunctionNode, FoundCallers] = {}

    def of(self, module: Module, function: FunctionNode) -> FoundCallers:
        """Return the calls of a function, in the order of files and lines."""
        if function not in self._known:
            self._known[function] = self._find(module, function)
        return self._known[function]

    def _find(self, module: Module, function: FunctionNode) -> FoundCallers:
        if isinstance(function, ast.Lambda):
            return FoundCallers((), complete=False)
        around = module.parent(function)
        of = Class(module, around) if isinstance(around, ast.ClassDef) else None
        words = [function.name]
        if function.name == "__init__" and of is not None:
            # the calls of the class, and of those that inherit from it; and the calls of super().__init__
            words += [each.node.name for each in (of, *self._names.heirs.of(of))]
        found: dict[ast.AST, Caller] = {}
        complete = True
        for word in dict.fromkeys(words):
            callers = self._with_word(module, function, of, word)
            if callers is None or len(found) > _CALLERS:
                return FoundCallers((), complete=False)
            found |= {caller.node: caller for caller in callers.callers}
            complete = complete and callers.complete
        if function.name == "__init__" and of is not None:
            callers = self._by_receivers(function, of)
            found |= {caller.node: caller for caller in callers.callers}
            complete = complete and callers.complete
        return FoundCallers(tuple(found.values()), complete)

    def _with_word(
        self, module: Module, function: FunctionNode, of: Class | None, word: str
    ) -> FoundCallers | None:
        """The calls that a name leads to; None: too many files have it."""
        key = (module.path, word, function.lineno)
        heirs = () if of is None else (of, *self._names.heirs.of(of))
        is_class = any(heir.node.name == word for heir in heirs)
        paths = (
            tuple(dict.fromkeys(heir.module.shown_path for heir in heirs))
            if word == "__init__"
            else self._homes.of(key, word, may_make if is_class else may_use)
        )
        if paths is None:
            return None
        found: list[Caller] = []
        kept: list[str] = []
        complete = True
        for path in paths:
            each = self._modules.at(path)
            if each is None:
                continue
            for reference in _references(each, word, function):
                caller, is_clear = self._caller(each, reference, function, of)
                complete = complete and is_clear
                if caller is not None:
                    found.append(caller)
                if caller is not None or not is_clear:
                    kept.append(path)
        if word != "__init__":
            self._homes.keep(key, word, dict.fromkeys(kept))
        return FoundCallers(tuple(found), complete)

    def _by_receivers(self, function: FunctionNode, of: Class) -> FoundCallers:
        """The calls in a class, and in those that inherit from it, of what they are methods of: ``cls(...)``."""
        found: list[Caller] = []
        complete = True
        for each in (of, *self._names.heirs.of(of)):
            for reference in makers_in(each.module, each.node):
                caller, is_clear = self._caller(each.module, reference, function, of)
                complete = complete and is_clear
                found += [] if caller is None else [replace(caller, is_own=True)]
        return FoundCallers(tuple(found), complete)

    def _caller(
        self, module: Module, reference: ast.expr, function: FunctionNode, of: Class | None
    ) -> tuple[Caller | None, bool]:
        """The call that a reference is part of, if it is one of the function; and whether that is clear."""
        scope = Scope(module)
        call, node = _call_around(module, reference, function)
        with self._names.reading():
            meanings = self._names.meanings(scope, reference)
            bound = [b for m in meanings for b in self._functions(m, scope, call, function)]
            if not bound:
                return None, call is None or not self._may_be(scope, meanings, reference, of)
            if call is None or node is None:
                return None, isinstance(module.parent(reference), ast.Attribute)
            frames = [self._names.functions.enter(each, scope, call) for each in bound]
        return Caller(module, node, frames[0] if len(frames) == 1 else None), True

    def _functions(
        self, meaning: Meaning, scope: Scope, call: ast.Call | None, function: FunctionNode
    ) -> Iterator[Function]:
        """The function itself, as a meaning has it: bound, or made an instance by."""
        match meaning:
            case Function(node=node) if node is function:
                yield meaning
            case Class() if call is not None:
                made = self._names.members.method(meaning, "__init__")
                if made is not None and made.node is function:
                    instance = Instance(meaning, Origin.MADE, Argument(scope, call))
                    yield Function(made.scope, made.node, instance)

    def _may_be(
        self, scope: Scope, meanings: list[Meaning], reference: ast.expr, of: Class | None
    ) -> bool:
        """Whether something that was not followed may be the method."""
        if of is None or not isinstance(reference, ast.Attribute) or reference.attr == "__init__":
            return False
        if not any(isinstance(m, Unread | Expression) for m in meanings):
            return False
        return not all(
            self._is_another(m, of) for m in self._names.meanings(scope, reference.value)
        )

    def _is_another(self, owner: Meaning, of: Class) -> bool:
        """Whether it is a class that has nothing to do with one, or an instance that such a class makes."""
        if isinstance(owner, Instance) and owner.origin is Origin.MADE:
            owner = owner.of
        return (
            isinstance(owner, Class)
            and of not in self._names.members.lineage(owner)
            and owner not in self._names.members.lineage(of)
        )


def _references(module: Module, word: str, function: FunctionNode) -> Iterator[ast.expr]:
    """Where a name is used, under the names that imports give it; not inside the function itself."""
    aliases = {
        node.asname
        for node in module.near([word])
        if isinstance(node, ast.alias) and node.name == word and node.asname
    }
    names = {word, *aliases}
    for node in module.near(names):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) if name in names:
                pass
            case ast.Attribute(attr=name, ctx=ast.Load()) if name == word:
                pass
            case _:
                continue
        if function not in set(module.around(node)):
            yield node


def _call_around(
    module: Module, reference: ast.expr, function: FunctionNode
) -> tuple[ast.Call | None, ast.expr | None]:
    """The call of a reference, and what stands for it in the source; None: it is used as a value."""
    parent = module.parent(reference)
    if isinstance(parent, ast.Subscript) and parent.value is reference:
        reference, parent = parent, module.parent(parent)
    if not isinstance(parent, ast.Call):
        return None, None
    if parent.func is reference:
        return parent, parent
    owner, _, last = ast.unparse(parent.func).rpartition(".")
    if last not in _FORWARDING | _HANDING or reference not in parent.args:
        return None, None
    behind = parent.args[parent.args.index(reference) + 1 :]
    keywords = parent.keywords
    if last in _HANDING and owner and owner.rpartition(".")[2] not in _THREADS:
        behind = [_OWN, *behind]
        keywords = [k for k in keywords if k.arg is None or _takes(function, k.arg)]
    kind = LaterCall if last == "partial" else ast.Call
    return kind(func=reference, args=behind, keywords=keywords), parent


def _takes(function: FunctionNode, name: str) -> bool:
    """Whether a function has a parameter of a name; another one is for what hands the call on."""
    parameters = function.args
    return parameters.kwarg is not None or any(
        parameter.arg == name for parameter in (*parameters.args, *parameters.kwonlyargs)
    )
