"""Variables that JavaScript's drivers put in by name: those of pg-promise, of pg-format, and ``$name``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import postgast

from .tokens import HOLE, tokens_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tokens import SqlToken

__all__ = ["with_variables_put_in"]

_CLOSING = {"{": "}", "<": ">", "(": ")", "[": "]", "/": "/"}
_TEXT = frozenset({"alias", "csv", "list", "name", "raw"})
"""Formats of pg-promise whose result is no value: a name, several, or SQL."""
_SHORT = frozenset({"#", "^", "~"})
"""The same formats, in one sign."""
_FORMATS = frozenset({"I", "L", "s"})
"""Of pg-format: ``%I`` is a name, ``%L`` a value or rows, ``%s`` SQL."""
_VALUE = " $1 "


def with_variables_put_in(sql: str) -> str:
    """Return `sql` with variables as parameters, and as text that is put in where they are names or SQL.

    =============================================  ===================================================
    ``${a}`` ``$<a>`` ``$(a)`` ``$[a]`` ``$/a/``   pg-promise; ``:csv``, ``:name`` and so on may follow
    ``$1:name`` ``$1~`` ``$1^``                    likewise, by number
    ``%I`` ``%L`` ``%s``                           pg-format
    ``$a``                                         better-sqlite3, Deno's driver
    =============================================  ===================================================
    """
    try:
        tokens = tokens_of(sql)
    except postgast.PgQueryError:
        return sql
    written: list[str] = []
    done = position = 0
    while position < len(tokens):
        found = _variable(tokens, position)
        if found is None:
            position += 1
            continue
        is_value, taken = found
        put_in = _VALUE if is_value else f"{HOLE}v{position}_"
        written += [sql[done : tokens[position].start], put_in]
        position += taken
        done = tokens[position - 1].end
    return "".join(written) + sql[done:]


def _variable(tokens: Sequence[SqlToken], at: int) -> tuple[bool, int] | None:
    """Whether a value is put in, and for how many tokens; None: no variable begins there."""
    first = tokens[at]
    if first.text == "%" and _follows(tokens, at) and tokens[at + 1].text in _FORMATS:
        return False, 2
    if first.kind == "PARAM":
        is_value, taken = _format(tokens, at)
        return (is_value, taken + 1) if taken else None
    if first.text != "$" or not _follows(tokens, at):
        return None
    opening = tokens[at + 1].text
    if opening.replace("_", "a").isalnum():
        return True, 2
    closing = _CLOSING.get(opening)
    position = at + 1
    while closing is not None and _follows(tokens, position):
        position += 1
        if tokens[position].text == closing:
            inside = tokens[at + 2 : position]
            return _is_value(inside), position - at + 1
    return None


def _format(tokens: Sequence[SqlToken], at: int) -> tuple[bool, int]:
    """What follows ``$1``: whether it still is a value, and how many tokens that is."""
    if not _follows(tokens, at):
        return True, 0
    sign = tokens[at + 1].text
    if sign in _SHORT:
        return False, 1
    if sign == ":" and _follows(tokens, at + 1) and tokens[at + 2].text.isalpha():
        return tokens[at + 2].text not in _TEXT, 2
    return True, 0


def _is_value(inside: Sequence[SqlToken]) -> bool:
    """Whether a value is put in for what is between the brackets."""
    texts = [token.text for token in inside]
    return not (_SHORT & set(texts[-1:]) or (":" in texts and texts[-1] in _TEXT))


def _follows(tokens: Sequence[SqlToken], at: int) -> bool:
    """Whether the next token begins where this one ends."""
    return at + 1 < len(tokens) and tokens[at + 1].start == tokens[at].end
