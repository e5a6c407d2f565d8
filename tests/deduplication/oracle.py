"""What must come out of a deduplication, worked out in Python from the rows that stood there before.

Nothing here is SQL. A row is its columns' values as the database prints them; how two of them are compared is the
column's kind.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .cases import ARCHIVE_IS_SHORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .cases import Case, Order, Predicate, Reference

__all__ = ["PLACE", "Expected", "Reason", "Row", "State", "expect", "folded", "meets", "orphans"]

PLACE = ""
"""Under this name a row holds where it stands in a table without a primary key."""

Row = dict[str, Any]
State = dict[str, list[Row]]

HOURS = {"1 mon": 720, "30 days": 720, "720:00:00": 720, "1 day": 24, "24:00:00": 24}


def _number(raw: str) -> object:
    return "NaN" if raw == "NaN" else Decimal(raw).normalize() + 0


def _in_document(value: object) -> object:
    if isinstance(value, dict):
        return tuple(sorted((name, _in_document(each)) for name, each in value.items()))
    if isinstance(value, list):
        return ("list", *map(_in_document, value))
    return value


def _document(raw: str) -> object:
    return _in_document(json.loads(raw, parse_float=Decimal, parse_int=Decimal))


def _dynamic(raw: str) -> object:
    """SQLite's value as ``quote()`` prints it: a number equals a number of the other kind."""
    return raw if raw.startswith(("'", "X")) else _number(raw)


KINDS: Mapping[str, Callable[[str], object]] = {
    "exact": str,
    "fold": str.lower,
    "padded": lambda raw: raw.rstrip(" "),
    "number": _number,
    "interval": HOURS.__getitem__,
    "document": _document,
    "numbers": lambda raw: tuple(_number(n) for n in raw.strip("{}[)").split(",") if n),
    "rounded": lambda raw: _number(raw) if raw == "NaN" else round(Decimal(raw)),
    "dynamic": _dynamic,
    "trimmed": lambda raw: _dynamic(raw) if raw[0] != "'" else raw[1:-1].rstrip(" "),
}


def folded(kind: str, raw: str | None) -> object:
    """The value as its equality sees it; None for NULL."""
    if kind == "or zero":
        return Decimal(raw or "0")
    return None if raw is None else KINDS[kind](raw)


def _read_moment(raw: str) -> object:
    return {"-infinity": (0, ""), "infinity": (2, "")}.get(raw, (1, raw))


READINGS: Mapping[str, Callable[[str | None], Any]] = {
    "number": lambda raw: None if raw is None else Decimal(raw),
    "moment": lambda raw: None if raw is None else _read_moment(raw),
    "negated": lambda raw: None if raw is None else -Decimal(raw),
    "absolute": lambda raw: None if raw is None else abs(Decimal(raw)),
    "or zero": lambda raw: Decimal(raw or "0"),
}


@dataclass(frozen=True)
class Reason:
    """Why a deduplication must be refused."""

    kind: str
    words: tuple[str, ...] = ()
    """What the refusal says; nothing: it is the database's own."""

    comes_first: bool = False
    """Whether nothing has been tried yet when it is found: no other reason can be told in its place."""


@dataclass
class Expected:
    """What must come out."""

    archived: list[Row] = field(default_factory=list)
    after: State = field(default_factory=dict)
    restored: State = field(default_factory=dict)
    """After the downgrade: as before, with moved references where they were moved to."""

    repointed: Counter[str] = field(default_factory=Counter)
    reasons: list[Reason] = field(default_factory=list)


def expect(case: Case, before: State) -> Expected:
    """What must come out of the case, where its tables hold `before`."""
    return _Oracle(case, before).answer()


def orphans(case: Case, state: State) -> Iterator[str]:
    """Every reference that refers to nothing."""
    for reference in case.references:
        there = {
            _values(case, reference.parent, reference.referred, row)
            for other in case.references
            if (other.label, other.child) == (reference.label, reference.child)
            for row in state[other.parent]
        }
        for row in state[reference.child]:
            wanted = _values(case, reference.child, reference.own, row)
            if None not in wanted and wanted not in there:
                yield f"{reference.label} refers to {wanted}, which is not there"


def _values(case: Case, label: str, names: Sequence[str], row: Row) -> tuple[object, ...]:
    held = case.held(label)
    return tuple(folded(held.column(name).kind, row[name]) for name in names)


class _Oracle:
    def __init__(self, case: Case, before: State) -> None:
        self.case = case
        self.before = before
        self.kept_for: dict[int, Row] = {}
        """By the id() of a surplus row: the row that stays."""

    def answer(self) -> Expected:
        case, before = self.case, self.before
        for group in self._groups(before[case.table.label]):
            stays, *others = self._ordered(group)
            self.kept_for.update((id(row), stays) for row in others)
        expected = Expected()
        if case.table.hidden:
            expected.reasons.append(
                Reason("hidden rows", ("row level security",), comes_first=True)
            )
        moved, moves = self._moves(expected)
        rows = moved[case.table.label]
        surplus = [n for n, row in enumerate(before[case.table.label]) if id(row) in self.kept_for]
        expected.archived = [before[case.table.label][n] for n in surplus]
        expected.restored = moved
        expected.after = dict(moved)
        expected.after[case.table.label] = [r for n, r in enumerate(rows) if n not in surplus]
        if case.audit is not None:
            written = [{case.audited: row[case.audited]} for row in expected.archived]
            expected.after[case.audit] = moved[case.audit] + written
            expected.restored = {**moved, case.audit: expected.after[case.audit]}
        expected.reasons += self._of_what_is_left(expected, moves)
        return expected

    # which row stays

    def _groups(self, rows: list[Row]) -> Iterator[list[Row]]:
        groups: dict[tuple[object, ...], list[Row]] = {}
        for row in rows:
            key = tuple(folded(element.kind, row[element.column]) for element in self.case.elements)
            has_key = self.case.nulls == "not_distinct" or None not in key
            if has_key and meets(self.case.predicate, row):
                groups.setdefault(key, []).append(row)
        return (group for group in groups.values() if len(group) > 1)

    def _ordered(self, rows: list[Row]) -> list[Row]:
        last = self.case.keep == "last"
        held, primary_key = self.case.table, self.case.primary_key
        rows = sorted(rows, key=lambda row: row[PLACE], reverse=last)
        rows.sort(
            key=lambda row: [_sortable(held.column(c).kind, row[c]) for c in primary_key],
            reverse=last,
        )
        for order in reversed(self.case.order_by):
            rows = _sorted_by(order, rows, last=last)
        return rows

    # references

    def _moves(self, expected: Expected) -> tuple[State, list[tuple[Reference, Row, Row]]]:
        """Every table with its references moved, and each row that changed, before and after."""
        case = self.case
        counted: Counter[str] = Counter()
        after = {label: [dict(row) for row in rows] for label, rows in self.before.items()}
        moves = []
        for reference in case.references:
            if reference.parent != case.table.label:
                continue
            if self.kept_for and case.held(reference.child).hidden:
                expected.reasons.append(
                    Reason("hidden rows", ("row level security",), comes_first=True)
                )
            for old, new in zip(self.before[reference.child], after[reference.child], strict=True):
                stays = None if id(old) in self.kept_for else self._kept_for(reference, old)
                if stays is None:
                    continue
                counted[reference.label] += 1
                if case.repoint:
                    expected.reasons += self._of_a_move(reference, old, stays)
                    self._move(reference, new, stays)
                    moves.append((reference, old, new))
        if counted and not case.repoint:
            words = [f"{told} {count}" for told, count in counted.items()]
            total = f"{counted.total()} references to surplus rows would be lost"
            expected.reasons.append(Reason("references", (total, *words), comes_first=True))
        expected.repointed = counted
        for reference, old, new in moves:
            expected.reasons += self._follow(reference, old, new, after)
        return after, moves

    def _kept_for(self, reference: Reference, row: Row) -> Row | None:
        wanted = _values(self.case, reference.child, reference.own, row)
        if None in wanted:
            return None
        for parent in self.before[reference.parent]:
            if id(parent) in self.kept_for and wanted == _values(
                self.case, reference.parent, reference.referred, parent
            ):
                return self.kept_for[id(parent)]
        return None

    def _of_a_move(self, reference: Reference, row: Row, stays: Row) -> Iterator[Reason]:
        of_itself = reference.child == self.case.table.label
        # what an UPDATE moves is at another place; SQLite's rowid stays
        if of_itself and not self.case.primary_key and self.case.dialect == "postgresql":
            yield Reason("refers to itself without a primary key", ("has no primary key",))
        if any(stays[name] is None for name in reference.referred):
            yield Reason("the row that stays has NULL", ("cannot be moved",))
        if reference.held is not None and (reference.held == "" or row[reference.held] == "1"):
            yield Reason("a trigger keeps a reference", ("kept", "references to surplus rows"))

    def _move(self, reference: Reference, row: Row, stays: Row) -> None:
        for own, referred in zip(reference.own, reference.referred, strict=True):
            row[own] = stays[referred]
        touched = self.case.held(reference.child).touched
        if touched is not None:
            row[touched] = str(int(row[touched]) + 1)

    def _follow(self, moved: Reference, old: Row, new: Row, after: State) -> Iterator[Reason]:
        """Those that refer to a row whose reference has moved."""
        for reference in self.case.references:
            if reference.parent != moved.child or reference.parent == self.case.table.label:
                continue
            was = _values(self.case, reference.parent, reference.referred, old)
            if was == _values(self.case, reference.parent, reference.referred, new):
                continue
            for before, row in zip(
                self.before[reference.child], after[reference.child], strict=True
            ):
                if _values(self.case, reference.child, reference.own, before) != was:
                    continue
                if reference.on_update == "CASCADE" and self.case.enforced:
                    for own, referred in zip(reference.own, reference.referred, strict=True):
                        row[own] = new[referred]
                else:
                    yield Reason(f"grandchild, ON UPDATE {reference.on_update}")

    # what is left

    def _of_what_is_left(
        self, expected: Expected, moves: list[tuple[Reference, Row, Row]]
    ) -> Iterator[Reason]:
        case = self.case
        if expected.archived and case.archive_stands == ARCHIVE_IS_SHORT:
            yield Reason("the archive lacks a column", ("lacks",))
        if case.delete_held is not None and any(
            row[case.delete_held] == "1" for row in expected.archived
        ):
            yield Reason("a trigger keeps a row", ("surplus rows",))
        if not moves:
            return
        for label in {reference.child for reference, _, _ in moves}:
            for unique in case.held(label).uniques:
                values = [
                    values
                    for row in expected.after[label]
                    if None not in (values := _values(case, label, unique, row))
                ]
                if len(set(values)) < len(values):
                    yield Reason("moved references collide")
        if any(self._groups(expected.after[case.table.label])):
            yield Reason("moved references make rows of the key equal", ("cannot be deduplicated",))


def _sorted_by(order: Order, rows: list[Row], *, last: bool) -> list[Row]:
    """Stable; a row without a value is never preferred."""
    read = READINGS[order.reading]
    valued = [row for row in rows if read(row[order.column]) is not None]
    return sorted(valued, key=lambda row: read(row[order.column]), reverse=last) + [
        row for row in rows if read(row[order.column]) is None
    ]


def _sortable(kind: str, raw: str | None) -> Any:
    # SQLite: a primary key may hold NULL, which comes first
    value = folded(kind, raw)
    return (value is not None, isinstance(value, str), value if value is not None else 0)


def meets(predicate: Predicate | None, row: Row) -> bool:
    """Whether a partial key is about the row."""
    if predicate is None:
        return True
    raw = row[predicate.column]
    if predicate.test == "null":
        return raw is None
    if predicate.test == "live":
        return raw is not None and raw.strip("'") == "live"
    return raw is not None and int(raw) > 0
