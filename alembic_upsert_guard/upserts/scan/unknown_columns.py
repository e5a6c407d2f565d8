"""Columns of a target that the model of the table lacks: the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...findings.call_sites import unknown_columns
from ..target import Cause
from .answer import undeclared, unresolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...inference import Element
    from .answer import Answer, ModelContext

__all__ = ["answer_of_unknown_columns"]


def answer_of_unknown_columns(context: ModelContext, elements: Sequence[Element]) -> Answer | None:
    """Return what is so of elements that name columns which the table lacks; None: it has them all."""
    table = context.table
    named = [element.column for element in elements if element.column is not None]
    unknown = [name for name in named if name not in table.column_names]
    if not unknown:
        return None
    folded = {name.casefold(): name for name in table.column_names}
    if all(name.casefold() in folded for name in unknown):
        reason = (
            f"{table.full_name} has no column {', '.join(unknown)} in that spelling, and it depends on the database "
            "whether case matters"
        )
        line = ", ".join(folded[name.casefold()] for name in unknown)
        return unresolved(reason, context.call, Cause.OTHER_CASE, line)
    return undeclared(unknown_columns(table.full_name, unknown, table.column_names))
