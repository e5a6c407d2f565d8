"""Supabase's ``on_conflict``, the same in every language."""

from __future__ import annotations

from ...inference import Element
from ..target import Elements, PrimaryKey, Unread

__all__ = ["target_of"]


def target_of(columns: str) -> Elements | PrimaryKey | Unread:
    """Return the target that ``on_conflict="user_id, question_id"`` names; an empty one is the primary key.

    PostgREST takes names separated by commas, with or without spaces, and quoted ones.
    """
    if not columns.strip():
        return PrimaryKey()
    names = [name.strip() for name in columns.split(",")]
    if any(not name or set(name) & set("\"'()") for name in names):
        return Unread(f"{columns!r} does not read as a list of columns")
    return Elements(tuple(Element(column=name) for name in names))
