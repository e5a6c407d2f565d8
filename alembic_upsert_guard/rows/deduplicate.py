"""Deduplication: one row of each key stays, the others are moved to an archive or deleted. Nothing is lost on the way.

Rows that refer to a surplus row are counted first, cascades included: they are refused, or made to refer to the row
that stays. It is all done in the caller's transaction, and not at all where any part of it fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from ..catalog import TableName
from ..catalog.postgresql import sqlstate
from ..catalog.reading import all_or_nothing, execute, words_of
from ..errors import DeduplicationError
from ..findings import told_of_key
from ..sqltext import named, string_literal
from .deduplicate_postgresql import (
    OUR_STATE,
    RESULT,
    deduplication_block,
    parsed,
    restoration_block,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect

    from .statements import RowsOfKey

__all__ = [
    "ARCHIVE_COLUMNS",
    "Deduplicated",
    "Surplus",
    "deduplicate",
    "restore",
    "script_deduplication",
    "script_restoration",
]


ARCHIVE_COLUMNS = ("upsert_guard_archived_at", "upsert_guard_reason", "upsert_guard_kept")
"""What an archive has beside the columns of the table: when, the key, and the row that stayed."""


@dataclass(frozen=True, slots=True)
class Surplus:
    """Which rows of a key are surplus, and what becomes of them."""

    key: RowsOfKey

    keep: str
    """``"first"`` or ``"last"``: which row of each key stays, in the order of `order_by` and then the primary key."""

    order_by: tuple[str, ...]
    """SQL, without a direction. A row without a value is never preferred."""

    archive: TableName | None
    """Where the others are moved; None: they are deleted."""

    repoint: bool
    """Whether rows that refer to them are made to refer to the row that stays."""


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """What was done."""

    rows: int
    """Surplus rows, moved or deleted."""

    repointed: tuple[tuple[str, int], ...] = ()
    """References moved, by foreign key: ``("sessions (account_id)", 4)``."""


def deduplicate(connection: Connection, surplus: Surplus) -> Deduplicated:
    """Leave one row of each key.

    :raises DeduplicationError: rows refer to surplus ones and `repoint` is off, the archive does not fit, rows are
     hidden, or a trigger holds on to them; nothing was changed.
    :raises sqlalchemy.exc.DBAPIError: the database refuses a part of it; nothing was changed.
    """
    if connection.dialect.name == "postgresql":
        block = deduplication_block(connection.dialect, surplus, _told(connection, surplus.key))
        return Deduplicated(*_run(connection, block))
    with all_or_nothing(connection):
        return _Deduplication(connection, surplus).run()


def restore(connection: Connection, key: RowsOfKey, archive: TableName) -> int:
    """Return how many rows were brought back from the archive, where they were moved for the sake of `key`.

    They are gone from the archive then; an archive that is left empty is dropped. No archive: no rows.

    :raises DeduplicationError: a trigger kept rows away; nothing was changed.
    :raises sqlalchemy.exc.DBAPIError: the database does not take them back; nothing was changed.
    """
    if connection.dialect.name == "postgresql":
        block = restoration_block(connection.dialect, key, archive, _told(connection, key))
        rows, _ = _run(connection, block)
        return rows
    with all_or_nothing(connection):
        return _restore(connection, key, archive)


def script_deduplication(dialect: Dialect, surplus: Surplus) -> str | None:
    """Return the statement for a script; None: the dialect's shell cannot look foreign keys up."""
    if dialect.name != "postgresql":
        return None
    return deduplication_block(dialect, surplus, _told_in(dialect, surplus.key))


def script_restoration(dialect: Dialect, key: RowsOfKey, archive: TableName) -> str | None:
    """Return the statement for a script; None: the dialect's shell cannot look columns up."""
    if dialect.name != "postgresql":
        return None
    return restoration_block(dialect, key, archive, _told_in(dialect, key))


def _told(connection: Connection, key: RowsOfKey) -> str:
    return _told_in(connection.dialect, key)


def _told_in(dialect: Dialect, key: RowsOfKey) -> str:
    return told_of_key(named(dialect, *key.table), key.target.labels, key.target.predicate)


def _run(connection: Connection, block: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    try:
        with all_or_nothing(connection):
            execute(connection, block)
            return parsed(str(execute(connection, f"SELECT current_setting('{RESULT}')").scalar()))
    except DBAPIError as error:
        if sqlstate(error) == OUR_STATE:
            raise DeduplicationError(words_of(error)) from error
        raise


# -- where there are no blocks: SQLite


@dataclass(frozen=True, slots=True)
class _Reference:
    """A foreign key that refers to the table."""

    child: TableName
    own: tuple[str, ...]
    referred: tuple[str, ...]


_GONE = "upsert_guard_surplus"


class _Deduplication:
    """The steps of the block, one statement each."""

    def __init__(self, connection: Connection, surplus: Surplus) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.surplus = surplus
        self.table = surplus.key.table
        self.relation = named(self.dialect, *self.table)
        self.told = _told(connection, surplus.key)
        inspector = inspect(connection)
        primary_key = inspector.get_pk_constraint(self.table.name, self.table.schema)
        self.identity: list[str] = list(primary_key["constrained_columns"]) or ["rowid"]
        self.columns = [
            c["name"] for c in inspector.get_columns(self.table.name, self.table.schema)
        ]

    def run(self) -> Deduplicated:
        rows = self._find()
        if not rows:
            self._forget()
            return Deduplicated(0)
        references = list(_references(self.connection, self.table))
        self._refuse_what_would_be_lost(references)
        if self.surplus.archive is not None:
            self._archive(self.surplus.archive)
        repointed = tuple(
            (told, moved)
            for reference in references
            for told, moved in [(self._named(reference), self._repoint(reference))]
            if moved
        )
        still_there = self._counted(references)
        if still_there:
            raise DeduplicationError(
                f"{self.told} cannot be deduplicated: a trigger kept references to surplus rows, "
                f"{_listed(still_there)}; nothing was changed"
            )
        deleted = self._execute(f"DELETE FROM {self.relation} WHERE {self._is_gone(self.relation)}")
        if deleted != rows:
            raise DeduplicationError(
                f"{self.told} cannot be deduplicated: a trigger kept {rows - deleted} of {rows} surplus rows; "
                "nothing was changed"
            )
        self._forget()
        return Deduplicated(rows, repointed)

    def _find(self) -> int:
        key, direction = self.surplus.key, "DESC" if self.surplus.keep == "last" else "ASC"
        elements = key.elements(self.dialect)
        conditions = [] if key.target.predicate is None else [f"({key.target.predicate})"]
        if key.nulls != "not_distinct":
            conditions += [f"{sql} IS NOT NULL" for sql in elements]
        # a row without a value is never preferred, whichever end is kept
        ordering = [f"({sql}) IS NULL, ({sql}) {direction}" for sql in self.surplus.order_by]
        identity = [named(self.dialect, column) for column in self.identity]
        ordering += [f"{column} {direction}" for column in identity]
        selected = [
            f"{column} AS gone_{n}, first_value({column}) OVER of_key AS kept_{n}"
            for n, column in enumerate(identity, 1)
        ]
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        self._forget()
        execute(
            self.connection,
            f"CREATE TEMP TABLE {_GONE} AS SELECT * FROM (SELECT {', '.join(selected)}, "
            f"row_number() OVER of_key AS place FROM {self.relation} {where}"
            f"WINDOW of_key AS (PARTITION BY {', '.join(elements)} ORDER BY {', '.join(ordering)})) WHERE place > 1",
        )
        return int(execute(self.connection, f"SELECT count(*) FROM temp.{_GONE}").scalar_one())

    def _forget(self) -> None:
        execute(self.connection, f"DROP TABLE IF EXISTS temp.{_GONE}")

    def _refuse_what_would_be_lost(self, references: Sequence[_Reference]) -> None:
        counted = self._counted(references)
        if not counted:
            return
        if not self.surplus.repoint:
            raise DeduplicationError(
                f"{self.told} cannot be deduplicated: {sum(counted.values())} references to surplus rows would be "
                f"lost: {_listed(counted)}; nothing was changed. Move them first, or pass repoint=True, which makes "
                "them refer to the row that stays"
            )
        for reference in references:
            lacking = " OR ".join(f"kept.{self._name(c)} IS NULL" for c in reference.referred)
            lost = execute(
                self.connection,
                f"SELECT count(*) FROM {self._pairs()} JOIN {self._child(reference)} AS child "
                f"ON {self._meets(reference)} WHERE {lacking}",
            ).scalar_one()
            if lost:
                raise DeduplicationError(
                    f"{self.told} cannot be deduplicated: {lost} references of {self._named(reference)} cannot be "
                    "moved, the row that stays has NULL where they point"
                )

    def _counted(self, references: Sequence[_Reference]) -> dict[str, int]:
        counts = {}
        for reference in references:
            query = (
                f"SELECT count(*) FROM {self._child(reference)} AS child WHERE EXISTS (SELECT 1 FROM temp.{_GONE} AS "
                f"surplus JOIN {self.relation} AS gone ON {self._is('gone')} WHERE {self._meets(reference)})"
                f"{self._stays(reference)}"
            )
            counts[self._named(reference)] = int(execute(self.connection, query).scalar_one())
        return {told: count for told, count in counts.items() if count}

    def _repoint(self, reference: _Reference) -> int:
        moves = ", ".join(
            f"{self._name(own)} = kept.{self._name(referred)}"
            for own, referred in zip(reference.own, reference.referred, strict=True)
        )
        return self._execute(
            f"UPDATE {self._child(reference)} AS child SET {moves} FROM {self._pairs()} "
            f"WHERE {self._meets(reference)}{self._stays(reference)}"
        )

    def _archive(self, archive: TableName) -> None:
        name = named(self.dialect, *archive)
        inspector = inspect(self.connection)
        if not inspector.has_table(archive.name, archive.schema):
            # AS SELECT keeps the affinity of each column and none of its rules
            execute(
                self.connection,
                f"CREATE TABLE {name} AS SELECT *, CAST(NULL AS TEXT) AS upsert_guard_archived_at, "
                f"CAST(NULL AS TEXT) AS upsert_guard_reason, CAST(NULL AS TEXT) AS upsert_guard_kept "
                f"FROM {self.relation} WHERE false",
            )
        there = {
            c["name"] for c in inspect(self.connection).get_columns(archive.name, archive.schema)
        }
        lacking = [column for column in (*self.columns, *ARCHIVE_COLUMNS) if column not in there]
        if lacking:
            raise DeduplicationError(
                f"{self.told} cannot be deduplicated: the archive table {name} is there and lacks "
                f"{', '.join(lacking)}; name another, or add the columns"
            )
        columns = [self._name(column) for column in self.columns]
        kept = " || ', ' || ".join(
            f"{string_literal(self.dialect, f'{column} = ')} || surplus.kept_{n}"
            for n, column in enumerate(self.identity, 1)
        )
        execute(
            self.connection,
            f"INSERT INTO {name} ({', '.join(columns)}, {', '.join(ARCHIVE_COLUMNS)}) "
            f"SELECT {', '.join(f'gone.{c}' for c in columns)}, strftime('%Y-%m-%d %H:%M:%f', 'now'), "
            f"{string_literal(self.dialect, self.told)}, {kept} "
            f"FROM temp.{_GONE} AS surplus JOIN {self.relation} AS gone ON {self._is('gone')}",
        )

    # the pieces

    def _execute(self, statement: str) -> int:
        return int(execute(self.connection, statement).rowcount)

    def _name(self, column: str) -> str:
        return named(self.dialect, column)

    def _child(self, reference: _Reference) -> str:
        return named(self.dialect, *reference.child)

    def _named(self, reference: _Reference) -> str:
        return f"{self._child(reference)} ({', '.join(map(self._name, reference.own))})"

    def _is(self, row: str) -> str:
        """A line of surplus is about this row: gone, kept, or a child of the same table."""
        column_of = {"gone": "gone", "kept": "kept", "child": "gone"}[row]
        return " AND ".join(
            f"{row}.{self._name(column)} IS surplus.{column_of}_{n}"
            for n, column in enumerate(self.identity, 1)
        )

    def _is_gone(self, row: str) -> str:
        met = " AND ".join(
            f"{row}.{self._name(column)} IS surplus.gone_{n}"
            for n, column in enumerate(self.identity, 1)
        )
        return f"EXISTS (SELECT 1 FROM temp.{_GONE} AS surplus WHERE {met})"

    def _pairs(self) -> str:
        return (
            f"temp.{_GONE} AS surplus JOIN {self.relation} AS gone ON {self._is('gone')} "
            f"JOIN {self.relation} AS kept ON {self._is('kept')}"
        )

    def _meets(self, reference: _Reference) -> str:
        return " AND ".join(
            f"gone.{self._name(referred)} = child.{self._name(own)}"
            for own, referred in zip(reference.own, reference.referred, strict=True)
        )

    def _stays(self, reference: _Reference) -> str:
        """Of the table's own rows, those that are no surplus themselves."""
        return f" AND NOT {self._is_gone('child')}" if reference.child == self.table else ""


def _references(connection: Connection, table: TableName) -> Iterator[_Reference]:
    """Every foreign key of the schema that refers to the table; SQLite takes names in any case."""
    inspector = inspect(connection)
    for (schema, child), keys in inspector.get_multi_foreign_keys(schema=table.schema).items():
        for key in keys:
            if key["referred_table"].casefold() != table.name.casefold():
                continue
            same = child.casefold() == table.name.casefold()
            yield _Reference(
                table if same else TableName(schema, child),
                tuple(key["constrained_columns"]),
                tuple(key["referred_columns"]),
            )


def _listed(counted: dict[str, int]) -> str:
    return ", ".join(f"{told} {count}" for told, count in counted.items())


def _restore(connection: Connection, key: RowsOfKey, archive: TableName) -> int:
    dialect = connection.dialect
    inspector = inspect(connection)
    if not inspector.has_table(archive.name, archive.schema):
        return 0
    there = {c["name"] for c in inspector.get_columns(archive.name, archive.schema)}
    columns = ", ".join(
        named(dialect, c["name"])
        for c in inspector.get_columns(key.table.name, key.table.schema)
        if c["name"] in there and "computed" not in c
    )
    name, reason = named(dialect, *archive), string_literal(dialect, _told_in(dialect, key))
    of_key = f"FROM {name} WHERE upsert_guard_reason = {reason}"
    rows = execute(connection, f"SELECT count(*) {of_key}").scalar_one()
    inserted = execute(
        connection,
        f"INSERT INTO {named(dialect, *key.table)} ({columns}) SELECT {columns} {of_key}",
    ).rowcount
    if inserted != rows:
        raise DeduplicationError(
            f"{_told_in(dialect, key)} cannot be restored: a trigger took {inserted} of {rows} rows; "
            "nothing was changed"
        )
    execute(connection, f"DELETE {of_key}")
    if not execute(connection, f"SELECT EXISTS (SELECT 1 FROM {name})").scalar():
        execute(connection, f"DROP TABLE {name}")
    return int(rows)
