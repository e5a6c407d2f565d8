"""SQL in the string arguments of function calls: ``cron.schedule('nightly', '0 3 * * *', $$ INSERT ... $$)``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .dynamic import string_of
from .tokens import name_of, on_conflict_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .tokens import SqlToken
    from .upsert import SqlUpsert

__all__ = ["read_arguments"]

_TEXT_ONLY = frozenset(
    {"concat", "format", "quote_ident", "quote_literal", "quote_nullable", "replace"}
)
"""Functions that make a text of it: what runs the text is somewhere else."""


@dataclass(frozen=True, slots=True)
class _Call:
    """What is in one pair of parentheses."""

    function: str
    """Empty: no function is in front of it."""
    arguments: list[SqlToken] = field(default_factory=list)
    """The strings that may hold an upsert."""


def read_arguments(
    tokens: Sequence[SqlToken], read_sql: Callable[[str], list[SqlUpsert]]
) -> Iterator[SqlUpsert]:
    """Return the upserts in strings that functions are called with; what EXECUTE runs is left to others.

    :param tokens: of a statement, or of a routine's body; places are characters of its text.
    :param read_sql: reads the SQL inside.
    """
    calls: list[_Call] = []  # of each parenthesis that is open
    executes = False
    for position, token in enumerate(tokens):
        match token.kind:
            case "ASCII_40":
                before = tokens[position - 1] if position else token
                calls.append(_Call(name_of(before) if before.kind == "IDENT" else ""))
            case "ASCII_41" if calls:
                for argument in calls.pop().arguments:
                    yield from _upserts(argument, read_sql)
            case "ASCII_59":
                executes = False
            case "EXECUTE":
                executes = True
            case "SCONST" if calls and not executes and on_conflict_in(token.text) >= 0:
                if calls[-1].function and calls[-1].function not in _TEXT_ONLY:
                    calls[-1].arguments.append(token)


def _upserts(token: SqlToken, read_sql: Callable[[str], list[SqlUpsert]]) -> Iterator[SqlUpsert]:
    text = string_of(token)
    if "insert" not in text.lower():
        return
    start = max(token.text.find(text), token.text.find("'") + 1)
    for upsert in read_sql(text):
        # a doubled quote is one character of the text
        at = min(token.start + start + upsert.start, token.end - 1)
        yield replace(upsert, start=at, first=token.start, last=token.end)
