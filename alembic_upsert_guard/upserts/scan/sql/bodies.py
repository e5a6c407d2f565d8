"""Upserts in the bodies of functions and DO blocks, which are strings to the statement around them."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import postgast
from postgast import pg_query_pb2

from ...target import Cause, Unread
from .grammar import parse_statement
from .postgresql import messages
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["read_bodies"]

_DYNAMIC = Unread("the statement is put together at run time", Cause.FILLED_IN)


def read_bodies(sql: str, read_sql: Callable[[str], list[SqlUpsert]]) -> list[SqlUpsert]:
    """Return the upserts inside the bodies that `sql`, one statement, creates or runs.

    :param read_sql: reads the SQL inside.
    """
    try:
        tree = parse_statement(sql)
    except postgast.PgQueryError as error:
        return _unread_definition(sql, error.message)
    found: list[SqlUpsert] = []
    for definition in _definitions(tree):
        language, body = _language_and_body(definition)
        if "conflict" not in body.lower():
            continue
        start = max(sql.find(body), 0)
        if language == "sql":
            inside = read_sql(body)
        elif language == "plpgsql":
            inside = list(_read_plpgsql(sql, body, read_sql))
        else:
            unread = Unread(f"the body is written in {language}, which is not read", Cause.LANGUAGE)
            inside = [SqlUpsert(_conflict(body.lower(), 0), unread, unread)]
        found += [upsert.moved(start) for upsert in inside]
    return found


def _unread_definition(sql: str, said: str) -> list[SqlUpsert]:
    """What can be said of a function that does not parse: that it upserts, as far as words tell."""
    start = sql.lower().find("on conflict")
    words = sql.lower().split()[:4]
    if start < 0 or not (words[0] == "do" or {"function", "procedure"} & set(words)):
        return []
    unread = Unread(f"it does not read as SQL: {said}", Cause.NOT_SQL)
    return [SqlUpsert(start, unread, unread)]


def _definitions(tree: pg_query_pb2.ParseResult) -> Iterator[Sequence[pg_query_pb2.Node]]:
    for function in messages(tree, pg_query_pb2.CreateFunctionStmt):
        yield function.options
    for block in messages(tree, pg_query_pb2.DoStmt):
        yield block.args


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


def _read_plpgsql(
    sql: str, body: str, read_sql: Callable[[str], list[SqlUpsert]]
) -> Iterator[SqlUpsert]:
    lower = body.lower()
    queries = _queries_of(sql)
    if isinstance(queries, Unread):
        yield SqlUpsert(_conflict(lower, 0), queries, queries)
        return
    starts = list(accumulate(map(len, body.splitlines(keepends=True)), initial=0))
    for line, query in queries:
        if "conflict" in query.lower():
            first = starts[min(line, len(starts)) - 1]
            start = _conflict(lower, first)
            last = max(start, first + len(query))
            for upsert in _read_query(query, read_sql):
                yield replace(upsert, start=start, first=first, last=last)


def _queries_of(sql: str) -> list[tuple[int, str]] | Unread:
    """What the function that a statement creates runs: line in its body, counted from 1, and text."""
    try:
        return list(_queries(postgast.parse_plpgsql(sql), 1))
    except postgast.PgQueryError as error:
        return Unread(f"the body does not read as PL/pgSQL: {error.message}", Cause.NOT_SQL)
    except ValueError:  # the parser writes no valid JSON for the function of a trigger
        return Unread("the body of a trigger's function is not read", Cause.LANGUAGE)
    except RecursionError:  # which is how its JSON is read
        return Unread("the body is nested too deeply to be read")


def _queries(node: Any, line: int) -> Iterator[tuple[int, str]]:
    """Line in the body, counted from 1, and text of every query and expression."""
    if isinstance(node, list):
        for each in node:
            yield from _queries(each, line)
    elif isinstance(node, dict):
        line = node.get("lineno", line)
        if "query" in node and isinstance(node["query"], str):
            yield line, node["query"]
        for value in node.values():
            yield from _queries(value, line)


def _read_query(query: str, read_sql: Callable[[str], list[SqlUpsert]]) -> list[SqlUpsert]:
    """A statement; or the expression behind EXECUTE, which is read where it is one string."""
    try:
        expression = parse_statement(f"SELECT {query}")
    except postgast.PgQueryError:
        return read_sql(query)
    targets = expression.stmts[0].stmt.select_stmt.target_list
    if len(targets) == 1 and targets[0].res_target.val.a_const.HasField("sval"):
        return read_sql(targets[0].res_target.val.a_const.sval.sval)
    return [SqlUpsert(0, _DYNAMIC, _DYNAMIC)]


def _conflict(lower: str, at: int) -> int:
    """Where the next conflict clause is in the body, given in lower case, as far as the word tells."""
    return max(lower.find("on conflict", at), at)
