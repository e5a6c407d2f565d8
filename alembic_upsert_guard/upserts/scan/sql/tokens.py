"""SQL as PostgreSQL's own scanner cuts it up: statements and conflict clauses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import postgast
from postgast import pg_query_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "HOLE",
    "ConflictClause",
    "SqlToken",
    "conflict_clauses",
    "inserts",
    "name_of",
    "on_conflict_in",
    "statements",
    "tokens_of",
]

HOLE = "upsert_guard_hole_"
"""How the name begins that is put where text is put in at run time."""

_INTO = 5
"""``INSERT LOW_PRIORITY IGNORE INTO``: how far behind INSERT the table's name begins at the latest."""

_NEAR = 12
"""Tokens behind ``ON CONFLICT`` among which its action is, where what is between them is no target."""

_ROWS = frozenset({"ASCII_40", "DEFAULT", "SELECT", "VALUES"})
"""What is between an INSERT and its conflict clause."""
_ACTIONS = frozenset({"constraint", "ignore", "nothing", "replace", "update"})
"""Words that people write behind ``ON CONFLICT``."""
_OPERATORS = frozenset({"and", "between", "ilike", "in", "is", "like", "not", "or"})

_KINDS: dict[int, str] = {number: name for name, number in pg_query_pb2.Token.items()}
_COMMENTS = frozenset({pg_query_pb2.SQL_COMMENT, pg_query_pb2.C_COMMENT})


class SqlToken(NamedTuple):
    """One token; comments are left out. A tuple, for a file can have millions."""

    kind: str
    """The name in PostgreSQL's grammar, such as ``IDENT``, ``CONFLICT`` or ``ASCII_40``."""
    text: str
    start: int
    """In characters of the text that was cut up."""
    end: int


@dataclass(frozen=True, slots=True)
class ConflictClause:
    """Where ``ON CONFLICT`` or ``ON DUPLICATE KEY`` is among the tokens, outside of strings."""

    start: int
    """Of ``ON``, in characters."""
    end: int
    """Of the target: where ``DO`` begins, or the text's end; of MySQL's: where ``DUPLICATE`` ends."""
    is_duplicate_key: bool
    """Whether it is MySQL's ``ON DUPLICATE KEY``."""
    insert: int | None
    """Where its INSERT is among the tokens, at the same depth of parentheses; None: nowhere."""
    is_mistaken: bool = False
    """Whether no grammar takes it: ``ON CONFLICT a DO NOTHING``, ``ON CONFLICT IGNORE``."""


def tokens_of(sql: str) -> list[SqlToken]:
    """Return the tokens of `sql`, which need not be valid.

    :raises postgast.PgQueryError: a string, a quoted name or a comment has no end.
    """
    scanned = postgast.scan(sql).tokens
    kinds = _KINDS.get  # braces have no name
    if sql.isascii():
        return [
            SqlToken(kinds(t.token, ""), sql[t.start : t.end], t.start, t.end)
            for t in scanned
            if t.token not in _COMMENTS
        ]
    encoded = sql.encode()
    found = []
    # offsets are in bytes: both ends are carried along in characters
    at_byte = at = 0
    for token in scanned:
        start = at + len(encoded[at_byte : token.start].decode())
        text = encoded[token.start : token.end].decode()
        at_byte, at = token.end, start + len(text)
        if token.token not in _COMMENTS:
            found.append(SqlToken(kinds(token.token, ""), text, start, at))
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
        elif token.kind == "ASCII_59" and not atomic and not (depth and _is_rule(tokens, first)):
            yield tokens[first:position]
            first, depth = position + 1, 0
        before = token.kind
    yield tokens[first:]


def _is_rule(tokens: Sequence[SqlToken], first: int) -> bool:
    """``CREATE [OR REPLACE] RULE``."""
    return "RULE" in [token.kind for token in tokens[first : first + 4]]


def conflict_clauses(  # noqa: C901 - a table, a token a line
    tokens: Sequence[SqlToken], length: int
) -> list[ConflictClause]:
    """Return the conflict clauses of an INSERT, in order.

    ``ON CONFLICT`` in a constraint of SQLite (``UNIQUE (a) ON CONFLICT IGNORE``) is none.

    :param length: of the text, in characters.
    """
    found: list[ConflictClause] = []
    inserts: list[int | None] = [None]  # the last INSERT of each parenthesis that is open
    unended: dict[int, list[int]] = {}  # by depth, the clauses that wait for their DO
    depth = 0
    for position, token in enumerate(tokens):
        match token.kind:
            case "ASCII_40":
                depth += 1
                inserts.append(None)
            case "ASCII_41":
                depth -= 1
                inserts.pop()
                inserts = inserts or [None]
            case "ASCII_59":
                inserts[-1] = None
            case "INSERT":
                inserts[-1] = position
            case "DO":
                for number in unended.pop(depth, ()):
                    found[number] = replace(found[number], end=token.start)
            case "ON":
                clause = _clause(tokens, position, length, inserts[-1])
                if clause is not None:
                    if not clause.is_duplicate_key:
                        for number in unended.pop(depth, ()):  # it has no DO
                            found[number] = replace(found[number], end=token.start)
                        unended[depth] = [len(found)]
                    found.append(clause)
    return found


def _clause(
    tokens: Sequence[SqlToken], position: int, length: int, insert: int | None
) -> ConflictClause | None:
    """The clause that begins with an ON, without an end of its target yet; None: it begins none."""
    start = tokens[position].start
    following = tokens[position + 1 : position + 3]
    if not following:
        return None
    if following[0].kind == "CONFLICT":
        is_mistaken = not _opens_target(following[1:])
        if is_mistaken and not _is_mistaken(tokens, position, insert):
            return None
        return ConflictClause(
            start=start,
            end=length,
            is_duplicate_key=False,
            insert=insert,
            is_mistaken=is_mistaken,
        )
    if following[0].text.lower() == "duplicate":
        end = following[0].end
        return ConflictClause(start=start, end=end, is_duplicate_key=True, insert=insert)
    return None


def _opens_target(clause: Sequence[SqlToken]) -> bool:
    if not clause:
        return True  # the piece of text ends here, the statement does not
    return clause[0].kind in ("ASCII_40", "ON", "DO", "WHERE") or clause[0].text.startswith(HOLE)


def _is_mistaken(tokens: Sequence[SqlToken], position: int, insert: int | None) -> bool:
    """Whether an INSERT with rows has ``ON CONFLICT a DO NOTHING`` or ``ON CONFLICT IGNORE``: no grammar takes either.

    A sentence has no rows, and in ``JOIN a ON conflict = b`` no word follows.
    """
    if insert is None or _ROWS.isdisjoint(token.kind for token in tokens[insert:position]):
        return False
    words = [token.text.lower() for token in tokens[position + 2 : position + 2 + _NEAR]]
    if words[0] in _ACTIONS:
        return True
    is_name = words[0].strip('"').isidentifier() and words[0] not in _OPERATORS
    return is_name and any(first == "do" and then in _ACTIONS for first, then in pairwise(words))


def inserts(tokens: Sequence[SqlToken], position: int) -> bool:
    """Return whether an INSERT among the tokens is one, as far as its words show, and not a word of a sentence.

    MySQL takes it without INTO, in front of a name and its columns.
    """
    following = tokens[position + 1 : position + _INTO]
    kinds = [token.kind for token in following]
    if "INTO" in kinds or kinds[1:2] == ["ASCII_40"]:
        return True
    before = kinds.index("ON") if "ON" in kinds else len(kinds)
    return any(token.text.startswith(HOLE) for token in following[:before])


def name_of(token: SqlToken) -> str:
    """Return the name that a token is: in lower case, unless it is quoted."""
    return token.text[1:-1] if token.text.startswith('"') else token.text.lower()


def on_conflict_in(text: str, at: int = 0) -> int:
    """Return where the words ON CONFLICT are in a text, from `at` on, whatever is around them; -1: nowhere."""
    lower = text.lower()
    conflict = lower.find("conflict", at)
    while conflict >= 0:
        before = lower[at:conflict].rstrip()
        if before.endswith("on") and at + len(before) < conflict:
            return at + len(before) - 2
        conflict = lower.find("conflict", conflict + 1)
    return -1
