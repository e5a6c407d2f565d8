"""Four answers to one question, and what each says of the others: the insert, the judge, the witness, the verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.catalog import KeyQuestion, TableName, catalog_for
from alembic_upsert_guard.inference import Code, State, can_be_inferred, judge
from tests.generated import (
    GeneratorDefectError,
    WrongClaimError,
    WrongClaims,
    executed,
    for_each,
    made,
    pasted,
    undone,
)

from .schemas import TARGETS_OF_A_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy
    from sqlalchemy.engine import Connection

    from alembic_upsert_guard.catalog import Catalog, Inferred, Offered
    from alembic_upsert_guard.inference import Verdict

    from .schemas import Case, Schema, Target

__all__ = ["Tally", "check"]

OK = "ok"
NO_ARBITER = "42P10"
DEFERRABLE = "55000"
RULES = "0A000"

_SQLITE_REFUSAL = "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint"


class Answers(NamedTuple):
    """What the four say of one target."""

    insert: str
    """OK, NO_ARBITER, DEFERRABLE or RULES."""

    verdict: Verdict
    """The judge's, who knows the spelling and has asked nobody about the table."""

    settled: Verdict
    """The judge's with what the planner said of the table: what ``upsert-guard check`` says."""

    witness: Inferred
    """Asked with the target as it is declared."""

    unproven: frozenset[str]
    """Valid candidates that the judge leaves open: beside a good arbiter they cannot spoil anything."""


@dataclass
class Tally:
    """What a run has found."""

    states: Counter[State] = field(default_factory=Counter)
    inserts: Counter[str] = field(default_factory=Counter)
    claims: WrongClaims = field(default_factory=WrongClaims)

    @property
    def cases(self) -> int:
        """How many targets were judged."""
        return self.states.total()

    @property
    def unknown(self) -> float:
        """The share of targets that the judge leaves open."""
        return self.states[State.UNKNOWN] / max(self.cases, 1)

    def add(self, case: Schema, target: Target, answers: Answers) -> str | None:
        """Count the answers; return the reproducer where they disagree."""
        self.states[answers.verdict.state] += 1
        self.inserts[answers.insert] += 1
        told = ""
        for claim in dict.fromkeys(wrong_claims(answers)):
            told = _reproducer(case, target, answers, claim)
            self.claims.add(claim, told)
        return told or None

    @property
    def wrong(self) -> int:
        return self.claims.times.total()

    def lines(self, seconds: float) -> Iterator[str]:
        states = ", ".join(f"{self.states[state]} {state.value}" for state in State)
        inserts = ", ".join(f"{times} {answer}" for answer, times in sorted(self.inserts.items()))
        yield from self.claims.lines()
        yield f"{self.cases} cases in {seconds:.0f} s; inserts: {inserts}"
        yield f"judge: {states} ({self.unknown:.1%} unknown); {self.wrong} disagreements"


def check(
    connection: Connection,
    cases: SearchStrategy[Case],
    tally: Tally,
    *,
    size: int,
    seed: int = 0,
    keep_going: bool = False,
) -> None:
    """Compare the answers for about `size` targets, always the same ones for the same seed.

    :raises WrongClaimError: for the smallest schema that hypothesis finds; with `keep_going` all are only counted.
    """

    def agree(case: Case) -> None:
        with connection.begin() as transaction:
            compare(connection, case, tally, keep_going=keep_going)
            transaction.rollback()

    for_each(cases, agree, size=size // TARGETS_OF_A_SCHEMA, seed=seed)


def compare(connection: Connection, case: Case, tally: Tally, *, keep_going: bool = False) -> None:
    """Ask all three for every target of the case.

    :raises WrongClaimError: not all say what the insert does; with `keep_going` it is only counted.
    """
    catalog = catalog_for(connection.dialect)
    assert catalog is not None
    schema = case.schema
    with made(connection, schema.statements):
        name = TableName(None, schema.relation)
        offered = catalog.read(connection, [name])[name]
        for target in case.targets:
            answers = _answers(connection, catalog, offered, schema, target)
            told = tally.add(schema, target, answers)
            if told is not None and not keep_going:
                raise WrongClaimError(told)


def _answers(
    connection: Connection, catalog: Catalog, offered: Offered, schema: Schema, target: Target
) -> Answers:
    name = TableName(None, schema.relation)
    question = KeyQuestion(
        table=name, arbiter=target.as_arbiter(), target=target.as_declared(), offered=offered
    )
    (spelling,) = catalog.settle(connection, [question])
    spelled = spelling.target
    verdict = judge(spelled, spelling.candidates, offered.traits)
    said = spelling.inferred
    named = None if said is None or said.doubt is not None else said.arbiters
    settled = judge(spelled, spelling.candidates, offered.traits, named=named)
    # the witness is asked as the model spells it: what was named by its default name is lost in the catalog
    witness = catalog.infer(connection, name, target.as_declared())
    unproven = frozenset(
        str(c.name)
        for c in spelling.candidates
        if c.valid and can_be_inferred(spelled, c, offered.traits) is None
    )
    insert = _inserted(connection, schema, target)
    return Answers(insert, verdict, settled, witness, unproven)


def _inserted(connection: Connection, schema: Schema, target: Target) -> str:
    try:
        with undone(connection):
            executed(connection, schema.upsert(target))
    except DBAPIError as error:
        words = str(error.orig).strip()
        if words.endswith(_SQLITE_REFUSAL):
            return NO_ARBITER
        state = str(getattr(error.orig, "pgcode", None))
        if state not in (NO_ARBITER, DEFERRABLE, RULES):
            raise GeneratorDefectError(
                f"{words}\n{pasted(schema.statements)}\n{schema.upsert(target)}"
            ) from error
        return state
    return OK


def wrong_claims(answers: Answers) -> Iterator[str]:
    """Everything said that the insert contradicts."""
    if answers.insert != RULES:  # that has no plan, and needs none: the catalog tells
        yield from _of_the_witness(answers.insert, answers.witness)
    yield from _of_the_judge(answers)
    yield from _of_the_verdict(answers)


def _of_the_verdict(answers: Answers) -> Iterator[str]:
    said = _said(answers.settled)
    # what was asked leaves no doubt; bare columns are not asked about, and SQLite leaves some
    if said != answers.insert and (said is not None or answers.witness.arbiters):
        yield f"the verdict says {said or 'unknown'}, the insert {answers.insert}"
    named = {str(arbiter.name) for arbiter in answers.settled.arbiters}
    inferred = set(answers.witness.arbiters)
    # where the planner was not asked, what text leaves open is not named
    if said == OK and inferred and not inferred - answers.unproven <= named <= inferred:
        yield "the verdict and the witness name different arbiters"


def _of_the_witness(insert: str, witness: Inferred) -> Iterator[str]:
    if witness.doubt is not None:
        yield f"the witness could not be asked, the insert says {insert}"
        return
    said = OK
    if witness.refusal is not None:
        said = NO_ARBITER
    elif witness.deferrable:
        said = DEFERRABLE
    if said != insert:
        yield f"the witness says {said}, the insert {insert}"


def _of_the_judge(answers: Answers) -> Iterator[str]:
    said = _said(answers.verdict)
    if said not in (None, answers.insert):
        yield f"the judge says {said}, the insert {answers.insert}"
        return
    # SQLite does not tell its arbiters
    named = {str(arbiter.name) for arbiter in answers.verdict.arbiters}
    inferred = set(answers.witness.arbiters)
    if said is not None and inferred and named != inferred - answers.unproven:
        yield "the judge and the witness name different arbiters"


def _said(verdict: Verdict) -> str | None:
    """What the judge's words are for an insert; None: it does not know."""
    if verdict.state is State.UNKNOWN:
        return None
    if verdict.shortfall is None:
        return OK
    if verdict.shortfall.rules:
        return RULES
    return DEFERRABLE if verdict.shortfall.code is Code.DEFERRABLE_ARBITER else NO_ARBITER


def _reproducer(schema: Schema, target: Target, answers: Answers, claim: str) -> str:
    words = [
        f"-- {claim}",
        pasted(schema.statements),
        f"{schema.upsert(target)};  -- {answers.insert}",
        f"-- judge: {answers.verdict}",
        f"-- settled: {answers.settled}",
        f"-- witness: {answers.witness}",
    ]
    return "\n".join(words)
