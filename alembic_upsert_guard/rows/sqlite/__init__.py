"""SQLite: whether an index on a key can be made at all, and deduplication."""

from __future__ import annotations

from .deduplication import deduplicate_on_sqlite
from .obstacles import index_obstacle, lost_with_the_table
from .restoration import restore_on_sqlite

__all__ = [
    "deduplicate_on_sqlite",
    "index_obstacle",
    "lost_with_the_table",
    "restore_on_sqlite",
]
