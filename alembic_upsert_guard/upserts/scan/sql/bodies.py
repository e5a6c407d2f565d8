"""Upserts in the bodies of functions and DO blocks, which are strings to the statement around them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import postgast
from postgast import pg_query_pb2

from ...target import Cause, Unread
from ...upsert import NameClash
from .arguments import read_arguments
from .grammar import parse_statement
from .lookups import may_look_up
from .postgresql import messages, parse
from .routines import Routine, read_routine
from .tokens import on_conflict_in, tokens_of
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...target import Target

__all__ = ["read_bodies"]


def read_bodies(sql: str, read_sql: Callable[[str], list[SqlUpsert]]) -> list[SqlUpsert]:
    """Return the upserts inside the bodies that `sql`, one statement, creates or runs.

    :param read_sql: reads the SQL inside.
    """
    tree = _parsed(sql)
    if isinstance(tree, str):
        return _unread_definition(sql, tree)
    found: list[SqlUpsert] = []
    for parameters, options in _definitions(tree):
        language, body = _language_and_body(options)
        lower = body.lower()
        if "conflict" in lower or may_look_up(lower):
            start = max(sql.find(body), 0)
            inside = (
                read_sql(body)
                if language == "sql"
                else [*_read(language, body, parameters), *_in_calls(language, body, read_sql)]
            )
            found += [upsert.moved(start) for upsert in inside]
    return found


def _parsed(sql: str) -> pg_query_pb2.ParseResult | str:
    """The tree of a statement, whatever psql's variables are around the body; a `str` is what the parser says."""
    try:
        return parse_statement(sql)
    except postgast.PgQueryError as error:
        tree = parse(sql, tokens_of(sql))
        return error.message if isinstance(tree, Unread) else tree


def _unread_definition(sql: str, said: str) -> list[SqlUpsert]:
    """What can be said of a function that does not parse: that it upserts, as far as its words say."""
    start = sql.lower().find("on conflict")
    words = sql.lower().split()[:4]
    creates = words[0] in ("alter", "create") and {"function", "procedure"} & set(words)
    if start < 0 or not (words[0] == "do" or creates):
        return []
    unread = Unread(f"it does not read as SQL: {said}", Cause.NOT_SQL)
    return [SqlUpsert(start, unread, unread)]


def _definitions(
    tree: pg_query_pb2.ParseResult,
) -> Iterator[tuple[tuple[str, ...], Sequence[pg_query_pb2.Node]]]:
    """The names of the parameters, and the options, of each function and block."""
    for function in messages(tree, pg_query_pb2.CreateFunctionStmt):
        yield tuple(p.function_parameter.name for p in function.parameters), function.options
    for block in messages(tree, pg_query_pb2.DoStmt):
        yield (), block.args


def _language_and_body(options: Sequence[pg_query_pb2.Node]) -> tuple[str, str]:
    language, body = "plpgsql", ""  # what DO takes unsaid
    for option in options:
        element = option.def_elem
        if element.defname == "language":
            language = element.arg.string.sval.lower()
        elif element.defname == "as":
            # a function's body is a list of one string, a block's is a string
            strings = [s.sval for s in messages(element.arg, pg_query_pb2.String)]
            body = strings[0] if strings else ""
    return language, body


def _read(language: str, body: str, parameters: tuple[str, ...]) -> Iterator[SqlUpsert]:
    """The upserts of a body, but for statements of which no word says that they are some."""
    routine = Routine(language=language, source=body, parameters=parameters, is_code=True)
    for upsert in read_routine(routine):
        if upsert.is_certain:
            # one in a string begins with EXECUTE
            conflict = on_conflict_in(body, upsert.start)
            is_inside = upsert.start <= conflict <= upsert.last
            start = conflict if is_inside else upsert.start
            yield replace(upsert, start=start, target=_unless_variable(upsert))


def _in_calls(
    language: str, body: str, read_sql: Callable[[str], list[SqlUpsert]]
) -> Iterator[SqlUpsert]:
    """The upserts in strings that PL/pgSQL hands to functions."""
    if language == "plpgsql":
        try:
            yield from read_arguments(tokens_of(body), read_sql)
        except postgast.PgQueryError:
            return


def _unless_variable(upsert: SqlUpsert) -> Target | Unread:
    """The target, unless a call decides what a name in it is."""
    for name, clash in upsert.clashes:
        if clash is NameClash.VALUE:
            return Unread(f"{name} in the conflict target is a value of the call", Cause.BOUND)
        if clash is not NameClash.COLUMN:
            reason = f"{name} in the conflict target is the name of a variable, and may be one of a column"
            return Unread(reason)
    return upsert.target
