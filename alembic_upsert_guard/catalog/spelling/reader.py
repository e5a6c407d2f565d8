"""What a role finds out that may read a table and nothing else: SQL that the planner simplifies to the same text.

In the list of a SELECT the planner simplifies SQL as it does that of a conflict target and of an index
(eval_const_expressions), and ``EXPLAIN (VERBOSE)`` prints what came of it. Equal output of one session is an equal
tree, so an index of SQL with the same output serves (plancat.c: infer_arbiter_indexes). It is no condition of the
SELECT: of those the planner leaves out what is always true in a column that is NOT NULL, and what the index holds that
it reads. Different output proves nothing.

The planner itself answers, too: it infers before the executor asks for the privilege to insert. So an upsert is refused
with 42P10 where it has no arbiter, and with 42501 where it has one. That the latter comes of nothing else is shown by
the SELECTs, which read the SQL, and by the same upsert on a target that nothing serves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ...inference import ConflictTarget, Element, MissingRight, can_be_inferred
from ...sqltext import named, quoted
from ..batch import Statement, run
from ..contract import Inferred
from ..postgresql import NO_ARBITER, explain_upsert, read_only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

    from ...inference import Candidate
    from ..batch import Answered
    from ..contract import NormalizedSql
    from .copied_key import CopiedKey

__all__ = ["spelled_for_reader"]

_DENIED = "42501"
"""insufficient_privilege."""


def spelled_for_reader(
    connection: Connection, unsettled: Mapping[CopiedKey, NormalizedSql]
) -> dict[CopiedKey, NormalizedSql]:
    """Return the keys, their SQL in the spelling of the indexes that simplify to the same; all in one round trip.

    :param unsettled: keys that the planner could not be asked about, as declared.
    """
    if not unsettled:
        return {}
    keys = {key: _Key(key, answer) for key, answer in unsettled.items()}
    statements = [statement for each in keys.values() for statement in each.statements]
    try:
        with read_only(connection):
            answers = run(connection, [_SESSION, *statements])
    except DBAPIError:
        return dict(unsettled)
    return {key: each.spelled(answers) for key, each in keys.items()}


_SESSION = Statement(
    """
    SELECT pg_catalog.json_build_object(
        'role', CURRENT_USER,
        'database', pg_catalog.current_database(),
        'is_replica', pg_catalog.pg_is_in_recovery()
    )
    """,
    is_read=True,
)


@dataclass(frozen=True, slots=True)
class _Key:
    """A key, and what is asked about its SQL."""

    key: CopiedKey
    answer: NormalizedSql

    @property
    def statements(self) -> list[Statement]:
        """All that is asked: how the planner prints each part, and the columns."""
        parts = map(self._part, (*self._of_indexes, *self._declared))
        return [self._columns, self.key.asked_on_table, self._unservable, *parts]

    @property
    def _unservable(self) -> Statement:
        sql = "(CAST('alembic_upsert_guard: no index has this' AS pg_catalog.text))"
        target = ConflictTarget((Element(expression=sql),))
        return Statement(
            explain_upsert(self.key.dialect, self.key.question.table, target), is_read=True
        )

    @property
    def _of_indexes(self) -> list[str]:
        """The SQL of the table's indexes, and then of the model's own for the key."""
        indexes = (*self.answer.candidates, self.answer.arbiter)
        return [sql for index in indexes for sql in _sql_of(index)]

    @property
    def _declared(self) -> list[str]:
        """The target's SQL: expressions and predicate."""
        return _sql_of(self.key.question.target)

    def _part(self, sql: str) -> Statement:
        # ONLY: no partition and no child of it adds a plan
        return Statement(
            f"EXPLAIN (VERBOSE, FORMAT JSON) SELECT ({sql}\n) FROM ONLY {self._table}", is_read=True
        )

    @property
    def _columns(self) -> Statement:
        return Statement(
            f"EXPLAIN (VERBOSE, FORMAT JSON) SELECT * FROM ONLY {self._table}", is_read=True
        )

    @property
    def _table(self) -> str:
        return quoted(self.key.dialect, *self.key.question.table)

    def spelled(self, answers: Mapping[Statement, Answered]) -> NormalizedSql:
        """The key with its SQL, and the indexes with theirs, in one spelling; as declared where it cannot be read."""
        answer = replace(self.answer, lacking=self._lacking(answers))
        declared = {sql: _output(answers[self._part(sql)]) for sql in self._declared}
        if None in declared.values() or self._may_be_columns(declared, answers):
            return answer
        spellings: dict[str, str] = {}
        same: dict[str, str] = {}
        for sql in (*self._of_indexes, *self._declared):
            output = _output(answers[self._part(sql)])
            if output is not None:
                same[sql] = spellings.setdefault(output, sql)
        target = self.key.question.target
        return replace(
            answer,
            inferred=self._inferred(answers) or answer.inferred,
            arbiter=_respelled(answer.arbiter, same),
            target=replace(
                target,
                elements=_elements(target.elements, same),
                predicate=same.get(target.predicate or "", target.predicate),
                proven=True,
            ),
            candidates=tuple(_respelled(c, same) for c in answer.candidates),
        )

    def _may_be_columns(
        self, declared: Mapping[str, str | None], answers: Mapping[Statement, Answered]
    ) -> bool:
        """Whether an expression may be a column to the planner, which an index on the expression does not serve."""
        expressions = {
            declared[e.expression] for e in self.key.question.target.elements if e.expression
        }
        plan = answers[self._columns].value
        return bool(expressions) and (
            not plan or not expressions.isdisjoint(plan[0]["Plan"].get("Output", ()))
        )

    def _inferred(self, answers: Mapping[Statement, Answered]) -> Inferred | None:
        """The one arbiter that there can be, where the planner has found it; None: it has not, or there can be more."""
        question = self.key.question
        is_planned = answers[self.key.asked_on_table].state == _DENIED
        if not is_planned or answers[self._unservable].state != NO_ARBITER:
            return None
        possible = [
            c
            for c in question.offered.candidates
            if c.valid and can_be_inferred(question.target, c, question.offered.traits) is not False
        ]
        if len(possible) != 1:
            return None
        names = (str(possible[0].name),)
        return Inferred(arbiters=names, deferrable=() if possible[0].immediate else names)

    def _lacking(self, answers: Mapping[Statement, Answered]) -> MissingRight | None:
        session, dialect = answers[_SESSION].value, self.key.dialect
        if session is None:
            return None
        role, table = named(dialect, session["role"]), named(dialect, *self.key.question.table)
        grants = [f"GRANT INSERT ON {table} TO {role};"]
        if any(answers[self._part(sql)].state == _DENIED for sql in self._declared):
            if answers[self._columns].state != _DENIED:
                return None  # a function that it may not execute, say
            grants = [f"GRANT SELECT ON {table} TO {role};"]
        elif not session["is_replica"]:
            database = named(dialect, session["database"])
            grants.insert(0, f"GRANT TEMPORARY ON DATABASE {database} TO {role};")
        return MissingRight(role=role, grants=tuple(grants), is_replica=session["is_replica"])


def _output(answered: Answered) -> str | None:
    """The one thing that the planned SELECT puts out, as the server prints it; None: it was refused."""
    if not answered.value:
        return None
    output = answered.value[0]["Plan"].get("Output", ())
    return str(output[0]) if len(output) == 1 else None


def _sql_of(each: Candidate | ConflictTarget) -> list[str]:
    """The SQL of expressions and predicate."""
    expressions = [e.expression for e in each.elements if e.expression is not None]
    return expressions if each.predicate is None else [*expressions, each.predicate]


def _respelled(candidate: Candidate, same: Mapping[str, str]) -> Candidate:
    return replace(
        candidate,
        elements=_elements(candidate.elements, same),
        predicate=same.get(candidate.predicate or "", candidate.predicate),
    )


def _elements(elements: Sequence[Element], same: Mapping[str, str]) -> tuple[Element, ...]:
    return tuple(
        e if e.expression is None else replace(e, expression=same.get(e.expression, e.expression))
        for e in elements
    )
