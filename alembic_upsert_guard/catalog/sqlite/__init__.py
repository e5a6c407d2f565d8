"""SQLite: its PRAGMAs read once for all tables; its own parser and planner as a witness."""

from __future__ import annotations

from .comparison import normalize
from .made_unique import made_unique_by
from .offers import offered_from, read
from .planner import NO_ARBITER, explain_upsert, inferred_arbiters

__all__ = [
    "NO_ARBITER",
    "explain_upsert",
    "inferred_arbiters",
    "made_unique_by",
    "normalize",
    "offered_from",
    "read",
]
