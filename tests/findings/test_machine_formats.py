"""SARIF, JUnit, GitLab, GitHub and JSON of findings with and without a file, suppressed ones among them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from alembic_upsert_guard.findings import (
    CODES,
    Finding,
    FindingCode,
    Location,
    as_github,
    as_gitlab,
    as_json,
    as_junit,
    as_sarif,
    statistics,
)
from tests.findings.reports import report_of
from tests.findings.sarif_schema import SARIF

IN_CODE = Finding(
    code=FindingCode.UNSERVED_UPSERT,
    table="users",
    elements=("email",),
    fact="nothing is unique on users (email)",
    hint="create it",
    location=Location(os.path.join("web app", "a.ts"), 7),  # noqa: PTH118 - as this system spells it
)
OF_A_KEY = Finding(
    code=FindingCode.MISSING_ARBITER,
    schema="s",
    table="users",
    elements=("email",),
    fact="nothing is unique on exactly these elements",
    hint="run alembic revision --autogenerate",
    declared_at=Location("app/models.py", 12),
)
IN_A_FUNCTION = Finding(
    code=FindingCode.UNSERVED_FUNCTION,
    table="users",
    elements=("email",),
    fact="nothing is unique",
    hint="create it",
    location=Location("public.f(integer)", 3, is_file=False),
)
WARNING = Finding(code=FindingCode.UNKNOWN_DIALECT, fact="a < b & \x1b[2J", hint='say "c"')
ALL = (IN_CODE, OF_A_KEY, IN_A_FUNCTION, WARNING)


def sarif(*findings: Finding, suppressed: tuple[Finding, ...] = ()) -> dict:  # type: ignore[type-arg]
    log = json.loads(as_sarif(report_of(*findings, suppressed=suppressed)))
    Draft202012Validator(SARIF, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(log)
    (run,) = log["runs"]
    return dict(run)


def test_sarif_is_valid_and_has_every_code_as_a_rule() -> None:
    """Results refer to rules by index, which has to be that of their code."""
    run = sarif(*ALL)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CODES)
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])


def test_sarif_links_each_rule_to_its_page() -> None:
    """Code scanning shows the link beside a finding; the address is the one of the package's metadata."""
    driver = sarif(*ALL)["tool"]["driver"]
    assert driver["informationUri"] == "https://guard.example/"
    assert [rule["helpUri"] for rule in driver["rules"]] == [
        f"https://guard.example/codes/{code}/" for code in CODES
    ]


def test_junit_is_the_same_bytes_in_every_encoding() -> None:
    """It says that it is UTF-8, and a terminal or a pipe on Windows may be none."""
    odd = replace(IN_CODE, fact="größe is short", location=Location("caf\udce9\x01.ts", 7))
    text = as_junit(report_of(odd), strict=False)
    assert text.isascii()
    again = ET.tostring(ET.fromstring(text), encoding="unicode")  # noqa: S314 - ours
    assert "größe is short" in again
    assert 'file="caf\\udce9\\x01.ts"' in again


def test_the_schema_refuses_what_sarif_has_not() -> None:
    """So that the test above can fail."""
    log = json.loads(as_sarif(report_of(IN_CODE)))
    log["runs"][0]["results"][0]["file"] = "a.ts"
    assert not Draft202012Validator(SARIF).is_valid(log)


def test_sarif_places_a_finding_where_it_is_to_be_changed() -> None:
    """In code at its line, of a key where it is declared, in a function of the database at no file."""
    physical = [each["locations"][0].get("physicalLocation") for each in sarif(*ALL)["results"]]
    assert physical == [
        {"artifactLocation": {"uri": "web%20app/a.ts"}, "region": {"startLine": 7}},
        {"artifactLocation": {"uri": "app/models.py"}, "region": {"startLine": 12}},
        None,
        None,
    ]


def test_the_line_of_a_helper_is_in_every_format() -> None:
    """Of SARIF it is a related location that the message links to; its twin without a helper has none."""
    helped = replace(IN_CODE, helper=Location("db/[id].py", 3))
    with_helper, without = sarif(helped, IN_CODE)["results"]

    assert with_helper["message"]["text"].startswith(
        "nothing is unique on users (email); written in [db/\\[id\\].py:3](1). "
    )
    (related,) = with_helper["relatedLocations"]
    assert related["id"] == 1
    assert related["physicalLocation"]["artifactLocation"] == {"uri": "db/%5Bid%5D.py"}
    assert "relatedLocations" not in without
    for lines in (
        as_github([helped]),
        [as_gitlab([helped])],
        [as_junit(report_of(helped), strict=False)],
    ):
        assert "written in db/[id].py:3" in "\n".join(lines)


def test_sarif_marks_what_is_suppressed() -> None:
    """Services show it as closed, not as gone."""
    results = sarif(IN_CODE, suppressed=(OF_A_KEY,))["results"]
    assert [each.get("suppressions") for each in results] == [None, [{"kind": "external"}]]


def junit(*findings: Finding, strict: bool = False) -> ET.Element:
    written = as_junit(report_of(*findings), strict=strict)
    return ET.fromstring(written.encode())  # noqa: S314 - written by ourselves


def test_junit_fails_a_test_case_for_an_error() -> None:
    """And skips one for a warning, which fails under --strict; the counts are those of the cases."""
    warning = replace(WARNING, code=FindingCode.NULL_ROWS)
    for strict, outcomes in ((False, ["failure", "skipped"]), (True, ["failure", "failure"])):
        suites = junit(IN_CODE, warning, strict=strict)
        cases = suites.findall("testsuite/testcase")
        assert [case[0].tag for case in cases] == outcomes
        assert suites.get("tests") == "2"
        assert suites.get("failures") == str(outcomes.count("failure"))
        assert suites.get("skipped") == str(outcomes.count("skipped"))


def test_junit_without_findings_is_one_test_that_passes() -> None:
    """A suite without test cases counts as one that did not run."""
    (case,) = junit().findall("testsuite/testcase")
    assert (case.get("name"), len(case)) == ("1 upsert key", 0)


def test_junit_holds_no_control_character() -> None:
    """XML 1.0 has none, escaped or not."""
    (case,) = junit(WARNING).findall("testsuite/testcase")
    assert case[0].get("message") == "a < b & \\x1b[2J"


def test_gitlab_gives_every_finding_a_path_and_a_fingerprint_of_its_own() -> None:
    """GitLab drops an issue without either."""
    issues = json.loads(as_gitlab((*ALL, IN_CODE)))
    assert [each["location"]["path"] for each in issues] == [
        "web app/a.ts",
        "app/models.py",
        "public.f(integer)",
        "database",
        "web app/a.ts",
    ]
    assert len({each["fingerprint"] for each in issues}) == len(issues)
    assert {each["severity"] for each in issues} == {"major"}


def test_paths_of_a_repository_begin_with_no_dot() -> None:
    """``scan .`` gives ``./a.ts``, which GitLab finds in no merge request."""
    found = replace(IN_CODE, location=Location("./web/a.ts", 7))

    (issue,) = json.loads(as_gitlab((found,)))
    (case,) = junit(found).findall("testsuite/testcase")
    (line,) = as_github((found,))

    assert issue["location"]["path"] == case.get("file") == "web/a.ts"
    assert "file=web/a.ts," in line


def test_a_fingerprint_outlives_lines_that_are_added_above() -> None:
    """And changes with the target."""
    moved = replace(IN_CODE, location=Location(IN_CODE.location.path, 70))  # type: ignore[union-attr]
    other = replace(IN_CODE, elements=("name",))
    one, two, three = (
        json.loads(as_json(report_of(each)))["findings"][0]["fingerprint"]
        for each in (IN_CODE, moved, other)
    )
    assert one == two != three


def test_github_names_a_function_in_the_text_and_no_file() -> None:
    """It has none that GitHub could show."""
    assert as_github([IN_A_FUNCTION]) == [
        "::error title=unserved-function::public.f(integer):3: nothing is unique. Create it"
    ]


def test_json_lists_what_was_not_read() -> None:
    """A machine that counts findings alone takes a file that does not parse for a clean one."""
    unread = Finding(code=FindingCode.UNREAD_FILE, fact="f", hint="h", location=Location("a.py", 3))
    document = json.loads(as_json(report_of(unread, IN_CODE)))
    assert document["unread_files"] == [{"path": "a.py", "line": 3}]
    assert document["counts"] == {"error": 2, "warning": 0, "suppressed": 0}


def test_json_says_what_ran_when_and_on_which_database() -> None:
    """In UTC; no host, user or password."""
    assert json.loads(as_json(report_of()))["run"] == {
        "tool": "alembic-upsert-guard",
        "tool_version": "1.2.3",
        "command": "check",
        "started": "2026-11-28T12:00:01+00:00",
        "databases": [{"dialect": "postgresql", "server_version": "18.1", "name": "shop"}],
    }


@pytest.mark.parametrize("count", [1, 12])
def test_statistics_are_a_line_a_code(count: int) -> None:
    """The most frequent first."""
    lines = statistics([OF_A_KEY, *[IN_CODE] * count, IN_CODE])
    assert [line.split()[:3] for line in lines] == [
        [str(count + 1), "error", "unserved-upsert"],
        ["1", "error", "missing-arbiter"],
    ]
