"""The verdict on each key against the real insert."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.errors import UpsertGuardError
from tests.generated import WrongClaims, counted

from .answers import OK, Said, UnfitRowError, inserted, said_of, tells_nulls_apart
from .cases import KEYS_OF_A_CASE, case_of, keys_of, known_kinds, made
from .keys import UnwritableError, model_of
from .relations import ALL
from .world import major_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from .cases import Case
    from .keys import Key

__all__ = ["Tally", "run"]

_MOST_SHRUNK = 12
"""Disagreements that are made small, of each pair of answers."""


@dataclass
class Tally:
    """What a run has found."""

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often the package said the one and the server answered the other."""
    skipped: Counter[str] = field(default_factory=Counter)
    claims: WrongClaims = field(default_factory=WrongClaims)
    offered: int = 0
    refused: int = 0
    """Offers that the server did not take."""

    @property
    def keys(self) -> int:
        return self.verdicts.total()

    @property
    def wrong(self) -> int:
        return self.claims.times.total()

    def lines(self, seconds: float) -> Iterator[str]:
        yield from self.claims.lines()
        yield f"{self.keys} keys; said, and the insert:"
        yield from counted(Counter({f"{s}; {a}": n for (s, a), n in self.verdicts.items()}), 20)
        yield f"skipped, with {self.refused} of {self.offered} offers not taken:"
        yield from counted(self.skipped, 20)
        yield f"{self.wrong} wrong, in {seconds:.0f} s"


def run(
    connection: Connection,
    tally: Tally,
    *,
    keys: int,
    seed: int,
    only: int | None = None,
    minutes: float = math.inf,
) -> None:
    """Judge about so many keys, the same ones for the same seed; everything is rolled back.

    :param minutes: no case is begun after these.
    """
    until = time.monotonic() + minutes * 60
    version, kinds = major_version(connection), known_kinds(connection)
    connection.commit()
    number = 0 if only is None else only
    while tally.keys < keys and time.monotonic() < until:
        case, wrong = _judged(connection, tally, f"{seed}:{number}", kinds, version)
        for key, pair in wrong:
            _note(connection, tally, case, key, pair, f"{seed}:{number}")
        number += 1
        if only is not None:
            return


_Wrong = list[tuple["Key", tuple["Said", str]]]


def _judged(
    connection: Connection, tally: Tally, seed: str, kinds: list[str], version: int
) -> tuple[Case, _Wrong]:
    """Judge the keys of one case; return it, and what is wrong."""
    drawn, random = case_of(seed, kinds, ALL, version)
    wrong: _Wrong = []
    with connection.begin() as transaction:
        case = made(connection, drawn)
        if case is None:
            tally.skipped["the relation cannot be made"] += 1
            transaction.rollback()
            return drawn, wrong
        tally.offered += len(drawn.offers)
        tally.refused += len(drawn.offers) - len(case.offers)
        for key in keys_of(random, case, KEYS_OF_A_CASE):
            outcome = _outcome(connection, case, key)
            if isinstance(outcome, str):
                tally.skipped[outcome] += 1
                continue
            tally.verdicts[(_worded(outcome[0]), outcome[1])] += 1
            if _disagree(connection, case, key, *outcome):
                wrong.append((key, outcome))
        transaction.rollback()
    return case, wrong


def _worded(said: Said) -> str:
    apart = said.verdict == "short" and "nulls-mismatch" in said.codes
    return "of other NULLs" if apart else said.verdict


def _outcome(connection: Connection, case: Case, key: Key) -> tuple[Said, str] | str:
    """What is said and what is true; a reason, where nothing is learned."""
    try:
        table = model_of(case.relation, case.columns, key)
    except UnwritableError:
        return "not to be written in Python"
    except UpsertGuardError as error:
        return f"declaration refused: {_kind_of_refusal(str(error))}"
    try:
        answer = inserted(connection, table, case.row())
        if answer == OK:
            answer = inserted(connection, table, case.row(), update=True)
            answer = answer if answer == OK else f"ok, and DO UPDATE: {answer}"
    except UnfitRowError as error:
        return f"row unfit: {error}"
    savepoint = connection.begin_nested()
    try:
        said = said_of(connection, table)
    except Exception as error:  # noqa: BLE001 - whatever comes instead of an answer
        said = Said(f"crash {type(error).__name__}")
    finally:
        savepoint.rollback()
    return said, answer


def _kind_of_refusal(message: str) -> str:
    return message.partition(") ")[2][:60] or message[:60]


def _disagree(connection: Connection, case: Case, key: Key, said: Said, answer: str) -> bool:
    worded = _worded(said)
    if worded == "of other NULLs":
        if answer != OK:
            return True
        table = model_of(case.relation, case.columns, key)
        apart = tells_nulls_apart(connection, table, case.row())
        return apart is not None and apart == (key.nulls != "not_distinct")
    return {"satisfied": answer != OK, "short": answer.startswith(OK), "unknown": False}.get(
        worded, True
    )


def _note(
    connection: Connection, tally: Tally, case: Case, key: Key, outcome: tuple[Said, str], seed: str
) -> None:
    said, answer = outcome
    kind = case.relation.kind.split()[0]
    claim = f"{_worded(said)} ({', '.join(said.codes) or 'no finding'}) on {kind}, and the insert: {answer}"
    tally.claims.times[claim] += 1
    shown = tally.claims.reproducers.setdefault(claim, [])
    if len(shown) < _MOST_SHRUNK:
        case, key = _shrunk(connection, case, key, (_worded(said), answer))
        told = case.told(key)
        # the same database with another key is seldom another fault
        if not any(told[0] in other and told[-2] in other for other in shown):
            shown.append("\n".join((*told, f"-- seed {seed}, {case.relation.kind}")))


def _shrunk(
    connection: Connection, case: Case, key: Key, pair: tuple[str, str]
) -> tuple[Case, Key]:
    """The smallest case and key with the same two answers."""
    progress = True
    while progress:
        progress = False
        for smaller_case, smaller_key in _smaller(case, key):
            if _has(connection, smaller_case, smaller_key, pair):
                case, key = smaller_case, smaller_key
                progress = True
                break
    return case, key


def _smaller(case: Case, key: Key) -> Iterator[tuple[Case, Key]]:
    for number in range(len(key.elements)):
        if len(key.elements) > 1:
            yield case, replace(key, elements=key.elements[:number] + key.elements[number + 1 :])
    if key.where is not None:
        yield case, replace(key, where=None)
    if key.nulls != "warn":
        yield case, replace(key, nulls="warn")
    for smaller in case.smaller(key):
        yield smaller, key


def _has(connection: Connection, case: Case, key: Key, pair: tuple[str, str]) -> bool:
    """Whether the answers are still these."""
    with connection.begin() as transaction:
        try:
            again = made(connection, case)
            if again is None or len(again.offers) != len(case.offers):
                return False
            outcome = _outcome(connection, case, key)
            if isinstance(outcome, str) or (_worded(outcome[0]), outcome[1]) != pair:
                return False
            return _disagree(connection, case, key, *outcome)
        except (LookupError, DBAPIError):
            return False
        finally:
            transaction.rollback()
