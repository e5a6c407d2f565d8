"""A unique index over new rows only, which keeps new duplicates out while old ones are fixed.

Its predicate has the greatest value that a column has when it is made. So another run would make another index: the one
that is there is compared without that value, and is kept with the value that it has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..catalog.contract import RelationKind
from ..catalog.reading import execute
from ..errors import OnlineError
from ..sqltext import EQ, GT, named, quoted, string_literal
from .catalog import read_state, shape_of
from .runner import create, drop
from .step_runner import RowsInTheWay
from .table_plan import describe_other

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from .arbiter import OnlineArbiter
    from .reporter import Reporter
    from .retries import Retries

__all__ = ["create_on_new_rows", "predicate_of_same", "superseded_by"]

_UUID_VERSION = 14
"""Where a UUID has its version: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-format."""

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
    greatest = _greatest(connection, wanted, column)
    if greatest is None and not _has_rows(connection, wanted):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Greatest:
    """The greatest value of a column."""

    value: str
    """As the type prints it, and so as the server prints it in a predicate."""
    type_name: str
    """What it is compared as."""
    operator: str
    """What compares it: of a type of an extension it is the extension's own, as in the index."""
    is_endless: bool
    """Whether it is an infinity or NaN, which nothing is greater than."""

    @property
    def is_random(self) -> bool:
        """Whether it is a UUID of version 4."""
        return self.type_name == "uuid" and self.value[_UUID_VERSION] == "4"


def _greatest(connection: Connection, wanted: OnlineArbiter, column: str) -> _Greatest | None:
    """Return the greatest value of the column; None: it has none."""
    name = named(connection.dialect, column)
    # not max(), which not every type has that an index sorts; of bigint the server prints every value in one form.
    # concat() prints as the type does, where a cast of char(n) or inet does not; -1: a length is none of 1
    row = execute(
        connection,
        f"SELECT pg_catalog.concat({name}) AS greatest, CASE WHEN pg_catalog.pg_typeof({name}) "
        f"{EQ} ANY ('{{pg_catalog.int2,pg_catalog.int4}}'::pg_catalog.regtype[]) THEN 'bigint' "
        f"ELSE pg_catalog.format_type(pg_catalog.pg_typeof({name}), -1) END AS type_name, "
        f"coalesce(({_OPERATOR.format(type='pg_catalog.pg_typeof(' + name + ')')}), '{GT}') AS operator, "
        f"pg_catalog.pg_typeof({name}) {EQ} ANY ('{{{_HAVING_AN_END}}}'::pg_catalog.regtype[]) "
        f"AND pg_catalog.concat({name}) {EQ} ANY ('{{infinity,Infinity,NaN}}'::pg_catalog.text[]) AS is_endless "
        f"FROM {_rows_of(connection, wanted)} WHERE {name} IS NOT NULL ORDER BY {name} DESC LIMIT 1",
    ).one_or_none()
    if row is None:
        return None
    return _Greatest(
        value=row.greatest,
        type_name=row.type_name,
        operator=row.operator,
        is_endless=row.is_endless,
    )


_OPERATOR = f"""
    SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
    FROM pg_catalog.pg_opclass oc
    JOIN pg_catalog.pg_am m ON m.oid {EQ} oc.opcmethod AND m.amname {EQ} 'btree'
    JOIN pg_catalog.pg_amop a ON a.amopfamily {EQ} oc.opcfamily AND a.amopstrategy {EQ} 5 -- btree: >
         AND a.amoplefttype {EQ} oc.opcintype AND a.amoprighttype {EQ} oc.opcintype
    JOIN pg_catalog.pg_operator o ON o.oid {EQ} a.amopopr
    JOIN pg_catalog.pg_namespace n ON n.oid {EQ} o.oprnamespace
    WHERE oc.opcdefault AND oc.opcintype {EQ} {{type}}
"""
"""Not of a domain, nor of varchar, which are compared as the type below them."""

_HAVING_AN_END = ",".join(
    f"pg_catalog.{name}"
    for name in ("float4", "float8", "numeric", "date", "timestamp", "timestamptz", "interval")
)


def _has_rows(connection: Connection, wanted: OnlineArbiter) -> bool:
    rows = _rows_of(connection, wanted)
    return bool(execute(connection, f"SELECT EXISTS (SELECT FROM {rows}) AS it_has").scalar())


def _rows_of(connection: Connection, wanted: OnlineArbiter) -> str:
    """The rows that an index holds: those of partitions, and none of tables that inherit."""
    table, *_ = read_state(connection, wanted.table, None)
    only = "ONLY " if table.relation is RelationKind.TABLE else ""
    return f"{only}{quoted(connection.dialect, *wanted.table)}"


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
