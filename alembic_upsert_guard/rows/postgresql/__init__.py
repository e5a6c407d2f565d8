"""PostgreSQL's part in the preflight: what an index on the key would be, and proof that no two rows share a key."""

from __future__ import annotations

from .indexed_key import IndexedKey, Obstacle, index_obstacle_on, index_on_empty_copy
from .proof import (
    Proof,
    count_null,
    count_wide,
    largest_sql,
    narrow_to_hashes,
    narrow_to_shared_hashes,
    prove_absence,
    reading_the_heap,
    width_obstacle,
)
from .relation import Relation, columns_of, find_relation
from .width import is_wide, width_of

__all__ = [
    "IndexedKey",
    "Obstacle",
    "Proof",
    "Relation",
    "columns_of",
    "count_null",
    "count_wide",
    "find_relation",
    "index_obstacle_on",
    "index_on_empty_copy",
    "is_wide",
    "largest_sql",
    "narrow_to_hashes",
    "narrow_to_shared_hashes",
    "prove_absence",
    "reading_the_heap",
    "width_obstacle",
    "width_of",
]
