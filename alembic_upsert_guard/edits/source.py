"""A Python file as text, syntax tree and tokens, joined by offsets; changed by insertions only.

Offsets count characters of the text. Line ends are those of the file, mixed ones too, and so are its encoding, its
cookie and its byte order mark: what is not inserted is not printed again, so it cannot change.
"""

from __future__ import annotations

import ast
import codecs
import io
import tokenize
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import UpsertGuardError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Bracket", "Insertion", "Item", "Source", "UnwritableError"]

_OPENING, _CLOSING = "([{", ")]}"
_BLANK = {tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT}


class UnwritableError(UpsertGuardError):
    """Nothing can be written there safely; the message is the reason, present tense, without a full stop."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """Text that goes in front of the character at `offset`; its lines end in a line feed, whatever the file's do."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One of the things that commas separate in a pair of brackets."""

    start: int
    end: int
    comma: int | None
    """Where its comma ends; None: it has none."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """A pair of brackets, and what is in it."""

    open: int
    """Behind the opening bracket."""
    close: int
    """In front of the closing one."""
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: int
    text: str
    start: int
    end: int


class Source:
    """One file."""

    def __init__(self, content: bytes) -> None:
        """Read the file as Python does.

        :raises UnwritableError: it does not decode, or does not parse by the grammar of this interpreter.
        """
        self._mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        body = content[len(self._mark) :]
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
            self.encoding = "utf-8" if encoding == "utf-8-sig" else encoding
            self.text = body.decode(self.encoding)
            # newline="": \r, \n and \r\n end a line, as for Python itself, and are kept
            self._lines = list(io.StringIO(self.text, newline=""))
            plain = "".join(map(_with_newline, self._lines))
            self.tree = ast.parse(plain)
            self._tokens = list(self._read_tokens(plain))
        except (SyntaxError, ValueError, tokenize.TokenError, RecursionError) as error:
            raise UnwritableError(f"it does not parse: {error}") from error
        if self.text.encode(self.encoding) != body:
            raise UnwritableError(f"its bytes are no {self.encoding} that reads back as it is")

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self._lines:
            starts.append(starts[-1] + len(line))
        return starts

    def _read_tokens(self, plain: str) -> Iterable[_Token]:
        for token in tokenize.generate_tokens(io.StringIO(plain).readline):
            (line, column), (last, end) = token.start, token.end
            yield _Token(token.type, token.string, self._at(line) + column, self._at(last) + end)

    def _at(self, line: int) -> int:
        return self._starts[min(line - 1, len(self._starts) - 1)]

    # -- offsets

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place of the syntax tree, whose columns count bytes of UTF-8."""
        before = self._lines[line - 1].encode()[:column].decode()
        return self._at(line) + len(before)

    def start(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Return where a node begins, without its parentheses and decorators."""
        return self.offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Return where a node ends, without its parentheses."""
        assert node.end_lineno is not None  # noqa: S101 - ast.parse() sets both
        assert node.end_col_offset is not None  # noqa: S101
        return self.offset(node.end_lineno, node.end_col_offset)

    def line(self, offset: int) -> int:
        """Return the number of the line that the offset is in, counted from 1."""
        last_is_open = bool(self._lines) and not self._lines[-1].endswith(("\r", "\n"))
        return min(bisect_right(self._starts, offset), len(self._lines) + (not last_is_open))

    def line_start(self, offset: int) -> int:
        """Return where the line of the offset begins."""
        return self._at(self.line(offset))

    def next_line(self, offset: int) -> int:
        """Return where the line after that of the offset begins; at the last one, where the text ends."""
        return self._at(self.line(offset) + 1)

    def indent(self, offset: int) -> str:
        """Return the white space that the line of the offset begins with."""
        line = self.text[self.line_start(offset) : self.next_line(offset)]
        return line[: len(line) - len(line.lstrip(" \t\f"))]

    def starts_line(self, offset: int) -> bool:
        """Whether there is only white space in front of it on its line."""
        return not self.text[self.line_start(offset) : offset].strip()

    def ends_line(self, offset: int) -> bool:
        """Whether there is only white space and a comment behind it on its line."""
        rest = self.text[offset : self.next_line(offset)].lstrip()
        return not rest or rest.startswith("#")

    def is_blank_line(self, offset: int) -> bool:
        """Whether the line of the offset has nothing but white space; the end of the text is such a line."""
        return not self.text[self.line_start(offset) : self.next_line(offset)].strip()

    def column(self, offset: int) -> int:
        """Return the characters in front of it on its line."""
        return offset - self.line_start(offset)

    # -- tokens

    @cached_property
    def _pairs(self) -> dict[int, int]:
        """The token of each opening bracket, by where its closing one ends."""
        pairs: dict[int, int] = {}
        waiting: list[int] = []
        for number, token in enumerate(self._tokens):
            if token.kind == tokenize.OP and token.text in _OPENING:
                waiting.append(number)
            elif token.kind == tokenize.OP and token.text in _CLOSING:
                pairs[token.end] = waiting.pop()
        return pairs

    def bracket_ending(self, end: int) -> Bracket | None:
        """Return the brackets whose closing one ends there; None: none does."""
        first = self._pairs.get(end)
        return None if first is None else self._bracket(first, end)

    def parentheses_around(self, start: int, end: int) -> bool:
        """Whether parentheses hold exactly what is between the two offsets, comments aside."""
        before = [t for t in self._tokens if t.end <= start and t.kind not in _BLANK]
        behind = next((t for t in self._tokens if t.start >= end and t.kind not in _BLANK), None)
        if not before or behind is None or (before[-1].text, behind.text) != ("(", ")"):
            return False
        return self._tokens[self._pairs[behind.end]] is before[-1]

    def _bracket(self, first: int, end: int) -> Bracket:
        items: list[Item] = []
        start: int | None = None
        last = depth = 0
        for token in self._tokens[first + 1 :]:
            if token.end == end and token.text in _CLOSING:
                break
            if token.kind in _BLANK:
                continue
            if depth == 0 and token.text == "," and start is not None:
                items.append(Item(start, last, token.end))
                start = None
                continue
            if token.kind == tokenize.OP:
                depth += (token.text in _OPENING) - (token.text in _CLOSING)
            start = token.start if start is None else start
            last = token.end
        if start is not None:
            items.append(Item(start, last, None))
        return Bracket(self._tokens[first].end, end - 1, tuple(items))

    def header_end(self, node: ast.ClassDef) -> int:
        """Return where the colon of the ``class`` line ends."""
        depth = 0
        for token in self._tokens:
            if token.start < self.start(node) or token.kind != tokenize.OP:
                continue
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
            if token.text == ":" and depth == 0:
                return token.end
        raise UnwritableError(f"class {node.name} has no end of its first line")

    # -- writing

    def with_insertions(self, insertions: Iterable[Insertion]) -> bytes:
        """Return the bytes of the file with these, those of one offset in their order.

        A character that the encoding lacks is written as an escape: those of insertions are in string literals.
        """
        pieces: list[bytes] = [self._mark]
        done = 0
        for insertion in sorted(insertions, key=lambda each: each.offset):
            pieces.append(self.text[done : insertion.offset].encode(self.encoding))
            text = insertion.text.replace("\n", self._newline(insertion.offset))
            pieces.append(text.encode(self.encoding, "backslashreplace"))
            done = insertion.offset
        pieces.append(self.text[done:].encode(self.encoding))
        return b"".join(pieces)

    def _newline(self, offset: int) -> str:
        """How the line there ends, or else the line before it."""
        line = self.line(offset) - 1
        for text in (*self._lines[line : line + 1], *self._lines[max(line - 1, 0) : line]):
            ending = text[len(text.rstrip("\r\n")) :]
            if ending:
                return ending
        return "\n"


def _with_newline(line: str) -> str:
    body = line.rstrip("\r\n")
    return line if len(body) == len(line) else body + "\n"
