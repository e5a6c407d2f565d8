"""Upserts in TypeScript and JavaScript: SQL in strings, and the calls of the libraries that write it."""

from __future__ import annotations

from .module import SUFFIXES
from .reader import JavaScriptReader, JavaScriptSource

__all__ = ["SUFFIXES", "JavaScriptReader", "JavaScriptSource"]
