"""A statement that makes something unique: whose key it is, and what is raised where the database refuses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError

from ...databases import database_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection
    from sqlalchemy.exc import IntegrityError

    from .unique_build import UniqueBuild

__all__ = ["AnyBuild", "CheckedKey", "RunningBuild"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedKey:
    """A key of a directive above: what is refused of it is its report."""

    table: tuple[str | None, str]
    """Schema and name, as the directive has them."""
    columns: frozenset[str] | None
    """The key's, where it has only columns; None: anything unique on the table may be its."""
    refusal: Callable[[str | None], Exception | None]
    """Called when the database can be read from again, with the name of the INVALID index that the build left behind,
    None for none; returns None where the rows hold."""
    label: str
    """The key, for the message of an error that is not about rows."""
    reveal: bool
    """False: no value of a row is in the error, whatever its kind, and in none that it is raised from."""
    checked: bool = True
    """Whether its rows were read, and held."""

    def is_of(self, build: UniqueBuild) -> bool:
        """Return whether the statement may build the key's arbiter."""
        if (build.schema, build.table_name) != self.table:
            return False
        columns = build.columns
        return columns is None or self.columns is None or columns == self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyBuild:
    """What is done about builds of no checked key."""

    refusal: Callable[[UniqueBuild, bool, IntegrityError], Exception | None]
    """As :attr:`CheckedKey.refusal`; whether the build ran outside a transaction; and the database's error."""
    check: Callable[[UniqueBuild], None] | None
    """Reads the rows before the build, and raises where they break it; None: they are not read."""
    asked: Callable[[str, bool], tuple[UniqueBuild, ...]]
    """What SQL text makes unique by the database's own answer, and whether the text has been refused."""
    reveal: bool
    """As :attr:`CheckedKey.reveal`, for errors about rows."""


@dataclass(eq=False, kw_only=True)
class RunningBuild:
    """One statement that makes something unique, from its beginning to its end."""

    connection: Connection
    statement: Any
    builds: tuple[UniqueBuild, ...]
    keys: tuple[CheckedKey, ...]
    any_build: AnyBuild | None
    outside: bool
    """It runs outside a transaction."""
    unread: str | None = None
    """Its SQL, where nothing but the database says what it makes unique; None: `builds` is what it makes."""
    has_failed: bool = False

    @property
    def has_savepoint(self) -> bool:
        """PostgreSQL answers nothing in a transaction that has failed."""
        ends = database_for(self.connection.dialect).errors_end_transactions
        return ends and not self.outside

    @property
    def reveal(self) -> bool:
        if self.keys:
            return all(key.reveal for key in self.keys)
        return self.any_build is None or self.any_build.reveal

    @property
    def label(self) -> str:
        return self.keys[-1].label if self.keys else self.builds[0].label

    @property
    def left_behind(self) -> str | None:
        return next((b.concurrently for b in self.builds if self.outside and b.concurrently), None)

    def refusal(self, error: IntegrityError | None) -> Exception | None:
        """Return what is raised in the place of the database's error; None: nothing is."""
        try:
            refusals: Iterator[Exception | None] = (k.refusal(self.left_behind) for k in self.keys)
            of_key = next((refusal for refusal in refusals if refusal is not None), None)
        except CommandError as failure:  # the rows cannot be read any more than the index be built
            return failure
        if of_key is not None or self.any_build is None or error is None:
            return of_key
        others = (self.any_build.refusal(b, self.outside, error) for b in self.builds)
        return next((refusal for refusal in others if refusal is not None), None)
