"""Upserts in the functions and procedures of a database, held against what the database offers.

The planner judges: every upsert is explained with the function's own conflict target, under the function's own
``search_path``. What only a call would tell is unresolved, with the reason.

=========================================  ===========================================
the upsert, as the planner takes it        answer
=========================================  ===========================================
a plan                                     served
a plan whose arbiter is deferrable         unserved: 55000
refused: target, table, column, name, view unserved, in the server's words
refused: privileges, or anything else      unresolved, in the server's words
a variable decides on the target           unresolved
a variable bears a target column's name    unserved: 42702, as PL/pgSQL answers
put together at run time                   unresolved
=========================================  ===========================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..catalog import catalog_for
from ..catalog.functions import Question, ask_planner, read_functions
from ..errors import MissingParsersError
from ..findings import unknown_dialect
from ..findings.of_functions import UpsertOfFunction, unresolved_in_function, unserved_function
from .callsite import Source
from .sighting import Constraint, Elements, NamedTable, Unread

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..catalog.functions import Answer, DatabaseFunction
    from ..findings import Finding
    from .sql.routines import RoutineUpsert

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
class _Verdict:
    """What is said of one upsert."""

    resolution: str
    sqlstate: str = ""
    words: str = ""


def judge_functions(connection: Connection) -> JudgedFunctions:
    """Return every upsert in the database's functions and procedures, each ``served`` or ``unserved``.

    ``unresolved`` is what no plan tells. Nothing is written, and the functions are not called. SQLite has none.

    :raises MissingParsersError: the extra ``scan`` is not installed.
    """
    dialect = connection.dialect.name
    if catalog_for(dialect) is None:
        return JudgedFunctions(findings=(unknown_dialect(dialect),))
    if dialect != "postgresql":
        return JudgedFunctions()
    seen = _read(read_functions(connection))
    answers = ask_planner(connection, [each.question for each in seen if each.question is not None])
    call_sites: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for each in seen:
        answer = None if each.question is None else answers[each.question]
        verdict = _judge(each, answer)
        told = _told(each, answer)
        call_sites.append(_call_site(told, verdict.resolution))
        if verdict.resolution == "unserved":
            findings.append(unserved_function(told, verdict.sqlstate, verdict.words))
        elif verdict.resolution == "unresolved":
            findings.append(unresolved_in_function(told, verdict.words))
    return JudgedFunctions(tuple(call_sites), tuple(findings))


# -- reading


def _read(functions: list[DatabaseFunction]) -> list[_Seen]:
    try:
        from .sql.routines import Routine, made_tables, read_routine  # noqa: PLC0415 - an extra
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

_REFUSED = ("42", "0A000", "3F000", "55000")
"""How the SQLSTATEs begin by which every call will be refused as the plan is."""

_PERMISSION = "42501"
_NO_COLUMN = "42703"
_NO_TABLE = "42P01"


def _judge(each: _Seen, answer: Answer | None) -> _Verdict:
    if answer is None:
        return _Verdict("unresolved", words=_why_not_asked(each))
    unasked = f"the planner could not be asked: {answer.sqlstate}: {answer.words}"
    if not answer.asked:
        return _Verdict("unresolved", words=unasked)
    variable = _judge_variables(each, answer)
    if variable is not None:
        return variable
    if answer.sqlstate is None and not answer.deferrable:
        return _Verdict("served")
    if answer.sqlstate is None:
        words = f"{', '.join(answer.deferrable)} is DEFERRABLE, and no such arbiter is taken"
        return _Verdict("unserved", "55000", words)
    if answer.sqlstate == _NO_TABLE and each.made:
        words = f"{answer.words}; it may be a temporary table that a function makes"
        return _Verdict("unresolved", words=words)
    if answer.sqlstate != _PERMISSION and answer.sqlstate.startswith(_REFUSED):
        return _Verdict("unserved", answer.sqlstate, answer.words)
    return _Verdict("unresolved", words=unasked)


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


def _judge_variables(each: _Seen, answer: Answer) -> _Verdict | None:
    """What PL/pgSQL and SQL make of a name that is a variable's, and perhaps a column's; None: nothing."""
    for name, scope in each.upsert.variables:
        is_reference = "." in name or name.startswith("$")
        if is_reference or answer.sqlstate == _NO_COLUMN:
            words = (
                f"{name} in the conflict target is a value of the call: no plan is made without it"
            )
            return _Verdict("unresolved", words=words)
        prefers = _preference(each.function)
        if each.function.language != "plpgsql" or prefers == "use_column":
            continue
        if answer.sqlstate in (None, "42P10"):
            if scope == "everywhere" and prefers == "error":
                words = f'column reference "{name}" is ambiguous'
                return _Verdict("unserved", "42702", words)
            words = f"{name} in the conflict target is the name of a column and of a variable"
            return _Verdict("unresolved", words=words)
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
        each.function.name,
        upsert.line,
        schema,
        None if table is None else table.name,
        elements,
        where,
        constraint,
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
