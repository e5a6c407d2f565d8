"""What is told to people: every sentence of the package that is not an error of usage. Pure.

The judge returns codes and facts; this is the one other place, and it owns the words.
"""

from __future__ import annotations

from .deduplication import ColumnInOrder, Mend, mend_of, order_of
from .finding import Finding, Location, Severity
from .keys import told_of_key
from .rows import DuplicateGroup, RowsReport, counted, first_line, violation_text
from .shortfalls import shortfall_fact

__all__ = [
    "ColumnInOrder",
    "DuplicateGroup",
    "Mend",
    "RowsReport",
    "counted",
    "Finding",
    "Location",
    "RowsReport",
    "Severity",
    "first_line",
    "mend_of",
    "order_of",
    "shortfall_fact",
    "told_of_key",
    "violation_text",
]
