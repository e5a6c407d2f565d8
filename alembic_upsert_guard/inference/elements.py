"""Element sets compared: names of columns, equal text, and collations and operator classes where they are named."""

from __future__ import annotations

from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .candidate import Element

__all__ = [
    "columns_of",
    "cover",
    "folded_name",
    "with_folded_case",
]


_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
"""SQLite folds no other letters."""


def folded_name(name: str) -> str:
    """Return the name in lower case, as SQLite and MySQL compare it: the letters of ASCII only."""
    return name.translate(_LOWER)


def with_folded_case(elements: Sequence[Element]) -> tuple[Element, ...]:
    """Return the elements with the names of their columns folded."""
    return tuple(replace(e, column=folded_name(e.column)) if e.column else e for e in elements)


def columns_of(elements: Sequence[Element]) -> frozenset[str]:
    """Return the names of the columns among the elements."""
    return frozenset(e.column for e in elements if e.column is not None)


def cover(
    wanted: Sequence[Element], found: Sequence[Element], *, exact: bool = True
) -> bool | None:
    """Return whether the two element sets are equal; None where an expression's text leaves it open.

    :param exact: False: the numbers of terms are equal, and upsert.c looks up each of the index's alone.
    """
    if not columns_of(found) <= columns_of(wanted):
        return False
    if exact and columns_of(wanted) != columns_of(found):
        return False
    wanted_expressions, found_expressions = _expressions_of(wanted), _expressions_of(found)
    if len(wanted_expressions) != len(found_expressions):
        return False
    if not _names_what_is_named(wanted, found):
        return False
    if _may_name_another(wanted, found):
        return None
    known = all(element.is_known for element in (*wanted, *found))
    return True if known and wanted_expressions == found_expressions else None


def _expressions_of(elements: Sequence[Element]) -> set[str | int]:
    """The SQL of the expressions; the position of one without text, which may equal any other expression."""
    return {e.expression or index for index, e in enumerate(elements) if not e.column}


def _may_name_another(wanted: Sequence[Element], found: Sequence[Element]) -> bool:
    """Whether an element may name what the one found for it does not have."""
    pairs = [
        (element, other)
        for element in wanted
        for other in found
        if (element.column, element.expression) == (other.column, other.expression)
    ]
    return any(
        (element.may_name_collation and element.actual_collation != other.actual_collation)
        or (element.may_name_opclass and other.opclass is not None)
        for element, other in pairs
    )


def _names_what_is_named(wanted: Sequence[Element], found: Sequence[Element]) -> bool:
    """Collation and opclass count only where the target names them (plancat.c: infer_collation_opclass_match)."""
    for element in wanted:
        same = [
            other
            for other in found
            if (element.column, element.expression) == (other.column, other.expression)
        ]
        if same and not any(
            element.collation in (None, other.collation, other.actual_collation)
            and element.opclass in (None, other.opclass)
            for other in same
        ):
            return False
    return True
