"""Which names of a revision are bound once, to what stays as it is written."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from ..aliases import with_aliases

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["bound_names", "lines_where_it_runs", "unsteady_names"]

_CHANGING = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "add"}
)
"""Methods that change a list, a set or a dictionary."""


def unsteady_names(node: ast.AST, *, but: Iterable[ast.AST] = ()) -> frozenset[str]:
    """Return the names that are bound again, or whose value is changed where it is, anywhere inside a node.

    :param but: functions in it with names of their own.
    """
    left_out = {id(each) for each in but}
    bound: Counter[str] = Counter()
    unsteady: set[str] = set()
    others: list[tuple[str, str]] = []
    """The names of one value."""
    for each in _inside(node, left_out):
        match each:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                bound[name] += 1
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                unsteady.add(name)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute in _CHANGING:
                unsteady.add(name)
            case ast.AugAssign(target=ast.Name(id=name)):
                unsteady.add(name)
            case ast.Assign(targets=targets, value=ast.Name(id=name)):
                others += [(name, t.id) for t in targets if isinstance(t, ast.Name)]
    unsteady |= {name for name, times in bound.items() if times > 1}
    return with_aliases(unsteady, others)


def bound_names(function: ast.FunctionDef) -> frozenset[str]:
    """Return the names that are the function's own, its parameters among them."""
    stored = {
        each.id
        for each in ast.walk(function)
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)
    }
    return frozenset(
        stored | {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
    )


def lines_where_it_runs(
    function: ast.FunctionDef, line: int, executors: Iterable[str]
) -> list[int]:
    """Return the lines at which the statement at a line runs, in their order; empty: it is not known.

    One that is bound to a name runs where the name is used.

    :param line: counted from 1, as are those that are returned.
    """
    found = [each for each in _statements(function.body) if _is_at(each, line)]
    if len(found) != 1 or isinstance(
        found[0], ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ):
        return []
    name = _kept_for_later(found[0], executors)
    if name is None:
        return [line]
    uses = _uses_of(function, name, found[0].end_lineno or line)
    if len(uses) != 1:
        return uses
    return lines_where_it_runs(function, uses[0], executors)


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, and those of a ``with``, whose own run for certain."""
    for each in body:
        if isinstance(each, ast.With):
            yield from _statements(each.body)
        else:
            yield each


def _is_at(statement: ast.stmt, line: int) -> bool:
    return statement.lineno <= line <= (statement.end_lineno or statement.lineno)


def _kept_for_later(statement: ast.stmt, executors: Iterable[str]) -> str | None:
    """The name that a statement binds to what it does not run; None: it binds none, or runs it."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            called = {
                each.func.attr
                for each in ast.walk(statement)
                if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
            }
            return name if called.isdisjoint(executors) else None
    return None


def _uses_of(function: ast.AST, name: str, after: int) -> list[int]:
    """The lines behind another one that a name is used at, in their order."""
    return sorted(
        each.lineno
        for each in ast.walk(function)
        if isinstance(each, ast.Name)
        and isinstance(each.ctx, ast.Load)
        and each.id == name
        and each.lineno > after
    )


def _inside(node: ast.AST, left_out: set[int]) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if id(child) not in left_out:
            yield child
            yield from _inside(child, left_out)
