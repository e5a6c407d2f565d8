"""What every kind of database is asked, and the values that it answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..inference import ConflictTarget, Traits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from ..inference import Candidate, Folded, MissingRight

__all__ = [
    "Catalog",
    "Inferred",
    "KeyQuestion",
    "NormalizedSql",
    "Offered",
    "RelationKind",
    "TableName",
    "not_normalized",
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
    """The schema that the table is in; None: it is in none, or not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """What the database itself answers when it is asked to plan an upsert."""

    arbiters: tuple[str, ...] = ()
    """Names of the arbiters, where the database names them."""

    deferrable: tuple[str, ...] = ()
    """Those of them that are deferrable: the executor refuses the upsert for their sake."""

    refusal: str | None = None
    """The database's message for not finding any; None: it found one."""

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
    """The conflict target that the arbiter is for: it has a collation only where one is named."""
    candidates: tuple[Candidate, ...]
    compared: bool = True
    """False: the database could not be asked, and different text may still mean the same."""
    inferred: Inferred | None = None
    """What the database said of the target, as declared, on the table itself; None: it was not asked."""
    lacking: MissingRight | None = None
    """What the role has to be granted before the database can be asked; None: it was, or it is not for want of that."""
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


def _not_proven(*_: object) -> bool:
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

    infer: Callable[[Connection, TableName, ConflictTarget], Inferred] | None
    """The database's own answer for a target. Writes nothing. None: it has none."""

    home: Callable[[Connection], str | None] = _nowhere
    """The schema in which a table would be made that names none; None: that is not known."""

    keeps_null_out: Callable[[Connection, TableName, ConflictTarget], bool] = _not_proven
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


def not_normalized(
    arbiter: Candidate, candidates: Sequence[Candidate], *, compared: bool = True
) -> NormalizedSql:
    """Return both sides as they are spelled."""
    target = ConflictTarget(arbiter.elements, arbiter.predicate)
    return NormalizedSql(
        arbiter=arbiter, target=target, candidates=tuple(candidates), compared=compared
    )
