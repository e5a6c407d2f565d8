"""``upsert-guard`` in a process of its own, on a throw-away project."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from alembic_upsert_guard.findings import CODES

if TYPE_CHECKING:
    from tests.project import Project, Ran

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())

MEMBERS = {
    "keys": ["schema", "table", "elements", "where", "verdict", "arbiters"],
    "findings": [
        "code",
        "severity",
        "schema",
        "table",
        "elements",
        "where",
        "fact",
        "hint",
        "location",
        "declared_at",
        "fingerprint",
    ],
    "call_sites": [
        "source",
        "path",
        "line",
        "schema",
        "table",
        "elements",
        "where",
        "constraint",
        "resolution",
    ],
}
"""As DESIGN lists them: those and no others, in that order."""

COLUMNS = "(id serial PRIMARY KEY, tenant integer NOT NULL, email varchar NOT NULL)"
ACCOUNTS = f"CREATE TABLE accounts {COLUMNS}"
UNIQUE = "ALTER TABLE accounts ADD CONSTRAINT uq_accounts UNIQUE (tenant, email)"
ACCOUNT = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]
"""


@dataclass(frozen=True)
class Report:
    """What ``--format json`` printed."""

    code: int
    keys: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    suppressed: list[dict[str, Any]]
    call_sites: list[dict[str, Any]] | None
    err: str
    run: dict[str, Any]

    @property
    def codes(self) -> list[str]:
        return [finding["code"] for finding in self.findings]

    @property
    def verdicts(self) -> dict[str, str]:
        """By table and key, as messages name it."""
        return {label(key): key["verdict"] for key in self.keys}

    @property
    def arbiters(self) -> dict[str, list[str]]:
        return {label(key): key["arbiters"] for key in self.keys}


def label(subject: dict[str, Any]) -> str:
    schema = f"{subject['schema']}." if subject["schema"] else ""
    where = f" WHERE {subject['where']}" if subject["where"] else ""
    return f"{schema}{subject['table']} ({', '.join(subject['elements'])}){where}"


def heads(text: str) -> list[str]:
    """The first line of each finding in a report for people, without the place of a declaration."""
    found = [line for line in text.splitlines() if "error[" in line or "warning[" in line]
    return [re.sub(r"^models\.py:\d+: ", "", line) for line in found]


def guard(project: Project, *arguments: str, forked: bool = True) -> Ran:
    """Run the command; a traceback is never an answer."""
    ran = project.python("-m", "alembic_upsert_guard", *arguments, forked=forked)
    assert "Traceback" not in ran.said, ran.said
    return ran


def report(project: Project, *arguments: str) -> Report:
    """Run the command, and hold its JSON against the published schema and DESIGN."""
    ran = guard(project, *arguments, "--format", "json")
    assert ran.code in (0, 1), ran.said
    document = json.loads(ran.out)
    Draft202012Validator(SCHEMA).validate(document)
    members = [
        "version",
        "keys",
        "findings",
        "suppressed",
        *(["call_sites"] if "call_sites" in document else []),
        "counts",
        "unread_files",
        "run",
    ]
    assert list(document) == members
    for member, names in MEMBERS.items():
        assert all(
            [name for name in each if name != "deduplication"] == names
            for each in document.get(member, [])
        )
    assert all(list(each) == MEMBERS["findings"] for each in document["suppressed"])
    for finding in [*document["findings"], *document["suppressed"]]:
        code = CODES[finding["code"]]
        assert arguments[0] in {command.partition(" ")[0] for command in code.commands}
        assert finding["severity"] in {code.severity.value, *map(str, code.exceptions.values())}
    return Report(
        ran.code,
        document["keys"],
        document["findings"],
        document["suppressed"],
        document.get("call_sites"),
        ran.err,
        document["run"],
    )


def could_not_run(project: Project, *arguments: str, forked: bool = True) -> str:
    """The one line that says why; nothing else is printed, and the exit code is 2."""
    ran = guard(project, *arguments, forked=forked)
    assert ran.code == 2, ran.said
    if "json" in arguments:
        document = json.loads(ran.out)
        Draft202012Validator(SCHEMA).validate(document)
        assert list(document) == ["version", "error"]
    else:
        assert ran.out == ""
    lines = [line for line in ran.err.splitlines() if line.startswith("upsert-guard: ")]
    assert len(lines) == 1, ran.err
    return lines[0].removeprefix("upsert-guard: ")
