"""The greatest value that a column has in the rows which an index would hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..catalog.contract import RelationKind
from ..catalog.reading import execute
from ..errors import HiddenRowsError, OnlineError
from ..sqltext import EQ, GT, named, quoted, string_literal
from .catalog import read_state

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from .arbiter import OnlineArbiter

__all__ = ["Greatest", "has_rows", "read_greatest", "refuse_hidden_rows"]

_UUID_VERSION = 14
"""Where a UUID has its version: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-format."""


def refuse_hidden_rows(connection: Connection, wanted: OnlineArbiter, subject: str) -> None:
    """Refuse a role that is shown a part of the rows, or none of them.

    :raises OnlineError: the greatest value may be a hidden row's.
    """
    dialect = connection.dialect
    table = string_literal(dialect, quoted(dialect, *wanted.table))
    role = execute(
        connection,
        f"SELECT current_user WHERE pg_catalog.row_security_active(CAST({table} AS pg_catalog.regclass))",
    ).scalar()
    if role is not None:
        error = HiddenRowsError.of(named(dialect, *wanted.table), str(role))
        raise OnlineError(f"{subject} was not made, nothing was changed: {error}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Greatest:
    """The greatest value of a column."""

    value: str
    """As the server prints it in a predicate."""
    type_name: str
    """What it is compared as."""
    operator: str
    """What compares it: of a type of an extension it is the extension's own, as in the index."""
    is_endless: bool
    """Whether it is an infinity, NaN or true, which nothing is greater than."""

    @property
    def is_random(self) -> bool:
        """Whether it is a UUID of version 4."""
        return self.type_name == "uuid" and self.value[_UUID_VERSION] == "4"


def read_greatest(connection: Connection, wanted: OnlineArbiter, column: str) -> Greatest | None:
    """Return the greatest value of the column among the rows that an index holds; None: it has none."""
    name = named(connection.dialect, column)
    # not max(), which not every type has that an index sorts; of bigint the server prints every value in one form.
    # concat() prints as the type does, where a cast of char(n) or inet does not; of a boolean the cast is a word, as in
    # a predicate. -1: a length is none of 1
    row = execute(
        connection,
        f"SELECT CASE WHEN pg_catalog.pg_typeof({name}) {EQ} 'pg_catalog.bool'::pg_catalog.regtype "
        f"THEN CAST({name} AS pg_catalog.text) ELSE pg_catalog.concat({name}) END AS greatest, "
        f"CASE WHEN pg_catalog.pg_typeof({name}) "
        f"{EQ} ANY ('{{pg_catalog.int2,pg_catalog.int4}}'::pg_catalog.regtype[]) THEN 'bigint' "
        f"ELSE pg_catalog.format_type(pg_catalog.pg_typeof({name}), -1) END AS type_name, "
        f"coalesce(({_OPERATOR.format(type='pg_catalog.pg_typeof(' + name + ')')}), '{GT}') AS operator, "
        f"pg_catalog.pg_typeof({name}) {EQ} ANY ('{{{_HAVING_AN_END}}}'::pg_catalog.regtype[]) "
        f"AND pg_catalog.concat({name}) {EQ} ANY ('{{infinity,Infinity,NaN,t}}'::pg_catalog.text[]) AS is_endless "
        f"FROM {_rows_of(connection, wanted)} WHERE {name} IS NOT NULL ORDER BY {name} DESC LIMIT 1",
    ).one_or_none()
    if row is None:
        return None
    return Greatest(
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
    for name in (
        *("bool", "float4", "float8", "numeric"),
        *("date", "timestamp", "timestamptz", "interval"),
    )
)


def has_rows(connection: Connection, wanted: OnlineArbiter) -> bool:
    """Return whether the table has a row that an index would hold."""
    rows = _rows_of(connection, wanted)
    return bool(execute(connection, f"SELECT EXISTS (SELECT FROM {rows}) AS it_has").scalar())


def _rows_of(connection: Connection, wanted: OnlineArbiter) -> str:
    """The rows that an index holds: those of partitions, and none of tables that inherit."""
    table, *_ = read_state(connection, wanted.table, None)
    only = "ONLY " if table.relation is RelationKind.TABLE else ""
    return f"{only}{quoted(connection.dialect, *wanted.table)}"
