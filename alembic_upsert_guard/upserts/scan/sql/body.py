"""The body of a routine, cut into tokens: the upserts outside of strings."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .lookups import lookups_in, may_look_up
from .postgresql import NESTED, PUT_IN, parse, upsert_of
from .probe import probe_of
from .shortened import shortened
from .tokens import HOLE, conflict_clauses, tokens_of
from .upsert import SqlUpsert
from .variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postgast import pg_query_pb2

    from .tokens import ConflictClause, SqlToken

__all__ = ["BEGINS", "Body", "Routine"]

_ENDS = frozenset({";", "begin", "atomic", "then", "else", "loop", ">>"})
"""The tokens that end what is in front of a PL/pgSQL statement; in lower case."""

_LOOK_UP = frozenset({"INSERT", "MERGE", "WITH"})
"""The first tokens of statements that look rows up by themselves."""

BEGINS = _ENDS | {"query", "in", "for", "declare"}
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


class Body:
    """The body of a function, cut into tokens."""

    def __init__(self, routine: Routine, tokens: Sequence[SqlToken]) -> None:
        """The declarations of its variables are read.

        :param tokens: of the routine's source.
        """
        self.routine = routine
        self._source = routine.source
        self.tokens = tokens
        self._ends = [token.start for token in tokens if token.kind == "ASCII_59"]
        is_plpgsql = routine.language == "plpgsql"
        self._variables = Variables(
            tokens,
            routine.parameters,
            preference=_variable_conflict(routine) if is_plpgsql else None,
        )

    def before(self, position: int) -> str:
        """Return the token in front of another, in lower case."""
        return self.tokens[position - 1].text.lower() if position else ";"

    def extent(self, position: int) -> tuple[int, int]:
        """Return where the statement around a token begins and ends, in characters."""
        depth, first = 0, position
        while first and not (depth == 0 and self.before(first) in _ENDS):
            first -= 1
            depth += {"ASCII_41": 1, "ASCII_40": -1 if depth else 0}.get(self.tokens[first].kind, 0)
        return self.tokens[first].start, self.end(position)

    def end(self, position: int) -> int:
        """Return where the statement around a token ends, in characters."""
        end = bisect_left(self._ends, self.tokens[position].start)
        return self._ends[end] if end < len(self._ends) else len(self._source)

    # -- statements of the body's own

    def static(self) -> Iterator[SqlUpsert]:
        """Return the upserts outside of strings."""
        for clause in conflict_clauses(self.tokens, len(self._source)):
            if not clause.is_duplicate_key:
                yield self._upsert(clause)

    def _upsert(self, clause: ConflictClause) -> SqlUpsert:
        if clause.insert is None or not self._is_statement(clause.insert):
            unread = Unread("the INSERT of this ON CONFLICT is not found", Cause.NOT_SQL)
            first = last = clause.start
            return SqlUpsert(clause.start, unread, unread, first=first, last=last)
        first, last = self.extent(clause.insert)
        target = self._source[clause.start : clause.end]
        insert = self._source[self.tokens[clause.insert].start : clause.start]
        is_put_in = HOLE in target
        tail = f"{'ON CONFLICT' if is_put_in else target}\n{self._action(clause)}"
        tree = _parsed(f"{insert} {tail}")
        if tree is NESTED:
            short = shortened(self._source, self.tokens, clause, tail)
            tree = NESTED if short is None else _parsed(short)
        if isinstance(tree, Unread):
            return SqlUpsert(clause.start, tree, tree, first=first, last=last)
        parsed = tree.stmts[0].stmt.insert_stmt
        upsert = upsert_of(parsed, is_code=self.routine.is_code)
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
        before = self.before(insert)
        is_in_query = before in ("(", ")")
        return not self.routine.is_code or is_in_query or before in BEGINS

    def _action(self, clause: ConflictClause) -> str:
        """The same action, on one column: exclusion constraints take only DO NOTHING."""
        end = bisect_left(self.tokens, clause.end, key=lambda token: token.start)
        after = self.tokens[end : end + 6]
        words = [t.text.lower() for t in after]
        if words[:3] == ["do", "update", "set"] and len(after) > 3:  # noqa: PLR2004 - and something to set
            column = after[4].text if words[3] == "(" and len(after) > 4 else after[3].text  # noqa: PLR2004
            # a generated column takes only DEFAULT
            value = "DEFAULT" if words[4:] == ["=", "default"] else f"EXCLUDED.{column}"
            return f"DO UPDATE SET {column} = {value}"
        return "DO NOTHING"

    def lookups(self) -> Iterator[SqlUpsert]:
        """Return the statements that look rows up by themselves."""
        for position, token in enumerate(self.tokens):
            if token.kind in _LOOK_UP and self.before(position) in BEGINS:
                last = self.end(position)
                text = self._source[token.start : last]
                tokens = tokens_of(text)
                if may_look_up(text.lower()) and not conflict_clauses(tokens, len(text)):
                    for upsert in lookups_in(text, tokens, self._variables.names):
                        yield replace(upsert.moved(token.start), first=token.start, last=last)


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
