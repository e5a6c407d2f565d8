"""How people are told of a key, everywhere alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["told_of_key"]


def told_of_key(table: str, elements: Sequence[str], where: str | None) -> str:
    """Return the subject of a sentence about the key: ``upsert key accounts (tenant, email) WHERE live``."""
    predicate = "" if where is None else f" WHERE {where}"
    return f"upsert key {table} ({', '.join(elements)}){predicate}"
