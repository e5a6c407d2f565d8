"""Which column orders the rows of a table by age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, DateTime, Integer, Numeric
from sqlalchemy.types import TypeDecorator

from ..findings import ColumnInOrder, RowOrder, order_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..inference import ConflictTarget

__all__ = ["newest_by"]


def newest_by(
    columns: Iterable[tuple[str, Any, bool]], primary_key: Sequence[str], target: ConflictTarget
) -> RowOrder:
    """Return :func:`.order_of` the columns.

    :param columns: name, type and whether it is nullable, of a model's table or as reflected.
    """
    ordered = [
        ColumnInOrder(
            name, _is_of(type_, DateTime | Date), null, is_number=_is_of(type_, Integer | Numeric)
        )
        for name, type_, null in columns
    ]
    return order_of(ordered, primary_key, target.labels)


def _is_of(type_: Any, kind: Any) -> bool:
    while isinstance(type_, TypeDecorator):
        type_ = type_.impl
    return isinstance(type_, kind)
