"""The routine that a statement defines or drops, by the tokens at its beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import postgast

from ...upsert import RoutineHead
from .tokens import name_of, statements, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .tokens import SqlToken

__all__ = ["opens_body", "routine_head", "routine_heads"]

_KINDS = frozenset({"FUNCTION", "PROCEDURE", "ROUTINE", "RULE", "TRIGGER"})
_AHEAD = 8
"""Tokens among which the kind is: MySQL names a definer before it."""

_BEFORE_NAME = frozenset({"IF_P", "NOT", "EXISTS"})


def routine_heads(sql: str) -> list[tuple[int, RoutineHead]]:
    """Return the routines that a script defines or drops, and where in the text each statement begins.

    None where it cannot be cut into tokens.
    """
    try:
        tokens = tokens_of(sql)
    except postgast.PgQueryError:
        return []
    cut = [statement for statement in statements(tokens) if statement]
    heads = ((statement[0].start, routine_head(statement)) for statement in cut)
    return [(start, head) for start, head in heads if head is not None]


def opens_body(tokens: Sequence[SqlToken]) -> bool:
    """Return whether the body of a routine begins in a statement, and goes on in those that follow, up to an END.

    So it is where a semicolon of a body ends a statement: in SQLite's triggers, and in MySQL's routines.
    """
    kinds = [token.kind for token in tokens]
    return "BEGIN_P" in kinds and "ATOMIC" not in kinds and "END_P" not in kinds


def routine_head(tokens: Sequence[SqlToken]) -> RoutineHead | None:
    """Return the routine, trigger or rule that a statement defines or drops; None: it does neither."""
    if not tokens or tokens[0].kind not in ("CREATE", "DROP"):
        return None
    ahead = [token.kind for token in tokens[:_AHEAD]]
    at = next((n for n, kind in enumerate(ahead) if kind in _KINDS), len(tokens)) + 1
    while at < len(tokens) and tokens[at].kind in _BEFORE_NAME:
        at += 1
    if at >= len(tokens):
        return None
    name, at = _part(tokens, at)
    names = [name]
    while [token.text for token in tokens[at + 1 : at + 2]] == ["."] and at + 2 < len(tokens):
        name, at = _part(tokens, at + 2)
        names.append(name)
    if names[:1] == ["public"] and len(names) > 1:
        del names[0]
    has_arguments = [token.text for token in tokens[at + 1 : at + 2]] == ["("]
    return RoutineHead(
        name=".".join(names),
        arguments=tuple(_arguments(tokens[at + 2 :])) if has_arguments else None,
        is_drop=ahead[0] == "DROP",
    )


def _part(tokens: Sequence[SqlToken], at: int) -> tuple[str, int]:
    """One part of a name, and where it ends: psql's ``:schema`` and ``:"schema"`` are of two tokens."""
    if tokens[at].text == ":" and at + 1 < len(tokens):
        return f":{name_of(tokens[at + 1])}", at + 1
    return name_of(tokens[at]), at


def _arguments(tokens: Sequence[SqlToken]) -> Iterator[str]:
    """The arguments up to the parenthesis that ends them."""
    depth, words, in_default = 0, list[str](), False
    for token in tokens:
        if depth == 0 and token.text in (",", ")"):
            if words:
                yield " ".join(words)
            if token.text == ")":
                return
            words, in_default = [], False
            continue
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        in_default = in_default or token.kind == "DEFAULT" or token.text in ("=", ":=")
        if not in_default:
            words.append(token.text.lower())
