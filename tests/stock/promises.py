"""What stock autogenerate creates on a key's elements, against what is created with the key declared."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from alembic.autogenerate import produce_migrations
from alembic.operations import Operations
from alembic.operations.ops import (
    CreateIndexOp,
    CreateUniqueConstraintOp,
    MigrationScript,
    OpContainer,
)
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.errors import DeclarationError
from alembic_upsert_guard.migration.operations import RenameArbiterOp

from .schemas import TABLE, generated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic.operations.ops import MigrateOperation
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection

    from .schemas import Case

__all__ = ["Tally", "check"]

_Creation: TypeAlias = "tuple[str, str | None, tuple[str, ...]]"
"""Kind, name and columns of what is created; None: the model names it not."""


@dataclass
class Tally:
    """What came of a run."""

    cases: int = 0
    created: int = 0
    """Creations of stock's on the key's elements."""
    served: int = 0
    """Cases whose upsert works after stock's migration."""
    refused: int = 0
    """Declarations that raise."""
    broken: list[str] = field(default_factory=list)
    """The cases where declaring was less."""

    @property
    def wrong(self) -> int:
        return len(self.broken)

    def lines(self, seconds: float) -> Iterator[str]:
        yield from (f"{each}\n" for each in self.broken)
        yield (
            f"{self.cases} cases in {seconds:.0f} s, {self.created} creations of stock's, {self.served} served after "
            f"it; {self.refused} declarations refused; {self.wrong} times declaring was less"
        )


def check(connection: Connection, tally: Tally, *, size: int, seed: int = 0) -> None:
    """Compare `size` generated pairs of model and database; the database is left as it was."""
    random = Random(seed)  # noqa: S311 - it draws test cases
    for _ in range(size):
        case = generated(random, sqlite=connection.dialect.name == "sqlite")
        with _undone(connection):
            # SQLite's driver begins no transaction for DDL, and undoes none
            connection.execute(text("DROP TABLE IF EXISTS stock"))
            for statement in case.ddl:
                connection.execute(text(statement))
            _compare(connection, case, tally)
        tally.cases += 1


def _compare(connection: Connection, case: Case, tally: Tally) -> None:
    try:
        declared = case.metadata(with_key=True)
    except DeclarationError:
        tally.refused += 1
        return
    stock = _migration(connection, case.metadata(with_key=False))
    ours = _migration(connection, declared)
    wanted = list(_creations(stock, case))
    lost = _without(wanted, list(_creations(ours, case)))
    tally.created += len(wanted)
    if lost:
        tally.broken.append(f"{case}\nis not created: {lost}")
    if connection.dialect.name == "sqlite":
        return  # it takes no constraint outside of a batch
    after_stock = _after(connection, stock, case, with_key=False)
    if not after_stock.served:
        return
    tally.served += 1
    after_ours = _after(connection, ours, case, with_key=True)
    if not after_ours.served:
        tally.broken.append(f"{case}\nis upserted on after stock's migration, and not after ours")
    elif after_ours.left and not after_stock.left:
        tally.broken.append(
            f"{case}\nis at rest after stock's migration, ours leaves {after_ours.left}"
        )


def _migration(connection: Connection, metadata: MetaData) -> MigrationScript:
    return produce_migrations(_context(connection), metadata)


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(
        connection, opts={"include_object": _is_ours, "transactional_ddl": True}
    )


def _is_ours(_: object, name: str | None, kind: str, *__: object) -> bool:
    return kind != "table" or name == TABLE


def _flat(op: MigrateOperation | MigrationScript) -> Iterator[MigrateOperation]:
    if isinstance(op, MigrationScript):
        yield from _flat(op.upgrade_ops)
    elif isinstance(op, OpContainer):
        for each in op.ops:
            yield from _flat(each)
    else:
        yield op


def _without(wanted: list[_Creation], found: list[_Creation]) -> list[_Creation]:
    """Those of `wanted` that are not found; what has no name in the models may have any."""
    lost = []
    for kind, name, columns in sorted(wanted, key=lambda each: each[1] is None):
        names = {n for k, n, c in found if (k, c) == (kind, columns)}
        given = name if name is not None else next(iter(names), None)
        if given in names:
            found.remove((kind, given, columns))
        else:
            lost.append((kind, name, columns))
    return lost


def _creations(script: MigrationScript, case: Case) -> Iterator[_Creation]:
    renamed = {op.old_name: op.new_name for op in _flat(script) if isinstance(op, RenameArbiterOp)}
    for op in _flat(script):
        if isinstance(op, CreateUniqueConstraintOp):
            kind, name, columns = "constraint", op.constraint_name, op.columns
        elif isinstance(op, CreateIndexOp) and op.unique:
            partial = (
                " where" if op.to_index().dialect_kwargs.get("postgresql_where") is not None else ""
            )
            kind, name, columns = (
                f"index{partial}",
                op.index_name,
                [c.name for c in op.to_index().columns],
            )
        else:
            continue
        if set(columns) == set(case.key):
            given = None if name is None else renamed.get(str(name), str(name))
            yield kind, given, tuple(columns)


@dataclass(frozen=True)
class _After:
    served: bool
    """Whether the upsert works."""
    left: tuple[str, ...] = ()
    """What autogenerate still finds."""


def _after(
    connection: Connection, script: MigrationScript, case: Case, *, with_key: bool
) -> _After:
    columns = ", ".join(case.key)
    upsert = f"INSERT INTO stock (id, a, b) VALUES (1, 1, 1) ON CONFLICT ({columns}) DO NOTHING"
    with _undone(connection):
        operations = Operations(_context(connection))
        try:
            for op in _flat(script):
                operations.invoke(op)
            connection.execute(text(upsert))
        except (DBAPIError, CommandError):
            return _After(served=False)
        left = _migration(connection, case.metadata(with_key=with_key))
        return _After(served=True, left=tuple(type(op).__name__ for op in _flat(left)))


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    transaction = connection.begin_nested() if connection.in_transaction() else connection.begin()
    try:
        yield
    finally:
        transaction.rollback()
