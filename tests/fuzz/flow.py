"""Keys through the whole flow: declared, revised, upgraded, at rest, and upserted on.

A key that can never be served has to be refused before the revision is written; what is not refused has to go through.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy import MetaData, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import AddConstraint, CreateIndex, Index

from alembic_upsert_guard.declaration import declarations_of
from alembic_upsert_guard.errors import UpsertGuardError
from tests.generated import WrongClaims, counted

from .answers import OK, UnfitRowError, inserted, said_of
from .cases import case_of, keys_of, known_kinds, made
from .keys import UnwritableError, model_of
from .project import Project, differences
from .relations import FLOWING
from .world import execute, major_version, prepare, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import URL, Connection, Engine

    from .cases import Case
    from .keys import Key

__all__ = ["FlowTally", "run_flow"]

_BATCH = 40
_TEMPLATE, _BATCHES, _ALONE = (f"fuzz_{os.getpid()}_{of}" for of in ("template", "batch", "alone"))
_MOST_SHRUNK = 3

Declared = tuple["Case", "Key"]


@dataclass
class FlowTally:
    """What a run has found."""

    outcomes: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    claims: WrongClaims = field(default_factory=WrongClaims)

    @property
    def keys(self) -> int:
        return self.outcomes.total()

    @property
    def wrong(self) -> int:
        return self.claims.times.total()

    def lines(self, seconds: float) -> Iterator[str]:
        yield from self.claims.lines()
        yield f"{self.keys} keys through the flow:"
        yield from counted(self.outcomes, 20)
        yield "skipped:"
        yield from counted(self.skipped, 20)
        yield f"{self.wrong} wrong, in {seconds:.0f} s"


@dataclass(frozen=True)
class Failure:
    """A step that did not go through."""

    step: str
    fact: str

    @property
    def claim(self) -> str:
        """What failures of one kind share: names of tables and keys are not in it."""
        kind, _, rest = self.fact.partition(":")
        said = rest.partition("The database says: ")[2][:60].splitlines()
        return "; ".join((f"{self.step}: {kind}", *said[:1]))


def run_flow(
    engine: Engine,
    tally: FlowTally,
    *,
    keys: int,
    seed: int,
    batch: int = _BATCH,
    minutes: float = math.inf,
) -> None:
    """Take about so many keys through, the same ones for the same seed.

    :param minutes: no batch is begun after these.
    """
    _Flow(engine, tally, time.monotonic() + minutes * 60).run(keys, seed, batch)


@dataclass
class _Flow:
    engine: Engine
    tally: FlowTally
    until: float
    version: int = 0
    kinds: list[str] = field(default_factory=list)

    def run(self, keys: int, seed: int, batch: int) -> None:
        self._statement(f"DROP DATABASE IF EXISTS {_TEMPLATE} WITH (FORCE)")
        self._statement(f"CREATE DATABASE {_TEMPLATE}")
        with _connected(self.engine.url, _TEMPLATE) as connection:
            prepare(connection)
            self.version, self.kinds = major_version(connection), known_kinds(connection)
        number = 0
        try:
            while self.tally.keys < keys and time.monotonic() < self.until:
                self._batch(seed, number, batch)
                number += 1
        finally:
            for name in (_BATCHES, _ALONE, _TEMPLATE):
                self._statement(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    # -- a batch

    def _batch(self, seed: int, number: int, size: int) -> None:
        drawn = [self._drawn(f"{seed}:{number}:{each}", each) for each in range(size)]
        with self._database(_BATCHES) as connection:
            standing = [self._standing(connection, case, key) for case, key in drawn]
            connection.commit()
            accepted = [d for d in standing if d is not None and self._is_accepted(connection, d)]
            self._through(connection, accepted)

    def _drawn(self, seed: str, each: int) -> Declared:
        case, random = case_of(seed, self.kinds, FLOWING, self.version, f"_{each}")
        fit = [o for o in case.offers if not any("PRIMARY KEY" in s for s in o.statements)]
        case = replace(case, offers=tuple(fit))
        (key,) = keys_of(random, case, 1)
        if self.version < 15:
            key = replace(key, nulls="warn" if key.nulls == "not_distinct" else key.nulls)
        # half of what is offered is not there yet
        return replace(case, offers=case.offers[: random.randrange(len(fit) + 1)]), key

    def _standing(self, connection: Connection, drawn: Case, key: Key) -> Declared | None:
        """The case as the database has it, its row included where it goes in; None: it cannot be made or declared."""
        case = made(connection, drawn)
        if case is None:
            self.tally.skipped["the relation cannot be made"] += 1
            return None
        try:
            model_of(case.relation, case.columns, key)
        except UnwritableError:
            self.tally.skipped["not to be written in Python"] += 1
            return None
        except UpsertGuardError as error:
            self.tally.skipped[f"declaration refused: {str(error).partition(') ')[2][:50]}"] += 1
            return None
        return case, key

    def _is_accepted(self, connection: Connection, declared: Declared) -> bool:
        """Whether autogenerate takes the key; where it does not, whether it is right is looked at."""
        refusal = _refusal(connection, declared)
        connection.rollback()
        if refusal is None:
            return True
        self._settle(
            declared, _wrong_refusal(connection, declared, refusal), f"refused ({refusal.step})"
        )
        connection.rollback()
        return False

    def _through(self, connection: Connection, batch: Sequence[Declared]) -> None:
        if not batch:
            return
        failure = _flow(connection, batch)
        if failure is None:
            for declared in batch:
                failure = _after(connection, declared)
                self._settle(declared, failure, "went through")
        elif len(batch) == 1:
            self._settle(batch[0], failure, "")
        else:
            # a revision is all or nothing: what is not there yet can be tried again
            middle = len(batch) // 2
            self._through(connection, batch[:middle])
            self._through(connection, batch[middle:])

    def _settle(self, declared: Declared, failure: Failure | None, outcome: str) -> None:
        if failure is None:
            self.tally.outcomes[outcome] += 1
            return
        if failure.step in _OF_ALEMBIC and self._fails_without_key(declared[0]):
            self.tally.skipped[f"Alembic itself: {failure.claim}"] += 1
            return
        self.tally.outcomes["wrong"] += 1
        self.tally.claims.times[failure.claim] += 1
        shown = self.tally.claims.reproducers.setdefault(failure.claim, [])
        if len(shown) < _MOST_SHRUNK:
            case, key = self._shrunk(declared, failure.claim)
            shown.append("\n".join((*case.told(key), f"-- {failure.step}: {failure.fact}")))

    # -- one key

    def _alone(self, declared: Declared) -> Failure | None:
        """The failure of the key in a database of its own; None: there is none."""
        with self._database(_ALONE) as connection:
            again = made(connection, declared[0])
            connection.commit()
            if again is None or len(again.offers) != len(declared[0].offers):
                return None
            refusal = _refusal(connection, declared)
            connection.rollback()
            if refusal is not None:
                return _wrong_refusal(connection, declared, refusal)
            return _flow(connection, [declared]) or _after(connection, declared)

    def _fails_without_key(self, case: Case) -> bool:
        with self._database(_ALONE) as connection:
            made(connection, case)
            connection.commit()
            return _flow(connection, [(case, None)]) is not None

    def _shrunk(self, declared: Declared, claim: str) -> Declared:
        for smaller in _smaller(*declared):
            try:
                failure = self._alone(smaller)
            except (LookupError, DBAPIError, UpsertGuardError, UnwritableError):
                continue
            if failure is not None and failure.claim == claim:
                return self._shrunk(smaller, claim)
        return declared

    # -- databases

    @contextmanager
    def _database(self, name: str) -> Iterator[Connection]:
        self._statement(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._statement(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        with _connected(self.engine.url, name) as connection:
            yield connection

    def _statement(self, sql: str) -> None:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            execute(connection, sql)


_OF_ALEMBIC = ("upgrade", "check")


@contextmanager
def _connected(url: URL, database: str) -> Iterator[Connection]:
    engine = create_engine(url.set(database=database))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _smaller(case: Case, key: Key) -> Iterator[Declared]:
    for number in range(len(key.elements)):
        if len(key.elements) > 1:
            yield case, replace(key, elements=key.elements[:number] + key.elements[number + 1 :])
    if key.where is not None:
        yield case, replace(key, where=None)
    if key.nulls != "warn":
        yield case, replace(key, nulls="warn")
    for smaller in case.smaller(key):
        yield smaller, key


def _refusal(connection: Connection, declared: Declared) -> Failure | None:
    """How autogenerate refuses the key; None: it does not."""
    case, key = declared
    metadata = MetaData()
    model_of(case.relation, case.columns, key, metadata)
    try:
        differences(connection, metadata)
    except CommandError as error:
        return Failure("CommandError", str(error))
    except Exception as error:  # noqa: BLE001 - whatever comes instead of a clear refusal
        return Failure(f"crash {type(error).__name__}", str(error))
    return None


def _wrong_refusal(connection: Connection, declared: Declared, refusal: Failure) -> Failure | None:
    """The refusal, where the key's own arbiter would have served it; None: it is right."""
    case, key = declared
    if refusal.step != "CommandError":
        return refusal
    metadata = MetaData()
    table = model_of(case.relation, case.columns, key, metadata)
    savepoint = connection.begin_nested()
    try:
        _without_offers(connection, case)
        _make_arbiter(connection, table)
        answer = inserted(connection, table, case.row())
    except (DBAPIError, UnfitRowError):
        return None
    finally:
        savepoint.rollback()
    return Failure("refused, and it can be served", refusal.fact) if answer == OK else None


def _without_offers(connection: Connection, case: Case) -> None:
    name = quoted(case.relation.subject[1])
    schema = case.relation.subject[0]
    table = name if schema is None else f"{quoted(schema)}.{name}"
    found = connection.exec_driver_sql(
        "SELECT i.indexrelid::regclass::text, c.conname, i.indrelid::regclass::text FROM pg_index i "
        "LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid "
        "LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid "
        "JOIN pg_class k ON k.oid = i.indrelid JOIN pg_namespace n ON n.oid = k.relnamespace "
        "WHERE h.inhrelid IS NULL AND n.nspname NOT IN ('pg_catalog', 'pg_toast') "
        "AND i.indrelid IN (SELECT %s::regclass UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = %s::regclass)",
        (table, table),
    ).all()
    for index, constraint, holder in found:
        if constraint is None:
            execute(connection, f"DROP INDEX {index}")
        else:
            execute(connection, f"ALTER TABLE {holder} DROP CONSTRAINT {quoted(constraint)}")


def _make_arbiter(connection: Connection, table: Table) -> None:
    (declaration,) = declarations_of(table)
    arbiter = declaration.arbiter(table)
    connection.execute(
        CreateIndex(arbiter) if isinstance(arbiter, Index) else AddConstraint(arbiter)
    )


def _flow(connection: Connection, batch: Sequence[tuple[Case, Key | None]]) -> Failure | None:
    """Revise, upgrade, check: the first step that fails, in which case the database is as it was (or not at rest)."""
    metadata = MetaData()
    for case, key in batch:
        model_of(case.relation, case.columns, key, metadata)
    step = "revision"
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "migrations", connection, metadata)
        connection.rollback()
        execute(connection, "DROP TABLE IF EXISTS public.alembic_version")
        connection.commit()
        try:
            project.revise()
            connection.rollback()
            step = "upgrade"
            project.upgrade()
            connection.commit()
            step = "check"
            project.check()
        except Exception as error:  # noqa: BLE001 - every way to fail is told
            return Failure(step, f"{type(error).__name__}: {error}")
        finally:
            connection.rollback()
    return None


def _after(connection: Connection, declared: Declared) -> Failure | None:
    """What is wrong with a key that went through; None: it is satisfied, and upserted on."""
    case, key = declared
    table = model_of(case.relation, case.columns, key)
    try:
        said = said_of(connection, table)
        answer = inserted(connection, table, case.row(), times=2)
    except UnfitRowError as error:
        return Failure("row", str(error))
    finally:
        connection.rollback()
    if case.relation.kind == "ruled" and said.verdict != "satisfied":
        return None  # rules are no matter of a revision: they are logged when it is written, and the check fails
    if said.verdict != "satisfied":
        return Failure("verdict", f"{said.verdict} ({', '.join(said.codes)}); the insert: {answer}")
    if answer != OK:
        return Failure("upsert", answer)
    return None
