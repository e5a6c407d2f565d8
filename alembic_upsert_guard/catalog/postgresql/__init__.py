"""PostgreSQL: pg_index read once for all tables; the planner as a witness."""

from __future__ import annotations

from .offers import offered_from, read
from .planner import (
    NO_ARBITER,
    explain_upsert,
    inferred_arbiters,
    keeps_null_out,
    null_makes_null,
    read_only,
)
from .server import (
    RELATIONS,
    constraint_in_the_way,
    default_schema,
    empty_copy_of,
    empty_copy_sql,
    insertable_columns,
    server_version,
    sqlstate,
)
from .statement import catalog_statement

__all__ = [
    "NO_ARBITER",
    "RELATIONS",
    "catalog_statement",
    "constraint_in_the_way",
    "default_schema",
    "empty_copy_of",
    "empty_copy_sql",
    "explain_upsert",
    "inferred_arbiters",
    "insertable_columns",
    "keeps_null_out",
    "null_makes_null",
    "offered_from",
    "read",
    "read_only",
    "server_version",
    "sqlstate",
]
