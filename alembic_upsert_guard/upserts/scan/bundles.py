"""What a bundler wrote: its sources are elsewhere, and a tree of it takes a hundred times its bytes."""

from __future__ import annotations

from .javascript import SUFFIXES

__all__ = ["LARGE", "is_bundle"]

LARGE = 256 * 1024
"""Bytes of a file that is asked about."""

_LINE = 110
"""Bytes of a line, on the mean: above it GitHub's linguist takes a file for minified (lib/linguist/generated.rb)."""


def is_bundle(path: str, size: int, lines: int) -> bool:
    """Return whether a file of so many bytes and lines is minified JavaScript."""
    return size >= LARGE and path.endswith(SUFFIXES) and size > _LINE * max(lines, 1)
