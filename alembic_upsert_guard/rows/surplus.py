"""Which rows of a key are surplus, what becomes of them, and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..catalog import TableName
    from .statements import RowsOfKey

__all__ = ["ARCHIVE_COLUMNS", "Deduplicated", "Surplus"]

ARCHIVE_COLUMNS = ("upsert_guard_archived_at", "upsert_guard_reason", "upsert_guard_kept")
"""The columns of an archive beside those of the table: when, the key, and the row that stayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus:
    """Which rows of a key are surplus, and what becomes of them."""

    key: RowsOfKey

    keep: str
    """``"first"`` or ``"last"``: which row of each key stays, in the order of `order_by` and then the primary key."""

    order_by: tuple[str, ...]
    """SQL, without a direction. A row without a value is never preferred."""

    archive: TableName | None
    """Where the others are moved; None: they are deleted."""

    repoint: bool
    """Whether rows that refer to them are made to refer to the row that stays."""


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """What was done."""

    rows: int
    """Surplus rows, moved or deleted."""

    repointed: tuple[tuple[str, int], ...] = ()
    """References moved, by foreign key: ``("sessions (account_id)", 4)``."""
