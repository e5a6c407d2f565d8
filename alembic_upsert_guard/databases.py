"""What is known of each kind of database: one record each, and a cautious one for all others.

Nothing else in the package asks which database it is: it asks for a fact, or for the entry of a table that is keyed by
these records (:data:`.catalog.CATALOGS`). A fact that a record does not state is the one that promises least.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

__all__ = [
    "DATABASES",
    "MARIADB",
    "MYSQL",
    "POSTGRESQL",
    "SQLITE",
    "Database",
    "database_for",
    "database_named",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Facts about one kind of database. Without arguments but `name`: one that nothing is known of."""

    name: str
    """SQLAlchemy's name of the dialect."""

    # -- upserts

    has_conflict_targets: bool = True
    """False: an upsert names no target, any unique key may take it, and where there is none it inserts."""

    infers_by_text: bool = False
    """Whether SQL that is equal as text is equal to inference; PostgreSQL simplifies a target's before it compares."""

    proves_predicates: bool = False
    """Whether an index serves wherever the target's predicate implies its own (predicate_implied_by)."""

    has_planner: bool = False
    """Whether it can be asked which arbiters an upsert has without running it, all targets in one statement."""

    counts_elements: bool = False
    """Whether a target with a column twice is one element longer than the index (SQLite, upsert.c)."""

    folds_column_names: bool = False
    """Whether names of columns differ in more than the case of ASCII letters, quoted or not."""

    folds_table_names: bool = False
    """The same of tables' names."""

    has_sqlstates: bool = False
    """Whether a refused upsert is known by its SQLSTATE: 42P10, 55000, 42704."""

    renders_values_in_predicates: bool = False
    """Whether SQLAlchemy writes the values of a target's predicate into it (SQLiteCompiler._on_conflict_target)."""

    has_functions: bool = False
    """Whether functions in the database hold upserts that can be read there."""

    has_statement_statistics: bool = False
    """Whether the server keeps the texts of statements that were run (pg_stat_statements)."""

    # -- indexes

    predicate_options: tuple[str, ...] = ()
    """The options of SQLAlchemy's Index that hold a predicate; empty: there are no partial indexes."""

    most_elements: int | None = None
    """The columns that an index holds; None: not known, or more than a table has."""

    nulls_not_distinct_since: tuple[int, ...] | None = None
    """The version from which UNIQUE NULLS NOT DISTINCT exists; None: it does not."""

    has_index_rules_of_mysql: bool = False
    """Whether an index takes whole columns of a known length only (errors 1170, 3152), and expressions by version."""

    numbers_rows_by_primary_key: bool = False
    """Whether one INTEGER PRIMARY KEY is the number of the row, which no index holds (SQLite's rowid)."""

    # -- statements

    qualifies_system_names: bool = False
    """Whether functions and operators of the system are named with their schema; see :data:`.sqltext.EQ`."""

    row_identifier: tuple[str, ...] = ()
    """What identifies a row without a primary key."""

    grouping_hint: str = ""
    """What follows SELECT to have rows grouped by a sort; a temporary table takes ten times as long on MySQL."""

    groups_by_ordinal_only: bool = False
    """Whether an expression beside GROUP BY is not seen to be the one in it (MySQL, errors 1054 and 1055)."""

    materializes: str = ""
    """What keeps a common table expression from being drawn together with what reads it."""

    # -- migrations

    commits_ddl: bool = False
    """Whether each statement of DDL ends the transaction."""

    errors_end_transactions: bool = False
    """Whether after an error a transaction takes nothing but a rollback, to a savepoint or of all."""

    builds_concurrently: bool = False
    """Whether an index can be built while the table is written to: CREATE INDEX CONCURRENTLY."""

    alters_constraints: bool = True
    """False: a constraint is added to or dropped from a table only by copying it (Alembic's batch mode)."""

    renames_indexes: bool = False
    """Whether an index, and the constraint that it is behind, can be given another name."""

    doubles_per_cent: bool = True
    """Whether a driver may take a per cent sign in DDL for a parameter, so that compilers write it twice."""

    names_constraints_itself: bool = False
    """Whether the server names what is unnamed by a rule that is known: ``<table>_<columns>_key``."""


POSTGRESQL = Database(
    name="postgresql",
    proves_predicates=True,
    has_planner=True,
    has_sqlstates=True,
    has_functions=True,
    has_statement_statistics=True,
    predicate_options=("postgresql_where",),
    most_elements=32,  # INDEX_MAX_KEYS (pg_config_manual.h)
    nulls_not_distinct_since=(15,),
    qualifies_system_names=True,
    row_identifier=("ctid",),
    materializes="MATERIALIZED ",
    errors_end_transactions=True,
    builds_concurrently=True,
    renames_indexes=True,
    names_constraints_itself=True,  # indexcmds.c: ChooseIndexName
)

SQLITE = Database(
    name="sqlite",
    infers_by_text=True,
    counts_elements=True,
    folds_column_names=True,
    folds_table_names=True,
    renders_values_in_predicates=True,
    predicate_options=("sqlite_where",),
    numbers_rows_by_primary_key=True,
    row_identifier=("rowid",),
    alters_constraints=False,
    doubles_per_cent=False,
)

MYSQL = Database(
    name="mysql",
    infers_by_text=True,
    has_conflict_targets=False,
    folds_column_names=True,
    most_elements=16,  # MAX_REF_PARTS (sql_const.h)
    has_index_rules_of_mysql=True,
    grouping_hint="SQL_BIG_RESULT ",
    groups_by_ordinal_only=True,
    commits_ddl=True,
    renames_indexes=True,  # MySQL 5.7, MariaDB 10.5.2
)

MARIADB = replace(MYSQL, name="mariadb", most_elements=32)

DATABASES = {each.name: each for each in (POSTGRESQL, SQLITE, MYSQL, MARIADB)}
"""Every database that is judged, by SQLAlchemy's name of its dialect."""


class _Dialect(Protocol):
    @property
    def name(self) -> str: ...


def database_for(dialect: _Dialect) -> Database:
    """Return the record of the database behind a dialect; MariaDB's where a ``mysql://`` URL led to it.

    For a database that is not in :data:`DATABASES`: a record that promises nothing.
    """
    if getattr(dialect, "is_mariadb", False):
        return MARIADB
    return database_named(dialect.name)


def database_named(name: str) -> Database:
    """Return the record by SQLAlchemy's name of the dialect, as :func:`database_for` does."""
    return DATABASES.get(name) or Database(name=name)
