"""What a string can be that PL/pgSQL puts together: text, with a sign where anything may be."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from .tokens import HOLE, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .tokens import SqlToken

__all__ = [
    "ANYTHING",
    "Assignments",
    "may_upsert",
    "pieces_of",
    "string_of",
    "text_in",
    "text_with_holes",
]

ANYTHING = "\0"
"""Stands in a text where something unknown is put in, statements and all."""

_VALUE = "\1"
"""Stands where one name or one value is put in, quoted."""

_ITSELF = "\2"
"""Stands where a variable goes on from what it held."""

_QUOTING = frozenset({"quote_ident", "quote_literal", "quote_nullable"})
_BEGIN_UPSERTS = frozenset({"insert", "with", "do", "explain", "prepare", "execute"})
"""The words that a statement which upserts can begin with."""

_ASSIGNING = frozenset({":=", "=", "default"})
_STATEMENT = frozenset({";", "begin", "then", "else", "loop", "declare", ">>"})


def may_upsert(text: str) -> bool:
    """Return whether what is put in can make an upsert of a statement; its own text has no ON CONFLICT."""
    for statement in text.split(";"):
        if ANYTHING in statement:
            # a word goes on where something is put in right behind it
            word = re.match(rf"\s*(\w+)(?![\w{ANYTHING}])", statement)
            if word is None or word[1].lower() in _BEGIN_UPSERTS:
                return True
    return False


def text_in(texts: Sequence[str]) -> str | None:
    """Return the text that is certain: one, and nothing is put in."""
    if len(texts) != 1 or ANYTHING in texts[0] or _VALUE in texts[0]:
        return None
    return texts[0]


def text_with_holes(texts: Sequence[str]) -> str | None:
    """Return the one text, a name that begins with :data:`.tokens.HOLE` where something is put in; None: several."""
    if len(texts) != 1:
        return None
    pieces = re.split(f"[{ANYTHING}{_VALUE}]", texts[0])
    return pieces[0] + "".join(f"{HOLE}{n}_{piece}" for n, piece in enumerate(pieces[1:]))


class Assignments:
    """What the variables of one function can hold."""

    def __init__(self, tokens: Sequence[SqlToken], parameters: Sequence[str]) -> None:
        """The body is gone through twice, however much of it is asked for later."""
        self._expressions: dict[str, list[Sequence[SqlToken]]] = defaultdict(list)
        for name, expression in _assignments(tokens):
            self._expressions[name].append(expression)
        self._filled = frozenset(parameters) | frozenset(_filled_otherwise(tokens))

    def texts(self, expression: Sequence[SqlToken]) -> list[str]:
        """Return every text that an expression can be; of a variable, one for each of its assignments.

        What is added to it is behind each text that it can begin with.
        """
        name = _only_name(expression)
        if name is None:
            return [_text(expression)]
        if name in self._filled:
            return [*self._assigned(name), ANYTHING]
        return self._assigned(name) or [ANYTHING]

    def _assigned(self, name: str) -> list[str]:
        texts = [_text(expression, name) for expression in self._expressions.get(name, ())]
        begun = [text for text in texts if _ITSELF not in text]
        found = list(begun)
        for text in texts:
            if text.startswith(_ITSELF):
                # what it held may have gone on before
                rest = text[1:].replace(_ITSELF, ANYTHING)
                found += [f"{first} {rest}" for first in begun or [ANYTHING]]
            elif _ITSELF in text:
                found.append(text.replace(_ITSELF, ANYTHING))
        return found


def _assignments(tokens: Sequence[SqlToken]) -> Iterator[tuple[str, Sequence[SqlToken]]]:
    """What is assigned to the name that a statement begins with, as far as one does; CASE holds some that do not."""
    begun: list[tuple[str, int]] = []
    waiting: list[str] = []
    before = ";"
    for position, token in enumerate(tokens):
        word = token.text.lower()
        if word == ";":
            yield from ((name, tokens[first:position]) for name, first in begun)
            begun, waiting = [], []
        if before in _STATEMENT:
            waiting.append(name_of(token))
        if word in _ASSIGNING:
            begun += [(name, position + 1) for name in waiting]
            waiting = []
        before = word
    yield from ((name, tokens[first:]) for name, first in begun)


def _filled_otherwise(tokens: Sequence[SqlToken]) -> Iterator[str]:
    """The names that may be filled by INTO, a loop or a call."""
    filling = False
    for position, token in enumerate(tokens):
        word = token.text.lower()
        if word in (";", "execute", "loop", "using"):
            filling = False
        elif word in ("into", "for", "foreach", "call", "diagnostics", "alias"):
            filling = True
        elif filling:
            behind = tokens[position + 1 : position + 2]
            if not (behind and behind[0].kind == "ASCII_46"):
                yield name_of(token)


def _only_name(expression: Sequence[SqlToken]) -> str | None:
    bare = [token for token in expression if token.kind not in ("ASCII_40", "ASCII_41")]
    if len(bare) == 1 and bare[0].kind != "SCONST":
        return name_of(bare[0])
    return None


def _text(expression: Sequence[SqlToken], itself: str | None = None) -> str:
    return "".join(_piece(piece, itself) for piece in pieces_of(_unwrapped(expression)))


def _unwrapped(expression: Sequence[SqlToken]) -> Sequence[SqlToken]:
    while len(expression) > 1 and expression[0].kind == "ASCII_40":
        depth = 0
        for position, token in enumerate(expression):
            depth += {"ASCII_40": 1, "ASCII_41": -1}.get(token.kind, 0)
            if depth == 0 and position < len(expression) - 1:
                return expression
        expression = expression[1:-1]
    return expression


def pieces_of(expression: Sequence[SqlToken], between: str = "||") -> Iterator[Sequence[SqlToken]]:
    """Return what ``||`` puts together, or what commas are between."""
    depth = first = 0
    for position, token in enumerate(expression):
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(token.kind, 0)
        if depth == 0 and token.text == between:
            yield expression[first:position]
            first = position + 1
    yield expression[first:]


def _piece(piece: Sequence[SqlToken], itself: str | None) -> str:
    words = [token.text.lower() for token in piece]
    if len(piece) >= 1 and all(token.kind == "SCONST" for token in piece):
        return "".join(map(string_of, piece))  # strings on lines of their own are one
    if itself is not None and len(piece) == 1 and name_of(piece[0]) == itself:
        return _ITSELF
    if words[1:2] == ["("] and _closes_at_the_end(piece):
        if words[0] in _QUOTING:
            return _VALUE
        if words[0] == "format" and piece[2].kind == "SCONST" and words[3:4] in ([","], [")"]):
            return _formatted(string_of(piece[2]), list(pieces_of(piece[4:-1], ",")))
    return ANYTHING


def _closes_at_the_end(piece: Sequence[SqlToken]) -> bool:
    return len(_unwrapped(piece[1:])) < len(piece) - 1


def _formatted(template: str, values: Sequence[Sequence[SqlToken]]) -> str:
    """The text of ``format(template, ...)``, with the values that are literals."""
    following = iter(values)

    def put_in(found: re.Match[str]) -> str:
        position, width, kind = found.groups()
        if kind == "%":
            return "%"
        value = values[int(position) - 1 : int(position)] if position else [next(following, ())]
        literal = value[0] if value else ()
        if width or len(literal) != 1 or literal[0].kind != "SCONST":
            return ANYTHING if kind == "s" else _VALUE
        text = string_of(literal[0])
        if kind == "I":
            return '"' + text.replace('"', '""') + '"'
        return text if kind == "s" else "'" + text.replace("'", "''") + "'"

    return re.sub(r"%(?:(\d+)\$)?(-?(?:\d+|\*(?:\d+\$)?)?)([sIL%])", put_in, template)


def string_of(token: SqlToken) -> str:
    """Return what a string literal holds: in quotes, with escapes, or between dollars."""
    text = token.text
    if text.startswith("$"):
        tag = text[: text.index("$", 1) + 1]
        return text[len(tag) : -len(tag)]
    escaped = text[:1] in "eE"
    inside = text[text.index("'") + 1 : -1].replace("''", "'")
    return (
        re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), inside)
        if escaped
        else inside
    )
