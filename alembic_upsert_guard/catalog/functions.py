"""PostgreSQL: the functions and procedures of a database, and many questions to its planner in one statement.

Manual: https://www.postgresql.org/docs/current/catalog-pg-proc.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..programs import program
from ..sqltext import EQ, NE
from .postgresql import server_version, sqlstate
from .reading import execute, first_sentence, rolled_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

__all__ = ["Answer", "DatabaseFunction", "Question", "ask_planner", "read_functions"]

_AT_ONCE = 1000
"""Questions in one statement: a ``statement_timeout`` is for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFunction:
    """One function or procedure."""

    name: str
    """``schema.function(argument types)``."""
    language: str
    source: str
    r"""The body; its first line is line 1, as psql's ``\sf+`` counts."""
    parameters: tuple[str, ...]
    """The names of every parameter and column that it returns."""
    settings: Mapping[str, str]
    """What it sets for itself: ``SET search_path = ...`` behind its head."""
    atomic: bool
    """Whether the body is SQL's own (``BEGIN ATOMIC``), printed by the server under the session's search path."""
    prefers: str
    """The session's ``plpgsql.variable_conflict``: ``error`` unless somebody has set it."""


@dataclass(frozen=True, slots=True)
class Question:
    """One statement that the planner is asked about."""

    statement: str
    """Without EXPLAIN."""
    relation: str
    """The table in it, as SQL."""
    search_path: str | None = None
    """Under which names are looked up; None: the session's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the planner answers. Behind a view, arbiters are those of the table that is inserted into."""

    sqlstate: str | None = None
    """None: there is a plan."""
    message: str = ""
    """Of the refusal."""
    arbiters: tuple[str, ...] = ()
    """The indexes that the plan names; empty: there is no plan, or the upsert has no target."""
    deferrable: tuple[str, ...] = ()
    """The arbiters that the executor refuses for being deferrable."""
    schema: str | None = None
    """Of the table, where it is there and the session's search path does not find it by its bare name."""
    asked: bool = True
    """False: the question never came to the planner, and the message says why."""


def read_functions(connection: Connection) -> list[DatabaseFunction]:
    """Return the functions and procedures that may upsert, or make tables for others; one statement.

    Left out are those of the system, of extensions, and those without a word of either.
    """
    version = server_version(connection.dialect)
    rows = connection.execute(text(_statement(version))).all()
    return [
        DatabaseFunction(
            name=row.full_name,
            language=row.lanname,
            source=row.source,
            parameters=tuple(name for name in row.parameters or () if name),
            settings=dict(_settings(row.proconfig or ())),
            atomic=row.is_atomic,
            prefers=row.prefers or "error",
        )
        for row in rows
    ]


def _statement(version: tuple[int, ...]) -> str:
    # 14 brought BEGIN ATOMIC
    body = (
        "pg_catalog.pg_get_function_sqlbody(p.oid)"
        if version >= (14,)
        else "CAST(NULL AS pg_catalog.text)"
    )
    return rf"""
        SELECT pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                                 pg_catalog.oidvectortypes(p.proargtypes)) AS full_name,
               l.lanname,
               coalesce(b.body, p.prosrc) AS source,
               b.body IS NOT NULL AS is_atomic,
               CAST(p.proargnames AS pg_catalog.text[]) AS parameters,
               p.proconfig,
               pg_catalog.current_setting('plpgsql.variable_conflict', true) AS prefers
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid {EQ} p.pronamespace
        JOIN pg_catalog.pg_language l ON l.oid {EQ} p.prolang
        CROSS JOIN LATERAL (SELECT {body} AS body) b
        WHERE p.prokind {EQ} ANY ('{{f,p}}')
          AND l.lanname {NE} ALL ('{{internal,c}}')
          AND n.nspname {NE} ALL ('{{pg_catalog,information_schema}}')
          AND n.nspname OPERATOR(pg_catalog.!~) '^pg_(toast|temp)'
          AND coalesce(b.body, p.prosrc) OPERATOR(pg_catalog.~*) 'conflict|execute|temp|merge|exists'
          AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_depend d
              WHERE d.classid {EQ} CAST('pg_catalog.pg_proc' AS pg_catalog.regclass) AND d.objid {EQ} p.oid
                    AND d.deptype {EQ} 'e'
          )
        ORDER BY n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)
    """


def _settings(configuration: Sequence[str]) -> Iterator[tuple[str, str]]:
    for setting in configuration:
        name, _, value = setting.partition("=")
        yield name, value


def ask_planner(connection: Connection, questions: Sequence[Question]) -> dict[Question, Answer]:
    """Return the planner's answer to each question. Nothing is written, and no lock is left.

    Where it cannot be asked at all, every answer is the reason.
    """
    distinct = list(dict.fromkeys(questions))
    if not distinct:
        return {}
    try:
        with rolled_back(connection):
            answers = [
                answer
                for first in range(0, len(distinct), _AT_ONCE)
                for answer in _ask(connection, distinct[first : first + _AT_ONCE])
            ]
    except DBAPIError as error:
        refusal = Answer(sqlstate=sqlstate(error), message=first_sentence(error), asked=False)
        return dict.fromkeys(distinct, refusal)
    return dict(zip(distinct, answers, strict=True))


def _ask(connection: Connection, questions: Sequence[Question]) -> list[Answer]:
    asked = json.dumps(
        [
            {"sql": each.statement, "relation": each.relation, "path": each.search_path}
            for each in questions
        ]
    )
    execute(connection, program("plan_upserts", connection.dialect, {"questions": asked}))
    document: Any = execute(connection, 'FETCH ALL FROM "upsert_guard_answers"').scalar_one()
    execute(connection, 'CLOSE "upsert_guard_answers"')
    return [
        Answer(
            sqlstate=each["state"],
            message=each["message"],
            arbiters=tuple(each["arbiters"]),
            deferrable=tuple(each["deferrable"]),
            schema=each["schema"],
            asked=each["state"] != "XX000",
        )
        for each in json.loads(document)
    ]
