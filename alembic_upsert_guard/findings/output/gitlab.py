"""Findings as GitLab's code quality report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..codes import Severity
from ..finding import sentences
from ..keys import qualified
from .document import fingerprinted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..finding import Finding

__all__ = ["as_gitlab"]

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor"}


def as_gitlab(findings: Sequence[Finding]) -> str:
    """Return the report that ``artifacts:reports:codequality`` takes.

    A finding of a database has the line on which its key is declared; without one, the table's name as the path.
    https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
    """
    named = fingerprinted(findings)
    return json.dumps([_issue(finding, fingerprint) for finding, fingerprint in named], indent=2)


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    place = finding.file_location or finding.location
    path, line = (_table(finding), 1) if place is None else (place.repository_path, place.line)
    return {
        "description": sentences(finding.fact_with_helper, finding.hint),
        "check_name": finding.code.value,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": path, "lines": {"begin": line}},
    }


def _table(finding: Finding) -> str:
    return "database" if finding.table is None else qualified(finding.schema, finding.table)
