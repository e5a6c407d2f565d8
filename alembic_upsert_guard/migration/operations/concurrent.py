"""The directives that create and drop arbiters while the table is written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from alembic.operations.ops import MigrateOperation
from alembic.util import CommandError

from .directive import directive, is_number
from .markers import NoReverseOp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.sql.elements import TextClause


class ConcurrentOp(MigrateOperation):
    """A directive about one unique constraint or index, which commits what was done before it."""

    directive: ClassVar[str]
    constraint: ClassVar[bool]

    def __init__(
        self,
        name: str,
        table_name: str,
        *,
        schema: str | None,
        lock_timeout: str | None,
        attempts: int | None,
    ) -> None:
        if not name:
            raise CommandError(
                f"op.{self.directive}({name!r}, {table_name!r}): give it a name, by which the next run finds it"
            )
        if attempts is not None and not (is_number(attempts) and attempts >= 1):
            raise CommandError(
                f"op.{self.directive}({name!r}, attempts={attempts!r}): attempts is a number of tries, 1 or more"
            )
        self.name = name
        self.table_name = table_name
        self.schema = schema
        self.lock_timeout = lock_timeout
        """None: the default of :class:`.online.Retries`; so for `attempts`."""
        self.attempts = attempts

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what ``alembic check`` prints, in plain strings."""
        return (self.directive, self.schema, self.table_name, self.name)


class DropConcurrentlyOp(ConcurrentOp):
    """Drop something unique."""

    def __init__(
        self,
        name: str,
        table_name: str,
        *,
        schema: str | None = None,
        lock_timeout: str | None = None,
        attempts: int | None = None,
        _reverse: MigrateOperation | None = None,
    ) -> None:
        super().__init__(
            name, table_name, schema=schema, lock_timeout=lock_timeout, attempts=attempts
        )
        self._reverse = _reverse
        """What creates it again; None: a person wrote the drop, or it is a leftover that serves nobody."""

    def reverse(self) -> MigrateOperation:
        """Return what creates it again; nothing where nobody said what it is."""
        return self._reverse or NoReverseOp(self)


@directive("drop_unique_constraint_concurrently")
class DropUniqueConstraintConcurrentlyOp(DropConcurrentlyOp):
    """Drop a unique constraint under a short ``lock_timeout``, with retries. PostgreSQL only.

    Where it is gone already nothing is done. What the revision did before is committed first.

    :raises CommandError: the name is an index's or another table's, or the lock was not to be had.
    """

    constraint = True


@directive("drop_unique_index_concurrently")
class DropUniqueIndexConcurrentlyOp(DropConcurrentlyOp):
    """Drop a unique index CONCURRENTLY; a partitioned one, which PostgreSQL drops at once, as a constraint is.

    Where it is gone already nothing is done. What the revision did before is committed first.

    :raises CommandError: the name is a constraint's or another table's, or the server refused.
    """

    constraint = False


class CreateConcurrentlyOp(ConcurrentOp):
    """Create something unique."""

    dropped_by: ClassVar[type[DropConcurrentlyOp]]
    where: str | TextClause | None = None
    new_rows_by: str | None = None
    """The column by which rows are newer than those that are there; None: all rows."""
    deferrable: bool = False
    initially: str | None = None
    replaced: CreateConcurrentlyOp | None = None
    """What creates again what this one replaces; None: nothing, or it comes back by an operation of its own."""

    def __init__(
        self,
        name: str,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None,
        include: Sequence[str],
        nulls_not_distinct: bool,
        replace: bool,
        reveal: bool,
        lock_timeout: str | None,
        attempts: int | None,
        attempts_on_duplicates: int | None,
    ) -> None:
        super().__init__(
            name, table_name, schema=schema, lock_timeout=lock_timeout, attempts=attempts
        )
        if isinstance(elements, str) or not elements:
            raise CommandError(
                f"op.{self.directive}({name!r}, {table_name!r}, {elements!r}): give its elements as a list, a column "
                "name as str and SQL as sa.text(...)"
            )
        if attempts_on_duplicates is not None and not (
            is_number(attempts_on_duplicates) and attempts_on_duplicates >= 1
        ):
            raise CommandError(
                f"op.{self.directive}({name!r}, attempts_on_duplicates={attempts_on_duplicates!r}): "
                "attempts_on_duplicates is a number of builds, 1 or more"
            )
        self.attempts_on_duplicates = attempts_on_duplicates
        """None: one build, and no deduplication has to be above it."""
        self.elements = list(elements)
        self.include = tuple(include)
        self.nulls_not_distinct = nulls_not_distinct
        self.replace = replace
        self.reveal = reveal

    def reverse(self) -> MigrateOperation:
        """Return its drop, or what replaces it by what was there: nothing is without either."""
        if self.replaced is not None:
            return self.replaced
        return self.dropped_by(self.name, self.table_name, schema=self.schema, _reverse=self)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what ``alembic check`` prints, in plain strings."""
        return (*super().to_diff_tuple(), tuple(map(str, self.elements)))


@directive("create_unique_constraint_concurrently")
class CreateUniqueConstraintConcurrentlyOp(CreateConcurrentlyOp):
    """Create a unique constraint while the table is written to. PostgreSQL only.

    The index is built CONCURRENTLY and then made a constraint under a short ``lock_timeout``, with retries. What the
    revision did before is committed first. Run again after a failure, a kill or a lost connection, it looks at what is
    there and resumes, or does nothing. On a partitioned table every partition gets its index so.

    :param columns: names, in the order of the index.
    :param include: columns that the index carries and that are not part of the key.
    :param replace: what has `name` and is something else is replaced, in one short transaction, once the new index is
     valid. False: refuse.
    :param reveal: False: no value of a row in any message or cause, as ``upsert_guard_reveal=False`` for all.
    :param lock_timeout: the longest that one try keeps writers waiting, as PostgreSQL takes it; None: ``200ms``.
    :param attempts: tries for that lock, with growing pauses; None: 60, a little over four minutes.
    :param attempts_on_duplicates: builds in all, where duplicate rows arrive meanwhile: after each that meets some, but
     the last, the ``op.deduplicate_upsert_key()`` of the same key that is above in the revision runs again, with its
     own arguments. On a partitioned table those are counted that meet some, in whatever partition. None: one build. In
     a script (``--sql``) there is one build, and a comment.
    :raises UpsertKeyViolation: rows break it; the index that was being built is dropped.
    :raises CommandError: it cannot be created, the lock was not to be had, or `attempts_on_duplicates` is stated and no
     deduplication of the key is above in the revision.
    """

    constraint = True
    dropped_by = DropUniqueConstraintConcurrentlyOp

    def __init__(
        self,
        name: str,
        table_name: str,
        columns: Sequence[str],
        *,
        schema: str | None = None,
        include: Sequence[str] = (),
        nulls_not_distinct: bool = False,
        deferrable: bool = False,
        initially: str | None = None,
        replace: bool = False,
        reveal: bool = True,
        lock_timeout: str | None = None,
        attempts: int | None = None,
        attempts_on_duplicates: int | None = None,
    ) -> None:
        super().__init__(
            name,
            table_name,
            columns,
            schema=schema,
            include=include,
            nulls_not_distinct=nulls_not_distinct,
            replace=replace,
            reveal=reveal,
            lock_timeout=lock_timeout,
            attempts=attempts,
            attempts_on_duplicates=attempts_on_duplicates,
        )
        self.deferrable = deferrable or initially is not None
        self.initially = initially


@directive("create_unique_index_concurrently")
class CreateUniqueIndexConcurrentlyOp(CreateConcurrentlyOp):
    """Create a unique index while the table is written to, as ``op.create_unique_constraint_concurrently()`` does.

    :param elements: a ``str`` is a column name, ``sa.text()`` is SQL, as in ``CREATE INDEX``.
    :param where: the predicate of a partial index, SQL; None: every row.
    :param new_rows_by: a column that only grows, such as ``"id"``: only rows in which it is greater than in any that is
     there when the index is made. It keeps new duplicates out while old ones are fixed, and refuses no new row that
     equals an old one; an upsert that does not repeat its predicate does not find it. Drop it below what makes all rows
     unique. One that an earlier run made is kept with its value; nothing is made where the table has no rows, or where
     all are unique already, and in a script (``--sql``), which says so. None: all rows.
    :param attempts_on_duplicates: with `new_rows_by` no deduplication has to be above; each build takes the greatest
     value of its own beginning. None: three builds then.
    """

    constraint = False
    dropped_by = DropUniqueIndexConcurrentlyOp

    def __init__(
        self,
        name: str,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None = None,
        where: str | TextClause | None = None,
        new_rows_by: str | None = None,
        include: Sequence[str] = (),
        nulls_not_distinct: bool = False,
        replace: bool = False,
        reveal: bool = True,
        lock_timeout: str | None = None,
        attempts: int | None = None,
        attempts_on_duplicates: int | None = None,
    ) -> None:
        super().__init__(
            name,
            table_name,
            elements,
            schema=schema,
            include=include,
            nulls_not_distinct=nulls_not_distinct,
            replace=replace,
            reveal=reveal,
            lock_timeout=lock_timeout,
            attempts=attempts,
            attempts_on_duplicates=attempts_on_duplicates,
        )
        self.where = where
        if new_rows_by is not None and (replace or not new_rows_by):
            raise CommandError(
                f"op.{self.directive}({name!r}, new_rows_by={new_rows_by!r}): new_rows_by is the name of a column, and "
                "replace=True is not for it: give the index a name of its own, by which it is dropped"
            )
        self.new_rows_by = new_rows_by
