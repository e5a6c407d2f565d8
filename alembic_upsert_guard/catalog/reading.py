"""The words that the catalogs share."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from ..inference import ConflictTarget, Traits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection
    from sqlalchemy.exc import DBAPIError

    from ..inference import Candidate, Folded

__all__ = [
    "Catalog",
    "Inferred",
    "KeyQuestion",
    "NormalizedSql",
    "Offered",
    "RelationKind",
    "TableName",
    "all_or_nothing",
    "as_it_is",
    "commits_each_statement",
    "execute",
    "first_sentence",
    "rolled_back",
]


class TableName(NamedTuple):
    """A table as a model or a revision names it."""

    schema: str | None
    """None: whatever the search path finds."""
    name: str


class RelationKind(Enum):
    """What a table is to the database; the value is what messages name it."""

    TABLE = "table"
    PARTITIONED_TABLE = "partitioned table"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized view"
    FOREIGN_TABLE = "foreign table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What one table of the database offers."""

    candidates: tuple[Candidate, ...] = ()
    """Every index, primary keys and constraints included, in the catalog's order."""

    nullable: frozenset[str] = frozenset()
    """The columns, of those in any index, that may hold NULL."""

    traits: Traits = field(default_factory=Traits)
    """What the rules depend on beside the candidates."""

    home: str | None = None
    """The schema that the table is in; None: it is in none, or not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """What the database itself answers when it is asked to plan an upsert."""

    arbiters: tuple[str, ...] = ()
    """Names of the arbiters, where the database tells them."""

    deferrable: tuple[str, ...] = ()
    """Those of them that are deferrable: the executor refuses the upsert for their sake."""

    refusal: str | None = None
    """The database's own words for not finding any; None: it found one."""

    doubt: str | None = None
    """Why the database could not be asked; None: it was."""

    is_refused_by_rules: bool = False
    """Whether the doubt is that PostgreSQL does not support the INSERT (0A000): a table behind a view has rules."""

    unread: bool = False
    """Whether the doubt is that the database cannot read the SQL of the target: as it is, every upsert fails, too."""

    by_catalog: bool = False
    """Whether it is no answer of the database's own, but what its catalog says by our rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizedSql:
    """A model's arbiter and a table's candidates, spelled alike: equal text now means the same."""

    arbiter: Candidate
    target: ConflictTarget
    """The conflict target that the arbiter is for: a collation stands in it only where it is named."""
    candidates: tuple[Candidate, ...]
    compared: bool = True
    """False: the database could not be asked, and different text may still mean the same."""
    inferred: Inferred | None = None
    """What the database said of the target, as declared, on the table itself; None: it was not asked."""
    folded: Folded | None = None
    """What is to blame where the database refuses the target even with the arbiter made for it; None: it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyQuestion:
    """A key that the database is to be asked about."""

    table: TableName
    arbiter: Candidate
    """What the model has for it."""
    target: ConflictTarget
    """The conflict target as upserts have it: in the model's spelling."""
    offered: Offered
    """What the catalog says of the table."""


def _nowhere(_: Connection) -> str | None:
    return None


def _not_told(*_: object) -> bool:
    return False


def _none_known(*_: object) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """How one kind of database is read."""

    read: Callable[[Connection, Sequence[TableName]], Mapping[TableName, Offered]]
    """All tables in one statement; tables that are not there are left out."""

    normalize: Callable[[Connection, TableName, Candidate, Sequence[Candidate]], NormalizedSql]
    """Ask the database which expressions and predicates are the same; what it cannot be asked stays as it was."""

    infer: Callable[[Connection, TableName, ConflictTarget], Inferred]
    """The database's own answer for a target. Writes nothing."""

    home: Callable[[Connection], str | None] = _nowhere
    """The schema in which a table would be made that names none; None: that is not told."""

    keeps_null_out: Callable[[Connection, TableName, ConflictTarget], bool] = _not_told
    """Whether the database proves that no row with NULL in the key is inside of the target's predicate."""

    null_makes_null: Callable[[Connection, TableName, ConflictTarget], tuple[str, ...]] = (
        _none_known
    )
    """The target's expressions, by label, that the database proves to be NULL where a nullable column is."""

    settle_all: Callable[[Connection, Sequence[KeyQuestion]], list[NormalizedSql]] | None = None
    """The same as `normalize` for many keys at once; None: they are asked one by one."""

    def settle(
        self, connection: Connection, questions: Sequence[KeyQuestion]
    ) -> list[NormalizedSql]:
        """Return what the database makes of each key, in their order; keys of plain columns cost nothing."""
        if self.settle_all is not None:
            return self.settle_all(connection, questions)
        return [
            self.normalize(connection, each.table, each.arbiter, each.offered.candidates)
            for each in questions
        ]


def as_it_is(
    arbiter: Candidate, candidates: Sequence[Candidate], *, compared: bool = True
) -> NormalizedSql:
    """Return both sides in the spelling that they have."""
    target = ConflictTarget(arbiter.elements, arbiter.predicate)
    return NormalizedSql(
        arbiter=arbiter, target=target, candidates=tuple(candidates), compared=compared
    )


def execute(connection: Connection, sql: str) -> Any:
    """Execute SQL as it is: neither its colons nor its per cent signs mean anything to SQLAlchemy or the driver."""
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def first_sentence(error: DBAPIError) -> str:
    """Return the sentence that the database says, without the details and hints below it."""
    said: BaseException | None = error.orig
    # SQLAlchemy 2.0 puts the class of asyncpg's errors before their words, and 2.1 does not
    if said is not None and getattr(said.__cause__, "sqlstate", None) is not None:
        said = said.__cause__
    return str(said).strip().splitlines()[0]


_INSIDE = "upsert_guard_inside"
"""Marks a connection in AUTOCOMMIT on which a block of ours is open: SQLAlchemy knows of no transaction there."""


@contextmanager
def rolled_back(connection: Connection) -> Iterator[None]:
    """Leave the database, its settings and the caller's transaction as they were: what the block does is undone.

    Blocks may be nested. In AUTOCOMMIT the outermost one is a transaction of its own, the others are savepoints in it.
    """
    if commits_each_statement(connection):
        begin, undo = "BEGIN", "ROLLBACK"
        is_inside = connection.info.get(_INSIDE, False)
        if is_inside:
            begin, undo = "SAVEPOINT upsert_guard_block", "ROLLBACK TO SAVEPOINT upsert_guard_block"
        execute(connection, begin)
        connection.info[_INSIDE] = True
        try:
            yield
        finally:
            connection.info[_INSIDE] = is_inside
            execute(connection, undo)
        return
    outside = not connection.in_transaction()
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        if outside:
            connection.rollback()


@contextmanager
def all_or_nothing(connection: Connection) -> Iterator[None]:
    """Do the whole block or nothing of it; what is done belongs to the caller's transaction, where there is one."""
    begin, undo, keep = (
        "SAVEPOINT upsert_guard",
        "ROLLBACK TO SAVEPOINT upsert_guard",
        "RELEASE SAVEPOINT upsert_guard",
    )
    if commits_each_statement(connection):
        begin, undo, keep = "BEGIN", "ROLLBACK", "COMMIT"
    # SQL and not begin_nested(): Python's sqlite3 begins a transaction at a savepoint, but not before one
    execute(connection, begin)
    try:
        yield
    except BaseException:
        execute(connection, undo)
        raise
    execute(connection, keep)


def commits_each_statement(connection: Connection) -> bool:
    """Return whether the connection is in AUTOCOMMIT, where SQLAlchemy begins nothing, as in ``autocommit_block()``."""
    of_engine = getattr(connection.dialect, "_on_connect_isolation_level", None)
    level = connection.get_execution_options().get("isolation_level", of_engine)
    return bool(level == "AUTOCOMMIT")
