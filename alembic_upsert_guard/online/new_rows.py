"""A unique index over new rows only, which keeps new duplicates out while old ones are fixed.

Its predicate has the greatest value that a column has when it is made. So another run would make another index: the one
that is there is compared without that value, and is kept with the value that it has.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ..catalog.reading import execute
from ..errors import OnlineError
from ..sqltext import EQ, GT, named, quoted, string_literal
from .catalog import read_state, shape_of
from .runner import create, drop
from .step_runner import RowsInTheWay

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from .arbiter import OnlineArbiter
    from .reporter import Reporter
    from .retries import Retries

__all__ = ["create_on_new_rows", "predicate_of_same", "superseded_by"]

_PREDICATE = 7
"""Where a shape has the predicate."""


def create_on_new_rows(
    connection: Connection,
    wanted: OnlineArbiter,
    column: str,
    *,
    builds: int,
    retries: Retries,
    reporter: Reporter,
) -> None:
    """Make the index `wanted` over the rows in which `column` is greater than in any row that is there now.

    One that an earlier run made is kept, and completed where it is not valid. Nothing is made where the table has no
    rows, or something valid has all of them already. The connection is in AUTOCOMMIT.

    :param builds: at most; each after the first has the greatest value of its own beginning.
    :raises OnlineError: each build met new rows that share a key; or as :func:`.runner.create`.
    """
    subject = f"{wanted.name} on {named(connection.dialect, *wanted.table)}"
    for _ in range(builds):
        narrowed = _narrowed(connection, wanted, column, reporter)
        if narrowed is None:
            return
        try:
            create(connection, narrowed, retries, reporter)
        except RowsInTheWay as error:
            reporter.say(f"{subject}: new rows that share a key arrived before it was ready")
            if (
                error.left_behind is not None
            ):  # parts of partitions that are done, with a value that is too old
                drop(connection, wanted.table, wanted.name, retries, reporter, constraint=False)
        else:
            return
    raise OnlineError(
        f"{subject} was not made: {builds} builds met new rows that share a key, and nothing is left of them. Run the "
        "upgrade again, or say more attempts_on_duplicates"
    )


def superseded_by(connection: Connection, wanted: OnlineArbiter) -> str | None:
    """Return what has all rows while the index over new ones is still there; None: one of the two is not."""
    state = read_state(connection, wanted.table, None)
    if not state or state[0].named(wanted.name) is None:
        return None
    return _index_of_all_rows(connection, wanted)


def _index_of_all_rows(connection: Connection, wanted: OnlineArbiter) -> str | None:
    state = read_state(connection, wanted.table, shape_of(connection, wanted))
    indexes = state[0].indexes if state else ()
    return next((index.name for index in indexes if index.same and index.valid), None)


def _narrowed(
    connection: Connection, wanted: OnlineArbiter, column: str, reporter: Reporter
) -> OnlineArbiter | None:
    dialect = connection.dialect
    subject = f"{wanted.name} on {named(dialect, *wanted.table)}"
    there = _index_of_all_rows(connection, wanted)
    if there is not None:
        reporter.say(f"{subject} is not made: {there} has all rows already")
        return None
    greatest = _greatest(connection, wanted, column)
    if greatest is None:
        reporter.say(f"{subject} is not made: the table has no rows")
        return None
    value, type_ = greatest
    bound = f"{named(dialect, column)} {GT} CAST({string_literal(dialect, value)} AS {type_})"
    narrowed = _with_predicate(
        wanted, bound if (where := wanted.target.predicate) is None else f"({where}) AND {bound}"
    )
    shape = shape_of(connection, narrowed)
    table, *_ = read_state(connection, wanted.table, None)
    index = table.named(wanted.name)
    kept = None if index is None else predicate_of_same(index.shape, shape, value)
    if kept is not None:
        return _with_predicate(wanted, kept)
    reporter.say(
        f"{subject}: keeping duplicates out of rows whose {column} is greater than {value}"
    )
    return narrowed


def _with_predicate(wanted: OnlineArbiter, predicate: str) -> OnlineArbiter:
    return replace(wanted, target=replace(wanted.target, predicate=predicate))


def _greatest(connection: Connection, wanted: OnlineArbiter, column: str) -> tuple[str, str] | None:
    """The greatest value of the column as text, and the type that it is compared as; None: it has none."""
    name, table = named(connection.dialect, column), quoted(connection.dialect, *wanted.table)
    # not max(), which not every type has that an index sorts; of bigint the server prints every value in one form
    row = execute(
        connection,
        f"SELECT CAST({name} AS pg_catalog.text) AS greatest, CASE WHEN pg_catalog.pg_typeof({name}) "
        f"{EQ} ANY ('{{pg_catalog.int2,pg_catalog.int4}}'::pg_catalog.regtype[]) THEN 'bigint' "
        f"ELSE pg_catalog.format_type(pg_catalog.pg_typeof({name}), NULL) END AS type_name "
        f"FROM {table} WHERE {name} IS NOT NULL ORDER BY {name} DESC LIMIT 1",
    ).one_or_none()
    return None if row is None else (row.greatest, row.type_name)


def predicate_of_same(there: str, wanted: str, value: str) -> str | None:
    """Return the predicate of the shape `there` if it is `wanted` but for the constant that ends the predicate. Pure.

    :param value: the constant of `wanted`, which the server prints in quotes, or without them where it is a number.
    """
    theirs, ours = json.loads(there), json.loads(wanted)
    predicate, own = theirs.pop(_PREDICATE), ours.pop(_PREDICATE)
    if theirs != ours or predicate is None:
        return None
    escaped = value.replace("'", "''")
    before, constant, after = own.rpartition(f"'{escaped}'")
    if not constant:
        before, constant, after = own.rpartition(value)
    if not (constant and predicate.startswith(before) and predicate.endswith(after)):
        return None
    other = predicate[len(before) : len(predicate) - len(after)]
    if constant.startswith("'"):
        is_constant = len(other) > 1 and other[0] == other[-1] == "'"
        is_constant = is_constant and "'" not in other[1:-1].replace("''", "")
    else:
        is_constant = other.replace(".", "", 1).isdigit()
    return str(predicate) if is_constant else None
