"""Findings as text for people, as JSON for programs, and as annotations on a pull request. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .keys import told_of_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .finding import Finding

__all__ = ["JSON_VERSION", "as_github", "as_json", "as_text", "summary"]

JSON_VERSION = 1

_COLOURS = {"error": "\x1b[31m", "warning": "\x1b[33m"}
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def as_text(findings: Sequence[Finding], *, coloured: bool) -> list[str]:
    """Return a line a finding: the code, the place or the key, the fact, the way out."""
    width = max((len(finding.code) for finding in findings), default=0)
    return [_line(finding, width, coloured=coloured) for finding in findings]


def _line(finding: Finding, width: int, *, coloured: bool) -> str:
    code, fact = finding.code.ljust(width), _in_one_line(_fact(finding))
    hint = _in_one_line(f"{finding.hint[:1].upper()}{finding.hint[1:]}")
    if not coloured:
        return f"{code}  {fact}. {hint}"
    return f"{_COLOURS[finding.severity]}{code}{_PLAIN}  {fact}. {_DIM}{hint}{_PLAIN}"


def _fact(finding: Finding) -> str:
    if finding.location is not None:
        return f"{finding.location.path}:{finding.location.line}: {finding.fact}"
    if finding.table is None:
        return finding.fact
    return f"{_subject(finding)}: {finding.fact}"


def _subject(finding: Finding) -> str:
    table = f"{finding.schema}.{finding.table}" if finding.schema else str(finding.table)
    return told_of_key(table, finding.elements, finding.where) if finding.elements else table


def _in_one_line(text: str) -> str:
    """The text without line breaks, and with what a terminal would take for a command spelled out."""
    return "".join(
        character if character.isprintable() else _spelled_out(character)
        for character in " ".join(text.split("\n"))
    )


def _spelled_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def summary(findings: Iterable[Finding], looked_at: str, *, coloured: bool) -> str:
    """Return the last line: how much of what was looked at, and what came of it."""
    severities = [finding.severity for finding in findings]
    errors, warnings = severities.count("error"), severities.count("warning")
    came = ", ".join(
        f"{number} {noun}{'' if number == 1 else 's'}"
        for number, noun in ((errors, "error"), (warnings, "warning"))
        if number
    )
    line = f"{looked_at}: {came or 'nothing to do'}."
    return f"{_BOLD}{line}{_PLAIN}" if coloured else line


def as_json(
    findings: Sequence[Finding],
    keys: Sequence[Mapping[str, Any]] = (),
    call_sites: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Return the document of version :data:`JSON_VERSION`.

    :param call_sites: None: the command has none, and the member is left out.
    """
    document: dict[str, Any] = {
        "version": JSON_VERSION,
        "keys": list(keys),
        "findings": [_member(finding) for finding in findings],
    }
    if call_sites is not None:
        document["call_sites"] = list(call_sites)
    # in ASCII: whatever the encoding of standard output, and whatever bytes a file is named by
    return json.dumps(document, indent=2)


def _member(finding: Finding) -> dict[str, Any]:
    at = finding.location
    return {
        "code": finding.code,
        "severity": finding.severity,
        "schema": finding.schema,
        "table": finding.table,
        "elements": list(finding.elements),
        "where": finding.where,
        "fact": finding.fact,
        "hint": finding.hint,
        "location": None if at is None else {"path": at.path, "line": at.line},
    }


def as_github(findings: Iterable[Finding]) -> list[str]:
    """Return a workflow command a finding, which GitHub shows beside the line that it is about.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return [_annotation(finding) for finding in findings]


def _annotation(finding: Finding) -> str:
    properties = {"title": finding.code}
    fact = finding.fact
    if finding.location is not None:
        properties = {
            "file": finding.location.path,
            "line": str(finding.location.line),
            **properties,
        }
    elif finding.table is not None:
        fact = f"{_subject(finding)}: {fact}"
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    hint = f"{finding.hint[:1].upper()}{finding.hint[1:]}"
    return f"::{finding.severity} {listed}::{_escaped(f'{fact}. {hint}')}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
