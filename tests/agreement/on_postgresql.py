"""Tables of PostgreSQL: plain ones, parents and children, partitioned ones; and what is there beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.catalog import TableName

from .kinds import CONSTANTS, EXTRAS, STORED, Kind, offered_kinds, setup, words
from .tables import (
    GUARDED,
    Case,
    Column,
    Table,
    Term,
    Vocabulary,
    cases_of,
    insert,
    mostly,
    named,
    quoted,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection

__all__ = ["postgresql_cases", "prepared"]

PREDICATES = (
    "{c} IS NOT NULL",
    "{c} IS NULL",
    "id > 2",
    "id % 2 = 0",
    "id = 1",
    "id < 0",
    "id <> 2 OR ':x' = '100%'",
    "{t}.id > 1",
    "{t}.{c} IS NOT NULL AND id > 1",
    "{st}.id > 1",
    "id <> ALL ('{2,3}'::int[])",
    "NULL::bool",
    "true",
    "1 / (id - 1) >= 0",  # fails on a row
    "abs(id - 1) + abs(id - 1) + id > 1",
    "not_zero(id - 1)",
    "now() > '2020-01-01'",  # not immutable
    "id",  # not a condition
    "id > (SELECT 1)",
    "num_nulls({t}.*) = 0",
)

_NAMES = (
    *[TableName(None, "t")] * 10,
    *(TableName(None, name) for name in ("order", 'Odd ":x" 100%', "it's %s", "n" * 63, "sample")),
    *(TableName("app", name) for name in ("t", "t", "t", "offending")),
    TableName('S: 5%"', 'T: 5%"'),
) * 3 + (TableName("app", "pg_index"),)
_COLUMNS = ("a", "b", "c", "d", "key_2", "hashed", "select", 'C: 5%s "q"', "it's", "%(x)s")
_SETTINGS = ("work_mem = '128kB'", "enable_hashagg = off", "work_mem = '256MB'")

_BY_NUMBER = "LIST (p)"
_OTHER_STORAGE = "partition that stores otherwise than its parent"
_ARRANGEMENTS = (
    *["table"] * 14,
    "dropped column",
    "generated column",
    "table with a function of its rows",
    *["parent"] * 2,
    "child",
    *[_BY_NUMBER] * 3,
    "HASH (p)",
    "RANGE (p, id)",
    "LIST ((id % 2))",
    "partition",
    _OTHER_STORAGE,
)

_IDENTITIES = (
    *["id int"] * 2,
    *["id int PRIMARY KEY"] * 2,
    "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
)

_BOUNDS = {
    "HASH (p)": ("WITH (MODULUS 2, REMAINDER 0)", "WITH (MODULUS 2, REMAINDER 1)"),
    "RANGE (p, id)": ("FROM (1, 0) TO (2, 0)", "FROM (2, 0) TO (3, 0)"),
    "LIST ((id % 2))": ("IN (0)", "IN (1)"),
}


@st.composite
def _tables(draw: Callable[..., Any], kinds: Sequence[Kind]) -> tuple[Table, list[Column]]:
    arrangement = draw(st.sampled_from(_ARRANGEMENTS))
    names = draw(st.lists(st.sampled_from(_COLUMNS), min_size=1, max_size=4, unique=True))
    columns = [Column(name, draw(st.sampled_from(kinds))) for name in names]
    name = draw(st.sampled_from(_NAMES))
    drawn = draw(rows(columns))
    if arrangement in ("parent", "child"):
        identity = draw(st.sampled_from(_IDENTITIES[:4]))
        table = _inherited(name, identity, columns, drawn, draw(rows(columns)))
        if arrangement == "child":
            table = replace(table, name=TableName(name.schema, "child"), only=False)
    elif arrangement.startswith("table") or "column" in arrangement:
        identity = draw(st.sampled_from(_IDENTITIES))
        table = _plain(name, arrangement, identity, columns, drawn)
        if arrangement == "generated column":
            columns = [*columns, Column("made", Kind("int", ("0",)))]
    else:
        if arrangement == _OTHER_STORAGE:
            columns[0] = Column(columns[0].name, STORED)
        table = _partitioned(name, arrangement, columns, drawn)
        if arrangement == "partition":
            table = replace(table, name=TableName(name.schema, "part 1"))
    around = [] if name.schema is None else [f"CREATE SCHEMA {quoted(name.schema)}"]
    settings = (
        [f"SET LOCAL {draw(st.sampled_from(_SETTINGS))}"] if draw(mostly(False, True)) else []
    )
    return replace(table, statements=(*around, *table.statements, *settings)), columns


def _create(table: str, first: str, columns: Sequence[Column], behind: str = "") -> list[str]:
    listed = ", ".join([first, *(f"{c.sql} {c.kind.type}" for c in columns)])
    return [
        f"CREATE TABLE {table} ({listed}){behind}",
        *(
            f"ALTER TABLE {table} ALTER {c.sql} SET STORAGE {c.kind.storage}"
            for c in columns
            if c.kind.storage is not None
        ),
    ]


def _plain(
    name: TableName,
    arrangement: str,
    identity: str,
    columns: Sequence[Column],
    drawn: list[list[str]],
) -> Table:
    """One table; a column that is gone stands in front of the others."""
    sql = named(name)
    first = identity
    gone = []
    if arrangement == "dropped column":
        first = f"gone text, {identity}"
        gone = [f"ALTER TABLE {sql} DROP gone"]
    elif arrangement == "generated column":
        first = f"{identity}, made int GENERATED ALWAYS AS (id % 3) STORED"
    made = [*_create(sql, first, columns), *gone, *insert(sql, columns, drawn)]
    if "function" not in arrangement:
        return Table(tuple(made), name)
    made.append(
        f"CREATE FUNCTION of_row(r {sql}) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT r.id % 3'"
    )
    bare = quoted(name.name)
    own = tuple(Term(f"{function}({bare}.*)") for function in ("of_row", "num_nulls"))
    return Table(tuple(made), name, own=own)


def _inherited(
    name: TableName,
    identity: str,
    columns: Sequence[Column],
    drawn: list[list[str]],
    more: list[list[str]],
) -> Table:
    """A parent, and a child with the parent's rows over again and rows of its own."""
    sql, child = named(name), named(TableName(name.schema, "child"))
    statements = (
        *_create(sql, identity, columns),
        f"CREATE TABLE {child} () INHERITS ({sql})",
        *insert(sql, columns, drawn),
        *insert(child, columns, [*drawn, *more]),
    )
    return Table(statements, name, only=True)


def _partitioned(
    name: TableName, arrangement: str, columns: Sequence[Column], drawn: list[list[str]]
) -> Table:
    """Two partitions; rows go by the number p, most of them to one of the two."""
    sql = named(name)
    by = arrangement if arrangement in _BOUNDS else _BY_NUMBER
    bounds = _BOUNDS.get(by, ("IN (1)", "IN (2)"))
    parts = [named(TableName(name.schema, f"part {n}")) for n in (1, 2)]
    statements = _create(sql, "id int, p int", columns, f" PARTITION BY {by}")
    statements += [
        f"CREATE TABLE {part} PARTITION OF {sql} FOR VALUES {bound}"
        for part, bound in zip(parts, bounds, strict=True)
    ]
    if arrangement == _OTHER_STORAGE:
        statements += [
            f"ALTER TABLE {parts[0]} ALTER {c.sql} SET STORAGE EXTERNAL"
            for c in columns
            if c.kind.type in ("text", "jsonb", "bytea")
        ]
    number = Column("p", Kind("int", ("1", "2")))
    numbered = [["2" if n % 5 == 4 else "1", *row] for n, row in enumerate(drawn)]
    statements += insert(sql, [number, *columns], numbered)
    return Table(tuple(statements), name, by=("p", "id") if by.startswith("RANGE") else ("p",))


_NUMBER = Kind("int", ("1",), words("abs({c})", "({c} % 2)", "(1 / ({c} - 3))"))


def postgresql_cases(version: int, extras: frozenset[str]) -> st.SearchStrategy[Case]:
    """Return tables of that major version, each with keys.

    :param extras: what the server has of :data:`.kinds.EXTRAS`.
    """
    modes = ("warn", "distinct", "forbid")
    if version >= 15:
        modes += ("not_distinct",) * 2
    vocabulary = Vocabulary(PREDICATES, GUARDED[1], CONSTANTS, modes, _NUMBER)
    return cases_of(_tables(offered_kinds(version, extras)), vocabulary)


def prepared(connection: Connection) -> frozenset[str]:
    """Make the types, functions and collations for good; return which of the extras the server has."""
    extras = set()
    for name, statement in EXTRAS.items():
        try:
            with connection.begin():
                connection.exec_driver_sql(statement)
        except DBAPIError:
            continue
        extras.add(name)
    with connection.begin():
        for statement in setup(frozenset(extras)):
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    return frozenset(extras)
