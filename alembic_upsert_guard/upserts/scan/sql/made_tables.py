"""The tables that a function makes for itself, by the tokens of its body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import postgast

from .tokens import name_of, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from .tokens import SqlToken

__all__ = ["MadeTables", "made_tables"]

_TEMPORARY = frozenset({"TEMP", "TEMPORARY"})
_BEFORE_A_TABLE = _TEMPORARY | {"GLOBAL", "LOCAL", "UNLOGGED", "TABLE", "IF_P", "NOT", "EXISTS"}
"""The tokens between CREATE and a table's name."""

_AHEAD = 16
"""Tokens behind CREATE among which the name is."""


@dataclass(frozen=True, slots=True)
class MadeTables:
    """The tables that a function makes for itself."""

    names: frozenset[str] = frozenset()
    has_temporary: bool = False
    """Whether it makes temporary tables, whose names may be put in at run time."""


def made_tables(source: str) -> MadeTables:
    """Return the tables that a function makes for itself.

    None of a body that cannot be cut into tokens: nothing of it is read.
    """
    try:
        tokens = tokens_of(source)
    except postgast.PgQueryError:
        return MadeTables()
    makings = list(_makings(tokens))
    names = (
        _name_in_session(name)
        for words, name in makings
        if "TABLE" in words or _is_temporary(words)
    )
    return MadeTables(
        frozenset(name for name in names if name is not None),
        any("CREATE" in words and _is_temporary(words) for words, _ in makings),
    )


def _makings(
    tokens: Sequence[SqlToken],
) -> Iterator[tuple[AbstractSet[str], Sequence[SqlToken]]]:
    """What is behind each CREATE, and each INTO that makes a table: its words, and the tokens from the name on."""
    for at, token in enumerate(tokens):
        if token.kind not in ("CREATE", "INTO"):
            continue
        known = _BEFORE_A_TABLE if token.kind == "CREATE" else _TEMPORARY | {"TABLE"}
        ahead = tokens[at + 1 : at + _AHEAD]
        end = next((n for n, each in enumerate(ahead) if each.kind not in known), len(ahead))
        words = {each.kind for each in ahead[:end]}
        if token.kind == "CREATE":
            yield words | {"CREATE"}, ahead[end:]
        elif _is_temporary(words):
            yield words, ahead[end:]


def _is_temporary(words: AbstractSet[str]) -> bool:
    return not words.isdisjoint(_TEMPORARY)


def _name_in_session(tokens: Sequence[SqlToken]) -> str | None:
    """The name by which the session finds the table; None: it has a schema of its own, or no name follows."""
    if not tokens:
        return None
    if len(tokens) == 1 or tokens[1].text != ".":
        return name_of(tokens[0])
    is_temporary = name_of(tokens[0]).startswith("pg_temp") and len(tokens) > 2  # noqa: PLR2004 - schema, dot, name
    return name_of(tokens[2]) if is_temporary else None
