"""The report as JSON; docs/report.schema.json is its schema."""

from __future__ import annotations

import json
from datetime import timezone
from typing import TYPE_CHECKING, Any

from ..codes import FindingCode, Severity
from .document import fingerprinted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..finding import Finding, Location, OfferedLines
    from .document import Run, RunReport

__all__ = ["JSON_VERSION", "as_json", "error_as_json"]

JSON_VERSION = 1


def as_json(report: RunReport) -> str:
    """Return the document of version :data:`JSON_VERSION`."""
    document: dict[str, Any] = {
        "version": JSON_VERSION,
        "keys": list(report.keys),
        "findings": _members(report.findings),
        "suppressed": _members(report.suppressed),
    }
    if report.call_sites is not None:
        document["call_sites"] = list(report.call_sites)
    severities = [finding.severity for finding in report.findings]
    document["counts"] = {
        **{each.value: severities.count(each) for each in Severity},
        "suppressed": len(report.suppressed),
    }
    document["unread_files"] = [
        {"path": finding.location.shown_path, "line": finding.location.line}
        for finding in (*report.findings, *report.suppressed)
        if finding.code is FindingCode.UNREAD_FILE and finding.location is not None
    ]
    document["run"] = _run(report.run)
    return _dumped(document)


def error_as_json(message: str) -> str:
    """Return the document of a run that came to no report: exit code 2."""
    return _dumped({"version": JSON_VERSION, "error": {"message": message}})


def _dumped(document: dict[str, Any]) -> str:
    # in ASCII: whatever the encoding of standard output, and whatever bytes a file is named by
    return json.dumps(document, indent=2)


def _members(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    named = fingerprinted(findings)
    return [_member(finding, fingerprint) for finding, fingerprint in named]


def _member(finding: Finding, fingerprint: str) -> dict[str, Any]:
    lines = finding.deduplication
    offered = {} if lines is None else {"deduplication": _lines(lines)}
    helper = {} if finding.helper is None else {"helper": _place(finding.helper)}
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "schema": finding.schema,
        "table": finding.table,
        "elements": list(finding.elements),
        "where": finding.where,
        "fact": finding.fact,
        "hint": finding.hint,
        "location": _place(finding.location),
        **helper,
        "declared_at": _place(finding.declared_at),
        "fingerprint": fingerprint,
        **offered,
    }


def _lines(lines: OfferedLines) -> dict[str, Any]:
    return {"upgrade": lines.upgrade, "downgrade": lines.downgrade, "place": lines.place}


def _place(location: Location | None) -> dict[str, Any] | None:
    return None if location is None else {"path": location.shown_path, "line": location.line}


def _run(run: Run) -> dict[str, Any]:
    return {
        "tool": "alembic-upsert-guard",
        "tool_version": run.version,
        "command": run.command,
        "started": run.started.astimezone(timezone.utc).isoformat(timespec="seconds"),
        "databases": [
            {"dialect": each.dialect, "server_version": each.version, "name": each.name}
            for each in run.databases
        ],
    }
