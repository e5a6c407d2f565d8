"""What one read of the rows says of a key, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..wording import counted
from .deduplication import BY_PLACE, RowOrder

if TYPE_CHECKING:
    from ..inference import Nulls
    from .deduplication import SuggestedDirectives

__all__ = [
    "NULL_ROWS_HINT",
    "OTHER_KEY",
    "DuplicateGroup",
    "RowsReport",
    "null_rows_counted",
    "null_rows_fact",
]


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Rows that share one key."""

    values: tuple[Any, ...]
    """The key, in declared order."""

    rows: int
    """How many rows share it; 2 or more."""

    identities: tuple[tuple[Any, ...], ...] = ()
    """The first of those rows, by primary key (or ctid, rowid), in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsReport:
    """What one read of the rows found against one key."""

    table: str
    """As SQL names it: quoted where it must be, the schema in front where it was given."""

    elements: tuple[str, ...]
    where: str | None
    nulls: Nulls

    groups: int
    """Keys that more than one row has."""

    surplus: int
    """Rows that would have to go for every key to be there once."""

    null_rows: int
    """Rows with NULL in the key; 0 under ``nulls="not_distinct"``, where they are grouped like others."""

    listing: str
    """The SELECT that lists every such row, ready to paste."""

    sample: tuple[DuplicateGroup, ...] = ()
    """Some groups: most rows first, then by key."""

    identity: tuple[str, ...] = ()
    """The columns that identify a row: the primary key's, or ``ctid`` / ``rowid``."""

    reveal: bool = True
    """Whether values may be shown."""

    obstacle: str | None = None
    """The database's reason why no unique index can be made on these elements, or on these rows; None: one can."""

    past_obstacle: str | None = None
    """What can be done about it; None: declare what can be indexed."""

    order_by: RowOrder = BY_PLACE
    """By which the rows of a group are likely ordered by age."""

    suggested: SuggestedDirectives | None = None
    """The directives that would leave one row of each key; None: there is nothing to leave."""

    place: int = 0
    """Where the table comes among those of several reports: after the tables that it refers to."""

    arrived: bool = False
    """Whether the rows came after they had been checked, and the build of the index met them."""

    builds_after_deduplication: int = 0
    """Builds that met such rows, though the same revision had deduplicated the key before each; 0: it had not."""

    left_behind: str | None = None
    """The INVALID index that the build left behind, which ran outside a transaction; None: nothing."""

    left_copy: str | None = None
    """The copy of the table that a batch has left behind, and that stops the next one; None: nothing."""

    created: str | None = None
    """What an operation that is no directive of ours was to create, such as ``unique index uq_accounts_email``; None:
    the report is of the check of a key."""

    adds_column: bool = False
    """Whether that operation adds the column, and gives the rows the values that they have in it."""

    doubt: str | None = None
    """Why the rows could not be compared as the index will; None: they were."""

    autocommit: bool = False
    """Whether each statement of the revision is committed, so that what came before the check stays."""
    commits_ddl: bool = False
    """Whether the database commits each statement that changes a schema, so that what the revision did before stays."""

    @property
    def refuses(self) -> bool:
        """Whether the key cannot be made unique on these rows."""
        return (
            self.obstacle is not None
            or self.groups > 0
            or (self.nulls == "forbid" and self.null_rows > 0)
        )


def null_rows_fact(number: int) -> str:
    """Return what becomes of rows with NULL in the key, in the present tense, without a full stop."""
    return f"{null_rows_counted(number)}: no upsert ever matches them"


def null_rows_counted(number: int) -> str:
    """Return how many rows have NULL in the key."""
    return f"{counted(number, 'row')} with NULL in the key"


OTHER_KEY = (
    "make the key of what can be indexed: an expression such as func.md5(...) or func.left(..., 200), "
    "another type, a shorter column; and declare that"
)
NULL_ROWS_HINT = (
    "fill the NULLs in, or state in the key what they mean: "
    'nulls="distinct" or (PostgreSQL 15) "not_distinct"'
)
