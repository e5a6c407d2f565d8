"""Statements read by PostgreSQL's own grammar."""

from __future__ import annotations

from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any, TypeVar

import postgast
from postgast import pg_query_pb2

from ...target import (
    AnyArbiter,
    Cause,
    Constraint,
    Elements,
    NamedTable,
    TextInPart,
    Unread,
)
from ..bounds import check_time
from .grammar import NestedTooDeeplyError, parse_statement
from .normal import element_of, sql_of
from .placeholders import with_names, with_parameters
from .tokens import HOLE, tokens_of
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...target import Target
    from .tokens import SqlToken

__all__ = [
    "NESTED",
    "PIECES",
    "PUT_IN",
    "is_put_in",
    "messages",
    "named_table",
    "parse",
    "schema_put_in",
    "upsert_of",
    "upserts_in",
]

_Message = TypeVar("_Message")

NESTED = Unread("it is too long, or nested too deeply, to be read")
"""What is said of a statement that the parser cannot take; this very object."""

PIECES = Unread(
    "the statement is put together from pieces, and its beginning is not among them",
    Cause.FILLED_IN,
)

PUT_IN = Unread("a part of the conflict target is put in at run time", Cause.FILLED_IN)

_FILLINGS = ("{0}", "{0} = {0}", "({0})", "VALUES ({0})", "NOTHING", "")
"""What text that is put in at run time may be: a name or value, an assignment, a row, rows, an action, nothing."""

_NAME = f"{ascii_letters}{digits}_"
"""What a filling is one token with, where it touches it: an error is at the beginning of both."""

_SIGNS = "{}%$"
"""What is in a template's name."""

_TRIES = 100
"""How many fillings are tried; most statements need one or two."""


def parse(sql: str, tokens: Sequence[SqlToken]) -> pg_query_pb2.ParseResult | Unread:
    """Return the tree of one statement, whatever placeholders and holes it has; :data:`NESTED` is one too deep."""
    tree = _filled(sql)
    if isinstance(tree, Unread) and tree is not NESTED:
        named = with_names(sql, tokens)
        with_dollars = with_parameters(named, tokens if named == sql else tokens_of(named), "$1")
        if with_dollars != sql:
            return _filled(with_dollars)
    return tree


def _filled(sql: str) -> pg_query_pb2.ParseResult | Unread:
    """The tree of `sql`, its holes filled with what the grammar takes in their place.

    The filling before an error is changed first. What a hole is filled with never says a table or a target:
    the caller refuses a target with a hole in it.
    """
    pieces = sql.split(HOLE)
    names = [HOLE + piece.partition("_")[0] + "_" for piece in pieces[1:]]
    tails = [piece.partition("_")[2] for piece in pieces[1:]]
    chosen = [0] * len(names)
    said = Unread("the statement does not read as SQL", Cause.NOT_SQL)
    for _ in range(_TRIES):
        text, starts = pieces[0], []
        for name, choice, tail in zip(names, chosen, tails, strict=True):
            starts.append(len(text.rstrip(_NAME)))
            text += _FILLINGS[choice].format(name) + tail
        check_time()
        try:
            return parse_statement(text)
        except NestedTooDeeplyError:
            return NESTED
        except postgast.PgQueryError as error:
            # counted from 1, in characters
            at = error.cursorpos - 1
            said = _refused(error.message)
        before = [n for n, start in enumerate(starts) if start <= at]
        while before and chosen[before[-1]] == len(_FILLINGS) - 1:
            chosen[before.pop()] = 0
        if not before:
            break
        chosen[before[-1]] += 1
    return said


def _refused(message: str) -> Unread:
    if HOLE in message:
        return Unread(
            "the statement does not read as SQL: text is put in at run time", Cause.FILLED_IN
        )
    return Unread(f"the statement does not read as SQL: {message}", Cause.NOT_SQL)


def upserts_in(tree: Any) -> list[SqlUpsert]:
    """Return the upserts of a parsed statement, in their order; those in strings are not."""
    inserts = [
        insert
        for insert in messages(tree, pg_query_pb2.InsertStmt)
        if insert.HasField("on_conflict_clause")
    ]
    inserts.sort(key=lambda insert: insert.on_conflict_clause.location)
    return [upsert_of(insert) for insert in inserts]


def messages(tree: Any, kind: type[_Message]) -> Iterator[_Message]:
    """Return the messages of one kind in a tree, a message before those inside it."""
    for _, node in postgast.walk(tree):
        if isinstance(node, kind):
            yield node


def upsert_of(insert: pg_query_pb2.InsertStmt, *, is_code: bool = True) -> SqlUpsert:
    """Return the upsert of an INSERT with a conflict clause.

    :param is_code: whether it is in a program's text, where a name may be put in at run time, and a parameter is a
     value; in a database names are as they are, and what a parameter means is left to the caller.
    """
    clause = insert.on_conflict_clause
    name, schema = insert.relation.relname, insert.relation.schemaname or None
    target = _target(clause)
    return SqlUpsert(
        clause.location,
        named_table(name, schema) if is_code else NamedTable(name, schema),
        _unless_filled_in(clause, target) if is_code else target,
        binds=_has_parameter(clause.infer),
    )


def named_table(name: str, schema: str | None) -> NamedTable | Unread:
    """Return the table of that name, unless the name is a template's; its schema may be one's."""
    if is_put_in(name):
        return Unread("the table's name is put in at run time", Cause.FILLED_IN)
    if schema is not None and is_put_in(schema):
        return NamedTable(name, schema_put_in(name, schema))
    return NamedTable(name, schema)


def schema_put_in(table: str, schema: str = HOLE) -> Unread:
    """Return that a schema is a template's; of a name that is one in part, what is written of it."""
    reason = f"the schema of {table} is put in at run time"
    begins, hole, behind = schema.partition(HOLE)
    if not hole:
        begins = min((schema.partition(sign)[0] for sign in _SIGNS), key=len)
        return (
            TextInPart(reason, Cause.FILLED_IN, begins)
            if begins
            else Unread(reason, Cause.FILLED_IN)
        )
    ends = behind.rpartition(HOLE)[2].partition("_")[2]
    if begins or ends:
        return TextInPart(reason, Cause.FILLED_IN, begins, ends)
    return Unread(reason, Cause.FILLED_IN)


def is_put_in(name: str) -> bool:
    """Return whether a name is a template's, wholly or in part."""
    return HOLE in name or any(sign in name for sign in _SIGNS)


def _target(clause: pg_query_pb2.OnConflictClause) -> Target:
    """The target as the tree has it."""
    infer = clause.infer
    if not clause.HasField("infer"):
        return AnyArbiter()
    if infer.conname:
        return Constraint(infer.conname)
    where = sql_of(infer.where_clause) if infer.HasField("where_clause") else None
    return Elements(tuple(element_of(e.index_elem) for e in infer.index_elems), where)


def _unless_filled_in(clause: pg_query_pb2.OnConflictClause, target: Target) -> Target | Unread:
    """`target`, unless text or a value that only a run knows is in it."""
    if isinstance(target, Constraint) and is_put_in(target.name):
        return Unread("the constraint's name is put in at run time", Cause.FILLED_IN)
    if not isinstance(target, Elements):
        return target
    if any(_has_parameter(element) for element in clause.infer.index_elems):
        return Unread("an element of the conflict target holds a bound value", Cause.BOUND)
    if any(is_put_in(e.label) for e in target.elements):
        return Unread("an element of the conflict target is put in at run time", Cause.FILLED_IN)
    if _has_parameter(clause.infer.where_clause):
        bound = Unread("the predicate compares with a bound value", Cause.BOUND)
        return Elements(target.elements, bound)
    if isinstance(target.predicate, str) and HOLE in target.predicate:
        put_in = Unread("the predicate is put in at run time", Cause.FILLED_IN)
        return Elements(target.elements, put_in)
    return target


def _has_parameter(node: Any) -> bool:
    return any(True for _ in messages(node, pg_query_pb2.ParamRef))
