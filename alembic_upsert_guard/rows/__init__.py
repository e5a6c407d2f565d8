"""The rows against a key: what reads them, online and in a script, and what leaves one row of each key."""

from __future__ import annotations

from .batches import Batches
from .deduplicate import (
    can_deduplicate,
    deduplicate,
    deduplicate_in_batches,
    deduplicates_in_batches,
    keys_in_archive,
    restore,
    script_deduplication,
    script_deduplication_in_batches,
    script_restoration,
)
from .offer import is_referred_to, offer_for, parents_first
from .order import newest_by
from .postgresql import index_obstacle_on
from .preflight import read_rows
from .script import script_check
from .sqlite import lost_with_the_table
from .statements import RowsOfKey, listing_sql
from .surplus import ARCHIVE_COLUMNS, Deduplicated, Surplus

__all__ = [
    "ARCHIVE_COLUMNS",
    "Batches",
    "Deduplicated",
    "RowsOfKey",
    "Surplus",
    "can_deduplicate",
    "deduplicate",
    "deduplicate_in_batches",
    "deduplicates_in_batches",
    "index_obstacle_on",
    "is_referred_to",
    "keys_in_archive",
    "listing_sql",
    "lost_with_the_table",
    "newest_by",
    "offer_for",
    "parents_first",
    "read_rows",
    "restore",
    "script_check",
    "script_deduplication",
    "script_deduplication_in_batches",
    "script_restoration",
]
