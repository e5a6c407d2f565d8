"""One database as a witness of many conflict targets: its catalog is read once, PostgreSQL's planner asked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..catalog import Inferred, KeyQuestion, TableName, catalog_for
from ..catalog.functions import Answer, Question, ask_planner
from ..catalog.names import columns_of, default_schemas_of, names_as_spelled
from ..databases import database_for
from ..findings.key_sql import missing_right_hint
from ..inference import Candidate, Code, ConflictTarget, Kind, Shortfall, State, judge
from ..sqltext import quoted, target_sql
from ..verdict.answer import conclude
from ..verdict.inferred import inferred_arbiters
from .evidence import NO_COLUMN, SERVED, Evidence, evidence_of_plan
from .upsert import Resolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import Connection, Dialect

    from ..catalog import Offered
    from ..inference import Verdict

__all__ = ["TargetQuestion", "Witness"]

_NO_ARBITER = ("42P10", "55000")
"""SQLSTATEs that the judge explains."""


@dataclass(frozen=True, slots=True)
class TargetQuestion:
    """Whether one conflict target on one table is served."""

    table: TableName
    """As the database spells it."""
    target: ConflictTarget | str | None
    """A `str` is the name in ``ON CONSTRAINT``; None: the upsert names no target."""


class Witness:
    """What one database offers, and what it answers. Nothing is written to it."""

    def __init__(self, connection: Connection, tables: Iterable[TableName]) -> None:
        """Read what `tables` offer, each once.

        :raises KeyError: for a dialect without a catalog; ask :func:`..catalog.catalog_for` first.
        """
        catalog = catalog_for(connection.dialect)
        if catalog is None:
            raise KeyError(database_for(connection.dialect).name)
        self._connection = connection
        self._catalog = catalog
        self._database = database_for(connection.dialect)
        self._spelled = names_as_spelled(connection, tables)
        named = tuple(dict.fromkeys(self._spelled.values()))
        self.offered: dict[TableName, Offered] = {}
        """What each table of the database offers, as far as it was read."""
        self.read(named)
        missing = {table.name for table in named if table not in self.offered}
        self._homes = default_schemas_of(connection, missing)
        self._answers: Mapping[Question, Answer] = {}

    @property
    def dialect(self) -> Dialect:
        """The database's."""
        return self._connection.dialect

    def spelled(self, table: TableName) -> TableName:
        """Return the name that the database has for a table of those it was made with."""
        return self._spelled[table]

    def homes(self, table: TableName) -> Sequence[str]:
        """Return the schemas that have a table of that name, where the name itself leads to none."""
        return self._homes.get(table.name, ())

    def constraint(self, table: TableName, name: str) -> Candidate | None:
        """Return the index or constraint of the table that has the name; None: nothing has it."""
        candidates = self.offered[table].candidates
        return next((c for c in candidates if c.name == name), None)

    def read(self, tables: Iterable[TableName]) -> None:
        """Read what these tables offer, too; their names are the database's own."""
        more = tuple(table for table in dict.fromkeys(tables) if table not in self.offered)
        if more:
            self.offered |= self._catalog.read(self._connection, more)

    def ask(self, questions: Iterable[Question]) -> None:
        """Put all questions to PostgreSQL's planner in one statement; elsewhere each is put on its own, later."""
        if self._database.has_planner:
            self._answers = ask_planner(self._connection, list(questions))

    def answer(self, question: Question) -> Answer:
        """Return PostgreSQL's answer to a question that was put to it."""
        return self._answers[question]

    def evidence(self, asked: TargetQuestion) -> Evidence:
        """Return what the database says of a target whose question was put, on a table that it has."""
        if isinstance(asked.target, ConflictTarget):
            return self._of_target(asked.table, asked.target, self._planned(asked))
        if asked.target is None:
            return self._without_target(asked, self._planned(asked))
        return self._of_constraint(asked, asked.target, self._planned(asked))

    def question(self, asked: TargetQuestion) -> Question:
        """Return what the planner is asked about a target."""
        relation = quoted(self.dialect, *asked.table)
        clause = ""
        if isinstance(asked.target, ConflictTarget):
            clause = f" {target_sql(self.dialect, asked.target)}"
        elif asked.target is not None:
            clause = f" ON CONSTRAINT {quoted(self.dialect, asked.target)}"
        return Question(
            f"INSERT INTO {relation} DEFAULT VALUES ON CONFLICT{clause} DO NOTHING", relation
        )

    # -- what it comes to

    def _planned(self, asked: TargetQuestion) -> Evidence | None:
        """What the plan comes to; None: this database has no planner that was asked."""
        if not self._database.has_planner:
            return None
        return evidence_of_plan(self._answers[self.question(asked)])

    def _of_target(
        self, table: TableName, target: ConflictTarget, planned: Evidence | None
    ) -> Evidence:
        offered = self.offered[table]
        verdict = judge(target, offered.candidates, offered.traits)
        if planned is not None and planned.resolution is not Resolution.UNRESOLVED:
            return _of_plan(planned, offered, verdict)
        by_judge = verdict.state is not State.UNKNOWN and _is_plain(target)
        if self._database.counts_elements or not by_judge:
            inferred = inferred_arbiters(self._connection, table, target)
            missing = self._missing_columns(table, target)
            if missing and (inferred.doubt is not None or inferred.refusal is not None):
                # SQLite takes a name in quotes that no column has for a string
                reason = f"the table has no column {', '.join(missing)}"
                return Evidence(resolution=Resolution.UNSERVED, sqlstate=NO_COLUMN, reason=reason)
            if inferred.doubt is None:
                return _settled(inferred, offered, verdict)
            if not by_judge:
                return self._of_reader(table, target, inferred.doubt)
        if verdict.state is State.SATISFIED:
            return SERVED
        return Evidence(resolution=Resolution.UNSERVED, shortfall=verdict.shortfall)

    def _of_reader(self, table: TableName, target: ConflictTarget, doubt: str) -> Evidence:
        """What is known of a target that the planner could not be asked about, as by a role that may only read."""
        offered = self.offered[table]
        arbiter = Candidate(
            name=None,
            elements=target.elements,
            partial=target.predicate is not None,
            predicate=target.predicate,
        )
        question = KeyQuestion(table=table, arbiter=arbiter, target=target, offered=offered)
        (spelled,) = self._catalog.settle(self._connection, [question])
        known = spelled.inferred
        named = None if known is None or known.doubt is not None else known.arbiters
        verdict = judge(spelled.target, spelled.candidates, offered.traits, named=named)
        if verdict.state is State.SATISFIED:
            arbiters = tuple(str(each.name) for each in verdict.arbiters)
            return Evidence(resolution=Resolution.SERVED, arbiters=arbiters)
        grant = "" if spelled.lacking is None else f"; {missing_right_hint(spelled.lacking)}"
        return Evidence(resolution=Resolution.UNRESOLVED, reason=f"{doubt}{grant}")

    def _missing_columns(self, table: TableName, target: ConflictTarget) -> list[str]:
        if self._database.has_planner:
            return []  # the planner says so itself
        there = columns_of(self._connection, table)
        named = [e.column for e in target.elements if e.column is not None]
        return [name for name in named if name.encode().lower().decode() not in there]

    def _without_target(self, asked: TargetQuestion, planned: Evidence | None) -> Evidence:
        if planned is not None and planned.resolution is not Resolution.SERVED:
            return planned
        offered = self.offered[asked.table]
        is_table = offered.traits.relation in ("table", "partitioned table")
        if is_table and not any(_keeps_apart(c) for c in offered.candidates):
            return Evidence(
                resolution=Resolution.UNSERVED, shortfall=Shortfall(Code.MISSING_ARBITER)
            )
        return SERVED

    def _of_constraint(
        self, asked: TargetQuestion, name: str, planned: Evidence | None
    ) -> Evidence:
        if planned is None:
            reason = f"{self._database.name} takes no constraint's name in an upsert"
            return Evidence(resolution=Resolution.UNRESOLVED, reason=reason)
        found = self.constraint(asked.table, name)
        if planned.resolution is Resolution.UNRESOLVED and found is not None:
            # no right to insert: the catalog knows every constraint by its name
            immediate = found.kind is not Kind.INDEX and found.immediate and found.valid
            if immediate and found.unique:
                return SERVED
        if planned.sqlstate == "55000" and found is not None:
            shortfall = Shortfall(Code.DEFERRABLE_ARBITER, found)
            return Evidence(resolution=Resolution.UNSERVED, shortfall=shortfall, sqlstate="55000")
        if planned.resolution is Resolution.SERVED and found is not None and not found.unique:
            reason = f"{name} is an exclusion constraint, which serves DO NOTHING and refuses DO UPDATE with 42809"
            return Evidence(resolution=Resolution.UNRESOLVED, reason=reason)
        return planned


def _of_plan(planned: Evidence, offered: Offered, verdict: Verdict) -> Evidence:
    """What a plan, or a refusal to make one, comes to; the judge explains a missing arbiter."""
    unexplained = planned.sqlstate not in _NO_ARBITER or verdict.state is State.SATISFIED
    if planned.resolution is Resolution.SERVED or unexplained:
        return planned
    return _settled(Inferred(refusal=planned.reason), offered, verdict)


def _settled(inferred: Inferred, offered: Offered, verdict: Verdict) -> Evidence:
    state, shortfall = conclude(inferred, offered.candidates, verdict, offered.traits)
    if state is State.SATISFIED:
        return SERVED
    return Evidence(resolution=Resolution.UNSERVED, shortfall=shortfall)


def _is_plain(target: ConflictTarget) -> bool:
    """Whether equal text proves it: columns only, without a predicate."""
    return target.predicate is None and all(e.column is not None for e in target.elements)


def _keeps_apart(candidate: Candidate) -> bool:
    """Whether an upsert without a target may meet a conflict on it; an exclusion constraint's is one, too."""
    return candidate.valid and (candidate.unique or candidate.kind is Kind.CONSTRAINT)
