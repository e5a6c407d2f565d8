"""Where the bodies of a file's functions are, by its bytes: found without parsing it, so that most are never parsed.

What is found is a guess that the parser proves: see :mod:`.deferred`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ....errors import UpsertGuardError
from ..bounds import check_time

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Body", "bodies_of"]

_LEAST = 400
"""Bytes of a body that is worth the trouble."""
_ENCODING = re.compile(rb"coding[:=]")
_TABS = re.compile(rb"^ *\t", re.MULTILINE)
_FUNCTION = re.compile(rb"def +\w+ *\(")
_BEFORE_FUNCTION = re.compile(rb"( *)(?:async +)?")
_SHORT = rb"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
_HEADER = re.compile(rb'"""|\'\'\'' + _SHORT + rb"|#[^\n]*|[()\[\]{}:\n\"']", re.DOTALL)
"""What matters up to the colon that ends a function's header."""
_PLAIN_HEADER = re.compile(
    rb"[^()\"'#]*(?:\([^()\"'#]*\)[^()\"'#]*)*\)[^:\"'#()\n]*:[ ]*(?:#[^\n]*)?\n"
)
"""The rest of one, behind its first bracket, without strings and comments, and with no more than one more bracket."""
_TOKEN = re.compile(rb'"""|\'\'\'' + _SHORT + rb"|#[^\n]*|\n|[\"']", re.DOTALL)
_LONG = {
    quotes: re.compile(
        rb"[^%b\\]*(?:(?:\\.|%b(?!%b%b))[^%b\\]*)*%b" % (*(quotes[:1],) * 5, quotes),
        re.DOTALL,
    )
    for quotes in (b'"""', b"'''")
}
"""The rest of a string in three quotes."""


@dataclass(frozen=True, slots=True)
class Body:
    """The lines of a function's body, from its first to the last one with code."""

    line: int
    """Of the header, where ``def`` is, counted from 1."""
    indentation: int
    """Of the header, in spaces."""
    first: int
    """The line that the body begins on."""
    start: int
    """Where that is, in bytes."""
    last_start: int
    """Where the last line with code begins, in bytes."""
    end: int
    """Where the line ends, before its line feed."""


class _UnclearError(UpsertGuardError):
    """A string goes over the end of a line in another way than in three quotes."""


def bodies_of(source: bytes) -> list[Body]:
    """Return the bodies of the outermost functions that are long enough, in their order.

    Empty, too, where a file is written in a way that makes them hard to tell.
    """
    head = source[:1000].split(b"\n", 2)[:2]
    if b"\r" in source or b"\f" in source or any(map(_ENCODING.search, head)):
        return []
    if source.startswith(b"\xef\xbb\xbf") or (b"\t" in source and _TABS.search(source)):
        return []
    try:
        if not source.isascii():
            source.decode()
        strings = _Strings(source)
        return list(_bodies(source, strings))
    except (UnicodeDecodeError, _UnclearError):
        return []


def _bodies(source: bytes, strings: _Strings) -> Iterator[Body]:
    at, line, counted = 0, 1, 0
    while (found := _FUNCTION.search(source, at)) is not None:
        check_time()
        begun = source.rfind(b"\n", 0, found.start()) + 1
        inside = strings.around(begun)
        if inside is not None:
            at = inside[1]
            continue
        at = found.end()
        before = _BEFORE_FUNCTION.fullmatch(source, begun, found.start())
        start = None if before is None else _end_of_header(source, found.end(), strings)
        if before is None or start is None:
            continue
        indentation = len(before.group(1))
        end = _end_of_body(source, start, indentation, strings)
        last = None if end - start < _LEAST else _last_line(source, start, end, strings)
        if last is None:
            continue
        at = end
        # of the header, which may be on several lines
        line += source.count(b"\n", counted, begun)
        first = line + source.count(b"\n", begun, start)
        counted = begun
        yield Body(line, indentation, first, start, *last)


def _end_of_header(source: bytes, at: int, strings: _Strings) -> int | None:
    """Where the line begins behind the header of a function; None: its body is on the same line.

    :param at: behind its first bracket.
    """
    plain = _PLAIN_HEADER.match(source, at)
    if plain is not None:
        return plain.end()
    depth = 1
    while (token := _HEADER.search(source, at)) is not None:
        at = token.end()
        text = token.group()
        if text in _LONG:
            at = strings.end(token.start())
        elif text in (b"(", b"[", b"{"):
            depth += 1
        elif text in (b")", b"]", b"}"):
            depth -= 1
        elif text in (b'"', b"'") or (text == b"\n" and not depth):
            return None
        elif text == b":" and not depth:
            rest, feed, _ = source[at : at + 200].partition(b"\n")
            is_blank = not rest.strip() or rest.lstrip().startswith(b"#")
            return at + len(rest) + 1 if feed and is_blank else None
    return None


def _end_of_body(source: bytes, at: int, indentation: int, strings: _Strings) -> int:
    """Where the first line with code begins that is indented no more than the header, or the source ends."""
    while (found := _code_up_to(indentation).search(source, at - 1)) is not None:
        begun = found.start() + 1
        inside = strings.around(begun)
        if inside is None:
            return begun
        at = inside[1]
    return len(source)


@lru_cache
def _code_up_to(indentation: int) -> re.Pattern[bytes]:
    return re.compile(rb"\n {0,%d}[^\s#]" % indentation)


def _last_line(source: bytes, start: int, end: int, strings: _Strings) -> tuple[int, int] | None:
    """Where the last line with code begins, and where it ends; None: it goes on behind."""
    while end > start:
        end = start + len(source[start:end].rstrip())
        last = source.rfind(b"\n", start, end) + 1 or start
        if strings.around(last) is not None or not source[last:end].lstrip().startswith(b"#"):
            return None if source[last:end].endswith(b"\\") or last == start else (last, end)
        end = last
    return None


class _Strings:
    """The strings in three quotes, which lines begin in."""

    def __init__(self, source: bytes) -> None:
        """Find all of them.

        :raises _UnclearError: a string in one quote goes over the end of a line.
        """
        self._source = source
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._ahead: dict[bytes, int | None] = dict.fromkeys(_LONG, -1)
        """Where each kind of quotes is next."""
        at = 0
        while (opening := self._next(at)) is not None:
            check_time()
            at = self.end(opening)
            self._starts.append(opening)
            self._ends.append(at)
        self._look_at_continued_lines()

    def around(self, at: int) -> tuple[int, int] | None:
        """Return where the string begins and ends that a place is inside of; None: it is in none, or begins one."""
        number = bisect_left(self._starts, at) - 1
        if number < 0 or self._ends[number] <= at:
            return None
        return self._starts[number], self._ends[number]

    def end(self, opening: int) -> int:
        """Return where a string ends that begins with three quotes.

        :raises _UnclearError: it does not.
        """
        quotes = self._source[opening : opening + 3]
        end = self._source.find(quotes, opening + 3)
        if end >= 0 and self._source.find(b"\\", opening + 3, end) < 0:
            return end + 3
        found = _LONG[quotes].match(self._source, opening + 3)
        if found is None:
            raise _UnclearError
        return found.end()

    def _next(self, at: int) -> int | None:
        """Where the next one begins, behind a place that is in none."""
        source = self._source
        while (quotes := self._quotes(at)) is not None:
            line = max(source.rfind(b"\n", at, quotes) + 1, at)
            before = source[line:quotes]
            if not any(sign in before for sign in (b'"', b"'", b"#")):
                return quotes
            opening, at = self._in_line(line)
            if opening is not None:
                return opening
        return None

    def _quotes(self, at: int) -> int | None:
        """Where the next three quotes are, whether they begin a string or not; None: there are none."""
        for quotes, known in self._ahead.items():
            if known is not None and known < at:
                found = self._source.find(quotes, at)
                self._ahead[quotes] = None if found < 0 else found
        return min((n for n in self._ahead.values() if n is not None), default=None)

    def _in_line(self, at: int) -> tuple[int | None, int]:
        """Where one begins in the line at a place; None: none does. And where the line ends."""
        while (token := _TOKEN.search(self._source, at)) is not None:
            text = token.group()
            if text in _LONG:
                return token.start(), token.end()
            if text in (b'"', b"'") or (b"\n" in text and text != b"\n"):
                raise _UnclearError
            at = token.end()
            if text == b"\n":
                return None, at
        return None, len(self._source)

    def _look_at_continued_lines(self) -> None:
        """A backslash at the end of a line continues it: that is clear where it is in no string."""
        at = self._source.find(b"\\\n")
        while at >= 0:
            inside = self.around(at)
            if inside is None:
                line = self._source.rfind(b"\n", 0, at) + 1
                begun = self.around(line)
                self._in_line(line if begun is None else begun[1])
                at += 2
            else:
                at = inside[1]
            at = self._source.find(b"\\\n", at)
