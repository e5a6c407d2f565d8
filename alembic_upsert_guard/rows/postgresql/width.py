"""How wide a key is, and whether an index takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sqltext import GT, PLUS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_wide", "width_of"]


def is_wide(width: str) -> str:
    """Return the condition that a key of `width` bytes, at most, may be too wide for an index."""
    # an index row takes a third of a page at most: BTMaxItemSize, nbtree.h
    quarter = "(CAST(pg_catalog.current_setting('block_size') AS int) OPERATOR(pg_catalog./) 4)"
    return f"{width} {GT} {quarter}"


def width_of(elements: Iterable[str]) -> str:
    """Return SQL of the bytes that these elements take, added up; empty for none."""
    return f" {PLUS} ".join(f"coalesce(pg_catalog.pg_column_size({sql}), 0)" for sql in elements)
