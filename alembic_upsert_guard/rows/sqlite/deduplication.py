"""Deduplication: the steps of PostgreSQL's program, a statement each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from ...catalog.reading import execute
from ...errors import DeduplicationError
from ...findings import counted
from ...sqltext import named, string_literal
from ..surplus import ARCHIVE_COLUMNS, Deduplicated
from .references import MAKES_EQUAL, NOT_UNIQUE, references_to
from .restoration import count_changed
from .row_number import row_number
from .surplus_sql import SURPLUS, SurplusSql

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from ...catalog import TableName
    from ..surplus import Surplus
    from .references import Reference

__all__ = ["deduplicate_on_sqlite"]


def deduplicate_on_sqlite(connection: Connection, surplus: Surplus) -> Deduplicated:
    """Leave one row of each key; see :func:`.deduplicate`."""
    return _Deduplication(connection, surplus).run()


class _Deduplication:
    def __init__(self, connection: Connection, surplus: Surplus) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.surplus = surplus
        self.key_label = surplus.key.label(self.dialect)
        self.table = surplus.key.table
        self.relation = named(self.dialect, *self.table)
        inspector = inspect(connection)
        name, schema = self.table.name, self.table.schema
        self.columns: list[str] = [c["name"] for c in inspector.get_columns(name, schema)]
        self.primary_key: list[str] = inspector.get_pk_constraint(name, schema)[
            "constrained_columns"
        ]
        number = row_number(connection, self.relation, self.columns)
        identity = self.primary_key if number is None else [number]
        self.sql = SurplusSql(self.dialect, surplus.key, identity)

    def run(self) -> Deduplicated:
        rows = self._find()
        references = list(references_to(self.connection, self.table)) if rows else []
        referring = self._count_references(references)
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
        moved = {self.sql.label(reference): self._repoint(reference) for reference in references}
        kept = self._count_references(references)
        if kept:
            raise self._refusal(
                f"a trigger kept references to surplus rows: {_listed(kept)}; nothing was changed"
            )
        # a table may be named as what its rows are looked up in
        deleted = self._execute(
            f"DELETE FROM {self.relation} AS gone WHERE {self.sql.is_gone('gone')}"
        )
        if deleted != rows:
            raise self._refusal(
                f"a trigger kept {rows - deleted} of {rows} surplus rows; nothing was changed"
            )
        if rows:
            self._refuse_new_duplicates()
        execute(self.connection, f"DROP TABLE {SURPLUS}")
        return Deduplicated(rows, tuple((label, count) for label, count in moved.items() if count))

    def _find(self) -> int:
        direction = "DESC" if self.surplus.keep == "last" else "ASC"
        # a row without a value is never preferred, whichever end is kept
        ordering = [f"({sql}) IS NULL, ({sql}) {direction}" for sql in self.surplus.order_by]
        ordering += [
            f"{self.sql.name(c)} {direction}" for c in (*self.primary_key, *self.sql.identity)
        ]
        selected = [
            f"{self.sql.name(column)} AS gone_{n}, first_value({self.sql.name(column)}) OVER of_key AS kept_{n}"
            for n, column in enumerate(self.sql.identity, 1)
        ]
        execute(self.connection, f"DROP TABLE IF EXISTS {SURPLUS}")
        execute(
            self.connection,
            f"CREATE TEMP TABLE upsert_guard_surplus AS SELECT * FROM (SELECT {', '.join(selected)}, "
            f"row_number() OVER of_key AS place FROM {self.sql.rows_of_key()} "
            f"WINDOW of_key AS (PARTITION BY {self.sql.elements()} ORDER BY {', '.join(ordering)})) WHERE place > 1",
        )
        return self._count(f"FROM {SURPLUS}")

    # -- what would be lost

    def _count_references(self, references: Iterable[Reference]) -> dict[str, int]:
        """References to surplus rows, by foreign key; a surplus row that refers to another goes with it."""
        counts = {
            self.sql.label(reference): self._count(
                f"FROM {self.sql.child(reference)} AS child WHERE {self.sql.refers_to_surplus(reference)}"
            )
            for reference in references
        }
        return {label: count for label, count in counts.items() if count}

    def _refuse_what_cannot_move(self, reference: Reference) -> None:
        lacking = " OR ".join(f"kept.{self.sql.name(c)} IS NULL" for c in reference.referred)
        child, meets = self.sql.child(reference), self.sql.meets(reference)
        lost = self._count(
            f"FROM {self.sql.pairs()} JOIN {child} AS child ON {meets} WHERE ({lacking}){self.sql.stays(reference)}"
        )
        if lost:
            raise self._refusal(
                f"{lost} references of {self.sql.label(reference)} cannot be moved, the row that stays has NULL where "
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
                f"child.{self.sql.name(referred)} = grandchild.{self.sql.name(own)}"
                for own, referred in zip(grandchild.own, grandchild.referred, strict=True)
            )
            changes = " OR ".join(
                f"child.{self.sql.name(own)} IS NOT kept.{self.sql.name(referred)}"
                for own, referred in zip(reference.own, reference.referred, strict=True)
                if own in grandchild.referred
            )
            left = self._count(
                f"FROM {self.sql.pairs()} JOIN {self.sql.child(reference)} AS child ON {self.sql.meets(reference)} "
                f"JOIN {self.sql.child(grandchild)} AS grandchild ON {met} WHERE ({changes}){self.sql.stays(reference)}"
            )
            if left:
                raise self._refusal(
                    f"moving the references of {self.sql.label(reference)} would leave {left} references of "
                    f"{self.sql.label(grandchild)} behind; nothing was changed"
                )

    def _refuse_new_duplicates(self) -> None:
        met = self._count(
            f"FROM (SELECT 1 FROM {self.sql.rows_of_key()} GROUP BY {self.sql.elements()} HAVING count(*) > 1)"
        )
        if met:
            raise self._refusal(
                f"{counted(met, 'group')} of duplicate rows would be there again: the key holds references of the "
                "table to itself, and moving them makes more rows equal, or a trigger puts rows back; nothing was "
                "changed"
            )

    # -- what is done

    def _prepare_archive(self, archive: TableName) -> str:
        """Make the archive where there is none; return its name."""
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
        return name

    def _archive(self, archive: TableName) -> None:
        name = self._prepare_archive(archive)
        columns = [self.sql.name(column) for column in self.columns]
        kept = " || ', ' || ".join(
            f"{string_literal(self.dialect, f'{column} = ')} || coalesce(kept.{self.sql.name(column)}, 'NULL')"
            for column in self.primary_key
        )
        execute(
            self.connection,
            f"INSERT INTO {name} ({', '.join((*columns, *ARCHIVE_COLUMNS))}) "
            f"SELECT {', '.join(f'gone.{c}' for c in columns)}, strftime('%Y-%m-%d %H:%M:%f', 'now'), "
            f"{string_literal(self.dialect, self.key_label)}, {kept or 'NULL'} FROM {self.sql.pairs()}",
        )
        changed = count_changed(
            self.connection,
            [f"gone.{c}" for c in columns],
            f"{SURPLUS} AS surplus JOIN {self.relation} AS gone ON {self.sql.is_row('gone')}",
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
            f"{self.sql.name(own)} = kept.{self.sql.name(referred)}"
            for own, referred in zip(reference.own, reference.referred, strict=True)
        )
        statement = (
            f"UPDATE {self.sql.child(reference)} AS child SET {moves} FROM {self.sql.pairs()} "
            f"WHERE {self.sql.meets(reference)}{self.sql.stays(reference)}"
        )
        try:
            return self._execute(statement)
        except DBAPIError as error:
            if not str(error.orig).startswith(NOT_UNIQUE):
                raise
            raise self._refusal(MAKES_EQUAL.format(self.sql.label(reference))) from error

    # -- the pieces

    def _refusal(self, reason: str) -> DeduplicationError:
        return DeduplicationError(f"{self.key_label} cannot be deduplicated: {reason}")

    def _execute(self, statement: str) -> int:
        return int(execute(self.connection, statement).rowcount)

    def _count(self, rows: str) -> int:
        return int(execute(self.connection, f"SELECT count(*) {rows}").scalar_one())


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{label} {count}" for label, count in counts.items())
