"""Findings as JUnit's XML, which every CI shows as failed tests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..codes import Severity
from .grouping import describe_subject
from .text import in_one_line

if TYPE_CHECKING:
    from ..finding import Finding
    from .document import RunReport

__all__ = ["as_junit"]


def as_junit(report: RunReport, *, strict: bool) -> str:
    """Return a test suite with a test case a finding: an error is a failure, a warning is skipped with its reason.

    Without findings there is one test case, which passes: a suite without any counts as one that did not run.

    :param strict: whether warnings are failures, too.
    """
    failing = [each for each in report.findings if strict or each.severity is Severity.ERROR]
    counts = {
        "tests": str(len(report.findings) or 1),
        "failures": str(len(failing)),
        "errors": "0",
        "skipped": str(len(report.findings) - len(failing)),
    }
    suites = Element("testsuites", counts, name="upsert-guard")
    started = report.run.started.isoformat(timespec="seconds")
    suite = SubElement(
        suites, "testsuite", counts, name=f"upsert-guard {report.run.command}", timestamp=started
    )
    for finding in report.findings:
        _add_case(suite, finding, fails=strict or finding.severity is Severity.ERROR)
    if not report.findings:
        SubElement(suite, "testcase", classname="upsert-guard", name=_xml_text(report.subject))
    indent(suites)
    # a name in another alphabet as a character reference: standard output may not be UTF-8
    text = tostring(suites, encoding="us-ascii").decode()
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def _add_case(suite: Element, finding: Finding, *, fails: bool) -> None:
    attributes = {"classname": finding.code.value, "name": _xml_text(_name(finding))}
    place = finding.file_location
    if place is not None:
        attributes |= {"file": _xml_text(place.repository_path), "line": str(place.line)}
    case = SubElement(suite, "testcase", attributes)
    outcome = SubElement(
        case, "failure" if fails else "skipped", message=_xml_text(finding.fact_with_helper)
    )
    outcome.text = _xml_text(finding.hint)


def _name(finding: Finding) -> str:
    if finding.location is not None:
        return f"{finding.location.shown_path}:{finding.location.line}"
    return finding.code.value if finding.table is None else describe_subject([finding])


def _xml_text(text: str) -> str:
    """The text without what XML 1.0 cannot hold: control characters are spelled out."""
    return in_one_line(text)
