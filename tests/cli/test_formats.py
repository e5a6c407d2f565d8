"""Text for people, JSON for programs, annotations for pull requests; exit codes; ``explain``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from alembic_upsert_guard.findings import (
    CODES,
    Finding,
    FindingCode,
    Location,
    as_github,
    as_json,
    as_lines,
    as_text,
    page_of,
    summary,
)
from tests.cli.commands import ACCOUNT, ACCOUNTS, SCHEMA, UNIQUE, could_not_run, guard, report
from tests.findings.reports import report_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.project import Project

COMMAND = [sys.executable, "-m", "alembic_upsert_guard"]


def environment(project: Project, **more: str) -> dict[str, str]:
    """The process's, without what colours output."""
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    return {**kept, "PROJECT_URL": project.url, "PYTHONPATH": ".", **more}


def on_a_terminal(project: Project, *arguments: str, **more: str) -> str:
    """What a terminal would show of standard output."""
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [*COMMAND, *arguments],
            cwd=project.path,
            env=environment(project, **more),
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    finally:
        os.close(theirs)
    shown = b""
    with suppress(OSError):  # Linux ends a terminal so
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    return shown.decode()


@pytest.fixture
def short(sqlite_project: Project) -> Project:
    """A key whose table is missing: one error."""
    sqlite_project.models(ACCOUNT)
    return sqlite_project


FACT = "upsert key accounts (tenant, email): the table is not in the database"
HINT = "Run alembic upgrade head, or look whether the check reads the database that is meant"


def test_text_is_a_finding_and_its_way_out(short: Project) -> None:
    """Where it is declared, severity, code, fact; the hint under it; the summary last; no colour off a terminal."""
    ran = guard(short, "check")
    declared = line_of(short, "UpsertKey(")
    assert ran.out == (
        f"models.py:{declared}: error[missing-table]: {FACT}\n  help: {HINT}\n\n1 upsert key: 1 error.\n"
    )


def test_colours_are_for_terminals(short: Project) -> None:
    """And for nobody who sets NO_COLOR."""
    shown = on_a_terminal(short, "check").replace("\r\n", "\n")
    assert "\x1b[31merror[missing-table]\x1b[0m: upsert key accounts" in shown
    assert shown.endswith("\x1b[1m1 upsert key: 1 error.\x1b[0m\n")
    assert "\x1b" not in on_a_terminal(short, "check", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(short, "check", "--format", "json")
    assert "\x1b" not in on_a_terminal(short, "check", "--format", "github")


def test_force_color_colours_what_is_no_terminal(short: Project) -> None:
    """A CI shows colours, and is no terminal; NO_COLOR has the last word, and a file has none."""
    short.environment["FORCE_COLOR"] = "1"
    assert "\x1b[31m" in guard(short, "check").out
    guard(short, "check", "--output", "report.txt")
    assert "\x1b" not in (short.path / "report.txt").read_text()
    short.environment["NO_COLOR"] = "1"
    assert "\x1b" not in guard(short, "check").out


def test_quiet_leaves_the_findings(short: Project) -> None:
    """And nothing where there is none: as grep has it."""
    assert guard(short, "check", "--quiet").out.endswith(f"  help: {HINT}\n")
    short.models("")
    assert guard(short, "check", "--quiet").out == ""


def test_statistics_count_by_code(short: Project) -> None:
    """In place of the findings; the exit code is the same."""
    ran = guard(short, "check", "--statistics")
    assert ran.out.startswith("1  error    missing-table  the key's table is not in the database\n")
    assert ran.code == 1


def test_output_goes_to_a_file(short: Project) -> None:
    """Standard output is empty then; a file that cannot be written is no report."""
    ran = guard(short, "check", "--format", "sarif", "--output", "upserts.sarif")
    assert (ran.code, ran.out) == (1, "")
    assert json.loads((short.path / "upserts.sarif").read_text())["version"] == "2.1.0"
    assert could_not_run(short, "check", "--output", "no/where.txt").startswith(
        "--output no/where.txt: "
    )


def finding(
    code: str = "missing-arbiter",
    fact: str = "nothing is unique",
    location: Location | None = None,
    **more: object,
) -> Finding:
    stated = {"table": "t", "elements": ("a", "b"), "hint": "add it", **more}
    return Finding(code=CODES[code], fact=fact, location=location, **stated)  # type: ignore[arg-type]


def test_a_line_stays_a_line() -> None:
    """Line breaks in SQL, and what a terminal would obey in a name, do not get through."""
    (line,) = as_lines([finding(where="a\n  > 1", table="t\x1b[2J\r")], coloured=False)
    assert line == (
        "error[missing-arbiter]: upsert key t\\x1b[2J\\r (a, b) WHERE a   > 1: nothing is unique. Add it"
    )


def test_a_finding_without_elements_names_the_table() -> None:
    """With its schema where it has one."""
    assert as_lines([finding(elements=())], coloured=False) == [
        "error[missing-arbiter]: t: nothing is unique. Add it"
    ]
    (line,) = as_lines([finding(elements=(), schema="s")], coloured=False)
    assert line.startswith("error[missing-arbiter]: s.t: ")


def shown(width: int | None = None, **stated: object) -> list[str]:
    """A finding at the second line of a file."""
    source = {2: "\ttable.upsert(rows, on_conflict='a,b')"}
    return as_text(
        [finding(location=Location("api.py", 2), **stated)],
        coloured=False,
        width=width,
        source=lambda at: source.get(at.line),
    )


def test_the_line_is_shown_with_the_upsert_underlined() -> None:
    """Tabs are columns, so that the mark is under the word."""
    assert shown() == [
        "api.py:2:24: error[missing-arbiter]: nothing is unique",
        "  |",
        "2 |     table.upsert(rows, on_conflict='a,b')",
        "  |                        ^^^^^^^^^^^",
        "  help: Add it",
    ]


def test_prose_is_wrapped_to_the_terminal_and_what_is_to_be_pasted_is_not() -> None:
    """A statement that is cut in two cannot be pasted."""
    statement = f"ALTER TABLE t ADD CONSTRAINT uq UNIQUE ({', '.join(['column'] * 9)});"
    lines = shown(width=60, fact="nothing is unique " * 9, hint=f"{'run this ' * 9}:\n{statement}")
    assert lines[-1].strip() == statement
    assert all(len(line) <= 60 for line in lines[:-1])


def test_one_hint_is_printed_once() -> None:
    """Under all keys that have it."""
    lines = as_text([finding(), finding(table="u")], coloured=False)
    assert lines == [
        "error[missing-arbiter]: upsert key t (a, b): nothing is unique",
        "error[missing-arbiter]: upsert key u (a, b): nothing is unique",
        "  help: Add it",
    ]


def test_the_summary_counts_both_kinds() -> None:
    """Errors and warnings, each in singular or plural."""
    warning = Finding(code=FindingCode.NULL_ROWS, fact="f", hint="h")
    assert summary([finding(), warning, warning], "3 upsert keys", coloured=False) == (
        "3 upsert keys: 1 error, 2 warnings."
    )


def test_github_annotates(short: Project) -> None:
    """A finding of a database is shown where its key is declared; the summary is for the log."""
    ran = guard(short, "check", "--format", "github")
    assert ran.out.splitlines() == [
        f"::error file=models.py,line={line_of(short, 'UpsertKey(')},title=missing-table::{FACT}. {HINT}",
        "1 upsert key: 1 error.",
    ]
    assert ran.code == 1


def test_github_escapes() -> None:
    """As the runner reads it: https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    escaped = finding(fact="100%, a: b,\r\nc", location=Location("a,b:c%.py", 7))
    assert as_github([escaped]) == [
        "::error file=a%2Cb%3Ac%25.py,line=7,title=missing-arbiter::100%25, a: b,%0D%0Ac. Add it"
    ]


def test_json_is_ascii() -> None:
    """So it is whole under every encoding."""
    written = as_json(report_of(finding(table="grüße")))
    assert written.isascii()
    assert json.loads(written)["findings"][0]["table"] == "grüße"


def test_the_schema_is_one_and_knows_every_code() -> None:
    """It is valid itself, and takes no finding that DESIGN does not know."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["finding"]["properties"]["code"]["enum"] == list(CODES)
    right = json.loads(as_json(report_of()))
    assert Draft202012Validator(SCHEMA).is_valid(right)
    for wrong in ({"version": 2}, {"findings": [{}]}, {"keys": [{"verdict": "maybe"}]}):
        assert not Draft202012Validator(SCHEMA).is_valid({**right, **wrong})


def line_of(project: Project, text: str) -> int:
    """The line of the models that holds `text`, counted from 1."""
    lines = (project.path / "models.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_json_of_a_finding(short: Project) -> None:
    """Every member, as DESIGN has them, and behind them the line of the declaration and the fingerprint."""
    (found,) = report(short, "check").findings
    assert len(found.pop("fingerprint")) == 64
    assert [found] == [
        {
            "code": "missing-table",
            "severity": "error",
            "schema": None,
            "table": "accounts",
            "elements": ["tenant", "email"],
            "where": None,
            "fact": "the table is not in the database",
            "hint": "run alembic upgrade head, or look whether the check reads the database that is meant",
            "location": None,
            "declared_at": {"path": "models.py", "line": line_of(short, "UpsertKey(")},
        }
    ]


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_exit_codes(project: Project, form: str) -> None:
    """0 and 1 by errors; under --strict by warnings too; 2 where it could not run. Whatever the format."""
    project.sql("CREATE TABLE accounts (id serial PRIMARY KEY, tenant int, email varchar NOT NULL)")
    project.models(ACCOUNT)
    arguments = ["check", "--format", form]
    assert guard(project, *arguments).code == 1

    project.sql(UNIQUE)
    assert guard(project, *arguments).code == 0
    assert guard(project, *arguments, "--strict").code == 1

    project.sql("ALTER TABLE accounts ALTER tenant SET NOT NULL")
    assert guard(project, *arguments, "--strict").code == 0

    could_not_run(project, *arguments, "-c", "nowhere.ini")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["chekc"],
        ["scan", "--diff", "--fix"],
        ["check", "--format", "xml"],
        ["check", "--base"],
        ["explain", "--format", "json"],
    ],
)
def test_wrong_usage(short: Project, arguments: list[str]) -> None:
    """2, and the usage on standard error; no abbreviation is taken for an option that writes."""
    ran = guard(short, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "usage: upsert-guard" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a command: check, scan, functions, explain"),
        (["scan", "--strct"], "unrecognized arguments: --strct; did you mean --strict?"),
        (["scan", "--output-file=x"], "--output-file=x; did you mean --output?"),
        (["scan", "--qqq"], "unrecognized arguments: --qqq\n"),
    ],
)
def test_wrong_usage_says_what_is_meant(short: Project, arguments: list[str], said: str) -> None:
    """The option that is nearest, or the commands that there are."""
    assert said in guard(short, *arguments).err


@pytest.mark.parametrize("code", CODES)
def test_explain(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The page, as it is."""
    from alembic_upsert_guard.cli import main  # noqa: PLC0415

    assert main(["explain", code]) == 0
    assert capsys.readouterr().out == page_of(code)


def test_explain_needs_no_project(tmp_path: Path, short: Project) -> None:
    """An unknown code is answered with near ones."""
    (short.path / "alembic.ini").unlink()
    assert guard(short, "explain", "missing-arbiter").out == page_of("missing-arbiter")
    ran = guard(short, "explain", "missing-arbitre")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(
        "upsert-guard: 'missing-arbitre' is no finding code; did you mean missing-arbiter"
    )


def test_a_reader_that_has_had_enough(short: Project) -> None:
    """A closed pipe is no traceback, though the report waits in a buffer until the end."""
    read, write = os.pipe()
    os.close(read)
    try:
        ran = subprocess.run(
            [*COMMAND, "explain", "missing-arbiter"],
            cwd=short.path,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(write)
    assert (ran.returncode, ran.stderr) == (2, "")


def test_a_terminal_of_another_encoding(project: Project) -> None:
    """Names that it lacks are spelled out."""
    project.models(ACCOUNT.replace('"accounts"', '"grüße"'))
    project.environment["PYTHONIOENCODING"] = "ascii"
    assert (
        "upsert key gr\\xfc\\xdfe (tenant, email): the table is not" in guard(project, "check").out
    )
    assert report(project, "check").keys[0]["table"] == "grüße"


def test_a_key_of_several_lines(project: Project) -> None:
    """A predicate with line breaks is one line of the report."""
    project.sql(ACCOUNTS)
    project.models(
        ACCOUNT.replace('"email")', '"email", where=text("""tenant > 0\n    AND id > 0"""))')
    )
    assert len(guard(project, "check").out.splitlines()) == 4
