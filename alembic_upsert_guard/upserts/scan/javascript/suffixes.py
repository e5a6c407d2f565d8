"""How the names of files end that hold TypeScript or JavaScript."""

from __future__ import annotations

__all__ = ["MARKUP", "SUFFIXES"]

MARKUP = (".astro", ".svelte", ".vue")
"""Those in which it is between tags."""

SUFFIXES = (".cjs", ".cts", ".js", ".jsx", ".mjs", ".mts", ".ts", ".tsx", *MARKUP)
