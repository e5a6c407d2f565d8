"""Changes of a key: the models before and after, what the code of each upserts on, and what comes of it by schema."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, Table, UniqueConstraint, text

from alembic_upsert_guard import UpsertKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TABLE = "t"
COLUMNS = ("a", "b", "c")
SCHEMAS = ("before", "between", "after")


class Outcome(Enum):
    """What code upserts on a schema with."""

    WORKS = "works"
    SOME_ROWS = "some rows fail"
    """Rows that its own key allows and another one refuses."""
    FAILS = "fails"
    """No arbiter: an error, or on MariaDB a duplicate row."""


WORKS, SOME, FAILS = Outcome.WORKS, Outcome.SOME_ROWS, Outcome.FAILS


@dataclass(frozen=True)
class Target:
    """What code upserts on."""

    columns: tuple[str, ...]
    where: str | None = None

    @property
    def label(self) -> str:
        return f"({', '.join(self.columns)}){'' if self.where is None else f' WHERE {self.where}'}"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One kind of change. Outcomes are by schema: before, between (None: one revision has it all), after."""

    name: str
    before: Callable[[], Sequence[Any]]
    after: Callable[[], Sequence[Any]]
    old: Target | None
    """What the code before the deploy upserts on; None: it does not."""
    new: Target | None
    of_old: tuple[Outcome, Outcome | None, Outcome]
    of_new: tuple[Outcome, Outcome | None, Outcome]
    only: tuple[str, ...] = ("postgresql", "mariadb", "sqlite")
    on_mariadb: dict[str, Any] = field(default_factory=dict)
    """Outcomes that differ there: an upsert takes any unique key."""

    @property
    def codes(self) -> dict[str, Target | None]:
        """What the code before and after the deploy upserts on."""
        return {"old": self.old, "new": self.new}

    @property
    def expected(self) -> dict[tuple[str, str], Outcome | None]:
        """The outcomes by code and schema."""
        return {
            (code, schema): outcome
            for code, outcomes in (("old", self.of_old), ("new", self.of_new))
            for schema, outcome in zip(SCHEMAS, outcomes, strict=True)
        }

    def on(self, database: str) -> Change:
        return replace(self, **self.on_mariadb) if database == "mariadb" else self


def metadata(keys: Callable[[], Sequence[Any]]) -> MetaData:
    """A model with these keys."""
    made = MetaData()
    columns = [Column(name, Integer, nullable=False) for name in COLUMNS]
    Table(
        TABLE,
        made,
        Column("id", Integer, primary_key=True),
        *columns,
        Column("note", Integer),
        *keys(),
    )
    return made


def _key(*columns: str, **options: Any) -> Callable[[], list[UpsertKey]]:
    return lambda: [UpsertKey(*columns, **options)]


A, AB, AC, ABC, C = (Target(tuple(columns)) for columns in ("a", "ab", "ac", "abc", "c"))
POSITIVE = Target(("a", "b"), "c > 0")

CHANGES = (
    Change(
        name="added",
        before=list,
        after=_key("a", "b"),
        old=None,
        new=AB,
        of_old=(WORKS, None, WORKS),
        of_new=(FAILS, None, WORKS),
    ),
    Change(
        name="changed",
        before=_key("a", "b"),
        after=_key("a", "c"),
        old=AB,
        new=AC,
        of_old=(WORKS, SOME, FAILS),
        of_new=(FAILS, SOME, WORKS),
    ),
    Change(
        name="changed, one name",
        before=_key("a", "b", name="uq"),
        after=_key("a", "c", name="uq"),
        old=AB,
        new=AC,
        of_old=(WORKS, SOME, FAILS),
        of_new=(FAILS, SOME, WORKS),
    ),
    Change(
        name="changed, indexes of one name",
        before=_key("a", "b", name="uq", as_index=True),
        after=_key("a", "c", name="uq", as_index=True),
        old=AB,
        new=AC,
        of_old=(WORKS, SOME, FAILS),
        of_new=(FAILS, SOME, WORKS),
    ),
    Change(
        name="widened",
        before=_key("a", "b"),
        after=_key("a", "b", "c"),
        old=AB,
        new=ABC,
        of_old=(WORKS, WORKS, FAILS),
        of_new=(FAILS, SOME, WORKS),
        on_mariadb={"of_new": (SOME, SOME, WORKS)},
    ),
    Change(
        name="narrowed",
        before=_key("a", "b"),
        after=_key("a"),
        old=AB,
        new=A,
        of_old=(WORKS, SOME, FAILS),
        of_new=(FAILS, WORKS, WORKS),
        on_mariadb={"of_old": (WORKS, SOME, SOME)},
    ),
    Change(
        name="renamed",
        before=_key("a", "b", name="uq_old"),
        after=_key("a", "b", name="uq_new"),
        old=AB,
        new=AB,
        of_old=(WORKS, None, WORKS),
        of_new=(WORKS, None, WORKS),
    ),
    Change(
        name="constraint to index",
        before=_key("a", "b", name="uq"),
        after=_key("a", "b", name="uq", as_index=True),
        old=AB,
        new=AB,
        of_old=(WORKS, None, WORKS),
        of_new=(WORKS, None, WORKS),
        only=("postgresql",),
    ),
    Change(
        name="dropped",
        before=lambda: [UpsertKey("a", "b"), UpsertKey("c")],
        after=_key("c"),
        old=AB,
        new=C,
        of_old=(SOME, None, FAILS),
        of_new=(SOME, None, WORKS),
    ),
    Change(
        name="made partial",
        before=_key("a", "b"),
        after=_key("a", "b", where=text("c > 0")),
        old=AB,
        new=POSITIVE,
        of_old=(WORKS, WORKS, FAILS),
        of_new=(SOME, SOME, WORKS),
        only=("postgresql", "sqlite"),
    ),
    Change(
        name="made whole",
        before=_key("a", "b", where=text("c > 0")),
        after=_key("a", "b"),
        old=POSITIVE,
        new=AB,
        of_old=(WORKS, None, SOME),
        of_new=(FAILS, None, WORKS),
        only=("postgresql", "sqlite"),
    ),
    Change(
        name="made immediate",
        before=lambda: [UniqueConstraint("a", "b", name="uq", deferrable=True)],
        after=_key("a", "b", name="uq"),
        old=None,
        new=AB,
        of_old=(WORKS, None, WORKS),
        of_new=(FAILS, None, WORKS),
        only=("postgresql",),
    ),
)
