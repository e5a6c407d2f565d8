"""Findings as text for people, as JSON for programs, and as annotations on a pull request. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..wording import counted, last_line
from .codes import Severity
from .keys import alike, describe_key, describe_schemas, qualified
from .offers import offered_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .finding import Finding

__all__ = ["JSON_VERSION", "as_github", "as_json", "as_text", "summary"]

JSON_VERSION = 1

_COLOURS = {Severity.ERROR: "\x1b[31m", Severity.WARNING: "\x1b[33m"}
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def as_text(findings: Sequence[Finding], *, coloured: bool) -> list[str]:
    """Return a line a finding: the code, the place or the key, the fact, the way out.

    What is so in many schemas alike is one line, with the way out of the first. A key that several call sites lack is
    offered by the first of them.
    """
    width = max((len(finding.code) for finding in findings), default=0)
    groups = _grouped(offered_once(findings))
    return [_line(group, width, coloured=coloured) for group in groups]


def _grouped(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """What differs in the schema only is one list; where that leaves many lists of one key, the last is the rest.

    Two levels, for a thousand tenants: a fact that all share is one line, and facts that differ in their numbers, as of
    duplicate groups, are not a thousand lines.
    """
    by_fact = list(alike(findings, _without_schema))
    for lists in alike(by_fact, _of_one_key):
        if len(lists) == 1:
            yield lists[0]
            continue
        yield from lists[:2]
        yield [
            replace(finding, fact=_OTHERWISE, hint=_EACH)
            for group in lists[2:]
            for finding in group
        ]


_OTHERWISE = "the same, in other numbers or under other names"
_EACH = "see --format json, which lists each"


def _without_schema(finding: Finding) -> Finding:
    return replace(finding, schema=None, hint="") if _is_of_a_table(finding) else finding


def _of_one_key(group: Sequence[Finding]) -> Finding:
    finding = _without_schema(group[0])
    return replace(finding, fact="") if _is_of_a_table(finding) else finding


def _is_of_a_table(finding: Finding) -> bool:
    """Whether it is about a table of a database, and about no place in a file."""
    return finding.table is not None and finding.location is None


def _line(group: Sequence[Finding], width: int, *, coloured: bool) -> str:
    finding = group[0]
    code, fact = finding.code.ljust(width), _in_one_line(_fact(group))
    hint = _in_one_line(f"{finding.hint[:1].upper()}{finding.hint[1:]}")
    if not coloured:
        return f"{code}  {fact}. {hint}"
    return f"{_COLOURS[finding.severity]}{code}{_PLAIN}  {fact}. {_DIM}{hint}{_PLAIN}"


def _fact(group: Sequence[Finding]) -> str:
    finding = group[0]
    if finding.location is not None:
        return f"{finding.location.path}:{finding.location.line}: {finding.fact}"
    if finding.table is None:
        return finding.fact
    return f"{_subject(group)}: {finding.fact}"


def _subject(group: Sequence[Finding]) -> str:
    finding = group[0]
    schemas = list(dict.fromkeys(each.schema for each in group))
    table = qualified(finding.schema if len(schemas) == 1 else None, str(finding.table))
    key = describe_key(table, finding.elements, finding.where) if finding.elements else table
    return f"{key}{describe_schemas(schemas)}"


def _in_one_line(text: str) -> str:
    """The text without line breaks, and with what a terminal would take for a command spelled out."""
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


def as_json(
    findings: Sequence[Finding],
    keys: Sequence[Mapping[str, Any]] = (),
    call_sites: Sequence[Mapping[str, Any]] | None = None,
    suppressed: Sequence[Finding] = (),
) -> str:
    """Return the document of version :data:`JSON_VERSION`.

    :param call_sites: None: the command has none, and the member is left out.
    :param suppressed: findings that the project suppresses.
    """
    document: dict[str, Any] = {
        "version": JSON_VERSION,
        "keys": list(keys),
        "findings": [_member(finding) for finding in findings],
        "suppressed": [_member(finding) for finding in suppressed],
    }
    if call_sites is not None:
        document["call_sites"] = list(call_sites)
    # in ASCII: whatever the encoding of standard output, and whatever bytes a file is named by
    return json.dumps(document, indent=2)


def _member(finding: Finding) -> dict[str, Any]:
    at = finding.location
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "schema": finding.schema,
        "table": finding.table,
        "elements": list(finding.elements),
        "where": finding.where,
        "fact": finding.fact,
        "hint": finding.hint,
        "location": None if at is None else {"path": at.path, "line": at.line},
    }


def as_github(findings: Sequence[Finding]) -> list[str]:
    """Return a workflow command a finding, which GitHub shows beside the line that it is about.

    What is so in many schemas alike is one, as in text.
    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return [_annotation(group) for group in _grouped(findings)]


def _annotation(group: Sequence[Finding]) -> str:
    finding = group[0]
    properties = {"title": finding.code.value}
    fact = finding.fact
    if finding.location is not None:
        properties = {
            "file": finding.location.path,
            "line": str(finding.location.line),
            **properties,
        }
    elif finding.table is not None:
        fact = f"{_subject(group)}: {fact}"
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    hint = f"{finding.hint[:1].upper()}{finding.hint[1:]}"
    return f"::{finding.severity} {listed}::{_escaped(f'{fact}. {hint}')}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
