"""SQL as PostgreSQL's own scanner cuts it up: statements and conflict clauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import postgast
from postgast import pg_query_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "HOLE",
    "ConflictClause",
    "SqlToken",
    "conflict_clauses",
    "statements",
    "tokens_of",
]

HOLE = "upsert_guard_hole_"
"""How the name begins that stands where text is put in at run time."""

_KINDS: dict[int, str] = {number: name for name, number in pg_query_pb2.Token.items()}
_COMMENTS = frozenset({"SQL_COMMENT", "C_COMMENT"})


@dataclass(frozen=True, slots=True)
class SqlToken:
    """One token; comments are left out."""

    kind: str
    """The name in PostgreSQL's grammar, such as ``IDENT``, ``CONFLICT`` or ``ASCII_40``."""
    text: str
    start: int
    """In characters of the text that was cut up."""
    end: int


@dataclass(frozen=True, slots=True)
class ConflictClause:
    """Where ``ON CONFLICT`` or ``ON DUPLICATE KEY`` stands among the tokens, outside of strings."""

    start: int
    """Of ``ON``, in characters."""
    end: int
    """Of the target: where ``DO`` begins, or the text's end; of MySQL's: where ``DUPLICATE`` ends."""
    is_duplicate_key: bool
    """Whether it is MySQL's ``ON DUPLICATE KEY``."""


def tokens_of(sql: str) -> list[SqlToken]:
    """Return the tokens of `sql`, which need not be valid.

    :raises postgast.PgQueryError: a string, a quoted name or a comment has no end.
    """
    encoded = sql.encode()
    found = []
    # offsets are in bytes: both ends are carried along in characters
    at_byte = at = 0
    for token in postgast.scan(sql).tokens:
        kind = _KINDS.get(token.token, "")  # braces have no name
        start = at + len(encoded[at_byte : token.start].decode())
        text = encoded[token.start : token.end].decode()
        at_byte, at = token.end, start + len(text)
        if kind not in _COMMENTS:
            found.append(SqlToken(kind, text, start, at))
    return found


def statements(tokens: Sequence[SqlToken]) -> Iterator[Sequence[SqlToken]]:
    """Return the tokens of each statement: cut at semicolons outside of ``BEGIN ATOMIC`` and of a rule's actions.

    Other parentheses hold no semicolon; one that is never closed must not swallow what follows.
    """
    first = depth = atomic = 0
    before = ""
    for position, token in enumerate(tokens):
        if token.kind == "ASCII_40":
            depth += 1
        elif token.kind == "ASCII_41":
            depth = max(depth - 1, 0)
        elif (before == "BEGIN_P" and token.kind == "ATOMIC") or (atomic and token.kind == "CASE"):
            atomic += 1
        elif atomic and token.kind == "END_P":
            atomic -= 1
        elif token.kind == "ASCII_59" and not atomic and not (depth and _is_rule(tokens[first:])):
            yield tokens[first:position]
            first, depth = position + 1, 0
        before = token.kind
    yield tokens[first:]


def _is_rule(tokens: Sequence[SqlToken]) -> bool:
    """``CREATE [OR REPLACE] RULE``."""
    return "RULE" in [token.kind for token in tokens[:4]]


def conflict_clauses(tokens: Sequence[SqlToken], length: int) -> list[ConflictClause]:
    """Return the conflict clauses of an INSERT, in order.

    ``ON CONFLICT`` in a constraint of SQLite (``UNIQUE (a) ON CONFLICT IGNORE``) is none.

    :param length: of the text, in characters.
    """
    found = []
    for position, token in enumerate(tokens[:-1]):
        following, clause = tokens[position + 1], tokens[position + 2 :]
        if token.kind != "ON":
            continue
        if following.kind == "CONFLICT" and _opens_target(clause):
            found.append(ConflictClause(token.start, _end_of_target(clause, length), False))
        elif following.text.lower() == "duplicate":
            found.append(ConflictClause(token.start, following.end, True))
    return found


def _opens_target(clause: Sequence[SqlToken]) -> bool:
    if not clause:
        return True  # the piece of text ends here, the statement does not
    return clause[0].kind in ("ASCII_40", "ON", "DO", "WHERE") or clause[0].text.startswith(HOLE)


def _end_of_target(clause: Sequence[SqlToken], length: int) -> int:
    depth = 0
    for token in clause:
        if token.kind == "ASCII_40":
            depth += 1
        elif token.kind == "ASCII_41":
            depth -= 1
        elif token.kind == "DO" and depth == 0:
            return token.start
    return length
