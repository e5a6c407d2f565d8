"""Upserts in the bodies of functions, a database's or a file's, by their tokens.

libpg_query's own reader of PL/pgSQL refuses types outside of ``public`` and writes no valid JSON for triggers. PL/pgSQL
is cut into tokens as SQL is, so its statements are found there and each is parsed by itself, whatever is around it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import postgast
from postgast import pg_query_pb2

from ...target import Cause, Unread
from .dynamic import Assignments, may_upsert, text_in
from .postgresql import NESTED, PUT_IN, parse, upsert_of
from .probe import probe_of
from .shortened import shortened
from .tokens import HOLE, conflict_clauses, on_conflict_in, tokens_of
from .upsert import SqlUpsert
from .variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .tokens import ConflictClause, SqlToken

__all__ = ["Routine", "read_routine"]

_ENDS = frozenset({";", "begin", "then", "else", "loop", ">>"})
"""The tokens that end what is in front of a PL/pgSQL statement; in lower case."""

_BEGINS = _ENDS | {"query", "in", "for", "declare"}
"""The tokens that a PL/pgSQL statement, or the EXECUTE of one, is behind; in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine:
    """One function, as far as its upserts need it."""

    language: str
    source: str
    parameters: tuple[str, ...] = ()
    variable_conflict: str = "error"
    """PL/pgSQL's setting of that name, unless the body has a word of its own."""
    is_code: bool = False
    """Whether it is in a program's text: names may be put in at run time there, and no server has parsed it."""


def read_routine(routine: Routine) -> list[SqlUpsert]:
    """Return the upserts of a function, and the statements that may be some, in their order."""
    if routine.language not in ("sql", "plpgsql"):
        return _unread(
            routine,
            f"the function is written in {routine.language}, which is not read",
            Cause.LANGUAGE,
        )
    try:
        tokens = tokens_of(routine.source)
    except postgast.PgQueryError as error:
        return _unread(routine, f"the body does not read as SQL: {error.message}", Cause.NOT_SQL)
    body = _Body(routine, tokens)
    found = [*body.static(), *body.blocks()]
    if routine.language == "plpgsql":
        found += body.dynamic()
    return sorted(found, key=lambda upsert: upsert.start)


def _unread(routine: Routine, reason: str, cause: Cause) -> list[SqlUpsert]:
    """What can be said of a body that is not cut into tokens: that it upserts, as far as its words say."""
    at = on_conflict_in(routine.source)
    unread = Unread(reason, cause)
    return [SqlUpsert(at, unread, unread, first=at, last=at)] if at >= 0 else []


class _Body:
    """The body of a function, cut into tokens."""

    def __init__(self, routine: Routine, tokens: Sequence[SqlToken]) -> None:
        self._routine = routine
        self._source = routine.source
        self._tokens = tokens
        self._ends = [token.start for token in tokens if token.kind == "ASCII_59"]
        is_plpgsql = routine.language == "plpgsql"
        self._variables = Variables(
            tokens,
            routine.parameters,
            preference=_variable_conflict(routine) if is_plpgsql else None,
        )

    def _before(self, position: int) -> str:
        """The token in front of another, in lower case."""
        return self._tokens[position - 1].text.lower() if position else ";"

    def _extent(self, position: int) -> tuple[int, int]:
        """Where the statement around a token begins and ends, in characters."""
        depth, first = 0, position
        while first and not (depth == 0 and self._before(first) in _ENDS):
            first -= 1
            depth += {"ASCII_41": 1, "ASCII_40": -1 if depth else 0}.get(
                self._tokens[first].kind, 0
            )
        end = bisect_left(self._ends, self._tokens[position].start)
        last = self._ends[end] if end < len(self._ends) else len(self._source)
        return self._tokens[first].start, last

    # -- statements of the body's own

    def static(self) -> Iterator[SqlUpsert]:
        """The upserts outside of strings."""
        for clause in conflict_clauses(self._tokens, len(self._source)):
            if not clause.is_duplicate_key:
                yield self._upsert(clause)

    def _upsert(self, clause: ConflictClause) -> SqlUpsert:
        if clause.insert is None or not self._is_statement(clause.insert):
            unread = Unread("the INSERT of this ON CONFLICT is not found", Cause.NOT_SQL)
            first = last = clause.start
            return SqlUpsert(clause.start, unread, unread, first=first, last=last)
        first, last = self._extent(clause.insert)
        target = self._source[clause.start : clause.end]
        insert = self._source[self._tokens[clause.insert].start : clause.start]
        is_put_in = HOLE in target
        tail = f"{'ON CONFLICT' if is_put_in else target}\n{self._action(clause)}"
        tree = _parsed(f"{insert} {tail}")
        if tree is NESTED:
            short = shortened(self._source, self._tokens, clause, tail)
            tree = NESTED if short is None else _parsed(short)
        if isinstance(tree, Unread):
            return SqlUpsert(clause.start, tree, tree, first=first, last=last)
        parsed = tree.stmts[0].stmt.insert_stmt
        upsert = upsert_of(parsed, is_code=self._routine.is_code)
        return replace(
            upsert,
            target=PUT_IN if is_put_in else upsert.target,
            start=clause.start,
            first=first,
            last=last,
            statement=f"{probe_of(parsed)} {tail}",
            clashes=tuple(self._variables.clashes(parsed)),
        )

    def _is_statement(self, insert: int) -> bool:
        """Whether an INSERT is where one can be: a server has seen to that, but not of code."""
        before = self._before(insert)
        is_in_query = before in ("(", ")")
        return not self._routine.is_code or is_in_query or before in _BEGINS

    def _action(self, clause: ConflictClause) -> str:
        """The same action, on one column: exclusion constraints take only DO NOTHING."""
        end = bisect_left(self._tokens, clause.end, key=lambda token: token.start)
        after = self._tokens[end : end + 6]
        words = [t.text.lower() for t in after]
        if words[:3] == ["do", "update", "set"] and len(after) > 3:  # noqa: PLR2004 - and something to set
            column = after[4].text if words[3] == "(" and len(after) > 4 else after[3].text  # noqa: PLR2004
            # a generated column takes only DEFAULT
            value = "DEFAULT" if words[4:] == ["=", "default"] else f"EXCLUDED.{column}"
            return f"DO UPDATE SET {column} = {value}"
        return "DO NOTHING"

    # -- statements in strings

    def blocks(self) -> Iterator[SqlUpsert]:
        """DO, whose body is a string."""
        unread = Unread("the statement is in a DO block inside the function, which is not read")
        for position, token in enumerate(self._tokens):
            if token.kind == "DO" and self._before(position) in _BEGINS:
                body = [t for t in self._tokens[position + 1 : position + 4] if t.kind == "SCONST"]
                if body and on_conflict_in(body[0].text) >= 0:
                    yield self._in_string(position, unread)

    def dynamic(self) -> Iterator[SqlUpsert]:
        """EXECUTE: a constant string is read, anything else that may upsert is named as unseen."""
        assigned = Assignments(self._tokens, self._routine.parameters)
        unseen = Unread(
            "the statement is put together at run time (EXECUTE), and may be an upsert",
            Cause.FILLED_IN,
        )
        certain = Unread("the upsert is put together at run time (EXECUTE)", Cause.FILLED_IN)
        for position, token in enumerate(self._tokens):
            if token.kind != "EXECUTE" or self._before(position) not in _BEGINS:
                continue
            texts = assigned.texts(_expression(self._tokens, position + 1))
            constant = text_in(texts)
            if constant is not None:
                # no variable is known in there
                inside = Routine(language="sql", source=constant, is_code=self._routine.is_code)
                first, last = self._extent(position)
                for upsert in read_routine(inside):
                    yield replace(upsert, start=token.start, first=first, last=last)
            elif any(on_conflict_in(text) >= 0 for text in texts):
                yield self._in_string(position, certain)
            elif any(map(may_upsert, texts)):
                yield replace(self._in_string(position, unseen), is_certain=False)

    def _in_string(self, position: int, unread: Unread) -> SqlUpsert:
        first, last = self._extent(position)
        start = self._tokens[position].start
        return SqlUpsert(start, unread, unread, first=first, last=last)


def _parsed(statement: str) -> pg_query_pb2.ParseResult | Unread:
    """The tree of one INSERT; :data:`NESTED` is one too deep."""
    return parse(statement, tokens_of(statement))


def _variable_conflict(routine: Routine) -> str:
    """What PL/pgSQL prefers of column and variable: the body's word, else what is set for it."""
    for line in routine.source.lstrip().split("\n"):
        words = line.split()
        if words[:1] == ["#variable_conflict"] and len(words) > 1:
            return words[1].lower()
    return routine.variable_conflict


def _expression(tokens: Sequence[SqlToken], first: int) -> Sequence[SqlToken]:
    """The expression behind EXECUTE, which begins with the token of that number."""
    depth = 0
    for position in range(first, len(tokens)):
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(tokens[position].kind, 0)
        if depth == 0 and tokens[position].text.lower() in (";", "into", "using", "loop"):
            return tokens[first:position]
    return tokens[first:]
