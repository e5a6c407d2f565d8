"""`python -m tests.code_overview` writes docs/codes.md from the table of finding codes."""

from __future__ import annotations

from pathlib import Path

from alembic_upsert_guard.findings.codes import FindingCode

PAGE = Path(__file__).parents[1] / "docs" / "codes.md"

HEAD = """\
# Finding codes

Every finding has a code, and every code a page: an example, what the server answers, the cause, the fix.
`upsert-guard explain CODE` prints the page, `upsert-guard explain` the list. An error makes the command exit with 1;
a warning does so under `--strict`.

| code | severity | meaning | reported by |
|---|---|---|---|
"""

LABELS = {
    "autogenerate": "alembic check",
    "upgrade": "alembic upgrade",
    "pytest": "pytest --upsert-guard",
}
IMPLIED_BY = {
    "check --rows": "check",
    "check --functions": "functions",
    "check --statements": "check --code",
    "check --log": "check --code",
    "check --observed": "check --code",
}
"""Left out where the other one reports the code as well."""


def overview() -> str:
    """Return the page: a line a code, in the order of the table."""
    return HEAD + "".join(
        f"| [{code}](codes/{code}.md) | {severity(code)} | {code.meaning} | {reported_by(code)} |\n"
        for code in FindingCode
    )


def severity(code: FindingCode) -> str:
    others = sorted({other.value for other in code.exceptions.values()})
    return ", ".join([code.severity.value, *(f"{other} in some cases" for other in others)])


def reported_by(code: FindingCode) -> str:
    commands = [each for each in code.commands if IMPLIED_BY.get(each) not in code.commands]
    return ", ".join(f"`{LABELS.get(command, command)}`" for command in commands)


if __name__ == "__main__":
    PAGE.write_text(overview(), encoding="utf-8")
