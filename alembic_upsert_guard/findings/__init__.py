"""What is told to people: every sentence of the package that is not an error of usage. Pure.

The judge returns codes and facts; this is the one other place, and it owns the words.
"""

from __future__ import annotations

from .codes import (
    CODES,
    Circumstance,
    Command,
    FindingCode,
    Severity,
    UnknownCodeError,
    code_of,
)
from .deduplication import ColumnInOrder, SuggestedDirectives, order_of, suggest_directives
from .finding import Finding, Location
from .key_findings import (
    KeySubject,
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
from .keys import alike, describe_key, describe_schemas, describe_target, is_tenant_schema
from .output import as_github, as_json, as_text, summary
from .pages import MissingPageError, page_of
from .rows import DuplicateGroup, RowsReport, counted, first_line, violation_text
from .shortfalls import (
    CORRECT_THE_SQL,
    describe_candidate,
    folded_fact,
    shortfall_fact,
    unmakeable_fact,
    unread_fact,
    unserved_rowid_fact,
    without_arbiter,
    written_instead,
)

__all__ = [
    "CODES",
    "CORRECT_THE_SQL",
    "Circumstance",
    "ColumnInOrder",
    "Command",
    "DuplicateGroup",
    "Finding",
    "FindingCode",
    "KeySubject",
    "Location",
    "MissingPageError",
    "RowsReport",
    "Severity",
    "SuggestedDirectives",
    "UnknownCodeError",
    "Unread",
    "alike",
    "as_github",
    "as_json",
    "as_text",
    "beside_other_tables",
    "code_of",
    "counted",
    "describe_candidate",
    "describe_key",
    "describe_schemas",
    "describe_target",
    "first_line",
    "folded_fact",
    "is_tenant_schema",
    "missing_table",
    "nullable_key",
    "nulls_mismatch",
    "of_rows",
    "order_of",
    "page_of",
    "rival_fact",
    "rival_unique_key",
    "short_key",
    "shortfall_fact",
    "suggest_directives",
    "summary",
    "unknown_dialect",
    "unmakeable_fact",
    "unread_fact",
    "unread_rows",
    "unserved_rowid_fact",
    "violation_text",
    "without_arbiter",
    "written_instead",
]
