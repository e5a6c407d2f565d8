"""Findings that are one to a reader: what is so in many schemas alike, or of the whole database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..keys import alike, describe_key, describe_schemas, qualified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..finding import Finding

__all__ = ["describe_subject", "grouped"]

_OTHERWISE = "the same, in other numbers or under other names"
_EACH = "see --format json, which lists each"


def grouped(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """What differs in the schema only is one list; where that leaves many lists of one key, the last is the rest.

    What is so of the whole database is one list, whatever the keys.

    Two levels, for a thousand tenants: a fact that all share is one line, and facts that differ in their numbers, as of
    duplicate groups, are not a thousand lines.
    """
    by_fact = [_without_places(group) for group in alike(findings, _without_schema)]
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


def describe_subject(group: Sequence[Finding]) -> str:
    """Return the key that a group is about, with the schemas in which it is so, as what is before its fact."""
    finding = group[0]
    if finding.is_of_database and len(group) > 1:
        return f"{len(group):,} upsert keys"
    schemas = list(dict.fromkeys(each.schema for each in group))
    table = qualified(finding.schema if len(schemas) == 1 else None, str(finding.table))
    key = describe_key(table, finding.elements, finding.where) if finding.elements else table
    return f"{key}{describe_schemas(schemas)}"


def _without_places(group: list[Finding]) -> list[Finding]:
    """The group, of no declaration where it is of the whole database."""
    if not group[0].is_of_database or len(group) == 1:
        return group
    return [replace(finding, declared_at=None) for finding in group]


def _without_schema(finding: Finding) -> Finding:
    if finding.is_of_database:
        return replace(finding, schema=None, table=None, elements=(), where=None)
    return replace(finding, schema=None, hint="") if _is_of_a_table(finding) else finding


def _of_one_key(group: Sequence[Finding]) -> Finding:
    finding = _without_schema(group[0])
    return replace(finding, fact="") if _is_of_a_table(finding) else finding


def _is_of_a_table(finding: Finding) -> bool:
    """Whether it is about a table of a database, and about no place in a file."""
    return finding.table is not None and finding.location is None
