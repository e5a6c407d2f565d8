"""From the pieces of a composed string to the upserts in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ...target import Cause, Elements, Unread
from ...upsert import Form, Source, Upsert
from ..needles import REPLACING
from ..sql import HOLE, may_look_up, read_sql, with_variables_put_in
from .nodes import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

    from ...target import NamedTable
    from ..sql import SqlUpsert
    from .meaning import Expression

__all__ = ["Piece", "is_within", "upserts_in"]

_Part = TypeVar("_Part")

_WORDS = ("conflict", "duplicate", *REPLACING)
"""In lower case; one of them is in each upsert."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a composed string: text of one literal, or a hole."""

    text: str
    fragment: Node | None
    """Where the text is; None: nowhere in the source."""
    binds: bool = False
    """Whether it is a hole that takes a value, as far as its own source says."""
    is_parameter: bool = False
    """Whether it is a hole for an argument of the function around it."""


def upserts_in(root: Expression, pieces: Sequence[Piece]) -> Iterator[Upsert]:
    """Return the upserts of a composed string, each at its line."""
    text = "".join(piece.text for piece in pieces)
    lower = text.lower()
    if not any(words in lower for words in _WORDS) and not may_look_up(lower):
        return
    places = _Places(root, pieces)
    is_parametric = any(piece.is_parameter for piece in pieces)
    for upsert in _with_variables(_with_values(read_sql(text), pieces), text):
        if _is_prose(lower, upsert):
            continue
        yield Upsert(
            source=Source.CODE,
            place=root.module.place(places.line(upsert.start), root.node),
            table=_table_of_parameter(upsert.table) if is_parametric else upsert.table,
            target=_of_parameter(upsert.target) if is_parametric else upsert.target,
            binds=upsert.binds,
            form=Form.SQL,
        )


def _is_prose(lower: str, upsert: SqlUpsert) -> bool:
    """Whether a text only mentions a conflict, as a test's title does: it neither inserts nor says what is done."""
    rest = lower[upsert.start :]
    if any(words in rest for words in REPLACING):
        return False
    if "insert" in lower or HOLE in lower:
        return False
    words = f" {' '.join(rest.split())} "
    return " do " not in words and not words.startswith(" on duplicate key update ")


def _table_of_parameter(table: NamedTable | Unread) -> NamedTable | Unread:
    if isinstance(table, Unread):
        return _of_parameter(table)
    return replace(table, schema=_of_parameter(table.schema))


def _of_parameter(part: _Part) -> _Part:
    """What is put in by an argument, where something is."""
    if isinstance(part, Unread) and part.cause is Cause.FILLED_IN:
        return replace(part, cause=Cause.PARAMETER)
    return part


def _with_values(upserts: list[SqlUpsert], pieces: Sequence[Piece]) -> list[SqlUpsert]:
    """The upserts whose target is put in, as they are with parameters in the holes that take values."""
    if not any(piece.binds for piece in pieces) or not any(map(_is_put_in, upserts)):
        return upserts
    # as long as the hole, so that every upsert keeps its place
    bound = [f" $1{' ' * (len(p.text) - 3)}" if p.binds else p.text for p in pieces]
    others = read_sql("".join(bound))
    if [upsert.start for upsert in upserts] != [upsert.start for upsert in others]:
        return upserts
    return [
        replace(upsert, target=other.target, binds=other.binds) if _is_put_in(upsert) else upsert
        for upsert, other in zip(upserts, others, strict=True)
    ]


def _with_variables(upserts: list[SqlUpsert], text: str) -> list[SqlUpsert]:
    """The upserts of what does not read as SQL, as they are once its driver has put in variables."""
    if not upserts:
        return _with_clauses(text)
    if not any(_is_refused(upsert) for upsert in upserts):
        return upserts
    put_in = with_variables_put_in(text)
    others = upserts if put_in == text else read_sql(put_in)
    if len(others) != len(upserts):
        return upserts
    return [
        replace(other, start=upsert.start) for upsert, other in zip(upserts, others, strict=True)
    ]


def _with_clauses(text: str) -> list[SqlUpsert]:
    """The upserts of which a variable is all that is said of the conflict: ``ON CONFLICT ${clause:raw}``."""
    lower = text.lower()
    begins = lower.find("conflict")
    if begins < 0 or "insert" not in lower:
        return []
    put_in = with_variables_put_in(text)
    return [] if put_in == text else [replace(each, start=begins) for each in read_sql(put_in)]


def _is_refused(upsert: SqlUpsert) -> bool:
    return any(
        isinstance(p, Unread) and p.cause is Cause.NOT_SQL for p in (upsert.table, upsert.target)
    )


def _is_put_in(upsert: SqlUpsert) -> bool:
    target = upsert.target
    unread = target.predicate if isinstance(target, Elements) else target
    return isinstance(unread, Unread) and unread.cause is Cause.FILLED_IN


class _Places:
    """Which line of the source a character of a composed string is in."""

    def __init__(self, root: Expression, pieces: Sequence[Piece]) -> None:
        self._root = root
        self._pieces = pieces
        self._ends: list[int] = []
        at = 0
        for piece in pieces:
            at += len(piece.text)
            self._ends.append(at)

    def line(self, start: int) -> int:
        """Return the line of a conflict clause, where it is in the string itself; else the string's first."""
        number = bisect_right(self._ends, start)
        root = self._root.node
        if number == len(self._pieces):
            return line_of(root)
        piece = self._pieces[number]
        if piece.fragment is None or not is_within(root, piece.fragment):
            return line_of(root)
        begins = self._ends[number] - len(piece.text)
        return line_of(piece.fragment) + piece.text.count("\n", 0, start - begins)


def is_within(root: Node, fragment: Node) -> bool:
    """Return whether a node is a part of another one."""
    return root.start_byte <= fragment.start_byte and fragment.end_byte <= root.end_byte
