"""SQL in strings: literals, pieces added up, f-strings; what is put in at run time stays a hole."""

from __future__ import annotations

import ast
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...target import Cause, Unread
from ...upsert import Form, Source, Upsert
from ..needles import WORDS
from ..sql import HOLE, read_sql
from .module import FILLING
from .revision import runs_on_upgrade
from .scope import Scope
from .values import Expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .meaning import Names
    from .module import Module

__all__ = ["Strings"]

_Root: TypeAlias = ast.expr | ast.AugAssign

_DEPTH = 30
_FILLED_IN = Unread("the statement is filled in at run time", Cause.FILLED_IN)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A literal's text, or a hole."""

    text: str
    literal: ast.Constant | None


class Strings:
    """Reads the SQL in a module's strings."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names

    def read(self, module: Module) -> Iterator[Upsert]:
        """Return every upsert in a string of the module; docstrings are prose."""
        roots = dict.fromkeys(
            root
            for node in module.near(WORDS)
            if isinstance(node, ast.Constant)
            and _may_be_sql(node.value)
            and (root := _root(module, node)) is not None
        )
        scope = Scope(module)
        composed = {root: list(self._pieces(scope, root, _DEPTH)) for root in roots}
        taken = {
            piece.literal
            for root, pieces in composed.items()
            for piece in pieces
            if piece.literal is not None and piece.literal is not root
        }
        for root, pieces in composed.items():
            # a string that another one takes in is read there
            if root not in taken:
                yield from self._upserts(module, root, pieces)

    def _upserts(self, module: Module, root: _Root, pieces: list[_Piece]) -> Iterator[Upsert]:
        upserts = read_sql("".join(piece.text for piece in pieces))
        if not upserts:
            return
        filled_in = _is_filled_in(module, root)
        places = _Places(module, root, pieces)
        for upsert in upserts:
            yield Upsert(
                source=Source.CODE,
                place=module.place(places.line(upsert.start), root),
                table=_FILLED_IN if filled_in else upsert.table,
                target=_FILLED_IN if filled_in else upsert.target,
                binds=upsert.binds and not filled_in,
                form=Form.SQL,
                definition=upsert.definition if runs_on_upgrade(module, root) else None,
            )

    def _pieces(self, scope: Scope, node: _Root, depth: int) -> Iterator[_Piece]:
        match node:
            case ast.Constant(value=str() as text):
                yield _Piece(text, node)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                yield from self._pieces(scope, left, depth)
                yield from self._pieces(scope, right, depth)
            case ast.AugAssign(target=ast.Name() as name, value=value):
                yield from self._named(scope, name, depth)
                yield from self._pieces(scope, value, depth)
            case ast.JoinedStr(values=values):
                for value in values:
                    yield from self._pieces(scope, value, depth)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                yield from self._pieces(scope, value, depth)
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str() as between), attr="join"),
                args=[ast.List(elts=items) | ast.Tuple(elts=items)],
            ):
                for position, item in enumerate(items):
                    yield _Piece(between if position else "", None)
                    yield from self._pieces(scope, item, depth)
            case ast.Name() | ast.Attribute():
                yield from self._named(scope, node, depth)
            case _:
                yield _hole(node)

    def _named(self, scope: Scope, node: ast.expr, depth: int) -> Iterator[_Piece]:
        found = self._names.meanings(scope, node)
        if depth and len(found) == 1 and isinstance(found[0], Expression):
            meaning = found[0]
            if isinstance(meaning.node, (ast.Constant, ast.BinOp, ast.JoinedStr, ast.AugAssign)):
                yield from self._pieces(meaning.scope, meaning.node, depth - 1)
                return
        yield _hole(node)


def _hole(node: ast.AST) -> _Piece:
    return _Piece(f"{HOLE}{getattr(node, 'lineno', 0)}x{getattr(node, 'col_offset', 0)}_", None)


def _may_be_sql(literal: object) -> bool:
    """Whether a literal may be a piece of an upsert: its conflict clause, or the INSERT before it."""
    if not isinstance(literal, str):
        return False
    lower = literal.lower()
    return "conflict" in lower or "on duplicate" in lower or "insert" in lower


def _root(module: Module, node: ast.Constant) -> _Root | None:
    """The largest string expression around a literal; None: it is a docstring, or no string of the program's."""
    root: _Root = node
    for around in module.around(node):
        match around:
            case ast.Expr():
                return None if root is node else root
            case ast.BinOp(op=ast.Add()) | ast.JoinedStr() | ast.FormattedValue():
                root = around
            case ast.AugAssign(target=ast.Name(), op=ast.Add()):
                return around
            case ast.List() | ast.Tuple() if _is_joined(module, around):
                continue
            case ast.Call() if isinstance(root, ast.expr) and _joins(around):
                root = around
            case _:
                return root
    return root


def _is_joined(module: Module, node: ast.expr) -> bool:
    parent = module.parent(node)
    return isinstance(parent, ast.Call) and _joins(parent) and parent.args == [node]


def _joins(call: ast.Call) -> bool:
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str()), attr="join"),
            args=[ast.List() | ast.Tuple()],
        ):
            return True
    return False


def _is_filled_in(module: Module, root: _Root) -> bool:
    """Whether something is put into the string: ``"..." % x``, ``SQL("...").format(x)``, or through its name."""
    inner: ast.AST = root
    for around in module.around(root):
        match around:
            case ast.BinOp(left=left, op=ast.Mod()):
                return left is inner
            case ast.Attribute(attr=method) if method in FILLING:
                return True
            case ast.Call(args=[first, *_]) if first is inner:
                inner = around
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                return name in module.filled_in
            case _:
                return False
    return False


class _Places:
    """Which line of the source a character of a composed string is in."""

    def __init__(self, module: Module, root: _Root, pieces: Iterable[_Piece]) -> None:
        self._module = module
        self._root = root
        self._inside = set(ast.walk(root))
        self._literals: list[tuple[int, ast.Constant, str, int]] = []
        """Where each begins, its text, and how many conflict clauses the source has before it in the same place."""
        self._ends: list[int] = []
        self._words: dict[int, list[int]] = {}
        self._lines: dict[ast.Constant, list[int]] = {}
        at = before = 0
        for piece in pieces:
            if piece.literal is not None and piece.text:
                self._literals.append((at, piece.literal, piece.text, before))
                self._ends.append(at + len(piece.text))
            if piece.literal is not None and _has_place_of_whole(piece.literal, root):
                before += len(_ends_of_words(piece.text))
            at += len(piece.text)

    def line(self, start: int) -> int:
        """Return the line of a conflict clause, where it is in the string itself; else the string's first."""
        # a conflict clause can begin at the end of one literal and go on in the next
        number = bisect_right(self._ends, start)
        if number == len(self._literals):
            return self._root.lineno
        at, literal, text, before = self._literals[number]
        if literal not in self._inside:
            return self._root.lineno
        if number not in self._words:
            self._words[number] = _ends_of_words(text)
        skipped = before + bisect_right(self._words[number], max(start - at, 0))
        lines = self._lines_of(literal)
        return lines[skipped] if skipped < len(lines) else literal.lineno

    def _lines_of(self, literal: ast.Constant) -> list[int]:
        """The line of each conflict clause in a literal, as its words are counted in the source."""
        if literal not in self._lines:
            source = self._module.lines
            last = min(literal.end_lineno or literal.lineno, len(source))
            self._lines[literal] = [
                line
                for line in range(literal.lineno, last + 1)
                for _ in _ends_of_words(source[line - 1])
            ]
        return self._lines[literal]


def _ends_of_words(text: str) -> list[int]:
    """Where each of the words ends by which conflict clauses are counted."""
    lower = text.lower()
    found = []
    for word in _WORDS:
        at = lower.find(word)
        while at >= 0:
            found.append(at + len(word))
            at = lower.find(word, at + len(word))
    return sorted(found)


def _has_place_of_whole(literal: ast.Constant, root: _Root) -> bool:
    """Whether a piece of an f-string is said to be where the f-string is, as before Python 3.12."""
    return (literal.lineno, literal.col_offset) == (root.lineno, root.col_offset)


_WORDS = ("conflict", "duplicate")
