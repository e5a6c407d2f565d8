"""What is told to people: every sentence of the package that is not an error of usage. Pure.

The judge returns codes and facts; this is the one other place, and it owns the words.
"""

from __future__ import annotations

from .keys import told_of_key
from .rows import DuplicateGroup, RowsReport, first_line, violation_text
from .shortfalls import shortfall_fact

__all__ = [
    "DuplicateGroup",
    "RowsReport",
    "first_line",
    "shortfall_fact",
    "told_of_key",
    "violation_text",
]
