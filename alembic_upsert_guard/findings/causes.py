"""Why an upsert is unresolved, one way out for each cause."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from .calls import Form

if TYPE_CHECKING:
    from .calls import Call

__all__ = ["Cause", "way_out"]


class Cause(Enum):
    """Why table or target of an upsert are not known, or not known to be served."""

    # what the source does not say
    PARAMETER = "a parameter"
    """A function's argument: the callers know."""
    REBOUND = "several values"
    """A name that is bound more than once, changed, or goes through a loop."""
    COMPUTED = "a value of run time"
    """An expression that only a run evaluates."""
    FILLED_IN = "SQL that is put together"
    """SQL with text put in at run time where the table or the target is."""
    NOT_SQL = "not SQL"
    """No grammar takes it."""
    NOT_IMPORTED = "a name without its import"
    NOT_PARSED = "source that does not parse"
    LETTERS = "a string for a list"
    """``index_elements="email"``, which SQLAlchemy takes letter by letter."""
    LANGUAGE = "a language that is not read"
    LIBRARY = "a library that is not read"
    """Its upserts are seen; table and target are in models of its own, or in the database."""
    BOUND = "a bound predicate"
    """The predicate compares with a value of run time."""

    # what the models leave open
    NO_MODEL = "no model"
    """A class or a table that the metadata does not have."""
    NO_COLUMN = "no such column"
    """An attribute that maps no column of the table."""
    NO_PRIMARY_KEY = "no primary key"
    SEVERAL_KEYS = "several keys"
    """``conflict_target(Model)`` of a model with several keys."""
    OTHER_SCHEMA = "another schema"
    """The models have such a table in another schema, or in another case."""
    SEVERAL_SCHEMAS = "several schemas"
    """The schema is a value of run time, and the models have such a table in several."""
    OTHER_CASE = "another case"
    """The model has the columns in another case."""
    UNNAMED = "a constraint without a name"
    """The table has unnamed constraints, and which of them is meant is not known."""
    UNSTATED = "a key without a name"
    """The key states no name, so a database may serve it by an arbiter of another name."""

    TWINS = "two constraints on the same columns"
    """CREATE TABLE makes one of them, and its name is the other's (parse_utilcmd.c: transformIndexConstraints)."""
    EXCLUSION = "an exclusion constraint"
    """DO NOTHING takes one, DO UPDATE refuses it (42809)."""

    # what only a database knows
    OTHER_SQL = "other SQL"
    """The models' SQL reads differently, and may mean the same."""
    SIMPLIFIED = "SQL that is simplified"
    """The SQL is the same, and the planner may see a column where an index has an expression."""


def way_out(cause: Cause, call: Call, line: str | None = None) -> str:
    """Return what to do, starting with a verb; of Python only where the call is Python's.

    :param line: what to write instead, where the models say it; None: they do not.
    """
    if line is not None and cause in _WITH_LINE:
        return _WITH_LINE[cause].format(line=line)
    return _BY_CALL[cause](call) if cause in _BY_CALL else _PLAIN[cause]


def _parameter(call: Call) -> str:
    if call.form.is_python:
        return (
            "call it with the model and the keys themselves, or with constants: the calls that were scanned are "
            "followed, and none states them"
        )
    if call.form is Form.DJANGO:
        return (
            "call it with the model and the names of the fields themselves: the calls that were scanned are "
            "followed, and none states them"
        )
    return (
        "call it with the names of the table and of the key's columns themselves: the calls that were scanned are "
        "followed, and none states them"
    )


def _constant(call: Call) -> str:
    return f"write {_CONSTANT.get(call.form, 'string literals, or names that are set once')}"


def _rebound(call: Call) -> str:
    by_model = ", or take the target from **conflict_target(Model)" if call.form.is_python else ""
    return f"give each statement names of its own, set once{by_model}"


def _bound(call: Call) -> str:
    if call.form.is_python:
        return 'write the value in the SQL, as the partial index has it: index_where=sa.text("...")'
    return "write the value in the WHERE of the conflict target, as the partial index has it"


_CONSTANT: dict[Form, str] = {
    Form.SQLALCHEMY: "literals, or names that are set once at the top of a module",
    Form.SQL: "the names themselves in the SQL",
    Form.DJANGO: "the model, and the names of its fields as literals or names that are set once",
    Form.DRIZZLE: "the table and the columns of a schema file, or one const each",
    Form.PRISMA: "where, create and update as objects, with the same values of the unique fields in where and create",
    **dict.fromkeys(
        (
            Form.KNEX,
            Form.KYSELY,
            Form.OBJECTION,
            Form.POSTGREST,
            Form.SUPABASE_JAVASCRIPT,
            Form.TYPEORM,
        ),
        "string literals, or one const each",
    ),
}

_BY_CALL = {
    Cause.PARAMETER: _parameter,
    Cause.COMPUTED: _constant,
    Cause.REBOUND: _rebound,
    Cause.BOUND: _bound,
}

_ASK = "ask a database, upsert-guard check --database URL --code PATH"

_WITH_LINE = {
    Cause.SEVERAL_KEYS: "name the key that is meant: {line}",
    Cause.OTHER_SCHEMA: "write the table as its model does: {line}",
    Cause.OTHER_CASE: "write the columns as the model does: {line}",
    Cause.UNNAMED: "write {line}, or name the constraint in the model",
    Cause.UNSTATED: "write {line}, or state the name in the key",
    Cause.TWINS: "write {line}, or declare one of the two constraints only",
    Cause.OTHER_SQL: f"write {{line}}, as the model does, or {_ASK}",
}

_PLAIN = {
    Cause.FILLED_IN: "write table and conflict target in the text of the SQL, and hand in values only",
    Cause.NOT_SQL: "correct the statement; where it is a template, keep the names of table and columns out of it",
    Cause.NOT_IMPORTED: "import the name in the file",
    Cause.NOT_PARSED: "correct the source where it does not parse; a merge may have left its marks",
    Cause.LETTERS: 'write a list of one: index_elements=["..."]',
    Cause.LANGUAGE: "call the function in a test on a migrated database: its body is not read",
    Cause.LIBRARY: "let a test run it on a migrated database: pytest --upsert-guard records what it sends",
    Cause.NO_MODEL: (
        "import the model's module where env.py takes its metadata from, or name the metadata that has it: "
        "--metadata module:attribute"
    ),
    Cause.NO_COLUMN: "name a column of the table, as the database does",
    Cause.NO_PRIMARY_KEY: "name the columns that rows are matched by, and declare them as an UpsertKey",
    Cause.SEVERAL_KEYS: "name the elements of the key that is meant",
    Cause.OTHER_SCHEMA: "write the table as its model does, schema and case included",
    Cause.SEVERAL_SCHEMAS: f"name the schema in the source, or, where a database has one of these tables only, {_ASK}",
    Cause.OTHER_CASE: "write the columns as the model does",
    Cause.UNNAMED: "name the constraint in the model, or name its columns in the upsert",
    Cause.UNSTATED: "state the name in the key, or name its columns in the upsert",
    Cause.TWINS: "name the columns in the upsert, or declare one of the two constraints only",
    Cause.EXCLUSION: "upsert with DO NOTHING only, or match rows by something unique",
    Cause.OTHER_SQL: f"write its SQL as the model does, or {_ASK}",
    Cause.SIMPLIFIED: _ASK,
}
