"""PostgreSQL's own parser, kept from what it cannot take.

libpg_query writes its tree by recursion in C: a sum of some 30,000 terms overflows the stack and ends the process.
Python's protobuf refuses a tree of more than 100 levels. Both are refused here as a statement that does not parse.
"""

from __future__ import annotations

import postgast
from google.protobuf.message import DecodeError
from postgast import pg_query_pb2

from ....errors import UpsertGuardError

__all__ = ["LONGEST", "NestedTooDeeplyError", "parse_statement"]

LONGEST = 5_000
"""Tokens of a text that is given to the parser; a level of nesting takes at least one."""

_SHORT = LONGEST
"""Characters of a text that cannot have more tokens than that."""


class NestedTooDeeplyError(UpsertGuardError, postgast.PgQueryError):  # type: ignore[misc] # it is untyped to mypy
    """The text is too long, or nested too deeply, to be parsed."""

    def __init__(self) -> None:
        """It has no place."""
        super().__init__("it is nested too deeply")


def parse_statement(sql: str) -> pg_query_pb2.ParseResult:
    """Return the tree of a text.

    :raises NestedTooDeeplyError: it has more than :data:`LONGEST` tokens, or too many levels.
    :raises postgast.PgQueryError: it does not parse; the other one is a kind of this.
    """
    if len(sql) > _SHORT and len(postgast.scan(sql).tokens) > LONGEST:
        raise NestedTooDeeplyError
    try:
        return postgast.parse(sql)
    except DecodeError:
        raise NestedTooDeeplyError from None
