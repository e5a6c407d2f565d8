"""SQLite's deduplication: the steps of PostgreSQL's block, a statement each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from ..catalog import TableName
from ..catalog.reading import execute
from ..errors import DeduplicationError
from ..findings import counted
from ..sqltext import named, string_literal
from .surplus import ARCHIVE_COLUMNS, Deduplicated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from .statements import RowsOfKey
    from .surplus import Surplus

__all__ = ["Reference", "deduplicate_on_sqlite", "references_to", "restore_on_sqlite"]

_SURPLUS = "temp.upsert_guard_surplus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A foreign key."""

    child: TableName
    own: tuple[str, ...]
    referred: tuple[str, ...]
    on_update: str
    """What follows a change of what it refers to: ``CASCADE``, ``SET NULL`` ...; empty: nothing."""


def deduplicate_on_sqlite(connection: Connection, surplus: Surplus, told: str) -> Deduplicated:
    """Leave one row of each key; see :func:`.deduplicate`."""
    return _Deduplication(connection, surplus, told).run()


class _Deduplication:
    def __init__(self, connection: Connection, surplus: Surplus, told: str) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.surplus = surplus
        self.told = told
        self.table = surplus.key.table
        self.relation = named(self.dialect, *self.table)
        inspector = inspect(connection)
        name, schema = self.table.name, self.table.schema
        self.columns: list[str] = [c["name"] for c in inspector.get_columns(name, schema)]
        self.primary_key: list[str] = inspector.get_pk_constraint(name, schema)[
            "constrained_columns"
        ]
        self.identity = self._identity()

    def run(self) -> Deduplicated:
        rows = self._find()
        references = list(references_to(self.connection, self.table)) if rows else []
        referring = self._counted(references)
        if referring and not self.surplus.repoint:
            raise self._refusal(
                f"{sum(referring.values())} references to surplus rows would be lost: {_listed(referring)}; "
                "nothing was changed. Move them first, or pass repoint=True, which makes them refer to the row that "
                "stays",
            )
        for reference in references:
            self._refuse_what_cannot_move(reference)
            self._refuse_what_would_be_left_behind(reference)
        if rows and self.surplus.archive is not None:
            self._archive(self.surplus.archive)
        moved = {self._named(reference): self._repoint(reference) for reference in references}
        kept = self._counted(references)
        if kept:
            raise self._refusal(
                f"a trigger kept references to surplus rows: {_listed(kept)}; nothing was changed"
            )
        deleted = self._execute(f"DELETE FROM {self.relation} WHERE {self._is_gone(self.relation)}")
        if deleted != rows:
            raise self._refusal(
                f"a trigger kept {rows - deleted} of {rows} surplus rows; nothing was changed"
            )
        if rows:
            self._refuse_new_duplicates()
        execute(self.connection, f"DROP TABLE {_SURPLUS}")
        return Deduplicated(rows, tuple((told, count) for told, count in moved.items() if count))

    def _identity(self) -> list[str]:
        """The row's own number where it has one: SQLite takes NULL in a primary key, and more than one of it."""
        taken = {column.casefold() for column in self.columns}
        number = next((n for n in ("rowid", "_rowid_", "oid") if n not in taken), None)
        if number is not None:
            try:
                execute(self.connection, f"SELECT {number} FROM {self.relation} LIMIT 0").close()
            except DBAPIError:
                return self.primary_key  # WITHOUT ROWID: no NULL in it
            return [number]
        return self.primary_key

    def _find(self) -> int:
        direction = "DESC" if self.surplus.keep == "last" else "ASC"
        # a row without a value is never preferred, whichever end is kept
        ordering = [f"({sql}) IS NULL, ({sql}) {direction}" for sql in self.surplus.order_by]
        ordering += [f"{self._name(c)} {direction}" for c in (*self.primary_key, *self.identity)]
        selected = [
            f"{self._name(column)} AS gone_{n}, first_value({self._name(column)}) OVER of_key AS kept_{n}"
            for n, column in enumerate(self.identity, 1)
        ]
        execute(self.connection, f"DROP TABLE IF EXISTS {_SURPLUS}")
        execute(
            self.connection,
            f"CREATE TEMP TABLE upsert_guard_surplus AS SELECT * FROM (SELECT {', '.join(selected)}, "
            f"row_number() OVER of_key AS place FROM {self._rows_of_key()} "
            f"WINDOW of_key AS (PARTITION BY {self._elements()} ORDER BY {', '.join(ordering)})) WHERE place > 1",
        )
        return self._count(f"FROM {_SURPLUS}")

    # -- what would be lost

    def _counted(self, references: Iterable[Reference]) -> dict[str, int]:
        """References to surplus rows, by foreign key; a surplus row that refers to another goes with it."""
        counts = {
            self._named(reference): self._count(
                f"FROM {self._child(reference)} AS child WHERE {self._refers_to_surplus(reference)}"
            )
            for reference in references
        }
        return {told: count for told, count in counts.items() if count}

    def _refuse_what_cannot_move(self, reference: Reference) -> None:
        lacking = " OR ".join(f"kept.{self._name(c)} IS NULL" for c in reference.referred)
        child, meets = self._child(reference), self._meets(reference)
        lost = self._count(
            f"FROM {self._pairs()} JOIN {child} AS child ON {meets} WHERE ({lacking}){self._stays(reference)}"
        )
        if lost:
            raise self._refusal(
                f"{lost} references of {self._named(reference)} cannot be moved, the row that stays has NULL where "
                "they point; nothing was changed"
            )

    def _refuse_what_would_be_left_behind(self, reference: Reference) -> None:
        """Rows that refer to a reference which is moved: nothing follows where SQLite does not enforce."""
        enforces = bool(execute(self.connection, "PRAGMA foreign_keys").scalar())
        for grandchild in references_to(self.connection, reference.child):
            follows = enforces and grandchild.on_update not in {"SET NULL", "SET DEFAULT"}
            if follows or not set(grandchild.referred) & set(reference.own):
                continue
            met = " AND ".join(
                f"child.{self._name(referred)} = grandchild.{self._name(own)}"
                for own, referred in zip(grandchild.own, grandchild.referred, strict=True)
            )
            changes = " OR ".join(
                f"child.{self._name(own)} IS NOT kept.{self._name(referred)}"
                for own, referred in zip(reference.own, reference.referred, strict=True)
                if own in grandchild.referred
            )
            left = self._count(
                f"FROM {self._pairs()} JOIN {self._child(reference)} AS child ON {self._meets(reference)} "
                f"JOIN {self._child(grandchild)} AS grandchild ON {met} WHERE ({changes}){self._stays(reference)}"
            )
            if left:
                raise self._refusal(
                    f"moving the references of {self._named(reference)} would leave {left} references of "
                    f"{self._named(grandchild)} behind; nothing was changed"
                )

    def _refuse_new_duplicates(self) -> None:
        met = self._count(
            f"FROM (SELECT 1 FROM {self._rows_of_key()} GROUP BY {self._elements()} HAVING count(*) > 1)"
        )
        if met:
            raise self._refusal(
                f"{counted(met, 'group')} of duplicate rows would be there again: the key holds references of the "
                "table to itself, and moving them makes more rows equal, or a trigger puts rows back; nothing was "
                "changed"
            )

    # -- what is done

    def _archive(self, archive: TableName) -> None:
        name = named(self.dialect, *archive)
        if not inspect(self.connection).has_table(archive.name, archive.schema):
            # AS SELECT keeps the affinity of each column and none of its rules
            extra = ", ".join(f"CAST(NULL AS TEXT) AS {column}" for column in ARCHIVE_COLUMNS)
            execute(
                self.connection,
                f"CREATE TABLE {name} AS SELECT *, {extra} FROM {self.relation} WHERE false",
            )
        there = {
            c["name"] for c in inspect(self.connection).get_columns(archive.name, archive.schema)
        }
        lacking = [column for column in (*self.columns, *ARCHIVE_COLUMNS) if column not in there]
        if lacking:
            raise self._refusal(
                f"the archive table {name} is there and lacks {', '.join(lacking)}; name another, or add the columns"
            )
        columns = [self._name(column) for column in self.columns]
        kept = " || ', ' || ".join(
            f"{string_literal(self.dialect, f'{column} = ')} || coalesce(kept.{self._name(column)}, 'NULL')"
            for column in self.primary_key
        )
        execute(
            self.connection,
            f"INSERT INTO {name} ({', '.join((*columns, *ARCHIVE_COLUMNS))}) "
            f"SELECT {', '.join(f'gone.{c}' for c in columns)}, strftime('%Y-%m-%d %H:%M:%f', 'now'), "
            f"{string_literal(self.dialect, self.told)}, {kept or 'NULL'} FROM {self._pairs()}",
        )
        changed = _changed(
            self.connection,
            [f"gone.{c}" for c in columns],
            f"{_SURPLUS} AS surplus JOIN {self.relation} AS gone ON {self._is('gone')}",
            columns,
            name,
        )
        if changed:
            raise self._refusal(
                f"the archive table {name} would change values of {changed} rows, by its types or a trigger; name "
                "another; nothing was changed"
            )

    def _repoint(self, reference: Reference) -> int:
        moves = ", ".join(
            f"{self._name(own)} = kept.{self._name(referred)}"
            for own, referred in zip(reference.own, reference.referred, strict=True)
        )
        return self._execute(
            f"UPDATE {self._child(reference)} AS child SET {moves} FROM {self._pairs()} "
            f"WHERE {self._meets(reference)}{self._stays(reference)}"
        )

    # -- the pieces

    def _refusal(self, words: str) -> DeduplicationError:
        return DeduplicationError(f"{self.told} cannot be deduplicated: {words}")

    def _execute(self, statement: str) -> int:
        return int(execute(self.connection, statement).rowcount)

    def _count(self, rows: str) -> int:
        return int(execute(self.connection, f"SELECT count(*) {rows}").scalar_one())

    def _name(self, column: str) -> str:
        return named(self.dialect, column)

    def _elements(self) -> str:
        return ", ".join(self.surplus.key.elements(self.dialect))

    def _rows_of_key(self) -> str:
        """The table, with the rows that the key is about."""
        key = self.surplus.key
        conditions = [] if key.target.predicate is None else [f"({key.target.predicate})"]
        if key.nulls != "not_distinct":
            conditions += [f"{sql} IS NOT NULL" for sql in key.elements(self.dialect)]
        return f"{self.relation}{' WHERE ' if conditions else ''}{' AND '.join(conditions)}"

    def _child(self, reference: Reference) -> str:
        return named(self.dialect, *reference.child)

    def _named(self, reference: Reference) -> str:
        return f"{self._child(reference)} ({', '.join(map(self._name, reference.own))})"

    def _is(self, row: str, part: str | None = None) -> str:
        """A line of surplus is about this row, as its `part`: gone or kept; None: `row` says which."""
        return " AND ".join(
            f"{row}.{self._name(column)} IS surplus.{part or row}_{n}"
            for n, column in enumerate(self.identity, 1)
        )

    def _is_gone(self, row: str) -> str:
        return f"EXISTS (SELECT 1 FROM {_SURPLUS} AS surplus WHERE {self._is(row, 'gone')})"

    def _pairs(self) -> str:
        return (
            f"{_SURPLUS} AS surplus JOIN {self.relation} AS gone ON {self._is('gone')} "
            f"JOIN {self.relation} AS kept ON {self._is('kept')}"
        )

    def _meets(self, reference: Reference) -> str:
        return " AND ".join(
            f"gone.{self._name(referred)} = child.{self._name(own)}"
            for own, referred in zip(reference.own, reference.referred, strict=True)
        )

    def _stays(self, reference: Reference) -> str:
        """Of the table's own rows, those that are no surplus themselves."""
        return f" AND NOT {self._is_gone('child')}" if reference.child == self.table else ""

    def _refers_to_surplus(self, reference: Reference) -> str:
        return (
            f"EXISTS (SELECT 1 FROM {_SURPLUS} AS surplus JOIN {self.relation} AS gone ON {self._is('gone')} "
            f"WHERE {self._meets(reference)}){self._stays(reference)}"
        )


def restore_on_sqlite(connection: Connection, key: RowsOfKey, archive: TableName, told: str) -> int:
    """Return how many rows were brought back; see :func:`.restore`."""
    dialect = connection.dialect
    inspector = inspect(connection)
    if not inspector.has_table(archive.name, archive.schema):
        return 0
    table, name = named(dialect, *key.table), named(dialect, *archive)
    here = inspector.get_columns(key.table.name, key.table.schema)
    there = {c["name"] for c in inspector.get_columns(archive.name, archive.schema)}
    lost = sorted(there.difference(ARCHIVE_COLUMNS, (c["name"] for c in here)))
    if lost:
        raise DeduplicationError(
            f"{told} cannot be restored: {table} lacks {', '.join(lost)}, which {name} has; add it above, or take it "
            "out of the archive"
        )
    columns = [
        named(dialect, c["name"]) for c in here if c["name"] in there and "computed" not in c
    ]
    of_key = f"{name} WHERE upsert_guard_reason = {string_literal(dialect, told)}"
    rows = int(execute(connection, f"SELECT count(*) FROM {of_key}").scalar_one())
    listed = ", ".join(columns)
    inserted = execute(
        connection, f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {of_key}"
    ).rowcount
    changed = _changed(connection, columns, of_key, columns, table)
    if inserted != rows or changed:
        raise DeduplicationError(
            f"{told} cannot be restored: a trigger of {table} took {inserted} of {rows} rows and changed {changed}; "
            "nothing was changed"
        )
    execute(connection, f"DELETE FROM {of_key}")
    if not execute(connection, f"SELECT EXISTS (SELECT 1 FROM {name})").scalar():
        execute(connection, f"DROP TABLE {name}")
    return rows


def _changed(
    connection: Connection,
    columns: Sequence[str],
    source: str,
    columns_there: Sequence[str],
    target: str,
) -> int:
    """How many rows of the source are not in the target as they were, to the type of each value."""
    was, became = (", ".join(f"quote({c})" for c in each) for each in (columns, columns_there))
    query = (
        f"SELECT count(*) FROM (SELECT {was} FROM {source} EXCEPT SELECT {became} FROM {target})"
    )
    return int(execute(connection, query).scalar_one())


def references_to(connection: Connection, table: TableName) -> Iterator[Reference]:
    """Every foreign key of the schema that refers to the table; SQLite takes names in any case."""
    inspector = inspect(connection)
    for (schema, child), keys in inspector.get_multi_foreign_keys(schema=table.schema).items():
        for key in keys:
            if key["referred_table"].casefold() != table.name.casefold():
                continue
            same = child.casefold() == table.name.casefold()
            yield Reference(
                child=table if same else TableName(schema, child),
                own=tuple(key["constrained_columns"]),
                referred=tuple(key["referred_columns"]),
                on_update=str(key.get("options", {}).get("onupdate", "")).upper(),
            )


def _listed(counted: dict[str, int]) -> str:
    return ", ".join(f"{told} {count}" for told, count in counted.items())
