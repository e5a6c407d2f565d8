"""What a scene is told with. Each line is an expectation: one that is not met ends the play."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
from sqlalchemy.exc import DBAPIError

from .database import Refusal, refusal_of
from .errors import NotAsToldError
from .project import Edit, Outcome, Project, upgrade_in
from .supabase import APIError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .database import Database
    from .narration import Narrator
    from .offer import Offer

FINDING = re.compile(r": (error|warning)\[")
"""What the first line of a finding has, and no other."""
ALL_CLEAR = "No new upgrade operations detected."


@dataclass(frozen=True)
class Stage:
    narrator: Narrator
    database: Database
    project: Project

    def check_is_clean(self, fact: str = ALL_CLEAR, *, keeps: str = "") -> None:
        """The check passes, and leaves the archive of that name where it is."""
        logged = f"Kept the archive {keeps}:" if keeps else ""
        outcome = self._alembic("check", expected=(ALL_CLEAR, logged))
        self.narrator.passed("alembic check", fact)
        self.narrator.quoted(outcome.logged(logged) if keeps else [])

    def check_fails(self, *mentioned: str) -> None:
        """The check fails, and the guard logs one line, which says all of this."""
        outcome = self.project.alembic("check")
        _expect("alembic check", outcome, exits_with_zero=False)
        detected = outcome.logged("Detected ")
        if len(detected) != 1 or detected != outcome.logged("Detected ", *mentioned):
            raise NotAsToldError(
                "alembic check",
                expected="one line of the guard's with: " + ", ".join(mentioned),
                came=outcome.stderr,
            )
        self.narrator.failed("alembic check", f"exit {outcome.exit_code}")
        self.narrator.quoted(detected, "red")

    def guard_finds(self, *arguments: str, mentioned: Sequence[str], fact: str) -> None:
        """The command fails, and tells of each of these; its findings are shown, a line each."""
        outcome = self.project.guard(*arguments)
        step = " ".join(("upsert-guard", *arguments))
        _expect(step, outcome, *mentioned, exits_with_zero=False)
        self.narrator.failed(step, fact)
        findings = [line for line in outcome.stdout.splitlines() if FINDING.search(line)]
        self.narrator.quoted(findings, "red")

    def guard_finds_nothing(self, *arguments: str, summary: str) -> None:
        """The command passes, and its last line begins so."""
        outcome = self.project.guard(*arguments)
        step = " ".join(("upsert-guard", *arguments))
        _expect(step, outcome, summary, exits_with_zero=True)
        self.narrator.passed(step, outcome.stdout.strip().splitlines()[-1])

    def fails(
        self, step: str, code: str, statement: Sequence[str], act: Callable[[], None]
    ) -> None:
        """The application fails with that SQLSTATE, or SQLite's words for it; its own statement is shown."""
        try:
            act()
        except (APIError, DBAPIError, psycopg2.Error) as error:
            came = _refusal(error)
        else:
            came = Refusal("success", "")
        if came.code != code:
            told = f"{came.code} {came.message}"
            raise NotAsToldError(step, expected=f"an error {code}", came=told)
        self.narrator.failed(step)
        self.shows(statement)
        shown = f"ERROR {code}" if self.database.is_postgresql else "ERROR"
        self.narrator.quoted([f"{shown}: {came.message}"], "red")

    def shows(self, statement: Sequence[str]) -> None:
        self.narrator.quoted(_dedented(statement))

    def works(
        self, step: str, act: Callable[[], None], *, fact: str, query: str, leaves: object
    ) -> None:
        """The application succeeds, and the query then returns exactly this."""
        try:
            act()
        except (APIError, DBAPIError, psycopg2.Error) as error:
            came = _refusal(error)
            told = f"{came.code} {came.message}"
            raise NotAsToldError(step, expected="success", came=told) from error
        self.holds(fact, query, leaves, step=step)

    def holds(self, fact: str, query: str, value: object, *, step: str = "the rows") -> None:
        found = self.answer(query)
        if found != value:
            raise NotAsToldError(
                step, expected=f"{value!r}: {fact}", came=f"{found!r} from {query}"
            )
        self.narrator.passed(step, fact)

    def answer(self, query: str) -> object:
        """One value, one row, or as many rows as there are."""
        rows = self.database.rows(query)
        if len(rows) != 1:
            return rows
        return rows[0] if len(rows[0]) > 1 else rows[0][0]

    def declares(self, path: str, *edits: Edit) -> None:
        self.project.add_lines(path, edits)
        self.narrator.passed("the key is declared", path)
        for edit in edits:
            self.narrator.quoted([f"  {edit.anchor}"] if not edit.is_above else [])
            self.narrator.quoted([f"+ {line}" for line in edit.lines], "green")

    def generates(
        self, message: str, *, lines: Sequence[str], silent_on: Sequence[str] = ()
    ) -> Path:
        """A revision is generated that has those lines, in that order, and none of those names."""
        step = f'alembic revision --autogenerate -m "{message}"'
        before = self.project.revisions()
        outcome = self.project.alembic("revision", "--autogenerate", "-m", message)
        _expect(step, outcome, exits_with_zero=True)
        [revision] = self.project.revisions() - before
        upgrade = upgrade_in(revision)
        if not _in_order(lines, upgrade) or any(name in upgrade for name in silent_on):
            wanted = "\n".join([*lines, *(f"and nothing of {name}" for name in silent_on)])
            raise NotAsToldError(step, expected=wanted, came=upgrade)
        self.narrator.passed(step)
        self.narrator.quoted(upgrade.splitlines())
        return revision

    def upgrades(self, fact: str = "") -> None:
        self._alembic("upgrade", "head")
        self.narrator.passed("alembic upgrade head", fact)

    def deduplicates(self, offer: Offer, *, fact: str, query: str, leaves: object) -> None:
        """The upgrade moves rows to the archive, and the query then returns exactly this value."""
        told = ("Deduplicated ", offer.key, offer.archive)
        outcome = self._alembic("upgrade", "head", expected=told)
        self.holds(fact, query, leaves, step="alembic upgrade head")
        self.narrator.quoted(outcome.logged(*told))

    def restores(self, offer: Offer, *, fact: str, query: str, leaves: object) -> None:
        """The downgrade moves them back, and the query then returns exactly this value."""
        told = ("Restored ", offer.key, offer.archive)
        outcome = self._alembic("downgrade", "-1", expected=told)
        self.holds(fact, query, leaves, step="alembic downgrade -1")
        self.narrator.quoted(outcome.logged(*told))

    def downgrades_to_nothing(self) -> None:
        """The history is undone, generated revisions included: the database is as we found it."""
        outcome = self._alembic("downgrade", "base")
        left = self.database.tables()
        if left != ["alembic_version"]:
            raise NotAsToldError(
                "alembic downgrade base",
                expected="no table but alembic_version, the archives gone with their last rows",
                came=", ".join(left),
            )
        self.database.run("DROP TABLE alembic_version")
        self.narrator.passed(
            "alembic downgrade base", "generated revisions included, archived rows come back"
        )
        self.narrator.quoted(outcome.logged("Restored "))

    def upgrade_is_refused(self, offer: Offer, *mentioned: str) -> None:
        """The upgrade stops before it changed anything, with a report that offers the two lines."""
        revision = "SELECT version_num FROM alembic_version"
        before = self.database.rows(revision)
        outcome = self.project.alembic("upgrade", "head")
        reported = (offer.key, *mentioned, offer.deduplication, offer.restoration)
        _expect("alembic upgrade head", outcome, *reported, exits_with_zero=False)
        if self.database.rows(revision) != before:
            raise NotAsToldError(
                "alembic upgrade head",
                expected=f"the database at {before}",
                came=f"{self.database.rows(revision)}",
            )
        self.narrator.failed("alembic upgrade head", "refused, nothing changed")
        self.narrator.quoted(outcome.failure.splitlines(), "red")

    def takes(self, offer: Offer, revision: Path) -> None:
        """Both offered lines are code in the revision, where they stood as comments."""
        self.project.uncomment(revision, offer.deduplication, offer.restoration)
        self.narrator.passed("the offered lines are uncommented", "in the generated revision")
        self.narrator.quoted([f"+ {offer.deduplication}", f"+ {offer.restoration}"], "green")

    def _alembic(self, *arguments: str, expected: Sequence[str] = ()) -> Outcome:
        """What a run left that succeeded and said all of this."""
        outcome = self.project.alembic(*arguments)
        _expect(" ".join(("alembic", *arguments)), outcome, *expected, exits_with_zero=True)
        return outcome


def _expect(step: str, outcome: Outcome, *mentioned: str, exits_with_zero: bool) -> None:
    said = outcome.stdout + outcome.stderr
    missing = [text for text in mentioned if text not in said]
    if missing or "Traceback" in said or (outcome.exit_code == 0) != exits_with_zero:
        wanted = "exit 0" if exits_with_zero else "an exit other than 0, without a traceback"
        raise NotAsToldError(
            step,
            expected="\n".join([wanted, *missing]),
            came=f"exit {outcome.exit_code}\n{said}",
        )


def _refusal(error: APIError | DBAPIError | psycopg2.Error) -> Refusal:
    if isinstance(error, APIError):
        return Refusal(error.code, error.message)
    return refusal_of(error)


def _in_order(lines: Sequence[str], source: str) -> bool:
    """Whether each line stands in the source directly below the one before."""
    stripped = [line.strip() for line in source.splitlines()]
    return any(
        stripped[start : start + len(lines)] == list(lines) for start in range(len(stripped))
    )


def _dedented(lines: Sequence[str]) -> list[str]:
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[margin:] for line in lines]
