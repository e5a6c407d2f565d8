"""PostgreSQL: what keys that hold SQL mean to the planner, asked on empty copies of their tables.

Equal text proves columns, and nothing more: the planner simplifies a target's SQL before it compares
(eval_const_expressions), and the columns of an index it does not. So each key is made on an empty temporary copy of its
table, in the table's name, and its conflict target is explained there as well as on the table itself. Whatever the
number of keys, that takes one round trip, and one more where predicates are compared; all of it is rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ..inference import Candidate, ConflictTarget, Element, Folded
from ..sqltext import EQ, GT, element_sql, named, quoted, where_sql
from .batch import Answered, Statement, run
from .postgresql import (
    NO_ARBITER,
    empty_copy_of,
    empty_copy_sql,
    explain_upsert,
    inferred_arbiters,
    read,
)
from .reading import Inferred, KeyQuestion, NormalizedSql, Offered, TableName, as_it_is, rolled_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect

__all__ = ["normalize", "settle"]

_TABLES = frozenset({"table", "partitioned table"})
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
    TEMPORARY privilege, or a read-only transaction, cannot make one: the arbiter stays as it was, and only the table
    itself is asked.
    """
    answers = {
        number: as_it_is(question.arbiter, question.offered.candidates)
        for number, question in enumerate(questions)
    }
    asked = {
        number: question
        for number, question in enumerate(questions)
        if not question.arbiter.is_plain and question.offered.traits.relation in _TABLES
    }
    for numbers in _without_namesakes(asked):
        keys = [_Key(number, questions[number]) for number in numbers]
        try:
            with rolled_back(connection):
                found = _settled(connection, keys)
        except DBAPIError:
            found = [_unspelled(key, None) for key in keys]
        for key, one in zip(keys, found, strict=True):
            answers[key.number] = _asked_around(connection, key, one)
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


@dataclass(frozen=True)
class _Key:
    """A key, and the names of what is made for it."""

    number: int
    question: KeyQuestion

    @property
    def index(self) -> str:
        """The index that the key makes, on the copy."""
        return f"upsert_guard_{self.number}"

    def explained(self, dialect: Dialect, elements: Iterable[str], predicate: str | None) -> str:
        """SQL that asks for the arbiters of a target on the copy."""
        relation = empty_copy_of(dialect, self.question.table)
        # not DEFAULT VALUES: the type of a column may refuse NULL while it is planned
        return (
            f"EXPLAIN (FORMAT JSON) INSERT INTO {relation} SELECT * FROM {relation} "
            f"ON CONFLICT ({', '.join(elements)}){where_sql(predicate)} DO NOTHING"
        )

    def indexed(
        self, dialect: Dialect, name: str, elements: Iterable[str], predicate: str | None = None
    ) -> str:
        """SQL that makes a unique index on the copy."""
        relation = empty_copy_of(dialect, self.question.table)
        return f"CREATE UNIQUE INDEX {name} ON {relation} ({', '.join(elements)}){where_sql(predicate)}"


def _settled(connection: Connection, keys: Sequence[_Key]) -> list[NormalizedSql]:
    dialect = connection.dialect
    tables = list(dict.fromkeys(key.question.table for key in keys))
    on_the_tables = [
        Statement(explain_upsert(dialect, k.question.table, k.question.target), is_read=True)
        for k in keys
    ]
    # originals are asked, and looked up for the copies, before any copy can shadow them
    copies = [Statement(empty_copy_sql(dialect, table, keeps_generated=False)) for table in tables]
    indexes = [
        Statement(
            k.indexed(
                dialect,
                k.index,
                _sql_of(dialect, k.question.arbiter.elements),
                k.question.arbiter.predicate,
            )
        )
        for k in keys
    ]
    on_the_copies = [
        Statement(
            k.explained(
                dialect, _sql_of(dialect, k.question.target.elements), k.question.target.predicate
            ),
            is_read=True,
        )
        for k in keys
    ]
    answers = run(
        connection, [*on_the_tables, *copies, *indexes, *on_the_copies, Statement(_SCHEMA, True)]
    )
    theirs, own = answers[: len(keys)], answers[-len(keys) - 1 : -1]
    schema = answers[-1].value
    probes = _probes(connection, keys, schema)
    same = _same_predicates(connection, keys, probes)
    folded = _folded(connection, keys, probes, own)
    return [
        _spelled(key, probe, said, by_copy, same[key.number], folded.get(key.number))
        for key, probe, said, by_copy in zip(keys, probes, theirs, own, strict=True)
    ]


_SCHEMA = f"""
    SELECT pg_catalog.to_json(CAST(nspname AS pg_catalog.text)) FROM pg_catalog.pg_namespace
    WHERE oid {EQ} pg_catalog.pg_my_temp_schema()
"""


def _sql_of(dialect: Dialect, elements: Iterable[Element]) -> list[str]:
    return [element_sql(dialect, element) for element in elements]


def _probes(
    connection: Connection, keys: Sequence[_Key], schema: str | None
) -> list[Candidate | None]:
    """The arbiters that were made on the copies, as the server prints them; None: one was not made."""
    if schema is None:
        return [None] * len(keys)
    names = dict.fromkeys(TableName(schema, key.question.table.name) for key in keys)
    made = {
        candidate.name: candidate
        for offered in read(connection, list(names)).values()
        for candidate in offered.candidates
    }
    return [_as_many(key, made.get(key.index)) for key in keys]


def _as_many(key: _Key, probe: Candidate | None) -> Candidate | None:
    """The probe, unless SQL of one element made several, as ``a, b`` does: it cannot be held against the key's."""
    if probe is None or len(probe.elements) != len(key.question.arbiter.elements):
        return None
    return probe


def _spelled(
    key: _Key,
    probe: Candidate | None,
    said: Answered,
    by_copy: Answered,
    same: frozenset[str],
    folded: Folded | None,
) -> NormalizedSql:
    question = key.question
    inferred = _inferred(question, said)
    if probe is None:
        return _unspelled(key, inferred)
    target = question.target
    if key.index in (by_copy.arbiters or ()):
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
        inferred=inferred,
        folded=folded,
    )


def _unspelled(key: _Key, inferred: Inferred | None) -> NormalizedSql:
    question = key.question
    as_declared = as_it_is(question.arbiter, question.offered.candidates, compared=False)
    return replace(as_declared, target=question.target, inferred=inferred)


def _inferred(question: KeyQuestion, said: Answered) -> Inferred | None:
    """The planner's answer on the table itself; None: it has not understood the question."""
    if said.state == NO_ARBITER:
        return Inferred(refusal=said.words)
    arbiters = said.arbiters
    if said.state is not None or arbiters is None:
        return None
    late = [c.name for c in question.offered.candidates if not c.immediate]
    return Inferred(arbiters=arbiters, deferrable=tuple(name for name in arbiters if name in late))


def _asked_around(connection: Connection, key: _Key, one: NormalizedSql) -> NormalizedSql:
    """The answer with the planner's own on the table, where a default, say, was in the way of the short question."""
    question = key.question
    if one.inferred is not None or question.offered.traits.refusing_rules:
        return one
    return replace(one, inferred=inferred_arbiters(connection, question.table, question.target))


# -- predicates


def _same_predicates(
    connection: Connection, keys: Sequence[_Key], probes: Sequence[Candidate | None]
) -> dict[int, frozenset[str]]:
    """For each key the other spellings of its predicate among those of indexes on its elements.

    The planner takes an index for an arbiter where the target's predicate implies the index's (plancat.c:
    infer_arbiter_indexes). Where each is taken for the other's predicate, both hold the same rows.
    """
    dialect = connection.dialect
    statements: list[Statement] = []
    compared: dict[int, list[str]] = {}
    for key, probe in zip(keys, probes, strict=True):
        others = _other_predicates(key, probe)
        compared[key.number] = others
        if probe is None or not others:
            continue
        elements = _sql_of(dialect, probe.elements)
        for place, predicate in enumerate(others):
            name = f"{key.index}_{place}"
            statements.append(Statement(key.indexed(dialect, name, elements, predicate)))
        statements += [
            Statement(key.explained(dialect, elements, predicate), is_read=True)
            for predicate in (probe.predicate, *others)
        ]
    answers = iter(run(connection, statements))
    same: dict[int, frozenset[str]] = {}
    for key in keys:
        others = compared[key.number]
        _made = [next(answers) for _ in others]
        by_own, *by_others = [next(answers).arbiters or () for _ in (None, *others) if others] or [
            ()
        ]
        same[key.number] = frozenset(
            predicate
            for place, (predicate, taken) in enumerate(zip(others, by_others, strict=True))
            if f"{key.index}_{place}" in by_own and key.index in taken
        )
    return same


def _other_predicates(key: _Key, probe: Candidate | None) -> list[str]:
    if probe is None or probe.predicate is None:
        return []
    return sorted(
        {
            str(c.predicate)
            for c in key.question.offered.candidates
            if c.predicate not in (None, probe.predicate)
            and frozenset(c.elements) == frozenset(probe.elements)
        }
    )


# -- SQL that the planner reads as something else


def _folded(
    connection: Connection,
    keys: Sequence[_Key],
    probes: Sequence[Candidate | None],
    own: Sequence[Answered],
) -> dict[int, Folded]:
    """What is to blame in the keys whose own index the planner refuses, by their number; others are not in it."""
    return {
        key.number: _blamed(connection, key, probe)
        for key, probe, said in zip(keys, probes, own, strict=True)
        if probe is not None and _is_refused(key, said)
    }


def _is_refused(key: _Key, said: Answered) -> bool:
    others_only = said.arbiters is not None and key.index not in said.arbiters
    return said.state == NO_ARBITER or others_only


def _blamed(connection: Connection, key: _Key, probe: Candidate) -> Folded:
    dialect = connection.dialect
    question = key.question
    for place, (declared, made) in enumerate(
        zip(question.arbiter.elements, probe.elements, strict=True)
    ):
        if declared.column is not None:
            continue
        sql = element_sql(dialect, declared)
        bare = made.expression if made.column is None else named(dialect, made.column)
        unwrapped = f"{bare} COLLATE {made.actual_collation}"
        columns = _columns_of(connection, key)
        names = {f"{key.index}_{place}_{number}": c for number, c in enumerate(columns)}
        itself = f"{key.index}_{place}_itself"
        answers = run(
            connection,
            [
                Statement(key.indexed(dialect, itself, [sql])),
                *(
                    Statement(key.indexed(dialect, name, [quoted(dialect, column)]))
                    for name, column in names.items()
                ),
                Statement(key.explained(dialect, [sql], None), is_read=True),
                Statement(key.explained(dialect, [unwrapped], None), is_read=True),
            ],
        )
        taken, taken_unwrapped = (each.arbiters or () for each in answers[-2:])
        column = next((names[name] for name in taken if name in names), None)
        if itself in taken:
            continue
        if column is None and itself in taken_unwrapped and made.actual_collation is not None:
            return Folded(sql, unwrapped=unwrapped)
        return Folded(sql, column)
    if question.target.predicate is not None:
        return Folded(question.target.predicate)
    return Folded(", ".join(question.target.labels))


def _columns_of(connection: Connection, key: _Key) -> list[str]:
    regclass = empty_copy_of(connection.dialect, key.question.table).replace("'", "''")
    query = f"""
        SELECT pg_catalog.json_agg(attname ORDER BY attnum) FROM pg_catalog.pg_attribute
        WHERE attrelid {EQ} CAST('{regclass}' AS pg_catalog.regclass) AND attnum {GT} 0 AND NOT attisdropped
    """
    (answer,) = run(connection, [Statement(query, is_read=True)])
    return list(answer.value or ())


# -- spelling


def _as_named(declared: Element, made: Element) -> Element:
    """The element of a target as the server prints it, with the collation that the declaration names, if it does.

    The catalog tells which collation an index has and not whether it was named:

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
