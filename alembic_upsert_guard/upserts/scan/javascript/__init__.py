"""Upserts in TypeScript and JavaScript: SQL in strings, and the calls of the libraries that write it.

The reader, :mod:`.reader`, is imported where there is such a file, and its parsers with it.
"""

from __future__ import annotations

from .suffixes import SUFFIXES

__all__ = ["SUFFIXES"]
