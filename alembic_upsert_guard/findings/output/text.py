"""Findings as text for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...wording import counted, last_line
from ..codes import Severity
from ..offers import offered_once
from .grouping import describe_subject, grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..finding import Finding

__all__ = ["as_text", "in_one_line", "statistics", "summary"]

_COLOURS = {Severity.ERROR: "\x1b[31m", Severity.WARNING: "\x1b[33m"}
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def as_text(findings: Sequence[Finding], *, coloured: bool) -> list[str]:
    """Return a line a finding: the code, the place or the key, the fact, the way out.

    What is so in many schemas alike is one line, with the way out of the first. A key that several call sites lack is
    offered by the first of them.
    """
    width = max((len(finding.code) for finding in findings), default=0)
    groups = grouped(offered_once(findings))
    return [_line(group, width, coloured=coloured) for group in groups]


def _line(group: Sequence[Finding], width: int, *, coloured: bool) -> str:
    finding = group[0]
    code, fact = finding.code.ljust(width), in_one_line(_fact(group))
    hint = in_one_line(f"{finding.hint[:1].upper()}{finding.hint[1:]}")
    if not coloured:
        return f"{code}  {fact}. {hint}"
    return f"{_COLOURS[finding.severity]}{code}{_PLAIN}  {fact}. {_DIM}{hint}{_PLAIN}"


def _fact(group: Sequence[Finding]) -> str:
    finding = group[0]
    if finding.location is not None:
        return f"{finding.location.path}:{finding.location.line}: {finding.fact}"
    if finding.table is None:
        return finding.fact
    return f"{describe_subject(group)}: {finding.fact}"


def in_one_line(text: str) -> str:
    """Return the text without line breaks, and with what a terminal would take for a command spelled out."""
    return "".join(
        character if character.isprintable() else _spelled_out(character)
        for character in " ".join(text.split("\n"))
    )


def _spelled_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


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
