"""What PostgreSQL's grammar refuses: MySQL's ``ON DUPLICATE KEY UPDATE``, and SQLite's own forms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ....databases import MYSQL, SQLITE
from ...target import AnyArbiter, Cause, Constraint, Elements, Unread
from .normal import normal_element, normal_predicate
from .placeholders import with_names, with_parameters
from .postgresql import NESTED, PIECES, is_put_in, named_table, schema_put_in
from .shortened import shortened
from .tokens import HOLE, conflict_clauses, inserts, tokens_of
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....inference import Element
    from ...target import NamedTable, Target
    from .tokens import ConflictClause, SqlToken

__all__ = ["read_mysql", "read_sqlite"]

_STATEMENTS = frozenset({"INSERT", "REPLACE", "WITH"})
"""sqlglot takes anything else that it does not know for a command, and logs so."""

_CLAUSE = ["on", "duplicate", "key", "update"]

_LONGEST, _DEEPEST = 2_000, 40
"""Tokens, and levels of parentheses and CASE, that sqlglot is given; it takes some twenty calls a level."""


def read_mysql(sql: str, tokens: Sequence[SqlToken], clause: ConflictClause) -> SqlUpsert | None:
    """Return the upsert of ``INSERT ... ON DUPLICATE KEY UPDATE``, or of a piece that begins with it; None: prose.

    It names no target: any unique key can take it. What is assigned is left out.
    """
    start = clause.start
    if _is_template(tokens):
        sql = with_names(sql, tokens)
        tokens = tokens_of(sql)
        clause = conflict_clauses(tokens, len(sql))[0]
    found = [
        token
        for position, token in enumerate(tokens)
        if token.kind == "INSERT" and token.start < clause.start and inserts(tokens, position)
    ]
    if not found:
        return SqlUpsert(start, PIECES, AnyArbiter()) if _is_piece(tokens, clause) else None
    if _is_template(tokens):
        unread = Unread("the statement is filled in at run time", Cause.FILLED_IN)
        return SqlUpsert(start, unread, AnyArbiter())
    if not _is_small(tokens):
        short = shortened(sql, tokens, clause, sql[clause.start : clause.end])
        table = NESTED if short is None else _inserted_into(short)
    else:
        # the last one: a procedure's body is cut into statements as if it were a script
        inside = [t for t in tokens if found[-1].start <= t.start and t.end <= clause.end]
        table = _inserted_into(with_parameters(sql[: clause.end], inside, "?")[found[-1].start :])
    return SqlUpsert(start, table, AnyArbiter())


def _is_piece(tokens: Sequence[SqlToken], clause: ConflictClause) -> bool:
    """Whether a text is the end of a statement: nothing is before its clause, or what is put in there."""
    before = [token for token in tokens if token.start < clause.start]
    words = [token.text.lower() for token in tokens[len(before) :][: len(_CLAUSE)]]
    return words == _CLAUSE and all(token.text.startswith(HOLE) for token in before)


def _inserted_into(statement: str) -> NamedTable | Unread:
    """The table of a statement that ends with ``ON DUPLICATE``."""
    found = _insert(f"{statement} KEY UPDATE a = a", MYSQL.name)
    return found if isinstance(found, Unread) else _table(found)


def read_sqlite(sql: str, tokens: Sequence[SqlToken], clause: ConflictClause) -> SqlUpsert | None:
    """Return the upsert as SQLite takes it; None: it is no INSERT, or none of SQLite's either."""
    if clause.end == len(sql):
        return None  # it has no DO, which sqlglot does not ask for
    if tokens[0].text.upper() not in _STATEMENTS or _is_template(tokens):
        return None
    if tokens[0].text.upper() != "WITH" and not inserts(tokens, 0):
        return None
    if not _is_small(tokens):
        short = shortened(sql, tokens, clause, f"{sql[clause.start : clause.end]} DO NOTHING")
        if short is None:
            return None
        sql, tokens = short, tokens_of(short)
        if not _is_small(tokens):
            return None
    found = _insert(with_parameters(sql, tokens, "?"), SQLITE.name)
    if isinstance(found, Unread):
        return None
    conflict = found.args["conflict"]
    return SqlUpsert(
        clause.start,
        _table(found),
        _target(conflict),
        binds=any(_has_parameter(part) for part in _parts_of_target(conflict)),
    )


def _parts_of_target(conflict: exp.Expression) -> list[exp.Expression]:
    predicate = conflict.args.get("index_predicate")
    return [*(conflict.args.get("conflict_keys") or ()), *([predicate] if predicate else ())]


def _has_parameter(part: exp.Expression) -> bool:
    return part.find(exp.Placeholder, exp.Parameter) is not None


def _is_template(tokens: Sequence[SqlToken]) -> bool:
    """Whether braces are outside of strings, which sqlglot takes for DuckDB's structures."""
    return any(token.text in ("{", "}", "$") for token in tokens)


def _is_small(tokens: Sequence[SqlToken]) -> bool:
    """Whether sqlglot is given it: a parser by recursion, and in its compiled form without Python's limit of it."""
    depth = deepest = 0
    for token in tokens:
        if token.kind in ("ASCII_40", "CASE"):
            depth += 1
            deepest = max(deepest, depth)
        elif token.kind in ("ASCII_41", "END_P"):
            depth -= 1
    return len(tokens) <= _LONGEST and deepest <= _DEEPEST


def _insert(sql: str, dialect: str) -> exp.Insert | Unread:
    """The one upsert in the statement."""
    try:
        tree = sqlglot.parse_one(sql, read=dialect)
    except RecursionError:
        return NESTED
    except SqlglotError:
        return Unread("it does not read as SQL, neither PostgreSQL's nor MySQL's", Cause.NOT_SQL)
    found = [insert for insert in tree.find_all(exp.Insert) if insert.args.get("conflict")]
    return found[0] if len(found) == 1 else Unread("it is not one INSERT", Cause.NOT_SQL)


def _table(insert: exp.Insert) -> NamedTable | Unread:
    table = insert.find(exp.Table)
    if table is None or not isinstance(table.this, exp.Identifier):
        return Unread("the table's name is put in at run time", Cause.FILLED_IN)
    if not isinstance(table.args.get("db") or table.this, exp.Identifier):
        named = named_table(table.name, None)
        return (
            named if isinstance(named, Unread) else replace(named, schema=schema_put_in(table.name))
        )
    return named_table(table.name, table.db or None)


def _target(conflict: exp.Expression) -> Target | Unread:
    constraint = conflict.args.get("constraint")
    if constraint is not None:
        return Constraint(constraint.name)
    keys = conflict.args.get("conflict_keys")
    if not keys:
        return AnyArbiter()
    elements: list[Element] = []
    for key in keys:
        if _has_parameter(key):
            return Unread("an element of the conflict target holds a bound value", Cause.BOUND)
        # sqlglot wraps them as if they were sorted, in its newer versions
        bare = key.this if isinstance(key, exp.Ordered) else key
        element = normal_element(bare.sql(dialect="postgres"))
        if element is None:
            return Unread("an element of the conflict target does not read as SQL", Cause.NOT_SQL)
        if is_put_in(element.label):
            return Unread(
                "an element of the conflict target is put in at run time", Cause.FILLED_IN
            )
        elements.append(element)
    predicate = conflict.args.get("index_predicate")
    if predicate is None:
        return Elements(tuple(elements))
    if _has_parameter(predicate):
        return Elements(
            tuple(elements), Unread("the predicate compares with a bound value", Cause.BOUND)
        )
    return Elements(tuple(elements), normal_predicate(predicate.this.sql(dialect="postgres")))
