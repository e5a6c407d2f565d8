"""What the judge answers: a state, the arbiters, and the coded reason where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .candidate import Candidate

__all__ = [
    "Code",
    "Folded",
    "MissingRight",
    "Shortfall",
    "State",
    "Verdict",
]


class Code(str, Enum):
    """Why a key is short, or not known to be served. The values are the stable finding codes."""

    MISSING_ARBITER = "missing-arbiter"
    PREDICATE_MISMATCH = "predicate-mismatch"
    DEFERRABLE_ARBITER = "deferrable-arbiter"
    INVALID_ARBITER = "invalid-arbiter"
    COLLATION_MISMATCH = "collation-mismatch"
    PARTITION_KEY_MISSING = "partition-key-missing"
    NULLS_MISMATCH = "nulls-mismatch"
    UNPROVEN_ARBITER = "unproven-arbiter"

    def __str__(self) -> str:
        return self.value


class State(Enum):
    """What the judge can say of a target."""

    SATISFIED = "satisfied"
    SHORT = "short"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Folded:
    """SQL of a conflict target that PostgreSQL reads as something else than the index made of the same SQL holds.

    The planner simplifies a target before it compares (eval_const_expressions), and CREATE INDEX takes the parentheses
    off a COLLATE that ON CONFLICT leaves there: no index that can be made of the SQL serves it.
    """

    sql: str
    """The element or the predicate, as declared."""

    column: str | None = None
    """The column that the planner reads it as; None: not known."""

    unwrapped: str | None = None
    """The element without the parentheses around COLLATE, as SQL; None: that is not the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRight:
    """What a role has to be granted before the database can be asked what SQL means."""

    role: str
    """Who asked, as SQL."""
    grants: tuple[str, ...]
    """The statements that grant it; one of them is enough."""
    is_replica: bool
    """Whether the server is a standby, so that the statement is run on its primary."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One coded reason."""

    code: Code

    candidate: Candidate | None = None
    """The candidate it is about; for `missing-arbiter` the nearest miss, None where nothing is near."""

    columns: tuple[str, ...] = ()
    """For `partition-key-missing`: the columns of the partition key that the target lacks, in its order.

    For `missing-arbiter`: SQLite's rowid, beside which the target has other elements. Nothing that can be made serves.
    """

    partitioner: str | None = None
    """For `partition-key-missing`: the extension that partitions the table; None: the database itself does."""

    folded: Folded | None = None
    """For `missing-arbiter`: the SQL that no index made of it serves."""

    unread: str | None = None
    """For `missing-arbiter`: the database's own words for why it cannot read the SQL of the key."""

    rules: tuple[str, ...] = ()
    """For `missing-arbiter`: the rules for which PostgreSQL refuses ON CONFLICT on the table, whatever is unique.

    For `unproven-arbiter`: those that turn every INSERT into nothing.
    """

    relation: str | None = None
    """For `missing-arbiter`: what it is that takes no INSERT with the target, as ``view``, whatever is unique."""

    is_behind_view: bool = False
    """For `missing-arbiter`: nothing serves in the table behind the view that is upserted into."""

    lacking: MissingRight | None = None
    """For `unproven-arbiter`: the right for want of which the database could not be asked; None: that is not known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one target."""

    state: State

    arbiters: tuple[Candidate, ...] = ()
    """Every candidate that the database infers, spoilers included, in the order they were offered."""

    shortfall: Shortfall | None = None
    """The reason to act on first; None when satisfied."""

    rivals: tuple[Candidate, ...] = ()
    """MySQL, MariaDB: what else is unique, and may make the upsert update another row than the key's; by name.

    Given where the key is satisfied: one that is short has no row of its own that could be missed.
    """
