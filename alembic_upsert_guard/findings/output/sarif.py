"""The report as SARIF 2.1.0, which code scanning services take."""

from __future__ import annotations

import json
from datetime import timezone
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..codes import FindingCode
from ..finding import sentences
from .document import fingerprinted
from .grouping import describe_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..finding import Finding, Location
    from .document import RunReport

__all__ = ["as_sarif"]

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_CODES = list(FindingCode)


def as_sarif(report: RunReport) -> str:
    """Return the log of one run: every code as a rule, every finding as a result, suppressed ones marked so.

    A finding of a database is placed where its key is declared; what has no file has a logical location, which is the
    table or the function of the database. Where a helper writes the upsert, that line is a related location, which the
    message links to (3.11.6): a service shows what is linked to.
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    run = report.run
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "alembic-upsert-guard",
                        "version": run.version,
                        **({"informationUri": run.site} if run.site else {}),
                        "rules": [_rule(code, run.site) for code in _CODES],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "startTimeUtc": run.started.astimezone(timezone.utc).strftime(
                            "%Y-%m-%dT%H:%M:%SZ"
                        ),
                    }
                ],
                "results": [
                    *_results(report.findings, suppressed=False),
                    *_results(report.suppressed, suppressed=True),
                ],
            }
        ],
    }
    return json.dumps(log, indent=2)


def _rule(code: FindingCode, site: str) -> dict[str, Any]:
    meaning = f"{code.meaning[:1].upper()}{code.meaning[1:]}."
    return {
        "id": code.value,
        "shortDescription": {"text": meaning},
        "help": {"text": f"upsert-guard explain {code.value}"},
        **({"helpUri": f"{site}codes/{code.value}/"} if site else {}),
        "defaultConfiguration": {"level": code.severity.value},
    }


def _results(findings: Sequence[Finding], *, suppressed: bool) -> list[dict[str, Any]]:
    named = fingerprinted(findings)
    # an entry of pyproject.toml suppresses them, which is outside of the code that they are about
    member = {"suppressions": [{"kind": "external"}]} if suppressed else {}
    return [{**_result(finding, name), **member} for finding, name in named]


def _result(finding: Finding, fingerprint: str) -> dict[str, Any]:
    subject = ""
    if finding.location is None and finding.table is not None:
        subject = f"{describe_subject([finding])}: "
    fact, related = finding.fact, {}
    if finding.helper is not None:
        place = finding.helper
        fact = f"{fact}; written in [{_link_text(f'{place.shown_path}:{place.line}')}](1)"
        related = {"relatedLocations": [{"id": 1, "physicalLocation": _physical(place)}]}
    return {
        "ruleId": finding.code.value,
        "ruleIndex": _CODES.index(finding.code),
        "level": finding.severity.value,
        "message": {"text": f"{subject}{sentences(fact, finding.hint)}"},
        "locations": [_location(finding)],
        **related,
        "partialFingerprints": {"upsertGuard/v1": fingerprint},
    }


def _location(finding: Finding) -> dict[str, Any]:
    place = finding.file_location
    location: dict[str, Any] = {}
    if place is not None:
        location["physicalLocation"] = _physical(place)
    if finding.table is not None:
        name = finding.table if finding.schema is None else f"{finding.schema}.{finding.table}"
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "table"}]
    elif finding.location is not None and not finding.location.is_file:
        function = finding.location.path
        location["logicalLocations"] = [{"fullyQualifiedName": function, "kind": "function"}]
    return location


def _link_text(text: str) -> str:
    """The text as it is written between the brackets of a link."""
    return "".join(f"\\{each}" if each in "\\[]" else each for each in text)


def _physical(place: Location) -> dict[str, Any]:
    return {"artifactLocation": {"uri": _uri(place)}, "region": {"startLine": place.line}}


def _uri(place: Location) -> str:
    """The path as a URI reference: relative ones are, for the service, from the root of the repository on."""
    path = place.repository_path
    if PureWindowsPath(path).is_absolute():
        path = f"file:///{path}"
    elif path.startswith("/"):
        path = f"file://{path}"
    return quote(path, safe="/:", errors="surrogateescape")
