"""The words that the tests of the core are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic_upsert_guard.inference import (
    Candidate,
    ConflictTarget,
    Element,
    State,
)

if TYPE_CHECKING:
    from alembic_upsert_guard.inference import Verdict

UNREADABLE = Element()
"""An expression whose text the catalog does not give."""


def sql(expression: str, **named: str) -> Element:
    """An expression."""
    return Element(expression=expression, **named)


def column(name: str, **named: str) -> Element:
    """A column with a collation or an operator class."""
    return Element(column=name, **named)


def promise(
    *elements: str | Element, where: str | None = None, proven: bool = True
) -> ConflictTarget:
    """What the model declares; a `str` is a column.

    :param proven: whether the planner was seen to take an index of the same SQL.
    """
    return ConflictTarget(_elements(elements), where, proven=proven)


def offered(
    name: str, *elements: str | Element, where: str | None = None, **state: Any
) -> Candidate:
    """What the database has; a `str` is a column."""
    state.setdefault("partial", where is not None)
    return Candidate(name, _elements(elements), predicate=where, **state)


def _elements(elements: tuple[str | Element, ...]) -> tuple[Element, ...]:
    return tuple(Element(column=e) if isinstance(e, str) else e for e in elements)


def assert_served(verdict: Verdict, *by: str) -> None:
    """The target finds exactly these arbiters, and nothing is short."""
    assert verdict.state is State.SATISFIED, verdict
    assert [arbiter.name for arbiter in verdict.arbiters] == list(by), verdict
    assert verdict.shortfall is None, verdict


def assert_falls_short(verdict: Verdict, code: str, *, index: str | None) -> None:
    """The target is not served, for this reason, which is about this index."""
    assert verdict.state is State.SHORT, verdict
    assert_reason(verdict, code, index)


def assert_unknown(verdict: Verdict, *, index: str) -> None:
    """The core cannot tell whether this index serves."""
    assert verdict.state is State.UNKNOWN, verdict
    assert verdict.arbiters == (), verdict
    assert_reason(verdict, "unproven-arbiter", index)


def assert_reason(verdict: Verdict, code: str, index: str | None) -> None:
    """The one coded reason, and the candidate that it is about."""
    assert verdict.shortfall is not None, verdict
    assert str(verdict.shortfall.code) == code, verdict
    found = verdict.shortfall.candidate
    assert (None if found is None else found.name) == index, verdict
