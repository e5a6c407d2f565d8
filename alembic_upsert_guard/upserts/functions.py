"""Upserts in the functions and procedures of a database, held against what the database offers.

The planner judges: every upsert is explained with the function's own conflict target, under the function's own
``search_path``. What only a call would tell is unresolved, with the reason.

=========================================  ===========================================
the upsert                                 answer
=========================================  ===========================================
asked about                                as :mod:`.planned` has it
a variable decides on the target           unresolved
a variable bears a target column's name    unserved: 42702, as PL/pgSQL answers
put together at run time                   unresolved
=========================================  ===========================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..catalog import TableName, catalog_for
from ..catalog.functions import Question, ask_planner, read_functions
from ..errors import MissingParsersError
from ..findings import unknown_dialect
from ..findings.function_findings import (
    UpsertOfFunction,
    missing_constraint_of_function,
    unresolved_in_function,
    unserved_function,
)
from ..inference import ConflictTarget
from .advice import SqlAdvice
from .planned import NO_TABLE, PlannerVerdict, verdict_of
from .scan.sighting import Constraint, Elements, NamedTable, Unread
from .upsert import Resolution, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.engine import Connection

    from ..catalog.functions import Answer, DatabaseFunction
    from ..findings import Finding
    from .scan.sql.routines import RoutineUpsert

__all__ = ["JudgedFunctions", "judge_functions"]

_PARSERS = ("postgast", "sqlglot")


@dataclass(frozen=True, slots=True)
class JudgedFunctions:
    """What the functions of one database upsert."""

    call_sites: tuple[dict[str, Any], ...] = ()
    """Every upsert, as the command's JSON has it."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """One upsert in one function."""

    function: DatabaseFunction
    upsert: RoutineUpsert
    question: Question | None
    """None: the planner cannot be asked."""
    made: bool
    """Whether a function makes a table of that name, which need not be there now."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """One upsert, and what is said of it."""

    seen: _Seen
    told: UpsertOfFunction
    verdict: PlannerVerdict


def judge_functions(connection: Connection, *, in_sql: bool = False) -> JudgedFunctions:
    """Return every upsert in the database's functions and procedures, each ``served`` or ``unserved``.

    ``unresolved`` is what no plan tells. Nothing is written, and the functions are not called. SQLite has none.

    :param in_sql: whether hints are the SQL to run, and not what a model declares.
    :raises MissingParsersError: the extra ``scan`` is not installed.
    """
    dialect = connection.dialect.name
    if catalog_for(dialect) is None:
        return JudgedFunctions(findings=(unknown_dialect(dialect),))
    if dialect != "postgresql":
        return JudgedFunctions()
    seen = _read(read_functions(connection))
    answers = ask_planner(connection, [each.question for each in seen if each.question is not None])
    judged = []
    for each in seen:
        answer = None if each.question is None else answers[each.question]
        judged.append(_Judged(each, _told(each, answer), _judge(each, answer)))
    advice = _advice(connection, judged) if in_sql else None
    return JudgedFunctions(
        tuple(_call_site(each.told, str(each.verdict.resolution)) for each in judged),
        tuple(finding for each in judged for finding in _findings(each, advice)),
    )


def _advice(connection: Connection, judged: Iterable[_Judged]) -> SqlAdvice:
    catalog = catalog_for(connection.dialect.name)
    tables = dict.fromkeys(
        _table(each.told)
        for each in judged
        if each.verdict.resolution is Resolution.UNSERVED and each.told.table is not None
    )
    offered = catalog.read(connection, tuple(tables)) if catalog is not None and tables else {}
    return SqlAdvice(connection, offered)


def _table(told: UpsertOfFunction) -> TableName:
    return TableName(told.schema, str(told.table))


def _findings(judged: _Judged, advice: SqlAdvice | None) -> Iterator[Finding]:
    told, verdict = judged.told, judged.verdict
    if verdict.resolution is Resolution.UNRESOLVED:
        yield unresolved_in_function(told, verdict.reason)
    if verdict.resolution is not Resolution.UNSERVED:
        return
    if told.constraint is not None and verdict.sqlstate == _NO_CONSTRAINT:
        hint = None if advice is None else advice.for_constraint(_table(told), told.constraint)
        yield missing_constraint_of_function(told, verdict.reason, hint)
        return
    yield unserved_function(told, verdict.sqlstate, verdict.reason, _sql_hint(judged, advice))


def _sql_hint(judged: _Judged, advice: SqlAdvice | None) -> str | None:
    """The SQL that makes the arbiter; None: no arbiter is what is missing, or the models are to declare it."""
    target = judged.seen.upsert.target
    lacks = judged.verdict.sqlstate in ("42P10", "55000")
    if advice is None or not lacks or not isinstance(target, Elements):
        return None
    if isinstance(target.predicate, Unread):
        return None
    return advice.hint(_table(judged.told), ConflictTarget(target.elements, target.predicate))


# -- reading


def _read(functions: list[DatabaseFunction]) -> list[_Seen]:
    try:
        from .scan.sql.routines import Routine, made_tables, read_routine  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(_PARSERS):
            raise
        raise MissingParsersError(
            f"reading functions needs parsers that are not installed ({error.name}): "
            "pip install 'alembic-upsert-guard[scan]'"
        ) from error
    made = [made_tables(function.source) for function in functions]
    made_anywhere = frozenset[str]().union(*(names for names, _ in made))
    seen = []
    for function, (names, makes_unread) in zip(functions, made, strict=True):
        routine = Routine(function.language, function.source, function.parameters)
        for upsert in read_routine(routine):
            table = upsert.table
            is_made, question = False, None
            if upsert.statement and isinstance(table, NamedTable):
                unqualified = table.schema is None
                is_made = unqualified and (makes_unread or table.name in made_anywhere)
                at_run_time = (unqualified and table.name in names) or _is_temporary(table)
                if not at_run_time and not (unqualified and _moves(function)):
                    question = _question(function, table, upsert)
            seen.append(_Seen(function, upsert, question, is_made))
    return seen


def _is_temporary(table: NamedTable) -> bool:
    return (table.schema or "").startswith("pg_temp")


def _moves(function: DatabaseFunction) -> bool:
    """Whether the body changes the search path itself, as far as words tell."""
    return "search_path" in function.source.lower()


def _question(function: DatabaseFunction, table: NamedTable, upsert: RoutineUpsert) -> Question:
    # what the server prints of BEGIN ATOMIC is qualified for the session
    path = None if function.atomic else function.settings.get("search_path")
    names = [name for name in (table.schema, table.name) if name is not None]
    relation = ".".join('"' + name.replace('"', '""') + '"' for name in names)
    return Question(upsert.statement, relation, path)


# -- judging

_NO_COLUMN = "42703"
_NO_CONSTRAINT = "42704"


def _judge(each: _Seen, answer: Answer | None) -> PlannerVerdict:
    if answer is None:
        return PlannerVerdict(Resolution.UNRESOLVED, reason=_why_not_asked(each))
    verdict = verdict_of(answer)
    if not answer.asked:
        return verdict
    variable = _judge_variables(each, answer)
    if variable is not None:
        return variable
    if verdict.sqlstate == NO_TABLE and each.made:
        reason = f"{answer.message}; it may be a temporary table that a function makes"
        return PlannerVerdict(Resolution.UNRESOLVED, reason=reason)
    return verdict


def _why_not_asked(each: _Seen) -> str:
    table, target = each.upsert.table, each.upsert.target
    if isinstance(table, Unread):
        return table.reason
    if isinstance(target, Unread):
        return target.reason
    if _is_temporary(table):
        return f"{table.name} is a temporary table, which is there in its session alone"
    if _moves(each.function) and not each.made:
        return (
            f"the function changes search_path itself, so which {table.name} is meant is not known"
        )
    return f"the function makes {table.name} itself, so what is unique there is known at the call alone"


def _judge_variables(each: _Seen, answer: Answer) -> PlannerVerdict | None:
    """What PL/pgSQL and SQL make of a name that is a variable's, and perhaps a column's; None: nothing."""
    for name, scope in each.upsert.variables:
        is_reference = "." in name or name.startswith("$")
        if is_reference or answer.sqlstate == _NO_COLUMN:
            words = (
                f"{name} in the conflict target is a value of the call: no plan is made without it"
            )
            return PlannerVerdict(Resolution.UNRESOLVED, reason=words)
        prefers = _preference(each.function)
        if each.function.language != "plpgsql" or prefers == "use_column":
            continue
        if answer.sqlstate in (None, "42P10"):
            if scope == "everywhere" and prefers == "error":
                words = f'column reference "{name}" is ambiguous'
                return PlannerVerdict(Resolution.UNSERVED, "42702", words)
            words = f"{name} in the conflict target is the name of a column and of a variable"
            return PlannerVerdict(Resolution.UNRESOLVED, reason=words)
    return None


def _preference(function: DatabaseFunction) -> str:
    """Of column and variable: the body's word, else the function's, else the session's."""
    lines = function.source.lstrip().split("\n")
    for line in lines:
        words = line.split()
        if words[:1] == ["#variable_conflict"] and len(words) > 1:
            return words[1].lower()
    return function.settings.get("plpgsql.variable_conflict", function.prefers)


# -- telling


def _told(each: _Seen, answer: Answer | None) -> UpsertOfFunction:
    upsert = each.upsert
    table = upsert.table if isinstance(upsert.table, NamedTable) else None
    schema = None
    if table is not None:
        schema = table.schema or (None if answer is None else answer.schema)
    elements: tuple[tuple[str, bool], ...] = ()
    where = constraint = None
    if isinstance(upsert.target, Elements):
        elements = tuple((e.label, e.column is None) for e in upsert.target.elements)
        where = upsert.target.predicate if isinstance(upsert.target.predicate, str) else None
    elif isinstance(upsert.target, Constraint):
        constraint = upsert.target.name
    return UpsertOfFunction(
        function=each.function.name,
        line=upsert.line,
        schema=schema,
        table=None if table is None else table.name,
        elements=elements,
        where=where,
        constraint=constraint,
    )


def _call_site(told: UpsertOfFunction, resolution: str) -> dict[str, Any]:
    return {
        "source": str(Source.FUNCTIONS),
        "path": told.function,
        "line": told.line,
        "schema": told.schema,
        "table": told.table,
        "elements": list(told.labels),
        "where": told.where,
        "constraint": told.constraint,
        "resolution": resolution,
    }
