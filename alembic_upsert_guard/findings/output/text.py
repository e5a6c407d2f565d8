"""Findings as text for people."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...wording import counted, last_line
from ..codes import Severity
from ..finding import as_sentence
from ..offers import offered_once
from .frame import framed, span_of
from .grouping import describe_subject, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..finding import Finding, Location

__all__ = ["as_lines", "as_text", "as_unread", "in_one_line", "statistics", "summary"]

_COLOURS = {Severity.ERROR: "\x1b[31m", Severity.WARNING: "\x1b[33m"}
_BOLD, _DIM, _BLUE, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[34m", "\x1b[0m"
_HELP = "  help: "


@dataclass(frozen=True, slots=True)
class _Style:
    coloured: bool
    width: int | None
    source: Callable[[Location], str | None]

    def paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self.coloured else text

    def wrapped(self, text: str, indent: str) -> list[str]:
        """The text in lines of the terminal's width, all but the first indented."""
        if self.width is None:
            return [text]
        return textwrap.wrap(
            text,
            max(self.width, 40),
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def as_text(
    findings: Sequence[Finding],
    *,
    coloured: bool,
    width: int | None = None,
    source: Callable[[Location], str | None] = lambda _: None,
) -> list[str]:
    """Return the lines of a report: a finding's place, severity, code and fact, its source line, and the way out.

    What is so in many schemas alike is one finding, with the way out of the first. A key that several call sites lack
    is offered by the first of them, and findings of databases that have the same way out share it.

    :param width: the terminal's, in columns; None: nothing is wrapped.
    :param source: the line of a file, without its end; None: it cannot be shown.
    """
    style = _Style(coloured, width, source)
    blocks = [list(_block(groups, style)) for groups in _with_one_hint(offered_once(findings))]
    apart = [line for block in blocks for line in (*block, "")]
    return apart[:-1]


def as_lines(findings: Sequence[Finding], *, coloured: bool) -> list[str]:
    """Return a line a finding: place, severity, code, fact and the way out, as in :func:`as_text`."""
    style = _Style(coloured, None, lambda _: None)
    return [
        f"{next(_head(group, style))}. {in_one_line(as_sentence(group[0].hint))}"
        for group in grouped(offered_once(findings))
    ]


def _with_one_hint(findings: Sequence[Finding]) -> Iterable[list[list[Finding]]]:
    """The groups of findings that are printed together, above one hint."""
    together: dict[object, list[list[Finding]]] = {}
    for group in grouped(findings):
        finding = group[0]
        alone = finding.location is not None
        together.setdefault(id(group) if alone else (finding.code, finding.hint), []).append(group)
    return together.values()


def _block(groups: Sequence[Sequence[Finding]], style: _Style) -> Iterator[str]:
    for group in groups:
        yield from _head(group, style)
    prose, *lines = map(in_one_line, as_sentence(groups[0][0].hint).split("\n"))
    first, *more = style.wrapped(f"{_HELP}{prose}", " " * len(_HELP))
    yield style.paint(_DIM, _HELP) + first[len(_HELP) :]
    yield from more
    # what is to be pasted is never wrapped
    yield from (f"{' ' * len(_HELP)}{line}" for line in lines)


def _head(group: Sequence[Finding], style: _Style) -> Iterator[str]:
    finding = group[0]
    place = finding.location or finding.declared_at
    line = None
    if finding.location is not None:
        line = _shown(style.source(finding.location))
    path = "" if place is None else f"{_place(place, line)}: "
    code = f"{finding.severity}[{finding.code}]"
    fact = in_one_line(_fact(group))
    plain = f"{path}{code}: {fact}"
    first, *more = style.wrapped(plain, "    ")
    painted = style.paint(_COLOURS[finding.severity], code)
    yield style.paint(_BOLD, path) + first[len(path) :].replace(code, painted, 1)
    yield from more
    if line is not None and place is not None:
        above, shown, marks = framed(line, place.line, style.width)
        yield style.paint(_BLUE, above)
        yield shown
        yield marks.replace("^", style.paint(_COLOURS[finding.severity], "^"))


def _shown(line: str | None) -> str | None:
    """The line as it can be printed; None: there is none, or nothing is in it."""
    if line is None or not line.strip():
        return None
    return in_one_line(line.expandtabs(4).rstrip())


def _place(location: Location, line: str | None) -> str:
    place = f"{in_one_line(location.shown_path)}:{location.line}"
    return place if line is None else f"{place}:{span_of(line).start + 1}"


def _fact(group: Sequence[Finding]) -> str:
    finding = group[0]
    if finding.location is not None or finding.table is None:
        return finding.fact_with_helper
    return f"{describe_subject(group)}: {finding.fact}"


def in_one_line(text: str) -> str:
    """Return the text without line breaks, and with what a terminal would take for a command spelled out."""
    return "".join(
        character if character.isprintable() else _spelled_out(character)
        for character in " ".join(text.split("\n"))
    )


def _spelled_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def as_unread(findings: Iterable[Finding]) -> list[str]:
    """Return a line an upsert that cannot be read, which is no finding then: its place, and why."""
    return [
        f"{_place(each.location, None)}: cannot be read: {each.fact_with_helper}"
        for each in findings
        if each.location is not None
    ]


def summary(
    findings: Iterable[Finding],
    subject: str,
    *,
    coloured: bool,
    suppressed: int = 0,
    conclusion: str = "nothing to do",
) -> str:
    """Return the last line: how much of what was looked at, what came of it, and how much the project suppresses.

    :param conclusion: what is said where there are no findings.
    """
    severities = [finding.severity for finding in findings]
    came = ", ".join(
        counted(severities.count(each), each.value) for each in Severity if each in severities
    )
    line = last_line(subject, came or conclusion, suppressed=suppressed)
    return f"{_BOLD}{line}{_PLAIN}" if coloured else line


def statistics(findings: Iterable[Finding]) -> list[str]:
    """Return a line a code that was found: how often, how bad, its name and its meaning; the most frequent first."""
    counts = Counter((finding.code, finding.severity) for finding in findings)
    width = max((len(f"{count:,}") for count in counts.values()), default=0)
    longest = max((len(code) for code, _ in counts), default=0)
    return [
        f"{count:>{width},}  {severity.value:7}  {code.value:{longest}}  {code.meaning}"
        for (code, severity), count in counts.most_common()
    ]
