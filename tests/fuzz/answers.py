"""The two answers to one question: what the real insert does, and what the package says of the key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal_column
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard import conflict_target
from alembic_upsert_guard.verdict.check import check_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

__all__ = ["OK", "Said", "UnfitRowError", "inserted", "said_of", "works"]

OK = "ok"

_BROKEN_BY_THE_ROW = ("22", "23", "44", "42501")
"""Classes of SQLSTATE that blame the row, or who inserts it."""
_CONFLICTS = ("23505", "23P01")
"""Another unique index or exclusion constraint than the arbiter: the target was inferred."""


class UnfitRowError(Exception):
    """The row cannot be inserted: nothing is learned."""


@dataclass(frozen=True)
class Said:
    """What the package says of a key."""

    verdict: str
    codes: tuple[str, ...] = ()


def inserted(
    connection: Connection,
    table: Table,
    row: Mapping[str, str],
    *,
    times: int = 1,
    update: bool = False,
) -> str:
    """Return OK, or the SQLSTATE of the upsert that the application sends; it is undone.

    :param update: DO UPDATE in place of DO NOTHING.
    :raises UnfitRowError: the row is to blame.
    """
    values: dict[Any, Any] = {table.columns[name]: literal_column(sql) for name, sql in row.items()}
    statement = insert(table).values(values) if values else insert(table)
    target = conflict_target(table)
    if update and row:
        column = table.columns[next(iter(row))]
        upsert = statement.on_conflict_do_update(
            **target, set_={column: statement.excluded[column.key]}
        )
    else:
        upsert = statement.on_conflict_do_nothing(**target)
    savepoint = connection.begin_nested()
    try:
        for _ in range(times):
            connection.execute(upsert)
    except DBAPIError as error:
        return _state_of(error)
    finally:
        savepoint.rollback()
    return OK


def _state_of(error: DBAPIError) -> str:
    state = str(getattr(error.orig, "pgcode", None))
    if state in _CONFLICTS:
        return OK
    if state.startswith(_BROKEN_BY_THE_ROW):
        raise UnfitRowError(f"{state} {error.orig}") from error
    return state


def works(connection: Connection, table: Table, row: Mapping[str, str]) -> bool:
    """Return whether the upsert goes through."""
    return inserted(connection, table, row) == OK


def said_of(connection: Connection, table: Table) -> Said:
    """Return what the check says of the table's only key."""
    checked = check_keys(connection, [table.metadata], rows=False)
    (key,) = checked.keys
    codes = tuple(str(finding.code) for finding in checked.findings)
    return Said(key.verdict.value, codes)


def tells_nulls_apart(connection: Connection, table: Table, row: Mapping[str, str]) -> bool | None:
    """Return whether the arbiter takes two rows with NULL in the key for two; None: that is not seen.

    It is not where no NULL goes in, and where a predicate may keep the row out of the index.
    """
    arguments = conflict_target(table)
    if "index_where" in arguments:
        return None
    holes = [name for name in arguments["index_elements"] if isinstance(name, str)]
    nullable = [name for name in holes if table.columns[name].nullable and name in row]
    values: dict[Any, Any] = {
        table.columns[name]: literal_column("NULL" if name in nullable else sql)
        for name, sql in row.items()
    }
    upsert = insert(table).values(values).on_conflict_do_nothing(**arguments)
    savepoint = connection.begin_nested()
    try:
        counts = [connection.execute(upsert).rowcount for _ in range(2)]
    except DBAPIError:
        return None
    finally:
        savepoint.rollback()
    # a rule or a view may take the first one away
    return counts[1] == 1 if nullable and counts[0] == 1 else None
