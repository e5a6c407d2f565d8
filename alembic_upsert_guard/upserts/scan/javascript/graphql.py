"""Documents of GraphQL, as far as an upsert needs them: the arguments of fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["Field", "fields_in"]

_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is given a conflict clause."""

    name: str
    constraint: str | None
    """As the document writes it; None: it is a variable's."""


def fields_in(document: str, clauses: Collection[str]) -> Iterator[Field]:
    """Return the fields of a document that are given one of some arguments, and something to insert."""
    tokens = list(_tokens(document))
    for position, word in enumerate(tokens):
        if word != "(" or not position:
            continue
        given = dict(_arguments(tokens, position))
        stated = next((given[name] for name in clauses if name in given), None)
        if stated is not None and given.keys() & {"object", "objects"}:
            inside = dict(_arguments(stated, 0)) if stated[:1] == ["{"] else {}
            yield Field(tokens[position - 1], next(iter(inside.get("constraint", [])), None))


def _arguments(tokens: list[str], opening: int) -> Iterator[tuple[str, list[str]]]:
    """What is given by name between two parentheses or braces, each as its tokens."""
    position = opening + 1
    while position + 2 < len(tokens) and tokens[position + 1] == ":":
        end = _end_of_value(tokens, position + 2)
        yield tokens[position], tokens[position + 2 : end]
        position = end


def _end_of_value(tokens: list[str], start: int) -> int:
    """Where the token behind a value is."""
    open_ones: list[str] = []
    for position in range(start, len(tokens)):
        word = tokens[position]
        if word in _CLOSING:
            open_ones.append(_CLOSING[word])
        elif open_ones and word == open_ones[-1]:
            open_ones.pop()
        if not open_ones and word != "$":
            return position + 1
    return len(tokens)


def _tokens(document: str) -> Iterator[str]:
    """Names and signs; commas mean nothing, and neither do comments."""
    position = 0
    while position < len(document):
        sign = document[position]
        if sign == "#":
            end = document.find("\n", position)
            position = len(document) if end < 0 else end
        elif sign == '"':
            end = document.find('"', position + 1)
            position = len(document) if end < 0 else end + 1
            yield '""'
        elif sign.isalnum() or sign == "_":
            start = position
            while position < len(document) and (
                document[position].isalnum() or document[position] == "_"
            ):
                position += 1
            yield document[start:position]
        else:
            position += 1
            if not sign.isspace() and sign != ",":
                yield sign
