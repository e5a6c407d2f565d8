"""A unique index over new rows only, which keeps new duplicates out while old ones are fixed.

Its predicate has the greatest value that a column has when it is made. So another run would make another index: the one
that is there is compared without that value, and is kept with the value that it has.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import OnlineError
from ..sqltext import named, string_literal
from .catalog import read_state, shape_of
from .greatest import has_rows, read_greatest, refuse_hidden_rows
from .runner import create, drop
from .step_runner import RowsInTheWay
from .table_plan import describe_other

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

    Where no row has a value it is over those that get one. One that an earlier run made is kept, and completed where it
    is not valid. Nothing is made where the table has no rows, or something valid has all of them already. The
    connection is in AUTOCOMMIT.

    :param builds: at most; each after the first has the greatest value of its own beginning.
    :raises OnlineError: each build met new rows that share a key; the name is something else's; nothing can be greater
     than the greatest value; or as :func:`.runner.create`.
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
    refuse_hidden_rows(connection, wanted, subject)
    greatest = read_greatest(connection, wanted, column)
    if greatest is None and not has_rows(connection, wanted):
        reporter.say(f"{subject} is not made: the table has no rows")
        return None
    having_a_value = _with_bound(wanted, f"{named(dialect, column)} IS NOT NULL")
    if greatest is None:
        reporter.say(f"{subject}: keeping duplicates out of rows whose {column} is not NULL")
        return having_a_value
    if greatest.is_endless:
        raise OnlineError(
            f"{subject} was not made, nothing was changed: {column} has no value beyond the greatest one that is "
            "there, so no new row would be in the index. Name another column in new_rows_by, or correct the row"
        )
    if greatest.is_random:
        raise OnlineError(
            f"{subject} was not made, nothing was changed: {column} holds random UUIDs (version 4), and new rows need "
            "not be greater, so they would not be in the index. Name a column that only grows in new_rows_by"
        )
    value = greatest.value
    constant = f"CAST({string_literal(dialect, value)} AS {greatest.type_name})"
    narrowed = _with_bound(wanted, f"{named(dialect, column)} {greatest.operator} {constant}")
    shape = shape_of(connection, narrowed)
    table, *_ = read_state(connection, wanted.table, None)
    index = table.named(wanted.name)
    if index is not None:
        kept = predicate_of_same(index.shape, shape, value)
        if kept is not None:
            return replace(wanted, target=replace(wanted.target, predicate=kept))
        if index.shape == shape_of(connection, having_a_value):
            return having_a_value  # when it was made no row had a value
        if index.valid:
            raise OnlineError(
                f"{subject} was not made, nothing was changed: {describe_other(table, index)}. Drop or rename it in an "
                "earlier revision, or give this one another name"
            )
    whose = (
        f"is greater than {value}" if reporter.reveal else "is greater than in any that is there"
    )
    reporter.say(f"{subject}: keeping duplicates out of rows whose {column} {whose}")
    return narrowed


def _with_bound(wanted: OnlineArbiter, bound: str) -> OnlineArbiter:
    where = wanted.target.predicate
    predicate = bound if where is None else f"({where}) AND {bound}"
    return replace(wanted, target=replace(wanted.target, predicate=predicate))


def predicate_of_same(there: str, wanted: str, value: str) -> str | None:
    """Return the predicate of the shape `there` if it is `wanted` but for the constant that ends the predicate. Pure.

    :param value: the constant of `wanted`.
    """
    theirs, ours = json.loads(there), json.loads(wanted)
    predicate, own = theirs.pop(_PREDICATE), ours.pop(_PREDICATE)
    if theirs != ours or predicate is None:
        return None
    before, constant, after = _around(own, value)
    after = after.removeprefix(_LABEL_OF_SOME)
    if not (constant and predicate.startswith(before) and predicate.endswith(after)):
        return None
    other = predicate[len(before) : len(predicate) - len(after)].removesuffix(_LABEL_OF_SOME)
    return str(predicate) if other == constant or _is_constant(other) else None


_LABEL_OF_SOME = "::numeric"
"""What 1 and -1.5 have in a predicate and 1.5 has not (ruleutils.c: get_const_expr)."""


def _around(predicate: str, value: str) -> tuple[str, str, str]:
    """Split a predicate at its constant, with quotes or without."""
    escaped = value.replace("'", "''")
    parts = predicate.rpartition(f"'{escaped}'")
    return parts if parts[1] else predicate.rpartition(value)


def _is_constant(sql: str) -> bool:
    """Whether it is one literal: a number, or anything in quotes."""
    if len(sql) > 1 and sql[0] == sql[-1] == "'":
        return "'" not in sql[1:-1].replace("''", "")
    return sql.replace(".", "", 1).isdigit()
