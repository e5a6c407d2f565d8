"""How large, how fast and how far ahead of the standbys batches are."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Batches"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """How a deduplication is cut into transactions."""

    size: int
    """Surplus rows a transaction at most, and so groups of duplicate rows."""

    pause: float = 0.0
    """Seconds between two transactions."""

    max_lag: float | None = None
    """Seconds that a standby may be behind when a transaction begins; None: nobody looks."""
