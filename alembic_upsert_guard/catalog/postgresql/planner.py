"""The planner as a witness: what it infers for a conflict target, and what it proves of NULL.

EXPLAIN of an upsert writes no row, fires no trigger and takes no sequence value.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ...inference import ConflictTarget, Element
from ...sqltext import EQ, GT, element_sql, quoted, target_sql
from ..contract import Inferred, Offered, TableName
from ..reading import execute, first_sentence, rolled_back
from .offers import read
from .server import insertable_columns, sqlstate
from .sqlstates import FEATURE_NOT_SUPPORTED, INSUFFICIENT_PRIVILEGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect

__all__ = [
    "NO_ARBITER",
    "explain_upsert",
    "inferred_arbiters",
    "keeps_null_out",
    "null_makes_null",
    "read_only",
]

NO_ARBITER = "42P10"
"""invalid_column_reference: no unique or exclusion constraint matches the ON CONFLICT specification."""

_WRONG_SQL = "42"
"""Syntax error or access rule violation: the class of everything that is wrong with a statement as it is written.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_WRONG_ELSE = frozenset({INSUFFICIENT_PRIVILEGE, "42P01", "42809", NO_ARBITER})
"""Those of the class that are not about the SQL of a conflict target: privileges, a relation that is gone or none."""


def inferred_arbiters(connection: Connection, table: TableName, target: ConflictTarget) -> Inferred:
    """Return the arbiters that the planner infers: ``EXPLAIN`` of an upsert, in a savepoint.

    EXPLAIN writes no row, fires no trigger and takes no sequence value. It is silent on deferrable arbiters,
    which the executor refuses (execIndexing.c): pg_index.indimmediate has them. A default that fails while it
    is planned is asked around: every column is then given.
    """
    dialect = connection.dialect
    answer = _ask(connection, explain_upsert(dialect, table, target))
    if answer.doubt is not None:
        columns = insertable_columns(connection, table)
        if columns:
            again = _ask(connection, explain_upsert(dialect, table, target, columns))
            return again if again.doubt is None else answer
    return answer


@contextmanager
def read_only(connection: Connection) -> Iterator[None]:
    """Let the block write nothing, whatever functions of the user's it runs; its settings are undone behind it."""
    with rolled_back(connection):
        execute(connection, "SET LOCAL transaction_read_only = on")
        yield


def _ask(connection: Connection, explain: str) -> Inferred:
    try:
        with read_only(connection):
            document = execute(connection, explain).scalar_one()
            plans = json.loads(document) if isinstance(document, str) else document
            if not plans:
                return Inferred(doubt="a rule rewrites the INSERT to nothing")
            return _inferred_in(connection, plans[0]["Plan"])
    except DBAPIError as error:
        message = first_sentence(error)
        if sqlstate(error) == NO_ARBITER:
            return Inferred(refusal=message)
        state = sqlstate(error)
        return Inferred(
            doubt=message,
            is_refused_by_rules=state == FEATURE_NOT_SUPPORTED,
            unread=state is not None and state.startswith(_WRONG_SQL) and state not in _WRONG_ELSE,
        )


def _inferred_in(connection: Connection, plan: dict[str, Any]) -> Inferred:
    """What the plan says. Behind a view it names the table that is inserted into."""
    arbiters = tuple(plan.get("Conflict Arbiter Indexes", ()))
    relation = TableName(plan["Schema"], plan["Relation Name"])
    offered = read(connection, [relation]).get(relation, Offered())
    deferrable = tuple(
        str(candidate.name)
        for candidate in offered.candidates
        if candidate.name in arbiters and not candidate.immediate
    )
    return Inferred(arbiters=arbiters, deferrable=deferrable)


def explain_upsert(
    dialect: Dialect,
    table: TableName,
    target: ConflictTarget,
    columns: Sequence[str] | None = None,
) -> str:
    """Return the ``EXPLAIN`` that asks the planner about `target`.

    :param columns: the columns to give NULL to, every one of the table that can be given; None: their defaults.
    """
    source = "DEFAULT VALUES"
    if columns is not None:
        listed = ", ".join(quoted(dialect, column) for column in columns)
        nulls = ", ".join("NULL" for _ in columns)
        source = f"({listed}) OVERRIDING SYSTEM VALUE VALUES ({nulls})"
    return (
        f"EXPLAIN (VERBOSE, FORMAT JSON) INSERT INTO {quoted(dialect, *table)} {source} "
        f"ON CONFLICT {target_sql(dialect, target)} DO NOTHING"
    )


# -- NULL


def keeps_null_out(connection: Connection, table: TableName, target: ConflictTarget) -> bool:
    """Return whether the planner proves that no row with NULL in the key is inside of the target's predicate.

    plancat.c, relation_excluded_by_constraints: a scan whose conditions refute each other is not made. What it cannot
    prove, or be asked, may hold NULL.
    """
    if target.predicate is None:
        return False
    dialect = connection.dialect
    nulls = " OR ".join(f"({element_sql(dialect, e)}) IS NULL" for e in target.elements)
    rows = f"SELECT FROM {quoted(dialect, *table)} WHERE ({target.predicate}\n) AND ({nulls})"
    try:
        with read_only(connection):
            execute(connection, "SET LOCAL constraint_exclusion = on")
            document = execute(connection, f"EXPLAIN (FORMAT JSON) {rows}").scalar_one()
    except DBAPIError:
        return False
    plans = json.loads(document) if isinstance(document, str) else document
    return bool(plans and plans[0]["Plan"].get("One-Time Filter") == "false")


def null_makes_null(
    connection: Connection, table: TableName, target: ConflictTarget
) -> tuple[str, ...]:
    """Return the target's expressions, by label, that are NULL where a nullable column of the table is, for certain.

    prepjointree.c, reduce_outer_joins: a LEFT JOIN becomes an inner one where the condition above it is strict in what
    the join may make NULL. So the columns that may hold NULL are joined to the others, and the condition is that the
    expression is not NULL. A column that holds none inside of the target's predicate is one of the others. What the
    planner does not prove, or cannot be asked, is left out.
    """
    dialect = connection.dialect
    sides: dict[bool, list[str]] = {True: [], False: []}
    try:
        with read_only(connection):
            relation = {"relation": quoted(dialect, *table)}
            rows = connection.execute(_NULLABILITY, relation).all()
            for row in rows:
                of_column = ConflictTarget((Element(row.attname),), target.predicate)
                is_certain = row.attnotnull or keeps_null_out(connection, table, of_column)
                sides[is_certain].append(quoted(dialect, row.attname))
            certain, doubtful = (
                f"SELECT {', '.join(sides[side])} FROM {quoted(dialect, *table)}"
                for side in (True, False)
            )
            joined = f"({certain}) AS certain LEFT JOIN ({doubtful}) AS doubtful ON true"
            return tuple(
                element.label
                for element in target.elements
                if element.column is None
                and _is_inner_join(
                    execute(
                        connection,
                        f"EXPLAIN (FORMAT JSON) SELECT FROM {joined} "
                        f"WHERE ({element_sql(dialect, element)}\n) IS NOT NULL",
                    ).scalar_one()
                )
            )
    except DBAPIError:
        return ()


def _is_inner_join(document: Any) -> bool:
    plans = json.loads(document) if isinstance(document, str) else document
    return bool(plans and plans[0]["Plan"].get("Join Type") == "Inner")


_NULLABILITY = text(f"""
    SELECT attname, attnotnull FROM pg_catalog.pg_attribute
    WHERE attrelid {EQ} pg_catalog.to_regclass(:relation) AND attnum {GT} 0 AND NOT attisdropped
    ORDER BY attnum
""")
