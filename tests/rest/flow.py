"""What a project does with a key, and what each step says of it, held against the real insert.

=====================  ====================================================================================
step                   what has to be so
=====================  ====================================================================================
create_all()           the check says what the insert does; autogenerate finds nothing to do, or refuses the
                       key for ever where the insert fails on the key's own arbiter
as the table was       the check says what the insert does, and names the arbiters that the planner names
revision, upgrade      the insert works, the check knows; autogenerate is at rest
=====================  ====================================================================================
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard import conflict_target
from alembic_upsert_guard.verdict.check import check_keys
from tests.generated import for_each

from .keys import SETUP, batches, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from .keys import Case

__all__ = ["AT_ONCE", "Tally", "run"]

AT_ONCE = 25
"""How many tables a project has: what is asked of all costs as much as what is asked of one."""

OK = "ok"
_REFUSALS = {"42P10", "55000", "0A000"}
_NEVER = "can never be served"


@dataclass
class Tally:
    """What a run has found."""

    cases: int = 0
    inserts: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    """Keys that autogenerate refused, since no revision can serve them."""
    contradicted: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return len(self.contradicted)

    def lines(self, seconds: float) -> Iterator[str]:
        yield from sorted(set(self.contradicted), key=len)
        yield (
            f"{self.cases} keys in {seconds:.0f} s; inserts: {dict(self.inserts)}; verdicts: {dict(self.verdicts)}; "
            f"{self.refused} refused for ever; {self.wrong} wrong"
        )


def run(connection: Connection, tally: Tally, *, size: int, seed: int = 0) -> None:
    """Take about `size` keys through the flow, always the same ones for the same seed; nothing is left behind."""

    def flow(cases: tuple[Case, ...]) -> None:
        with _undone(connection):
            _Project(connection, cases, tally).flows()

    logging.getLogger("alembic").setLevel(logging.ERROR)
    with connection.begin() as transaction:
        for statement in SETUP:
            connection.exec_driver_sql(statement)
        # what is wrong is reported with its one key: nothing is to be shrunk
        for_each(batches(AT_ONCE), flow, size=size // AT_ONCE, seed=seed, shrink=False)
        transaction.rollback()


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


@dataclass
class _Project:
    """As many tables as cases, in one transaction."""

    connection: Connection
    cases: Sequence[Case]
    tally: Tally
    declared: dict[str, Table] = field(default_factory=dict)
    bare: dict[str, Table] = field(default_factory=dict)

    def flows(self) -> None:
        for number, case in enumerate(self.cases):
            try:
                self.declared[f"t{number}"] = table_of(f"t{number}", case)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
                self._wrong(f"t{number}", f"the declaration fails: {error!r}")
                continue
            self.bare[f"t{number}"] = table_of(f"t{number}", None)
        self.tally.cases += len(self.declared)
        with _undone(self.connection):
            unserved = self._created()
        with _undone(self.connection):
            self._revised(unserved)

    def _created(self) -> set[str]:
        """The keys that fail on what create_all() makes for them."""
        for name, table in list(self.declared.items()):
            if not self._is_created(name, table):
                del self.declared[name], self.bare[name]
        answers = self._checked("as created")
        unserved = {name for name, answer in answers.items() if answer != OK}
        self._rests(set(self.declared) - unserved, "as created")
        for name in unserved:
            self._is_refused(name, "as created")
        return unserved

    def _is_created(self, name: str, table: Table) -> bool:
        try:
            with self.connection.begin_nested():
                table.metadata.create_all(self.connection, checkfirst=False)
        except DBAPIError as error:
            self._wrong(name, f"create_all() fails: {error}")
            return False
        return True

    def _revised(self, unserved: set[str]) -> None:
        for name, table in self.bare.items():
            table.metadata.create_all(self.connection, checkfirst=False)
            for statement in self._case(name).statements(name):
                _execute(self.connection, statement)
        self._checked("as the table was")
        served = set(self.declared) - unserved
        for name in sorted(unserved):
            if self._upgrades([name], "a key whose own arbiter fails"):
                served.add(name)
            else:
                self.tally.refused += 1
        self._upgrades(sorted(set(self.declared) - unserved), "all others")
        answers = self._checked("as upgraded", served)
        for name in served:
            if answers[name] != OK and answers[name] != "0A000":
                self._wrong(name, f"upgraded, and the insert says {answers[name]}")
        self._rests(served, "as upgraded")

    def _upgrades(self, names: Sequence[str], subject: str) -> bool:
        """Write the revision and run it; whether one came out."""
        metadata = self._metadata(names)
        context = self._context(names)
        try:
            script = produce_migrations(context, metadata)
        except CommandError as error:
            if len(names) > 1 or _NEVER not in str(error):
                self._wrong(names[0], f"{subject}: {error}")
            return False
        assert script.upgrade_ops is not None
        code = render_python_code(script.upgrade_ops, migration_context=context)
        source = "def upgrade():\n" + "\n".join(f"    {line}" for line in code.splitlines())
        # what a revision imports, and what it would be run with
        names_of_revision: dict[str, Any] = {"sa": sa, "op": Operations(context)}
        exec(source, names_of_revision)  # noqa: S102 - a revision is code
        try:
            names_of_revision["upgrade"]()
        except (DBAPIError, CommandError) as error:
            self._wrong(names[0], f"{subject}: the revision fails: {error}\n{code}")
            raise
        return True

    def _rests(self, names: set[str], when: str) -> None:
        left = self._compared(sorted(names))
        if left:
            for name in sorted(names):
                alone = self._compared([name])
                if alone:
                    self._wrong(name, f"{when}: not at rest: {alone}")

    def _compared(self, names: Sequence[str]) -> list[Any] | str:
        try:
            return list(compare_metadata(self._context(names), self._metadata(names)))
        except CommandError as error:
            return str(error)

    def _is_refused(self, name: str, when: str) -> None:
        said = self._compared([name])
        if not isinstance(said, str) or _NEVER not in said:
            self._wrong(name, f"{when}: the insert fails, autogenerate says {said}")

    def _checked(self, when: str, names: set[str] | None = None) -> dict[str, str]:
        """What the inserts say; the check has to say the same."""
        chosen = sorted(self.declared if names is None else names)
        answer = check_keys(
            self.connection, [self.declared[name].metadata for name in chosen], rows=False
        )
        keys = {key.table: key for key in answer.keys}
        inserts = {}
        for name in chosen:
            inserts[name], arbiters = self._inserted(self.declared[name])
            key = keys[name]
            self.tally.inserts[inserts[name]] += 1
            self.tally.verdicts[key.verdict.value] += 1
            expected = "satisfied" if inserts[name] == OK else "short"
            if key.verdict.value != expected:
                self._wrong(name, f"{when}: the check says {key}, the insert {inserts[name]}")
            elif inserts[name] == OK and sorted(key.arbiters) != sorted(arbiters):
                self._wrong(name, f"{when}: the check names {key.arbiters}, the planner {arbiters}")
        return inserts

    def _inserted(self, table: Table) -> tuple[str, list[str]]:
        upsert = insert(table).values(id=1).on_conflict_do_nothing(**conflict_target(table))
        try:
            with _undone(self.connection):
                self.connection.execute(upsert)
        except DBAPIError as error:
            state = str(getattr(error.orig, "pgcode", None))
            if state not in _REFUSALS:
                raise
            return state, []
        compiled = upsert.compile(self.connection)
        explain = f"EXPLAIN (FORMAT JSON) {compiled}"
        (plan, *_) = self.connection.exec_driver_sql(explain, compiled.params).scalar_one()
        return OK, list(plan["Plan"]["Conflict Arbiter Indexes"])

    def _context(self, names: Sequence[str]) -> MigrationContext:
        def is_ours(name: str | None, kind: str, _: Any) -> bool:
            return kind != "table" or name in names

        return MigrationContext.configure(self.connection, opts={"include_name": is_ours})

    def _metadata(self, names: Sequence[str]) -> list[MetaData]:
        return [self.declared[name].metadata for name in names]

    def _case(self, name: str) -> Case:
        return self.cases[int(name[1:])]

    def _wrong(self, name: str, claim: str) -> None:
        self.tally.contradicted.append(f"{self._case(name)}\n    {claim}")


def _execute(connection: Connection, sql: str) -> None:
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
