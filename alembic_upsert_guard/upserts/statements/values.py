"""The values in a conflict target: what may be shown without them, and which index it is for where they are lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..scan.sql.shapes import has_parameter, has_value, shape_of, without_values
from ..target import Cause, Elements, Unread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...inference import Candidate, Element
    from ..target import Target

__all__ = ["has_values", "hide_values", "target_without_bound", "target_without_values"]


def has_values(target: Target | Unread) -> bool:
    """Return whether an element or the predicate holds a literal or a parameter."""
    return isinstance(target, Elements) and any(map(has_value, _parts(target)))


def hide_values(target: Target | Unread) -> Target | Unread:
    """Return the target with ``$1`` for each literal and parameter: what may be shown of it."""
    if not isinstance(target, Elements):
        return target
    predicate = target.predicate
    return Elements(
        tuple(_hide(element) for element in target.elements),
        without_values(predicate) if isinstance(predicate, str) else predicate,
    )


def _hide(element: Element) -> Element:
    if element.expression is None:
        return element
    hidden = without_values(element.expression)
    # as the reader spells elements: a call stands by itself, anything else in parentheses
    enclosed = element.expression.startswith("(")
    return replace(element, expression=f"({hidden})" if enclosed else hidden)


def _parts(target: Elements) -> list[str]:
    parts = [each.expression for each in target.elements if each.expression is not None]
    return [*parts, target.predicate] if isinstance(target.predicate, str) else parts


def target_without_bound(target: Elements) -> Elements | Unread:
    """Return what a target is where each ``$n`` in it was bound: what holds one is unread."""
    if any(has_parameter(e.expression) for e in target.elements if e.expression is not None):
        return Unread("an element of the conflict target holds a bound value", Cause.BOUND)
    if not isinstance(target.predicate, str) or not has_parameter(target.predicate):
        return target
    reason = (
        "the predicate compares with a bound value: a plan for any value infers no partial index"
    )
    return Elements(target.elements, Unread(reason, Cause.BOUND))


def target_without_values(target: Elements, candidates: Sequence[Candidate]) -> Elements | Unread:
    """Return what a target is whose values are not known, on a table that has these candidates.

    =====================================  =================================================
    unique indexes of the same elements    the target
    =====================================  =================================================
    one without a predicate                its elements: it serves whatever the predicate is
    else one of the predicate's shape      its elements and its predicate
    several that differ in values          unread
    none, and values in the elements       unread
    none, and values in the predicate      the elements; whether the predicate helps is unread
    =====================================  =================================================
    """
    fitting = _fitting(target, candidates)
    meant = {Elements(_spelled(target, c), c.predicate) for c in fitting}
    if len(meant) == 1:
        return meant.pop()
    if meant:
        names = ", ".join(sorted(str(c.name) for c in fitting))
        return Unread(f"{names} differ in nothing but values, which the record lacks", Cause.BOUND)
    if any(has_value(e.expression) for e in target.elements if e.expression is not None):
        return Unread("no unique index has its expression, whatever the values in it", Cause.BOUND)
    reason = "no unique index has its predicate, whatever the values in it"
    return Elements(target.elements, Unread(reason, Cause.BOUND))


def _fitting(target: Elements, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The unique indexes that can serve it, were its values theirs; one without a predicate is preferred."""
    alike = [c for c in candidates if c.unique and _has_elements_of(target, c)]
    whole = [c for c in alike if not c.partial]
    if whole or not isinstance(target.predicate, str):
        return whole
    shape = shape_of(target.predicate)
    return [c for c in alike if c.predicate is not None and shape_of(c.predicate) == shape]


def _has_elements_of(target: Elements, candidate: Candidate) -> bool:
    return sorted(map(_shape, target.elements)) == sorted(map(_shape, candidate.elements))


def _shape(element: Element) -> tuple[bool, str]:
    if element.column is not None:
        return True, element.column
    return False, shape_of(element.expression or "") or ""


def _spelled(target: Elements, candidate: Candidate) -> tuple[Element, ...]:
    """The target's elements with the expressions of the candidate in the place of those that lack their values."""
    by_shape = {_shape(each): each.expression for each in candidate.elements}
    return tuple(
        replace(each, expression=by_shape[_shape(each)]) if each.expression is not None else each
        for each in target.elements
    )
