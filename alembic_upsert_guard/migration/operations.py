"""What the directives are. How they run is in :mod:`.toimpl`, how they are written in :mod:`.render`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from alembic.operations.ops import (
    CreateIndexOp,
    DropConstraintOp,
    DropIndexOp,
    ExecuteSQLOp,
    MigrateOperation,
)
from alembic.util import CommandError
from sqlalchemy.sql.elements import ClauseElement, TextClause

from ..sqltext import escape_colons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.operations import BatchOperations, Operations
    from sqlalchemy.sql.schema import Table

__all__ = [
    "ArbiterRemovedOp",
    "CreateArbiterIndexOp",
    "DeduplicateUpsertKeyOp",
    "DropByDefinitionOp",
    "DropIndexByDefinitionOp",
    "DropInvalidConstraintOp",
    "DropInvalidIndexOp",
    "GuardedTableOp",
    "NothingOp",
    "RestoreDeduplicatedRowsOp",
    "UpsertKeyOp",
    "ValidateUpsertKeyOp",
    "VerifyUpsertKeyOp",
    "source_of",
]

_NULLS = ("warn", "distinct", "not_distinct", "forbid")
_KEEP = ("first", "last")


class UpsertKeyOp(MigrateOperation):
    """A directive about one upsert key, which changes no schema."""

    directive: ClassVar[str]

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None = None,
        where: str | TextClause | None = None,
        code: str | None = None,
    ) -> None:
        if isinstance(elements, str) or not elements:
            raise CommandError(
                f"op.{self.directive}({table_name!r}, {elements!r}): give the key's elements as a list, a column "
                "name as str and SQL as sa.text(...)"
            )
        self.table_name = table_name
        self.elements = list(elements)
        self.schema = schema
        self.where = where
        self.code = code
        """Why autogenerate put it there, a finding code; None: a person wrote it."""

    def reverse(self) -> MigrateOperation:
        """Return the operation for the other direction: nothing, which remembers what it reverses."""
        return NothingOp(self)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what ``alembic check`` prints: names and the finding code, in plain strings."""
        elements = tuple(str(element) for element in self.elements)
        return (self.directive, self.schema, self.table_name, elements, self.code)


def _one_of(operation: UpsertKeyOp, argument: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise CommandError(
            f"op.{operation.directive}({operation.table_name!r}, {argument}={value!r}): {argument} is one of "
            + ", ".join(map(repr, known))
        )


def _refuse_a_schema_in(operation: UpsertKeyOp, archive_table: str | None) -> None:
    """Refuse a dotted name: quoted as one it would be another table than the person means, in another schema."""
    if archive_table is not None and "." in archive_table:
        name = archive_table.rpartition(".")[2]
        raise CommandError(
            f"op.{operation.directive}({operation.table_name!r}, archive_table={archive_table!r}): the archive is in "
            f"the schema of the table that is deduplicated, and its name has no dot in it: write archive_table={name!r}"
        )


class ValidateUpsertKeyOp(UpsertKeyOp):
    """Read the rows, and refuse to go on where they break the key."""

    directive = "validate_upsert_key"

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None = None,
        where: str | TextClause | None = None,
        nulls: str = "warn",
        sample: int = 5,
        reveal: bool = True,
        code: str | None = None,
        suggested_order: Sequence[str] = (),
        foreign_keys: Sequence[Sequence[str]] = (),
    ) -> None:
        super().__init__(table_name, elements, schema=schema, where=where, code=code)
        _one_of(self, "nulls", nulls, _NULLS)
        if sample < 0:
            raise CommandError(
                f"op.validate_upsert_key({table_name!r}, sample={sample}): sample is a number of groups, 0 or more"
            )
        self.nulls = nulls
        self.sample = sample
        self.reveal = reveal
        self.suggested_order = tuple(suggested_order)
        """What tells the newest row, for the line that a comment offers in the revision; empty: none is offered."""
        self.foreign_keys = tuple(map(tuple, foreign_keys))
        """Columns of foreign keys that the key's index may serve alone (MySQL), for a comment on the way back."""

    @classmethod
    def validate_upsert_key(
        cls,
        operations: Operations,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None = None,
        where: str | TextClause | None = None,
        nulls: str = "warn",
        sample: int = 5,
        reveal: bool = True,
    ) -> None:
        """Raise :class:`.UpsertKeyViolation` where rows of the table break the key; change nothing.

        The rows are read once, with the equality of the index to be built. ``alembic -x
        upsert_guard_validate=off upgrade`` skips it, and says so. In a script (``--sql``) PostgreSQL,
        SQLite, MySQL and MariaDB get statements that fail in the same cases.

        :param elements: the key: a ``str`` is a column name, ``sa.text()`` is SQL; order free.
        :param where: the predicate of a partial key, SQL; None: every row.
        :param nulls: rows with NULL in the key: ``"warn"`` logs their number, ``"distinct"`` says nothing,
         ``"not_distinct"`` takes NULLs as equal, ``"forbid"`` refuses them.
        :param sample: groups shown at most.
        :param reveal: False: counts alone, no values; so does ``upsert_guard_reveal=False`` in
         ``context.configure()``.
        :raises UpsertKeyViolation: with the report.
        :raises CommandError: the arguments are unusable, or the table cannot be read.
        """
        operations.invoke(
            cls(
                table_name,
                elements,
                schema=schema,
                where=where,
                nulls=nulls,
                sample=sample,
                reveal=reveal,
            )
        )

    @classmethod
    def batch_validate_upsert_key(
        cls,
        operations: BatchOperations,
        elements: Sequence[str | TextClause],
        *,
        where: str | TextClause | None = None,
        nulls: str = "warn",
        sample: int = 5,
        reveal: bool = True,
    ) -> None:
        """Check the rows of the table as it is before the batch: what the block changes is not there yet."""
        operations.invoke(
            cls(
                operations.impl.table_name,
                elements,
                schema=operations.impl.schema,
                where=where,
                nulls=nulls,
                sample=sample,
                reveal=reveal,
            )
        )


class VerifyUpsertKeyOp(UpsertKeyOp):
    """Ask the database which arbiters it infers, and refuse to go on where it finds none."""

    directive = "verify_upsert_key"

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None = None,
        where: str | TextClause | None = None,
        code: str | None = None,
        comment: Sequence[str] = (),
    ) -> None:
        super().__init__(table_name, elements, schema=schema, where=where, code=code)
        self.comment = tuple(comment)
        """Lines for the person who edits the revision, rendered above the directive."""

    @classmethod
    def verify_upsert_key(
        cls,
        operations: Operations,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None = None,
        where: str | TextClause | None = None,
    ) -> None:
        """Raise where the database finds no arbiter for the key, or finds one that is deferrable; change nothing.

        The database itself is asked (``EXPLAIN`` of an upsert), in the transaction of the migration: what the
        lines above made is seen. MySQL and MariaDB have no answer of their own: there the catalog decides.

        :param elements: the key: a ``str`` is a column name, ``sa.text()`` is SQL; order free.
        :param where: the predicate of a partial key, SQL; None: every row.
        :raises CommandError: with the database's own words.
        """
        operations.invoke(cls(table_name, elements, schema=schema, where=where))

    @classmethod
    def batch_verify_upsert_key(
        cls,
        operations: BatchOperations,
        elements: Sequence[str | TextClause],
        *,
        where: str | TextClause | None = None,
    ) -> None:
        """Ask the database about the table as it is before the batch: what the block changes is not there yet."""
        operations.invoke(
            cls(operations.impl.table_name, elements, schema=operations.impl.schema, where=where)
        )


class DeduplicateUpsertKeyOp(UpsertKeyOp):
    """Leave one row of each key. Never generated: a person writes it, or pastes the line that was offered."""

    directive = "deduplicate_upsert_key"

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        keep: str,
        order_by: str | TextClause | Sequence[str | TextClause],
        archive_table: str | None = None,
        repoint: bool = False,
        schema: str | None = None,
        where: str | TextClause | None = None,
        nulls: str = "warn",
        reveal: bool = True,
    ) -> None:
        super().__init__(table_name, elements, schema=schema, where=where)
        _one_of(self, "keep", keep, _KEEP)
        _one_of(self, "nulls", nulls, _NULLS)
        if archive_table == table_name:
            raise CommandError(
                f"op.{self.directive}({table_name!r}, archive_table={archive_table!r}): the archive is another table "
                "than the one that is deduplicated"
            )
        _refuse_a_schema_in(self, archive_table)
        self.keep = keep
        self.order_by = [order_by] if isinstance(order_by, str | ClauseElement) else list(order_by)
        self.archive_table = archive_table
        self.repoint = repoint
        self.nulls = nulls
        self.reveal = reveal

    @classmethod
    def deduplicate_upsert_key(
        cls,
        operations: Operations,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        keep: str,
        order_by: str | TextClause | Sequence[str | TextClause],
        archive_table: str | None = None,
        repoint: bool = False,
        schema: str | None = None,
        where: str | TextClause | None = None,
        nulls: str = "warn",
        reveal: bool = True,
    ) -> None:
        """Leave one row of each key; move the others to an archive, or delete them where none is named.

        All or nothing, in the transaction of the migration. On PostgreSQL the table, and those that refer to it,
        take no writes until its end. Triggers fire; one that holds on to a row makes it fail.

        :param elements: the key: a ``str`` is a column name, ``sa.text()`` is SQL; order free.
        :param keep: ``"first"`` or ``"last"``: which row of each key stays, in the order of `order_by` and then the
         primary key (or, without one, the rows' place in the table).
        :param order_by: a column name or SQL, or several, without a direction; a row without a value is never
         preferred. An empty list: the primary key alone.
        :param archive_table: where the others go, a name without a dot, in `schema`: with all their columns, the time,
         the key and the row that was kept; made where it is not there. None: they are deleted.
        :param repoint: rows of other tables (or of this one) that refer to a surplus row by a foreign key are made to
         refer to the row that stays. False: they are counted, and refused.
        :param where: the predicate of a partial key, SQL; None: every row.
        :param nulls: ``"not_distinct"`` takes NULLs as equal; otherwise rows with NULL in the key stay.
        :param reveal: False: no value of a row in any message or cause; so does ``upsert_guard_reveal=False`` in
         ``context.configure()``.
        :raises CommandError: references would be lost, the archive does not fit, a trigger holds on to rows, or the
         database refuses; nothing was changed.
        """
        operations.invoke(
            cls(
                table_name,
                elements,
                keep=keep,
                order_by=order_by,
                archive_table=archive_table,
                repoint=repoint,
                schema=schema,
                where=where,
                nulls=nulls,
                reveal=reveal,
            )
        )

    @classmethod
    def batch_deduplicate_upsert_key(
        cls,
        operations: BatchOperations,
        elements: Sequence[str | TextClause],
        *,
        keep: str,
        order_by: str | TextClause | Sequence[str | TextClause],
        archive_table: str | None = None,
        repoint: bool = False,
        where: str | TextClause | None = None,
        nulls: str = "warn",
        reveal: bool = True,
    ) -> None:
        """Deduplicate the rows of the table as it is before the batch: what the block changes is not there yet."""
        operations.invoke(
            cls(
                operations.impl.table_name,
                elements,
                keep=keep,
                order_by=order_by,
                archive_table=archive_table,
                repoint=repoint,
                schema=operations.impl.schema,
                where=where,
                nulls=nulls,
                reveal=reveal,
            )
        )

    def reverse(self) -> MigrateOperation:
        """Return the restoration from the archive; nothing where none was named: the rows are gone."""
        if self.archive_table is None:
            return NothingOp(self)
        return RestoreDeduplicatedRowsOp(
            self.table_name,
            self.elements,
            archive_table=self.archive_table,
            schema=self.schema,
            where=self.where,
            reveal=self.reveal,
            reverses=self,
        )


class RestoreDeduplicatedRowsOp(UpsertKeyOp):
    """Bring back what a deduplication moved to its archive."""

    directive = "restore_deduplicated_rows"

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        archive_table: str,
        schema: str | None = None,
        where: str | TextClause | None = None,
        reveal: bool = True,
        reverses: DeduplicateUpsertKeyOp | None = None,
    ) -> None:
        super().__init__(table_name, elements, schema=schema, where=where)
        _refuse_a_schema_in(self, archive_table)
        self.archive_table = archive_table
        self.reveal = reveal
        self.reverses = reverses

    @classmethod
    def restore_deduplicated_rows(
        cls,
        operations: Operations,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        archive_table: str,
        schema: str | None = None,
        where: str | TextClause | None = None,
        reveal: bool = True,
    ) -> None:
        """Move the rows back that ``op.deduplicate_upsert_key()`` moved to `archive_table` for the sake of this key.

        Stands in ``downgrade()``, below the drop of the constraint. An archive that is left empty is dropped; where
        there is none, nothing had been moved. References that were moved stay with the row that was kept.

        :param elements: the key, in the same order as in the deduplication; `where` likewise.
        :param reveal: as in the deduplication.
        :raises CommandError: the database does not take the rows back; nothing was changed.
        """
        operations.invoke(
            cls(
                table_name,
                elements,
                archive_table=archive_table,
                schema=schema,
                where=where,
                reveal=reveal,
            )
        )

    @classmethod
    def batch_restore_deduplicated_rows(
        cls,
        operations: BatchOperations,
        elements: Sequence[str | TextClause],
        *,
        archive_table: str,
        where: str | TextClause | None = None,
        reveal: bool = True,
    ) -> None:
        """Restore the rows of the table as it is before the batch: what the block changes is not there yet."""
        operations.invoke(
            cls(
                operations.impl.table_name,
                elements,
                archive_table=archive_table,
                schema=operations.impl.schema,
                where=where,
                reveal=reveal,
            )
        )

    def reverse(self) -> MigrateOperation:
        """Return the deduplication that this takes back; nothing where a person wrote it by itself."""
        return self.reverses or NothingOp(self)


class NothingOp(MigrateOperation):
    """The other direction of a directive that changes nothing. It is rendered as no line at all."""

    def __init__(self, reverses: MigrateOperation | None = None) -> None:
        self.reverses = reverses

    def reverse(self) -> MigrateOperation:
        """Return what this is the reverse of."""
        return self.reverses or NothingOp(self)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return a tuple that names no change."""
        return ("nothing",)


class DropInvalidIndexOp(DropIndexOp):
    """Drop an index that a concurrent build left INVALID. No downgrade brings it back."""

    def reverse(self) -> Any:
        """Return nothing: an INVALID index serves nobody."""
        return NothingOp(self)


class DropInvalidConstraintOp(DropConstraintOp):
    """Drop a constraint whose index is INVALID (a partition lacks its part). No downgrade brings it back."""

    def reverse(self) -> Any:
        """Return nothing: an INVALID constraint serves nobody."""
        return NothingOp(self)


class DropIndexByDefinitionOp(DropIndexOp):
    """The drop of an index whose every clause only the database's own statement states."""

    def __init__(
        self, index_name: str, table_name: str, *, schema: str | None, definition: str
    ) -> None:
        super().__init__(index_name, table_name, schema=schema)
        self.definition = definition

    def reverse(self) -> Any:
        """Return the execution of the statement that the database printed."""
        return ExecuteSQLOp(escape_colons(self.definition))


class DropByDefinitionOp(DropConstraintOp):
    """The drop of a constraint that no directive of Alembic's makes again, an exclusion constraint."""

    def __init__(
        self, constraint_name: str, table_name: str, *, schema: str | None, definition: str
    ) -> None:
        super().__init__(constraint_name, table_name, schema=schema)
        self.definition = definition

    def reverse(self) -> Any:
        """Return the execution of the statement that the database printed."""
        return ExecuteSQLOp(escape_colons(self.definition))

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return names: there is no constraint object to show."""
        return ("remove_constraint", self.schema, self.table_name, self.constraint_name)


class ArbiterRemovedOp(MigrateOperation):
    """A comment above the operation that takes an arbiter away and leaves none in its place."""

    def __init__(self, table_name: str, elements: Sequence[str], *, schema: str | None) -> None:
        self.table_name = table_name
        self.elements = tuple(elements)
        self.schema = schema

    def reverse(self) -> MigrateOperation:
        """Return nothing: the way back brings the arbiter back."""
        return NothingOp(self)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what ``alembic check`` prints beside the removal."""
        return ("arbiter_removed", self.schema, self.table_name, self.elements, "arbiter-removed")


class CreateArbiterIndexOp(CreateIndexOp):
    """A unique index that serves a key. Its SQL is rendered so that ``%`` and ``:`` in it survive."""


class GuardedTableOp(MigrateOperation):
    """A mark that stands in a table's operations from its comparison to the end of autogenerate, and no longer.

    It carries the two sides of a comparison that Alembic and the user's filters let through.
    """

    def __init__(self, conn_table: Table | None, metadata_table: Table) -> None:
        self.conn_table = conn_table
        """The table as Alembic reflected it; None: it is new."""
        self.metadata_table = metadata_table

    def reverse(self) -> MigrateOperation:
        """Return nothing."""
        return NothingOp()

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return a tuple that names no change."""
        return ("nothing",)


def source_of(value: str | TextClause, prefix: str = "sa.") -> str:
    """Return the Python source of an element or a predicate: a ``str``, or ``sa.text(...)``."""
    if isinstance(value, TextClause):
        return f"{prefix}text({value.text!r})"
    return repr(str(value))
