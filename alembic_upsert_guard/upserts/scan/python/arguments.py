"""Which argument each parameter of a function gets from a call, as Python binds them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .scope import Argument, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .scope import FunctionNode

__all__ = ["Given", "bound", "defaults", "given_by"]


@dataclass(slots=True)
class Given:
    """The arguments of one call, or of several that ``functools.partial`` puts together."""

    positional: list[Argument] = field(default_factory=list)
    named: dict[str, Argument] = field(default_factory=dict)
    more_positional: bool = False
    """Whether a ``*`` that is not read may give more."""
    more_named: bool = False
    """Whether a ``**`` that is not read may name more."""

    def positional_at(self, scope: Scope, nodes: Iterable[ast.expr]) -> None:
        """Add arguments that are written one by one."""
        self.positional += [Argument(scope, node) for node in nodes]


def given_by(
    calls: Iterable[tuple[Scope, Iterable[ast.expr], Iterable[ast.keyword]]],
    spread: Callable[[Scope, ast.expr], Argument | None],
) -> Given:
    """Return what calls hand in, the first one first; a later keyword replaces an earlier.

    :param spread: the literal that is behind ``*x`` or ``**x``; None: it is not read.
    """
    given = Given()
    for scope, positional, keywords in calls:
        for node in positional:
            _add_positional(given, scope, node, spread)
        for keyword in keywords:
            if keyword.arg is not None:
                given.named[keyword.arg] = Argument(scope, keyword.value)
            else:
                _add_named(given, spread(scope, keyword.value))
    return given


def _add_positional(
    given: Given,
    scope: Scope,
    node: ast.expr,
    spread: Callable[[Scope, ast.expr], Argument | None],
) -> None:
    if not isinstance(node, ast.Starred):
        given.positional.append(Argument(scope, node))
        return
    literal = spread(scope, node.value)
    elements = None if literal is None else literal.node
    if (
        literal is None
        or not isinstance(elements, ast.List | ast.Tuple)
        or any(isinstance(e, ast.Starred) for e in elements.elts)
        or given.more_positional
    ):
        given.more_positional = True
    else:
        given.positional_at(literal.scope, elements.elts)


def _add_named(given: Given, literal: Argument | None) -> None:
    if literal is None or not isinstance(literal.node, ast.Dict):
        given.more_named = True
        return
    for key, value in zip(literal.node.keys, literal.node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            given.named[key.value] = Argument(literal.scope, value)
        else:
            given.more_named = True


def bound(
    function: FunctionNode, defined_in: Scope, given: Given, *, skip_first: bool
) -> dict[str, Argument | Unread] | None:
    """Return what each parameter is given; None: the function cannot be called so.

    :param defined_in: where the function is, and its defaults are evaluated.
    :param skip_first: whether the first parameter is the receiver, which no argument is for.
    """
    parameters = function.args
    in_order = [*parameters.posonlyargs, *parameters.args]
    names = [p.arg for p in in_order][1 if skip_first else 0 :]
    found: dict[str, Argument | Unread] = dict(zip(names, given.positional, strict=False))
    rest = given.positional[len(names) :]
    if rest and parameters.vararg is None:
        return None
    keywords = {*names, *(p.arg for p in parameters.kwonlyargs)}
    extra: dict[str, Argument] = {}
    for name, argument in given.named.items():
        if name not in keywords:
            extra[name] = argument
        elif name in found:
            return None
        else:
            found[name] = argument
    if extra and parameters.kwarg is None:
        return None
    if not _complete(function, defined_in, given, found, [*names, *sorted(keywords - set(names))]):
        return None
    if parameters.vararg is not None:
        found[parameters.vararg.arg] = _collected(rest, given, parameters.vararg.arg, defined_in)
    if parameters.kwarg is not None:
        found[parameters.kwarg.arg] = _named_rest(extra, given, parameters.kwarg.arg, defined_in)
    return found


def _complete(
    function: FunctionNode,
    defined_in: Scope,
    given: Given,
    found: dict[str, Argument | Unread],
    names: list[str],
) -> bool:
    """Fill in defaults, and return whether every parameter has an argument then."""
    with_default = defaults(function)
    for name in names:
        if name in found:
            continue
        if given.more_positional or given.more_named:
            found[name] = Unread(f"{name} may come with * or **", Cause.PARAMETER)
        elif name in with_default:
            found[name] = Argument(defined_in, with_default[name])
        else:
            return False
    return True


def defaults(function: FunctionNode) -> dict[str, ast.expr]:
    """Return the values of parameters that a call need not give, by parameter."""
    parameters = function.args
    in_order = [*parameters.posonlyargs, *parameters.args]
    with_default = in_order[len(in_order) - len(parameters.defaults) :]
    found = {p.arg: d for p, d in zip(with_default, parameters.defaults, strict=True)}
    named = zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
    return found | {p.arg: d for p, d in named if d is not None}


def _collected(
    rest: list[Argument], given: Given, name: str, defined_in: Scope
) -> Argument | Unread:
    """The tuple that ``*name`` is."""
    scopes = {argument.scope for argument in rest}
    if given.more_positional or len(scopes) > 1:
        return Unread(f"{name} may come with *", Cause.PARAMETER)
    scope = scopes.pop() if scopes else defined_in
    return Argument(scope, ast.Tuple(elts=[argument.node for argument in rest], ctx=ast.Load()))


def _named_rest(
    extra: dict[str, Argument], given: Given, name: str, defined_in: Scope
) -> Argument | Unread:
    """The dictionary that ``**name`` is."""
    scopes = {argument.scope for argument in extra.values()}
    if given.more_named or len(scopes) > 1:
        return Unread(f"{name} may come with **", Cause.PARAMETER)
    scope = scopes.pop() if scopes else defined_in
    keys: list[ast.expr | None] = [ast.Constant(key) for key in extra]
    return Argument(scope, ast.Dict(keys=keys, values=[a.node for a in extra.values()]))
