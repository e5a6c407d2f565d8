"""Names that every supported database keeps whole. The standard library alone."""

from __future__ import annotations

import hashlib

__all__ = ["cut_before", "fitted", "short_hash"]

_LIMIT = 63
"""Bytes: PostgreSQL's NAMEDATALEN - 1, below MySQL's 64 characters.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS"""


def fitted(name: str) -> str:
    """Return the name, cut to what every database keeps: a hash then stands for what was cut."""
    if len(name.encode()) <= _LIMIT:
        return name
    return cut_before(name, f"_{short_hash(name)}")


def cut_before(stem: str, ending: str) -> str:
    """Return `stem` with `ending` behind it, the stem cut to what leaves room for that."""
    room = _LIMIT - len(ending.encode())
    return stem.encode()[:room].decode(errors="ignore") + ending


def short_hash(text: str) -> str:
    """Return eight hex digits that stand for `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
