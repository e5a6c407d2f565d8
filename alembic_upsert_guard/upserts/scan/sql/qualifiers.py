"""What programs put in front of a table's name: a schema with its dot, or nothing where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["are_qualifiers"]


def are_qualifiers(texts: Sequence[str]) -> bool:
    """Return whether texts, of which one is put in, are schemas with their dots; one of them may be nothing at all."""
    return any(texts) and all(not text or _is_qualifier(text) for text in texts)


def _is_qualifier(text: str) -> bool:
    name = text.removesuffix(".").strip('"')
    return text.endswith(".") and name.isidentifier()
