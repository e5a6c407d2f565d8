"""What is told to people: every sentence of the package that is not an error of usage. Pure.

The judge returns codes and facts; this is the one other place, and it owns the words.
"""

from __future__ import annotations

from .codes import CODES, CodeEntry, Command, UnknownCodeError, entry_of, severity_of
from .deduplication import ColumnInOrder, Mend, mend_of, order_of
from .finding import Finding, Location, Severity
from .key_findings import (
    KeyOfTable,
    Unread,
    beside_other_tables,
    missing_table,
    nullable_key,
    nulls_mismatch,
    of_rows,
    rival_fact,
    rival_unique_key,
    short_key,
    unknown_dialect,
    unread_rows,
)
from .keys import alike, told_of_key, told_of_schemas, told_of_target
from .output import as_github, as_json, as_text, summary
from .pages import MissingPageError, page_of
from .rows import DuplicateGroup, RowsReport, counted, first_line, violation_text
from .shortfalls import (
    CORRECT_THE_SQL,
    candidate_told,
    folded_fact,
    never_made,
    never_served,
    shortfall_fact,
    unread_fact,
    without_arbiter,
    written_instead,
)

__all__ = [
    "CODES",
    "CORRECT_THE_SQL",
    "CodeEntry",
    "ColumnInOrder",
    "Command",
    "DuplicateGroup",
    "Finding",
    "KeyOfTable",
    "Location",
    "Mend",
    "MissingPageError",
    "RowsReport",
    "Severity",
    "UnknownCodeError",
    "Unread",
    "alike",
    "as_github",
    "as_json",
    "as_text",
    "beside_other_tables",
    "candidate_told",
    "counted",
    "entry_of",
    "first_line",
    "folded_fact",
    "mend_of",
    "missing_table",
    "never_made",
    "never_served",
    "nullable_key",
    "nulls_mismatch",
    "of_rows",
    "order_of",
    "page_of",
    "rival_fact",
    "rival_unique_key",
    "severity_of",
    "short_key",
    "shortfall_fact",
    "summary",
    "told_of_key",
    "told_of_schemas",
    "told_of_target",
    "unknown_dialect",
    "unread_fact",
    "unread_rows",
    "violation_text",
    "without_arbiter",
    "written_instead",
]
