"""What a deduplication promises, held against the oracle: nothing is lost, no orphan, and all of it back again."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.errors import DeduplicationError
from alembic_upsert_guard.online import Reporter
from alembic_upsert_guard.rows import (
    Batches,
    Deduplicated,
    deduplicate,
    deduplicate_in_batches,
    restore,
)
from tests.generated import (
    GeneratorDefectError,
    WrongClaimError,
    WrongClaims,
    counted,
    executed,
    pasted,
    undone,
)

from .cases import ARCHIVE_IS_SHORT, quoted
from .oracle import PLACE, Reason, expect, folded, meets, orphans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from alembic_upsert_guard.rows import Surplus

    from .cases import Case, Held
    from .oracle import Expected, Row, State

__all__ = ["BrokenPromiseError", "Made", "Promises", "Tally", "in_batches"]

ARBITER = "dedup_arbiter"
ARCHIVE_OWN = ("upsert_guard_reason", "upsert_guard_kept")
ANOTHER_KEY = "another key"


class BrokenPromiseError(WrongClaimError):
    """A promise is broken."""

    def __init__(self, claim: str, fact: object) -> None:
        super().__init__(f"{claim}\n{fact}")
        self.claim = claim
        self.fact = fact


@dataclass
class Tally:
    """What a run has found."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """Cases, by what became of them; refused ones by the oracle's first reason."""

    rows: Counter[str] = field(default_factory=Counter)
    """Rows kept, archived, deleted, restored; references moved."""

    kills: Counter[str] = field(default_factory=Counter)
    """Sessions that were ended, by the moment, and cases that were resumed after it."""

    broken: WrongClaims = field(default_factory=WrongClaims)

    @property
    def cases(self) -> int:
        """How many deduplications were held against the oracle."""
        return self.outcomes.total()

    def add(self, case: Case, error: BrokenPromiseError) -> str:
        """Count a broken promise; return its reproducer."""
        told = "\n".join(
            (
                f"-- {error.claim}",
                *(f"{statement};" for statement in case.statements),
                f"-- {case.directive()}",
                *(f"-- {line}" for line in str(error.fact).splitlines()),
            )
        )
        self.broken.add(error.claim, told)
        return told

    @property
    def wrong(self) -> int:
        return self.broken.times.total()

    def lines(self, seconds: float) -> Iterator[str]:
        rows = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.rows.items()))
        yield from self.broken.lines()
        yield f"{self.cases} cases in {seconds:.0f} s:"
        yield from counted(self.outcomes)
        yield from counted(self.kills)
        yield f"rows: {rows}; {self.wrong} broken promises"


class Made:
    """The case's tables, for as long as the block runs."""

    def __init__(self, connection: Connection, case: Case) -> None:
        self.connection = connection
        self.case = case

    def __enter__(self) -> Made:  # noqa: PYI034 - typing.Self is of Python 3.11
        if self.case.dialect == "sqlite":
            # has no effect inside of a transaction; Python's sqlite3 begins none before DDL
            self.run(f"PRAGMA foreign_keys = {'ON' if self.case.enforced else 'OFF'}")
            self.run("BEGIN")
        try:
            for statement in self.case.statements:
                self.run(statement)
            if self.case.deferred:
                self.run("SET CONSTRAINTS ALL IMMEDIATE")
                self.run(f"SET CONSTRAINTS {', '.join(self.case.deferred)} DEFERRED")
        except DBAPIError as error:
            self.connection.rollback()
            raise GeneratorDefectError(f"{error.orig}\n{pasted(self.case.statements)}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.rollback()

    def run(self, sql: str) -> Any:
        return executed(self.connection, sql)

    @contextmanager
    def as_role(self) -> Iterator[None]:
        """The block is run by who deduplicates; everything is read by who sees it all."""
        if self.case.role is not None:
            self.run(f"SET LOCAL ROLE {self.case.role}")
        try:
            yield
        finally:
            if self.case.role is not None:
                self.run("RESET ROLE")

    def state(self) -> State:
        """Every row of every table, as the database prints it."""
        if self.case.role is not None:
            self.run("RESET ROLE")
        return {
            held.label: self.rows(held.relation, held.names, self._place(held))
            for held in self.case.tables
        }

    def rows(self, relation: str, names: Sequence[str], place: str = "0") -> list[Row]:
        selected = ", ".join(self._printed(name) for name in names)
        found = self.run(f"SELECT {place}, {selected} FROM {relation}").fetchall()
        return [
            dict(zip((PLACE, *names), (_placed(row[0]), *row[1:]), strict=True)) for row in found
        ]

    def _printed(self, name: str) -> str:
        column = quoted(self.case.dialect, name)
        if self.case.dialect == "sqlite":
            return f"CASE WHEN {column} IS NULL THEN NULL ELSE quote({column}) END"
        # not a cast, which would cut what char(n) is padded with
        return f"CASE WHEN num_nonnulls({column}) = 1 THEN format('%s', {column}) END"

    def _place(self, held: Held) -> str:
        if held is not self.case.table or not self.case.has_places:
            return "0"
        if self.case.dialect == "sqlite":
            return "rowid"
        return "tableoid::bigint::text || ' ' || translate(ctid::text, '(,)', '  ')"


def _placed(place: object) -> object:
    return tuple(map(int, place.split())) if isinstance(place, str) else place


def _text(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


KNOWN_FOR_ALL = frozenset(
    {
        "hidden rows",
        "references",
        "refers to itself without a primary key",
        "the row that stays has NULL",
        "the archive lacks a column",
        "the key moves",
        "grandchild, ON UPDATE SET NULL",
        "grandchild, ON UPDATE SET DEFAULT",
    }
)
"""Kinds of reasons that are found before the first batch."""


def in_batches(size: int, connection: Connection, surplus: Surplus) -> Deduplicated:
    reporter = Reporter(lambda _: None, lambda _: None)
    return deduplicate_in_batches(connection, surplus, Batches(size=size), reporter)


def _moves_its_key(case: Case, expected: Expected) -> bool:
    """Whether a reference of the table to itself is moved, and is what rows are compared by."""
    compared = {element.column for element in case.elements}
    if case.predicate is not None:
        compared.add(case.predicate.column)
    return case.repoint and any(
        reference.child == reference.parent == case.table.label
        and expected.repointed[reference.label]
        and any(
            own != referred and own in compared
            for own, referred in zip(reference.own, reference.referred, strict=True)
        )
        for reference in case.references
    )


class Promises:
    def __init__(self, made: Made, case: Case, tally: Tally, batch_size: int | None) -> None:
        self.in_batches = batch_size is not None
        self.deduplicate = deduplicate if batch_size is None else partial(in_batches, batch_size)
        self.made = made
        self.case = case
        self.tally = tally
        self.connection = made.connection

    def hold(self) -> bool:
        """Return whether rows were surplus, and went.

        :raises BrokenPromiseError: the first promise that is broken.
        """
        before = self.made.state()
        expected = self._expected(before)
        if expected.reasons:
            self._hold_refused(before, expected)
            return False
        self._hold_deduplicated(before, expected)
        if self.case.archive is not None and expected.archived:
            self._hold_restored(expected)
        self._count("deduplicated" if expected.archived else "nothing to do")
        self.tally.rows["kept"] += len(expected.after[self.case.table.label])
        self.tally.rows["archived" if self.case.archive else "deleted"] += len(expected.archived)
        self.tally.rows["references moved"] += expected.repointed.total()
        return bool(expected.archived)

    def _expected(self, before: State) -> Expected:
        expected = expect(self.case, before)
        if self.in_batches and _moves_its_key(self.case, expected):
            expected.reasons.append(Reason("the key moves", ("in batches",)))
        return expected

    def _count(self, outcome: str) -> None:
        self.tally.outcomes[f"in batches: {outcome}" if self.in_batches else outcome] += 1

    # refused

    def _hold_refused(self, before: State, expected: Expected) -> None:
        first = [reason for reason in expected.reasons if reason.comes_first] or expected.reasons
        self._count(f"refused: {first[0].kind}")
        self.tally.rows["kept"] += len(before[self.case.table.label])
        kinds = sorted({reason.kind for reason in first})
        try:
            with self.made.as_role():
                done = self.deduplicate(self.connection, self.case.surplus())
            self.made.state()
            if self.case.deferred:
                self.made.run("SET CONSTRAINTS ALL IMMEDIATE")
        except DBAPIError as error:
            self._holds(
                "what must be refused is refused in words",
                any(not reason.words for reason in first),
                f"{kinds}: {error.orig}",
            )
        except DeduplicationError as error:
            told = [r for r in first if r.words and all(w in str(error) for w in r.words)]
            self._holds(
                "a refusal tells its reason and its counts",
                told or any(not reason.words for reason in first),
                f"{first} and not: {error}",
            )
        else:
            lost = self._difference(expected.after, self.made.state())
            self._holds(f"refused: {', '.join(kinds)}", False, f"{done}\n{lost}")
        if self.in_batches and not any(reason.kind in KNOWN_FOR_ALL for reason in expected.reasons):
            self._hold_partly_done(before, expected)
            return
        self._same("a refusal leaves every table as it was", before, self.made.state())
        self._holds("a refusal leaves no archive", not self._made_archive(), "it is there")

    def _hold_partly_done(self, before: State, expected: Expected) -> int:
        """What one batch meets leaves those before it done: how many rows are gone."""
        label = self.case.table.label
        after = self.made.state()
        gone = len(before[label]) - len(after[label])
        self._holds("only surplus rows are gone", gone <= len(expected.archived), gone)
        self._holds("no orphan", not [*orphans(self.case, after)], [*orphans(self.case, after)])
        if self.case.archive is None:
            return gone
        archived = self._archived()
        self._holds("rows kept + rows archived = rows before", len(archived) == gone, archived)
        originals = {label: expected.archived}
        lines = self._difference({label: archived}, originals).splitlines()
        changed = [line for line in lines if line.startswith(f"{label} lacks")]
        self._holds("archived rows equal the originals in every column", not changed, changed)
        return gone

    # done

    def _hold_deduplicated(self, before: State, expected: Expected) -> None:
        done = self._do("deduplicated", self.deduplicate, self.connection, self.case.surplus())
        self._holds(
            "what is said to be done was done",
            (done.rows, dict(done.repointed)) == (len(expected.archived), expected.repointed),
            f"{done} for {len(expected.archived)} rows, {expected.repointed}",
        )
        self._hold_after(before, expected)

    def _hold_after(self, before: State, expected: Expected) -> None:
        """What is there when all is done."""
        label = self.case.table.label
        after = self.made.state()
        archived = self._archived()
        if self.case.archive is not None:
            total = len(after[label]) + len(archived)
            self._holds(
                "rows kept + rows archived = rows before",
                total == len(before[label]),
                f"{len(after[label])} + {len(archived)} = {len(before[label])}",
            )
            self._same(
                "archived rows equal the originals in every column",
                {label: expected.archived},
                {label: archived},
            )
        self._holds("no orphan", not [*orphans(self.case, after)], [*orphans(self.case, after)])
        self._same("the rows that stay, references moved, are the oracle's", expected.after, after)
        self._hold_upsert(after)
        if self.case.deferred:
            self._does(
                "constraints hold at the end of the transaction", "SET CONSTRAINTS ALL IMMEDIATE"
            )
        again = self._do(
            "deduplicated twice", self.deduplicate, self.connection, self.case.surplus()
        )
        self._holds("a second deduplication finds no row", again == Deduplicated(0), again)
        self._same("a second deduplication changes nothing", after, self.made.state())

    def _hold_upsert(self, after: State) -> None:
        case = self.case
        self._does("the unique index can be made", self._index())
        source = self._source(after[case.table.label])
        if source is not None:
            columns = [c.name for c in case.table.columns if c.written]
            values = [case.fresh.get(name, self._literal(source[name])) for name in columns]
            payload = quoted(case.dialect, case.payload)
            overriding = "OVERRIDING SYSTEM VALUE " if case.dialect == "postgresql" else ""
            with undone(self.made.connection):
                self._does(
                    "the upsert works",
                    f"INSERT INTO {case.relation} ({', '.join(quoted(case.dialect, c) for c in columns)}) "
                    f"{overriding}VALUES ({', '.join(values)}) "
                    f"ON CONFLICT ({case.spelled_elements()}){case.spelled_predicate()} "
                    f"DO UPDATE SET {payload} = 'upserted'",
                )
                rows = self.made.state()[case.table.label]
                upserted = [
                    row for row in rows if (row[case.payload] or "").strip("'") == "upserted"
                ]
                self._holds(
                    "the upsert updates the row of its key",
                    len(rows) == len(after[case.table.label])
                    and [self._key(row) for row in upserted] == [self._key(source)],
                    f"{source} became {upserted}",
                )

    def _index(self) -> str:
        case, elements = self.case, self.case.spelled_elements()
        if case.as_constraint:
            return f"ALTER TABLE {case.relation} ADD CONSTRAINT {ARBITER} UNIQUE ({elements})"
        equal = " NULLS NOT DISTINCT" if self._nulls_are_equal else ""
        predicate = case.spelled_predicate()
        return f"CREATE UNIQUE INDEX {ARBITER} ON {case.relation} ({elements}){equal}{predicate}"

    @property
    def _nulls_are_equal(self) -> bool:
        return self.case.nulls == "not_distinct"

    def _source(self, rows: list[Row]) -> Row | None:
        for row in rows:
            has_key = self._nulls_are_equal or None not in self._key(row)
            if has_key and meets(self.case.predicate, row):
                return row
        return None

    def _key(self, row: Row) -> tuple[object, ...]:
        return tuple(folded(e.kind, row[e.column]) for e in self.case.elements)

    def _literal(self, printed: str | None) -> str:
        if printed is None:
            return "NULL"
        if self.case.dialect == "sqlite":
            return printed
        return _text(printed)

    # and back

    def _hold_restored(self, expected: Expected) -> None:
        case = self.case
        assert case.archive is not None
        surplus = case.surplus()
        assert surplus.archive is not None
        schema = "" if case.schema is None else f"{quoted(case.dialect, case.schema)}."
        drop = f"DROP INDEX {schema}{ARBITER}"
        if case.as_constraint:
            drop = f"ALTER TABLE {case.relation} DROP CONSTRAINT {ARBITER}"
        self._does("the index can be dropped", drop)
        rows = self._do("restored", restore, self.connection, surplus.key, surplus.archive)
        self._holds("every row is restored", rows == len(expected.archived), rows)
        restored = self.made.state()
        self._same("the downgrade brings back the rows as they were", expected.restored, restored)
        there = self._made_archive()
        self._holds("an empty archive is dropped", not there, there)
        with undone(self.made.connection):
            goes_on = f"ALTER TABLE {case.relation} ADD CONSTRAINT goes_on CHECK (true)"
            if case.dialect == "sqlite":
                goes_on = (
                    f"CREATE INDEX goes_on ON {case.relation} ({quoted('sqlite', case.payload)})"
                )
            self._does("the downgrade can go on", goes_on)
        once_more = expect(case, restored)
        if case.key_moves or (case.has_places and once_more.reasons):
            # what was moved stays moved, and a row that came back may now have another key than the one that stayed,
            # or come later and stay in its place
            return
        if not case.has_places:
            # without a primary key the places of the rows decide, and those that came back have new ones
            label = case.table.label
            self._same(
                "the same rows go again", {label: expected.archived}, {label: once_more.archived}
            )
        done = self._do("deduplicated anew", self.deduplicate, self.connection, surplus)
        self._holds("as many rows go again", done.rows == len(once_more.archived), done)
        self._same(
            "up, down and up again ends in the same state", once_more.after, self.made.state()
        )

    # the pieces

    def _do(self, what: str, function: Callable[..., Any], *arguments: object) -> Any:
        try:
            with self.made.as_role():
                return function(*arguments)
        except (DBAPIError, DeduplicationError) as error:
            words = str(getattr(error, "orig", error))
            raise BrokenPromiseError(f"what can be {what} is {what}", words) from error

    def _does(self, claim: str, statement: str) -> None:
        try:
            self.made.run(statement)
        except DBAPIError as error:
            raise BrokenPromiseError(claim, f"{error.orig}\n{statement}") from error

    def _holds(self, claim: str, truth: object, fact: object) -> None:
        if not truth:
            raise BrokenPromiseError(claim, fact)

    def _same(self, claim: str, wanted: State, found: State) -> None:
        told = self._difference(wanted, found)
        self._holds(claim, not told, told)

    def _difference(self, wanted: State, found: State) -> str:
        lines = []
        for label in wanted:
            names = self.case.held(label).names
            want = Counter(tuple(row[name] for name in names) for row in wanted[label])
            have = Counter(tuple(row[name] for name in names) for row in found[label])
            lines += [f"{label} lacks {dict(zip(names, row, strict=True))}" for row in want - have]
            lines += [f"{label} has {dict(zip(names, row, strict=True))}" for row in have - want]
        return "\n".join(lines)

    def _archived(self) -> list[Row]:
        """The archive's rows, without those of another key."""
        case = self.case
        if case.archive_stands == ARCHIVE_IS_SHORT or not self._made_archive(even_shared=True):
            return []
        names = (*case.table.names, *ARCHIVE_OWN)
        rows = [
            row
            for row in self.made.rows(case.archive_relation, names)
            if (row["upsert_guard_reason"] or "").strip("'") != ANOTHER_KEY
        ]
        for row in rows:
            self._holds(
                "an archived row tells its key and the row that stays",
                "upsert key" in (row["upsert_guard_reason"] or "")
                and (not case.primary_key or row["upsert_guard_kept"]),
                row,
            )
        if case.archive_stands is None and case.dialect == "postgresql":
            regclass = self._literal(case.archive_relation)
            secured = self.made.run(
                f"SELECT relrowsecurity FROM pg_class WHERE oid = {regclass}::regclass"
            ).scalar()
            self._holds("an archive is as secured as its table", secured == case.secured, secured)
        return rows

    def _made_archive(self, *, even_shared: bool = False) -> bool:
        """Whether the archive is there, where it was not there before."""
        case = self.case
        if case.archive is None or (case.archive_stands is not None and not even_shared):
            return False
        if case.dialect == "sqlite":
            found = f"SELECT 1 FROM sqlite_master WHERE name = {_text(case.archive)}"
            return bool(self.made.run(found).scalar())
        return bool(self.made.run(f"SELECT to_regclass({_text(case.archive_relation)})").scalar())
