"""A finding is as bad as the table of codes says, whoever makes it and however it is printed."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from alembic_upsert_guard.findings import (
    Circumstance,
    Finding,
    FindingCode,
    KeySubject,
    RowsReport,
    Severity,
    Unread,
    as_github,
    as_json,
    missing_table,
    nullable_key,
    nulls_mismatch,
    of_rows,
    rival_unique_key,
    short_key,
    unknown_dialect,
    unread_rows,
)
from alembic_upsert_guard.findings.files import unread_file
from alembic_upsert_guard.findings.function_findings import (
    UpsertOfFunction,
    missing_constraint_of_function,
    unresolved_in_function,
    unserved_function,
)
from alembic_upsert_guard.inference import Candidate, Code, ConflictTarget, Element, Shortfall
from tests.findings.reports import report_of

KEY = KeySubject(schema=None, table="t", elements=("a",), where=None, nulls="warn")
FORBIDDING = KeySubject(schema=None, table="t", elements=("a",), where=None, nulls="forbid")
TARGET = ConflictTarget((Element("a"),))
INDEX = Candidate("i", TARGET.elements)
CALL = UpsertOfFunction(function="f()", line=1, schema=None, table="t", elements=(("a", False),))


def rows(*, groups: int = 0, null_rows: int = 0, doubt: str | None = None) -> RowsReport:
    return RowsReport(
        table="t",
        elements=("a",),
        where=None,
        nulls="warn",
        groups=groups,
        surplus=groups,
        null_rows=null_rows,
        listing="SELECT 1",
        doubt=doubt,
    )


MADE = [
    *(short_key(KEY, TARGET, Shortfall(code, INDEX, columns=("b",))) for code in Code),
    nulls_mismatch(KEY, TARGET, INDEX),
    missing_table(KEY),
    nullable_key(KEY, ["a"]),
    rival_unique_key(KEY, [INDEX]),
    *of_rows(KEY, rows(groups=1, null_rows=1), served=False),
    *of_rows(KEY, rows(doubt="the collation is another"), served=False),
    *of_rows(FORBIDDING, rows(null_rows=1), served=False),
    unread_rows(KEY, Unread.BUSY, "cancelled"),
    unknown_dialect("oracle"),
    unread_file("a.py", "it is binary"),
    unserved_function(CALL, "42P10", "there is no constraint"),
    missing_constraint_of_function(CALL, "there is none", None),
    unresolved_in_function(CALL, "it is put together"),
]


def test_a_finding_has_no_severity_of_its_own() -> None:
    """Nobody who makes one can state how bad it is."""
    assert "severity" not in {field.name for field in fields(Finding)}


@pytest.mark.parametrize(
    ("made", "severity"),
    [
        (of_rows(KEY, rows(null_rows=1), served=False), Severity.WARNING),
        (of_rows(FORBIDDING, rows(null_rows=1), served=False), Severity.ERROR),
        (of_rows(KEY, rows(groups=1), served=False), Severity.ERROR),
        (of_rows(KEY, rows(doubt="who knows"), served=False), Severity.WARNING),
    ],
    ids=["NULLs", "forbidden NULLs", "duplicates", "rows that could not be compared"],
)
def test_a_circumstance_picks_the_other_severity(made: list[Finding], severity: Severity) -> None:
    """Where the design gives a code two of them."""
    assert [finding.severity for finding in made] == [severity]


@pytest.mark.parametrize("finding", MADE, ids=lambda f: f"{f.code}-{f.circumstance}")
def test_what_the_table_says_is_printed(finding: Finding, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the table turned round, JSON and annotations are turned round as well."""
    turned = Severity.WARNING if finding.severity is Severity.ERROR else Severity.ERROR
    if finding.circumstance is None:
        monkeypatch.setattr(finding.code, "severity", turned)
    else:
        monkeypatch.setattr(finding.code, "exceptions", {finding.circumstance: turned})

    assert json.loads(as_json(report_of(finding)))["findings"][0]["severity"] == turned.value
    assert as_github([finding])[0].startswith(f"::{turned.value} ")


def test_every_circumstance_is_of_a_code() -> None:
    """A circumstance that no code knows would be a KeyError at the first finding."""
    known = {circumstance for code in FindingCode for circumstance in code.exceptions}
    assert known == set(Circumstance)
