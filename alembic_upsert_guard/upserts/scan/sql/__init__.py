"""Upserts in SQL text. PostgreSQL is read by its own grammar, MySQL and SQLite where that one refuses.

Measured on one upsert with six placeholders, 2 cores, Python 3.11 (milliseconds a statement, and what it reads):

===================== ============ ============ ============
..                    postgast     pglast       sqlglot
===================== ============ ============ ============
one upsert            0.042        0.128        0.535
a PL/pgSQL function   0.033        0.018        body opaque
tokens alone          0.012        0.027        with parsing
``$1,$2``             yes          yes          no
``%s`` ``:name``      as ``$1``    as ``$1``    yes
``ON DUPLICATE KEY``  no           no           yes
a typing error        refused      refused      taken as SQL
licence               BSD          GPL          MIT
===================== ============ ============ ============

postgast and pglast bind the same parser (libpg_query, PostgreSQL 18). So postgast reads PostgreSQL, whose
licence an MIT package can ask for, and sqlglot only what its grammar refuses and the other two databases take.
"""

from __future__ import annotations

from .lookups import MERGE, may_look_up
from .normal import (
    columns_in,
    is_proven_by_text,
    may_be_made_on_a_column,
    normal_element,
    normal_predicate,
)
from .qualifiers import are_qualifiers
from .reading import read_sql
from .script import without_psql
from .templates import without_templates
from .tokens import HOLE
from .upsert import SqlUpsert
from .variables_put_in import with_variables_put_in

__all__ = [
    "HOLE",
    "MERGE",
    "SqlUpsert",
    "are_qualifiers",
    "columns_in",
    "is_proven_by_text",
    "may_be_made_on_a_column",
    "may_look_up",
    "normal_element",
    "normal_predicate",
    "read_sql",
    "with_variables_put_in",
    "without_psql",
    "without_templates",
]
