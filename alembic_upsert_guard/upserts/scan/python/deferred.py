"""A file whose functions are parsed when their bodies are asked for: most of them never are."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .outline import bodies_of
from .parsing import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .outline import Body

__all__ = ["Progress", "parsed_by_parts"]

_LEAST = 8_000
"""Bytes of a file that is worth the trouble."""


@dataclass(slots=True)
class Progress:
    """How much of a file was parsed up to now."""

    size: int = 0
    """In bytes."""
    has_failed: bool = False
    """Whether a body did not parse, of which nothing is known then."""


def parsed_by_parts(
    source: bytes, path: str, wanted: Callable[[int, int], bool], progress: Progress
) -> ast.Module:
    """Return the syntax tree of a file; nothing of it is run.

    Every line and column is as in the tree of the whole file. A body that turns out not to parse returns what nothing
    is known of.

    :param wanted: says of the lines of a function, the first and the last, that its body is needed at once.
    :param progress: is kept up to date, now and later.
    :raises SyntaxError: what is parsed at once is not Python; see :func:`.parsed` for what else is raised.
    """
    if len(source) >= _LEAST:
        bodies = {
            body.line: body
            for body in bodies_of(source)
            if not wanted(body.line, body.first + source.count(b"\n", body.start, body.end))
        }
        tree = _without(source, path, bodies, progress) if bodies else None
        if tree is not None:
            return tree
    progress.size += len(source)
    return parsed(source, path)


def _without(
    source: bytes, path: str, bodies: dict[int, Body], progress: Progress
) -> ast.Module | None:
    """The tree of a file without some bodies; None: not all are what they seemed to be."""
    rest, size = _rest(source, bodies.values())
    try:
        tree = parsed(rest, path)
    except (SyntaxError, ValueError):
        return None
    found = [node for node in _functions(tree.body) if node.lineno in bodies]
    if len(found) != len(bodies) or not all(_is_left_out(f, bodies[f.lineno]) for f in found):
        return None
    progress.size += size
    for function in found:
        members = vars(function)
        del members["body"]
        members["_deferred"] = _Deferred(source, path, bodies[function.lineno], progress)
        is_async = isinstance(function, ast.AsyncFunctionDef)
        function.__class__ = _DeferredAsyncFunction if is_async else _DeferredFunction
    return tree


def _rest(source: bytes, bodies: Iterable[Body]) -> tuple[bytes, int]:
    """A source with a number in the place of each body, on its last line, so that lines stay; and what is left."""
    pieces: list[bytes] = []
    at = size = 0
    for body in bodies:
        pieces += (
            source[at : body.start],
            b"\n" * source.count(b"\n", body.start, body.last_start),
            b" " * (body.indentation + 1) + b"0",
        )
        size += body.start - at
        at = body.end
    pieces.append(source[at:])
    return b"".join(pieces), size + len(source) - at


def _functions(block: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions in some statements, those inside of functions left out."""
    for statement in block:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement
            continue
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(statement, field, None)
            if isinstance(inner, list):
                yield from _functions(inner)


def _is_left_out(function: ast.FunctionDef | ast.AsyncFunctionDef, body: Body) -> bool:
    match function.body:
        case [ast.Expr(ast.Constant(value=0, col_offset=column))]:
            return column == body.indentation + 1 and function.col_offset == body.indentation
    return False


class _Deferred:
    """A body that is not parsed yet."""

    __slots__ = ("_body", "_path", "_progress", "_source")

    def __init__(self, source: bytes, path: str, body: Body, progress: Progress) -> None:
        self._source = source
        self._path = path
        self._body = body
        self._progress = progress

    def statements(self) -> list[ast.stmt]:
        body = self._body
        own = self._source[body.start : body.end]
        self._progress.size += len(own)
        try:
            tree = parsed(b"\n" * (body.first - 2) + b"if 1:\n" + own, self._path)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self._progress.has_failed = True
            return [_nothing_known(body.first)]
        match tree.body:
            case [ast.If(body=statements, orelse=[])]:
                return statements
        self._progress.has_failed = True
        return [_nothing_known(body.first)]


def _nothing_known(line: int) -> ast.stmt:
    unknown = ast.Return(value=ast.Constant(value=...), lineno=line, col_offset=0)
    return ast.fix_missing_locations(unknown)


def _body_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    members = vars(function)
    is_async = isinstance(function, ast.AsyncFunctionDef)
    members["body"] = members.pop("_deferred").statements()
    function.__class__ = ast.AsyncFunctionDef if is_async else ast.FunctionDef
    body: list[ast.stmt] = members["body"]
    return body


class _DeferredFunction(ast.FunctionDef):
    """Becomes a function as others are, once its body is asked for."""

    body = property(_body_of)


class _DeferredAsyncFunction(ast.AsyncFunctionDef):
    """As :class:`_DeferredFunction`."""

    body = property(_body_of)
