"""Upserts in the bodies of functions, a database's or a file's, by their tokens.

libpg_query's own reader of PL/pgSQL refuses types outside of ``public`` and writes no valid JSON for triggers. PL/pgSQL
is cut into tokens as SQL is, so its statements are found there and each is parsed by itself, whatever is around it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import postgast

from ...target import Cause, Unread
from .body import BEGINS, Body, Routine
from .dynamic import Assignments, may_upsert, string_of, text_in, text_with_holes
from .tokens import HOLE, on_conflict_in, tokens_of
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .tokens import SqlToken

__all__ = ["Routine", "read_routine"]


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
    body = Body(routine, tokens)
    strings = _Strings(body)
    found = [*body.static(), *body.lookups(), *strings.blocks()]
    if routine.language == "plpgsql":
        found += strings.dynamic()
    return sorted(found, key=lambda upsert: upsert.start)


def _unread(routine: Routine, reason: str, cause: Cause) -> list[SqlUpsert]:
    """What can be said of a body that is not cut into tokens: that it upserts, as far as its words say."""
    at = on_conflict_in(routine.source)
    unread = Unread(reason, cause)
    return [SqlUpsert(at, unread, unread, first=at, last=at)] if at >= 0 else []


class _Strings:
    """The strings of a body that its statements run."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._routine = body.routine
        self._tokens = body.tokens

    def blocks(self) -> Iterator[SqlUpsert]:
        """DO, whose body is a string, and knows no variable of the function around it."""
        for position, token in enumerate(self._tokens):
            if token.kind == "DO" and self._body.before(position) in BEGINS:
                end = self._body.end(position)
                behind = [t for t in self._tokens[position + 1 : position + 4] if t.start < end]
                names = [t.text.lower() for t in behind if t.kind not in ("SCONST", "LANGUAGE")]
                bodies = [string_of(t) for t in behind if t.kind == "SCONST"]
                if bodies and on_conflict_in(bodies[0]) >= 0:
                    block = replace(
                        self._routine,
                        language=names[0] if names else "plpgsql",
                        source=bodies[0],
                        parameters=(),
                    )
                    yield from self._inside(position, read_routine(block))

    def dynamic(self) -> Iterator[SqlUpsert]:
        """EXECUTE: a constant string is read, anything else that may upsert is named as unseen."""
        assigned = Assignments(self._tokens, self._routine.parameters)
        unseen = Unread(
            "the statement is put together at run time (EXECUTE), and may be an upsert",
            Cause.FILLED_IN,
        )
        certain = Unread("the upsert is put together at run time (EXECUTE)", Cause.FILLED_IN)
        for position, token in enumerate(self._tokens):
            if token.kind != "EXECUTE" or self._body.before(position) not in BEGINS:
                continue
            texts = assigned.texts(_expression(self._tokens, position + 1))
            constant = text_in(texts)
            if constant is not None:
                # no variable is known in there
                inside = Routine(language="sql", source=constant, is_code=self._routine.is_code)
                yield from self._inside(position, read_routine(inside))
            elif any(on_conflict_in(text) >= 0 for text in texts):
                read = self._read_with_holes(texts)
                yield from (
                    self._inside(position, read) if read else [self._in_string(position, certain)]
                )
            elif any(map(may_upsert, texts)):
                yield replace(self._in_string(position, unseen), is_certain=False)

    def _read_with_holes(self, texts: Sequence[str]) -> list[SqlUpsert]:
        """The upserts of a text that something is put into beside table and target; empty: it may be put in there."""
        text = text_with_holes(texts)
        if text is None:
            return []
        # names may be put in, whatever the text is in
        found = read_routine(Routine(language="sql", source=text, is_code=True))
        is_read = self._routine.is_code or not any(
            HOLE in upsert.statement or not upsert.is_read for upsert in found
        )
        return found if is_read else []

    def _inside(self, position: int, upserts: Iterable[SqlUpsert]) -> Iterator[SqlUpsert]:
        """The upserts of a string, at the token whose statement runs it."""
        first, last = self._body.extent(position)
        start = self._tokens[position].start
        for upsert in upserts:
            yield replace(upsert, start=start, first=first, last=last)

    def _in_string(self, position: int, unread: Unread) -> SqlUpsert:
        first, last = self._body.extent(position)
        start = self._tokens[position].start
        return SqlUpsert(start, unread, unread, first=first, last=last)


def _expression(tokens: Sequence[SqlToken], first: int) -> Sequence[SqlToken]:
    """The expression behind EXECUTE, which begins with the token of that number."""
    depth = 0
    for position in range(first, len(tokens)):
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(tokens[position].kind, 0)
        if depth == 0 and tokens[position].text.lower() in (";", "into", "using", "loop"):
            return tokens[first:position]
    return tokens[first:]
