"""Keys in the server's spelling, each with the planner's answer to its target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ...inference import ConflictTarget
from ...sqltext import EQ
from ..batch import Statement, run
from ..contract import (
    Inferred,
    KeyQuestion,
    NormalizedSql,
    Offered,
    RelationKind,
    TableName,
    not_normalized,
)
from ..postgresql import NO_ARBITER, inferred_arbiters, read
from ..reading import rolled_back
from .copied_key import CopiedKey
from .folding import folded_in, is_refused
from .predicates import same_predicates
from .reader import spelled_for_reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from ...inference import Candidate, Element
    from ..batch import Answered

__all__ = ["normalize", "settle"]

_TABLES = frozenset({RelationKind.TABLE.value, RelationKind.PARTITIONED_TABLE.value})
"""What can have an arbiter of its own."""


def normalize(
    connection: Connection, table: TableName, arbiter: Candidate, offered: Sequence[Candidate]
) -> NormalizedSql:
    """Return what :func:`settle` does for one key, whose conflict target is the arbiter's own SQL."""
    target = ConflictTarget(arbiter.elements, arbiter.predicate)
    question = KeyQuestion(
        table=table, arbiter=arbiter, target=target, offered=Offered(candidates=tuple(offered))
    )
    return settle(connection, [question])[0]


def settle(connection: Connection, questions: Sequence[KeyQuestion]) -> list[NormalizedSql]:
    """Return each key's arbiter as this server prints it, and what the planner says of its target.

    Predicates that imply each other, as the planner proves it, come in the spelling of the arbiter's. Keys of plain
    columns are returned as they are, and cost nothing.

    A copy is a temporary table of the same name, so that SQL which names the table finds it. A role without the
    TEMPORARY privilege, or a read-only transaction, cannot make one: only the table itself is asked, and where the role
    may not insert into it either, the arbiter is in the spelling of the indexes that simplify to the same, see
    :mod:`.reader`.
    """
    answers = {
        number: not_normalized(question.arbiter, question.offered.candidates)
        for number, question in enumerate(questions)
    }
    asked = {
        number: question
        for number, question in enumerate(questions)
        if not question.arbiter.is_plain and question.offered.traits.relation in _TABLES
    }
    for numbers in _without_namesakes(asked):
        keys = [CopiedKey(number, questions[number], connection.dialect) for number in numbers]
        try:
            with rolled_back(connection):
                normalized = _settled(connection, keys)
        except DBAPIError:
            normalized = {key: _as_declared(key, None) for key in keys}
        asked_around = {
            key: _asked_around(connection, key, answer) for key, answer in normalized.items()
        }
        unsettled = {key: answer for key, answer in asked_around.items() if _is_open(answer)}
        asked_around |= spelled_for_reader(connection, unsettled)
        answers |= {key.number: answer for key, answer in asked_around.items()}
    return [answers[number] for number in range(len(questions))]


def _without_namesakes(asked: dict[int, KeyQuestion]) -> Iterator[list[int]]:
    """The keys in groups, in none of which two tables have one name: so have their copies. One group, as a rule."""
    left = asked
    while left:
        copied: dict[str, TableName] = {}
        for question in left.values():
            copied.setdefault(question.table.name, question.table)
        group = [n for n, each in left.items() if copied[each.table.name] == each.table]
        yield group
        left = {n: each for n, each in left.items() if n not in group}


def _settled(connection: Connection, keys: Sequence[CopiedKey]) -> dict[CopiedKey, NormalizedSql]:
    schema = Statement(_SCHEMA, is_read=True)
    # originals are asked, and looked up for the copies, before any copy can shadow them
    statements = [key.asked_on_table for key in keys]
    statements += [key.copy_made for key in keys]
    statements += [key.index_made for key in keys]
    statements += [key.asked_on_copy for key in keys]
    answers = run(connection, [*statements, schema])
    probes = _probes(connection, keys, answers[schema].value)
    same = same_predicates(connection, probes)
    normalized: dict[CopiedKey, NormalizedSql] = {}
    for key in keys:
        inferred = _inferred(key.question, answers[key.asked_on_table])
        if key not in probes:
            normalized[key] = _as_declared(key, inferred)
            continue
        on_copy = answers[key.asked_on_copy]
        spelled = _spelled(key, probes[key], on_copy, same[key])
        folded = folded_in(connection, key, probes[key]) if is_refused(key, on_copy) else None
        normalized[key] = replace(spelled, inferred=inferred, folded=folded)
    return normalized


_SCHEMA = f"""
    SELECT pg_catalog.to_json(CAST(nspname AS pg_catalog.text)) FROM pg_catalog.pg_namespace
    WHERE oid {EQ} pg_catalog.pg_my_temp_schema()
"""


def _probes(
    connection: Connection, keys: Sequence[CopiedKey], schema: str | None
) -> dict[CopiedKey, Candidate]:
    """The indexes that were made on the copies, as the server prints them; without those that were not made."""
    if schema is None:
        return {}
    names = dict.fromkeys(TableName(schema, key.question.table.name) for key in keys)
    made = {
        candidate.name: candidate
        for offered in read(connection, list(names)).values()
        for candidate in offered.candidates
    }
    probes = {key: made[key.index] for key in keys if key.index in made}
    # SQL of one element can make several, as ``a, b`` does: those cannot be compared with the key's
    return {
        key: probe
        for key, probe in probes.items()
        if len(probe.elements) == len(key.question.arbiter.elements)
    }


def _spelled(
    key: CopiedKey, probe: Candidate, on_copy: Answered, same: frozenset[str]
) -> NormalizedSql:
    question = key.question
    target = question.target
    if key.index in (on_copy.arbiters or ()):
        # the arbiter's elements are the target's, in the order of the index
        elements = tuple(map(_as_named, question.arbiter.elements, probe.elements))
        target = ConflictTarget(elements, probe.predicate, proven=True)
    return NormalizedSql(
        arbiter=replace(
            question.arbiter,
            elements=probe.elements,
            # one that is true of every row is none: CREATE INDEX drops it
            partial=probe.partial,
            predicate=probe.predicate,
        ),
        target=target,
        candidates=tuple(
            replace(c, predicate=probe.predicate) if c.predicate in same else c
            for c in question.offered.candidates
        ),
    )


def _as_declared(key: CopiedKey, inferred: Inferred | None) -> NormalizedSql:
    question = key.question
    as_declared = not_normalized(question.arbiter, question.offered.candidates, compared=False)
    return replace(as_declared, target=question.target, inferred=inferred)


def _inferred(question: KeyQuestion, answer: Answered) -> Inferred | None:
    """The planner's answer on the table itself; None: it has not understood the question."""
    if answer.state == NO_ARBITER:
        return Inferred(refusal=answer.message)
    arbiters = answer.arbiters
    if answer.state is not None or arbiters is None:
        return None
    late = [c.name for c in question.offered.candidates if not c.immediate]
    return Inferred(arbiters=arbiters, deferrable=tuple(name for name in arbiters if name in late))


def _asked_around(connection: Connection, key: CopiedKey, answer: NormalizedSql) -> NormalizedSql:
    """The answer with the planner's own on the table, where a default, say, was in the way of the short question."""
    question = key.question
    if answer.inferred is not None or question.offered.traits.refusing_rules:
        return answer
    return replace(answer, inferred=inferred_arbiters(connection, question.table, question.target))


def _is_open(answer: NormalizedSql) -> bool:
    """Whether the planner could be asked neither on a copy nor on the table, though it reads the SQL."""
    inferred = answer.inferred
    is_unanswered = inferred is not None and inferred.doubt is not None and not inferred.unread
    return is_unanswered and not answer.compared


def _as_named(declared: Element, made: Element) -> Element:
    """The element of a target as the server prints it, with the collation that the declaration names, if it does.

    The catalog has which collation an index has and not whether it was named:

    - beside a column, the word COLLATE names one;
    - behind an expression it does where the declaration ends in the word and the name;
    - SQL without the word names none, and any other may.
    """
    sql = (declared.expression or "").casefold()
    if made.column is not None:
        behind = sql.lstrip('("').removeprefix(made.column.casefold())
        names_one = "collate" in behind
        may_name_one = False
    else:
        named_last = f" collate {made.actual_collation}".casefold().replace('"', "")
        names_one = sql.replace('"', "").endswith(named_last)
        may_name_one = "collate" in sql and not names_one
    return replace(
        made,
        collation=made.actual_collation if names_one else None,
        may_name_collation=may_name_one,
        may_name_opclass=made.opclass is None
        and sql not in ("", (made.expression or "").casefold()),
    )
