"""The rows against a key: what reads them, online and in a script."""

from __future__ import annotations

from .preflight import RowsOfKey, read_rows
from .script import script_check

__all__ = ["RowsOfKey", "read_rows", "script_check"]
