"""What a bundler wrote: its sources are elsewhere, and a tree of it takes a hundred times its bytes."""

from __future__ import annotations

from .javascript import SUFFIXES

__all__ = ["LARGE", "is_bundle"]

LARGE = 256 * 1024
"""Bytes of a file that is asked about, by whatever name it goes."""

_NAMED_SO = (".min.js", ".min.mjs")

_LINE = 110
"""Bytes of a line, on the mean: above it GitHub's linguist takes a file for minified (lib/linguist/generated.rb)."""


def is_bundle(path: str, size: int, lines: int) -> bool:
    """Return whether a file of so many bytes and lines is minified JavaScript."""
    may_be = path.endswith(_NAMED_SO) or (size >= LARGE and path.endswith(SUFFIXES))
    return may_be and size > _LINE * max(lines, 1)
