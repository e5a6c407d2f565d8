"""What SQLite and MySQL write in front of an INSERT instead of a conflict clause behind it.

``INSERT OR REPLACE INTO``, ``INSERT OR IGNORE INTO``, ``REPLACE INTO``, ``INSERT IGNORE INTO``: any unique key can take
them, as it can ``ON DUPLICATE KEY UPDATE``, and no grammar of PostgreSQL's reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import AnyArbiter, Cause, Unread
from ..needles import REPLACING
from .placeholders import variable_at
from .postgresql import named_table
from .tokens import HOLE
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .tokens import SqlToken

__all__ = ["may_replace", "replacing_in"]

_ACTIONS = frozenset({"ignore", "replace"})
_BEGINNINGS = frozenset({"insert ignore", "insert or ignore", "insert or replace"})
_PIECES = Unread(
    "the statement is put together from pieces, and its table is not among them", Cause.FILLED_IN
)
_BEHIND_THE_TABLE = frozenset({"as", "default", "select", "set", "values", "value", "with", "("})
_LONGEST = 2
"""Parts of a table's name, at most."""


def may_replace(text: str) -> bool:
    """Return whether a text may hold such a statement, by its words.

    :param text: in lower case.
    """
    return any(words in text for words in REPLACING)


def replacing_in(tokens: Sequence[SqlToken]) -> list[SqlUpsert]:
    """Return the upserts of this kind in one statement; prose that names one is none."""
    return list(_found(tokens))


def _found(tokens: Sequence[SqlToken]) -> Iterator[SqlUpsert]:
    words = [token.text.lower() for token in tokens]
    if " ".join(words).removesuffix(" into") in _BEGINNINGS:
        yield SqlUpsert(tokens[0].start, _PIECES, AnyArbiter())
        return
    for position, word in enumerate(words):
        if word not in ("insert", "replace"):
            continue
        name_at = _name_at(words, position)
        parts, behind = _name(tokens, name_at) if name_at else ([], 0)
        is_piece = position == 0 and behind == len(words)  # the rows are added to it
        if not parts or not (is_piece or _is_followed(words, behind)):
            continue
        schema = parts[-2] if len(parts) > 1 else None
        yield SqlUpsert(tokens[position].start, named_table(parts[-1], schema), AnyArbiter())


def _name_at(words: Sequence[str], position: int) -> int | None:
    """Where the table's name begins, of a statement that begins at a position; None: it is another."""
    following = words[position + 1 : position + 4]
    if words[position] == "replace":
        is_first = position == 0 or words[position - 1] == ")"  # else prose
        return position + 2 if is_first and following[:1] == ["into"] else None
    match following:
        case ["or", action, "into"] if action in _ACTIONS:
            return position + 4
        case ["ignore", into, *_]:
            return position + (3 if into == "into" else 2)
    return None


def _name(tokens: Sequence[SqlToken], at: int) -> tuple[list[str], int]:
    """The parts of the name that begins at a position, and where it ends; none: there is no name."""
    parts: list[str] = []
    while len(parts) < _LONGEST:
        part, behind = _part(tokens, at)
        if part is None:
            return [], at
        parts.append(part)
        if [token.text for token in tokens[behind : behind + 1]] != ["."]:
            return parts, behind
        at = behind + 1
    return [], at


def _part(tokens: Sequence[SqlToken], at: int) -> tuple[str | None, int]:
    if taken := variable_at(tokens, at):
        return f"{HOLE}{tokens[at].start}p_", at + taken
    quoted = [token.text for token in tokens[at : at + 3]]
    match quoted:
        case ["`", name, "`"]:
            return name, at + 3
        case [name, *_] if name.startswith('"'):
            return name[1:-1], at + 1
        case [name, *_] if name[:1].isalpha() or name[:1] == "_":
            return name, at + 1
    return None, at


def _is_followed(words: Sequence[str], at: int) -> bool:
    """Whether rows follow the table, or text that is put in."""
    following = words[at : at + 1]
    return bool(following) and (following[0] in _BEHIND_THE_TABLE or HOLE in following[0])
