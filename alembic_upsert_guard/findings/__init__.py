"""Every sentence that reports a finding, in one place: code, severity, fact and hint. Pure.

The judge returns codes and facts, and autogenerate, the commands and the upgrade word them from here.
"""

from __future__ import annotations

from ..wording import counted
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
from .finding import Finding, Location, sentences
from .key_findings import (
    NULLABLE_HINT,
    KeySubject,
    beside_other_tables,
    missing_table,
    nullable_fact,
    nullable_key,
    nulls_mismatch,
    rival_fact,
    rival_unique_key,
    short_key,
    unknown_dialect,
)
from .key_sql import CORRECT_THE_SQL, folded_fact, unread_fact, written_instead
from .keys import (
    alike,
    describe_key,
    describe_schemas,
    describe_target,
    is_tenant_schema,
    qualified,
)
from .output import (
    DatabaseFacts,
    Run,
    RunReport,
    as_github,
    as_gitlab,
    as_json,
    as_junit,
    as_sarif,
    as_text,
    error_as_json,
    statistics,
    summary,
)
from .pages import MissingPageError, list_of_codes, page_of
from .row_findings import Unread, of_rows, unread_rows
from .rows import (
    NULL_ROWS_HINT,
    DuplicateGroup,
    RowsReport,
    first_line,
    null_rows_fact,
    violation_text,
)
from .shortfalls import (
    NOT_DEFERRABLE_HINT,
    deferrable_fact,
    describe_candidate,
    shortfall_fact,
    unmakeable_fact,
    unserved_rowid_fact,
    without_arbiter,
)

__all__ = [
    "CODES",
    "CORRECT_THE_SQL",
    "NOT_DEFERRABLE_HINT",
    "NULLABLE_HINT",
    "NULL_ROWS_HINT",
    "Circumstance",
    "ColumnInOrder",
    "Command",
    "DatabaseFacts",
    "DuplicateGroup",
    "Finding",
    "FindingCode",
    "KeySubject",
    "Location",
    "MissingPageError",
    "RowsReport",
    "Run",
    "RunReport",
    "Severity",
    "SuggestedDirectives",
    "UnknownCodeError",
    "Unread",
    "alike",
    "as_github",
    "as_gitlab",
    "as_json",
    "as_junit",
    "as_sarif",
    "as_text",
    "beside_other_tables",
    "code_of",
    "counted",
    "deferrable_fact",
    "describe_candidate",
    "describe_key",
    "describe_schemas",
    "describe_target",
    "error_as_json",
    "first_line",
    "folded_fact",
    "is_tenant_schema",
    "list_of_codes",
    "missing_table",
    "null_rows_fact",
    "nullable_fact",
    "nullable_key",
    "nulls_mismatch",
    "of_rows",
    "order_of",
    "page_of",
    "qualified",
    "rival_fact",
    "rival_unique_key",
    "sentences",
    "short_key",
    "shortfall_fact",
    "statistics",
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
