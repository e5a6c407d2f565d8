"""PostgreSQL: the functions and procedures of a database, and many questions to its planner in one statement.

Manual: https://www.postgresql.org/docs/current/catalog-pg-proc.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..sqltext import string_literal, wrapped_in_do
from .postgresql import server_version, sqlstate
from .reading import execute, rolled_back, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

__all__ = ["Answer", "DatabaseFunction", "Question", "ask_planner", "read_functions"]

_AT_ONCE = 1000
"""How many questions stand in one statement: a ``statement_timeout`` is for each."""


@dataclass(frozen=True, slots=True)
class DatabaseFunction:
    """One function or procedure."""

    name: str
    """``schema.function(argument types)``."""
    bare_name: str
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What the planner says. Behind a view, arbiters are those of the table that is inserted into."""

    sqlstate: str | None = None
    """None: there is a plan."""
    words: str = ""
    """Of the refusal."""
    deferrable: tuple[str, ...] = ()
    """The arbiters that the executor refuses for being deferrable."""
    schema: str | None = None
    """Of the table, where it is there and the session's search path does not find it by its name alone."""
    asked: bool = True
    """False: the question never came to the planner, and the words are why."""


def read_functions(connection: Connection) -> list[DatabaseFunction]:
    """Return the functions and procedures that may upsert, or make tables for others; one statement.

    Left out are those of the system, of extensions, and those without a word of it.
    """
    version = server_version(connection.dialect)
    rows = connection.execute(text(_statement(version))).all()
    return [
        DatabaseFunction(
            row.full_name,
            row.proname,
            row.lanname,
            row.source,
            tuple(name for name in row.parameters or () if name),
            dict(_settings(row.proconfig or ())),
            row.is_atomic,
            row.prefers or "error",
        )
        for row in rows
    ]


def _statement(version: tuple[int, ...]) -> str:
    # 14 brought BEGIN ATOMIC
    body = "pg_get_function_sqlbody(p.oid)" if version >= (14,) else "CAST(NULL AS text)"
    return rf"""
        SELECT format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)) AS full_name,
               p.proname,
               l.lanname,
               coalesce(b.body, p.prosrc) AS source,
               b.body IS NOT NULL AS is_atomic,
               CAST(p.proargnames AS text[]) AS parameters,
               p.proconfig,
               current_setting('plpgsql.variable_conflict', true) AS prefers
        FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_language l ON l.oid = p.prolang
        CROSS JOIN LATERAL (SELECT {body} AS body) b
        WHERE p.prokind IN ('f', 'p')
          AND l.lanname NOT IN ('internal', 'c')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND n.nspname !~ '^pg_(toast|temp)'
          AND coalesce(b.body, p.prosrc) ~* 'conflict|execute|temp'
          AND NOT EXISTS (
              SELECT FROM pg_depend d
              WHERE d.classid = CAST('pg_proc' AS regclass) AND d.objid = p.oid AND d.deptype = 'e'
          )
        ORDER BY n.nspname, p.proname, oidvectortypes(p.proargtypes)
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
            said = [
                answer
                for first in range(0, len(distinct), _AT_ONCE)
                for answer in _ask(connection, distinct[first : first + _AT_ONCE])
            ]
    except DBAPIError as error:
        refusal = Answer(sqlstate(error), words_of(error), asked=False)
        return dict.fromkeys(distinct, refusal)
    return dict(zip(distinct, said, strict=True))


def _ask(connection: Connection, questions: Sequence[Question]) -> list[Answer]:
    asked = json.dumps(
        [
            {"sql": each.statement, "relation": each.relation, "path": each.search_path}
            for each in questions
        ]
    )
    program = _PROGRAM.replace("{asked}", string_literal(connection.dialect, asked))
    execute(connection, wrapped_in_do(_DECLARATIONS, program))
    document: Any = execute(connection, 'FETCH ALL FROM "upsert_guard_answers"').scalar_one()
    execute(connection, 'CLOSE "upsert_guard_answers"')
    return [
        Answer(
            each["state"],
            each["words"],
            tuple(each["deferrable"]),
            each["schema"],
            asked=each["state"] != "XX000",
        )
        for each in json.loads(document)
    ]


_DECLARATIONS = """\
    question jsonb;
    plan json;
    inserted regclass; -- behind a view, the table
    named oid;
    arbiters text[];
    late text[]; -- deferrable
    planned boolean;
    state text;
    words text;
    answers jsonb[] := '{}';
    document refcursor := 'upsert_guard_answers';
"""

# the exception that ends each question gives its locks and settings back
_PROGRAM = """\
    FOR question IN SELECT each.value FROM jsonb_array_elements({asked}::jsonb) each LOOP
        named := NULL;
        late := '{}';
        planned := false;
        BEGIN
            IF question ->> 'path' IS NOT NULL THEN
                PERFORM set_config('search_path', question ->> 'path', true);
            END IF;
            named := to_regclass(question ->> 'relation');
            EXECUTE 'EXPLAIN (VERBOSE, FORMAT JSON) ' || (question ->> 'sql') INTO plan;
            planned := true;
            plan := plan -> 0 -> 'Plan';
            IF plan ->> 'Relation Name' IS NULL THEN
                RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'a rule rewrites the INSERT';
            END IF;
            inserted := format('%I.%I', plan ->> 'Schema', plan ->> 'Relation Name')::regclass;
            arbiters := CASE WHEN plan -> 'Conflict Arbiter Indexes' IS NOT NULL THEN ARRAY(
                SELECT json_array_elements_text(plan -> 'Conflict Arbiter Indexes')) END;
            late := ARRAY(
                SELECT DISTINCT ic.relname::text
                FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                WHERE NOT i.indimmediate AND i.indisready AND CASE
                    -- without a target every unique index is an arbiter, those of partitions too
                    WHEN arbiters IS NULL THEN i.indrelid = inserted
                         OR i.indrelid IN (SELECT part.relid FROM pg_partition_tree(inserted) part)
                    ELSE i.indrelid = inserted AND ic.relname = ANY (arbiters)
                         OR i.indexrelid IN (
                             SELECT part.relid
                             FROM pg_index top JOIN pg_class tc ON tc.oid = top.indexrelid
                             CROSS JOIN LATERAL pg_partition_tree(top.indexrelid) part
                             WHERE top.indrelid = inserted AND tc.relkind = 'I'
                               AND tc.relname = ANY (arbiters))
                    END
                ORDER BY 1);
            RAISE EXCEPTION USING ERRCODE = 'UG000', MESSAGE = 'there is a plan';
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, words = MESSAGE_TEXT;
        END;
        answers := answers || jsonb_build_object(
            -- what fails behind the plan is no answer to the question
            'state', CASE WHEN state = 'UG000' THEN NULL WHEN planned AND state <> '0A000' THEN 'XX000'
                          ELSE state END,
            'words', words,
            'deferrable', late,
            'schema', (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE c.oid = named AND NOT pg_table_is_visible(c.oid)));
    END LOOP;
    OPEN document FOR SELECT to_jsonb(answers)::text;
"""
