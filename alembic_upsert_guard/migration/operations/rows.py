"""The directives that change rows: deduplicate them, and bring them back from their archive."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy.sql.elements import ClauseElement

from ...rows import Batches
from .directive import directive, is_number
from .keys import NULLS, UpsertKeyOp, require_one_of
from .markers import NoReverseOp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alembic.operations.ops import MigrateOperation
    from sqlalchemy.sql.elements import TextClause

    from ...inference import Nulls

_KEEP = ("first", "last")


@directive("deduplicate_upsert_key")
class DeduplicateUpsertKeyOp(UpsertKeyOp):
    """Leave one row of each key; move the others to an archive, or delete them where none is named.

    All or nothing, in the transaction of the migration. On PostgreSQL the table, and those that refer to it, take no
    writes until its end; with `batch_size` each batch is all or nothing, and only writers of its rows wait, until its
    end. Triggers fire; one that holds on to a row makes it fail. It is never generated: a person writes it, or pastes
    the line that was offered.

    :param elements: the key: a ``str`` is a column name, ``sa.text()`` is SQL; order free.
    :param keep: ``"first"`` or ``"last"``: which row of each key stays, in the order of `order_by` and then the
     primary key (or, without one, the rows' place in the table).
    :param order_by: a column name or SQL, or several, without a direction; a row without a value is never preferred.
     An empty list: the primary key only.
    :param archive_table: where the others go, a name without a dot, in `schema`: with all their columns, the time,
     the key and the row that was kept; created where it is not there. None: they are deleted.
    :param repoint: rows of other tables (or of this one) that refer to a surplus row by a foreign key are made to
     refer to the row that stays. False: they are counted, and refused.
    :param where: the predicate of a partial key, SQL; None: every row.
    :param nulls: ``"not_distinct"`` takes NULLs as equal; otherwise rows with NULL in the key stay.
    :param batch_size: surplus rows a transaction, at most; what the revision did before is committed first. A run that
     was stopped is resumed by the same upgrade. None: one transaction. On SQLite it is one all the same: a transaction
     keeps every other writer out, whatever is in it.
    :param pause: seconds between two batches.
    :param max_lag: seconds that a standby may be behind when a batch begins, of those that the role sees in
     pg_stat_replication; None: nobody looks.
    :param reveal: False: no value of a row in any message or cause; so does ``upsert_guard_reveal=False`` in
     ``context.configure()``.
    :raises CommandError: references would be lost, the archive does not fit, a trigger holds on to rows, or the
     database refuses; nothing was changed. In batches the message says what stays done.
    """

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
        nulls: Nulls = "warn",
        reveal: bool = True,
        batch_size: int | None = None,
        pause: float = 0,
        max_lag: float | None = None,
    ) -> None:
        super().__init__(table_name, elements, schema=schema, where=where)
        require_one_of(self, "keep", keep, _KEEP)
        require_one_of(self, "nulls", nulls, NULLS)
        if archive_table == table_name:
            raise CommandError(
                f"op.{self.directive}({table_name!r}, archive_table={archive_table!r}): the archive is another table "
                "than the one that is deduplicated"
            )
        _refuse_a_schema_in(self, archive_table)
        self.keep = keep
        self.order_by = [order_by] if isinstance(order_by, str | ClauseElement) else list(order_by)
        if not all(isinstance(each, str | ClauseElement) for each in self.order_by):
            raise CommandError(
                f"op.{self.directive}({table_name!r}, order_by=[...]): name the columns by which the {keep} "
                "row of each key is the one to keep; nothing in the table says it for certain"
            )
        self.archive_table = archive_table
        self.repoint = repoint
        self.nulls = nulls
        self.reveal = reveal
        self.batches = self._batches(batch_size, pause, max_lag)
        """None: one transaction."""

    def _batches(self, size: int | None, pause: float, max_lag: float | None) -> Batches | None:
        limits: tuple[tuple[str, float | None, str, Callable[[float], bool]], ...] = (
            (
                "batch_size",
                size,
                "a whole number of rows, 1 or more",
                lambda n: n >= 1 and n % 1 == 0,
            ),
            ("pause", pause, "a number of seconds, 0 or more", lambda n: 0 <= n < inf),
            ("max_lag", max_lag, "a number of seconds, more than 0", lambda n: 0 < n < inf),
        )
        for name, value, least, is_right in limits:
            if value is not None and not (is_number(value) and is_right(value)):
                raise CommandError(
                    f"op.{self.directive}({self.table_name!r}, {name}={value!r}): {name} is {least}"
                )
        if size is not None:
            return Batches(size=int(size), pause=pause or 0, max_lag=max_lag)
        if pause or max_lag is not None:
            name = "pause" if pause else "max_lag"
            raise CommandError(
                f"op.{self.directive}({self.table_name!r}, {name}=...): {name} is about batches; add batch_size, the "
                "number of surplus rows in each"
            )
        return None

    def reverse(self) -> MigrateOperation:
        """Return the restoration from the archive; nothing where none was named: the rows are gone."""
        if self.archive_table is None:
            return NoReverseOp(self)
        return RestoreDeduplicatedRowsOp(
            self.table_name,
            self.elements,
            archive_table=self.archive_table,
            schema=self.schema,
            where=self.where,
            reveal=self.reveal,
            _reverse=self,
        )


@directive("restore_deduplicated_rows")
class RestoreDeduplicatedRowsOp(UpsertKeyOp):
    """Move the rows back that ``op.deduplicate_upsert_key()`` moved to `archive_table` for the sake of this key.

    Belongs into ``downgrade()``, below the drop of the constraint. An archive that is left empty is dropped; where
    there is none, nothing had been moved. References that were moved stay with the row that was kept.

    :param elements: the key, in the same order as in the deduplication; `where` likewise.
    :param reveal: as in the deduplication.
    :raises CommandError: the database does not take the rows back; nothing was changed.
    """

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        archive_table: str,
        schema: str | None = None,
        where: str | TextClause | None = None,
        reveal: bool = True,
        _reverse: DeduplicateUpsertKeyOp | None = None,
    ) -> None:
        super().__init__(table_name, elements, schema=schema, where=where)
        _refuse_a_schema_in(self, archive_table)
        self.archive_table = archive_table
        self.reveal = reveal
        self._reverse = _reverse

    def reverse(self) -> MigrateOperation:
        """Return the deduplication that this takes back; nothing where a person wrote it by itself."""
        return self._reverse or NoReverseOp(self)


def _refuse_a_schema_in(operation: UpsertKeyOp, archive_table: str | None) -> None:
    """Refuse a dotted name: quoted as one it would be another table than the person means, in another schema."""
    if archive_table is not None and "." in archive_table:
        name = archive_table.rpartition(".")[2]
        raise CommandError(
            f"op.{operation.directive}({operation.table_name!r}, archive_table={archive_table!r}): the archive is in "
            f"the schema of the table that is deduplicated, and its name has no dot in it: write archive_table={name!r}"
        )
