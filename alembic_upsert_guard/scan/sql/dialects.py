"""What PostgreSQL's grammar refuses: MySQL's ``ON DUPLICATE KEY UPDATE``, and SQLite's own forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ..sighting import AnyArbiter, Constraint, Elements, Unread
from .normal import normal_element, normal_predicate
from .placeholders import with_parameters
from .postgresql import named_table
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...inference import Element
    from ..sighting import NamedTable, Target
    from .tokens import ConflictClause, SqlToken

__all__ = ["read_mysql", "read_sqlite"]

_STATEMENTS = frozenset({"INSERT", "REPLACE", "WITH"})
"""sqlglot takes anything else that it does not know for a command, and logs so."""


def read_mysql(sql: str, tokens: Sequence[SqlToken], clause: ConflictClause) -> SqlUpsert | None:
    """Return the upsert of ``INSERT ... ON DUPLICATE KEY UPDATE``; None: it is no INSERT.

    It names no target: any unique key can take it. What is assigned is left out.
    """
    statement = f"{sql[: clause.end]} KEY UPDATE a = a"
    if tokens[0].text.upper() not in _STATEMENTS:
        return None
    found = _insert(
        with_parameters(statement, [t for t in tokens if t.end <= clause.end], "?"), "mysql"
    )
    if isinstance(found, Unread):
        return SqlUpsert(clause.start, found, AnyArbiter())
    return SqlUpsert(clause.start, _table(found), AnyArbiter())


def read_sqlite(sql: str, tokens: Sequence[SqlToken], clause: ConflictClause) -> SqlUpsert | None:
    """Return the upsert as SQLite takes it; None: it is no INSERT, or none of SQLite's either."""
    if tokens[0].text.upper() not in _STATEMENTS:
        return None
    found = _insert(with_parameters(sql, tokens, "?"), "sqlite")
    if isinstance(found, Unread):
        return None
    conflict = found.args["conflict"]
    predicate = conflict.args.get("index_predicate")
    binds = predicate is not None and predicate.find(exp.Placeholder, exp.Parameter) is not None
    return SqlUpsert(clause.start, _table(found), _target(conflict, binds=binds), binds)


def _insert(sql: str, dialect: str) -> exp.Insert | Unread:
    """The one upsert in the statement."""
    try:
        tree = sqlglot.parse_one(sql, read=dialect)
    except SqlglotError:
        return Unread("it does not read as SQL, neither PostgreSQL's nor MySQL's")
    found = [insert for insert in tree.find_all(exp.Insert) if insert.args.get("conflict")]
    return found[0] if len(found) == 1 else Unread("it is not one INSERT")


def _table(insert: exp.Insert) -> NamedTable | Unread:
    table = insert.find(exp.Table)
    if table is None:
        return Unread("the table's name is put in at run time")
    return named_table(table.name, table.db or None)


def _target(conflict: exp.Expression, *, binds: bool) -> Target | Unread:
    constraint = conflict.args.get("constraint")
    if constraint is not None:
        return Constraint(constraint.name)
    keys = conflict.args.get("conflict_keys")
    if not keys:
        return AnyArbiter()
    elements: list[Element] = []
    for key in keys:
        element = normal_element(key.this.sql(dialect="postgres"))
        if element is None:
            return Unread("an element of the conflict target does not read as SQL")
        elements.append(element)
    predicate = conflict.args.get("index_predicate")
    if predicate is None:
        return Elements(tuple(elements))
    if binds:
        return Elements(tuple(elements), Unread("the predicate compares with a bound value"))
    return Elements(tuple(elements), normal_predicate(predicate.this.sql(dialect="postgres")))
