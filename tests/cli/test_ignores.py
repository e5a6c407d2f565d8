"""Suppressed findings: ``[[tool.upsert_guard.ignore]]`` beside the Alembic configuration, and ``--baseline``."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.command.baseline import append_entries, entries_for
from alembic_upsert_guard.command.ignores import IgnoreEntry, read_entries
from alembic_upsert_guard.command.pyproject import PyprojectError
from alembic_upsert_guard.findings import Finding, FindingCode
from tests.cli.commands import ACCOUNT, ACCOUNTS, UNIQUE, could_not_run, guard, heads, report

if TYPE_CHECKING:
    from pathlib import Path

    from tests.project import Project

ENTRY = """
[[tool.upsert_guard.ignore]]
code = "missing-table"
table = "accounts"
reason = "it comes with the next release"
"""


@pytest.fixture
def short(sqlite_project: Project) -> Project:
    """One finding: missing-table."""
    sqlite_project.models(ACCOUNT)
    return sqlite_project


def ignoring(project: Project, text: str = ENTRY) -> None:
    (project.path / "pyproject.toml").write_text(text)


def test_a_suppressed_finding_is_absent(short: Project) -> None:
    """From every format and from the exit code; the verdict on the key stays."""
    ignoring(short)
    checked = report(short, "check")
    assert (checked.code, checked.findings) == (0, [])
    assert [f["code"] for f in checked.suppressed] == ["missing-table"]
    assert list(checked.verdicts.values()) == ["short"]
    for form in ("text", "github"):
        assert guard(short, "check", "--strict", "--format", form).out == (
            "1 upsert key: nothing to do, 1 suppressed.\n"
        )


def test_an_entry_holds_to_its_last_day(short: Project) -> None:
    """Until is inclusive; the day after it the finding is back, and the entry is reported beside it, at its line."""
    today = date.today()  # noqa: DTZ011 - as the command takes it
    ignoring(short, f"{ENTRY}until = {today.isoformat()}\n")
    assert report(short, "check").codes == []

    ignoring(short, f"{ENTRY}until = {(today - timedelta(days=1)).isoformat()}\n")
    checked = report(short, "check")
    assert (checked.code, checked.codes) == (1, ["missing-table", "stale-ignore"])
    stale = checked.findings[1]
    assert stale["location"] == {"path": "pyproject.toml", "line": 2}
    assert stale["fact"].startswith(
        "the entry that ignores missing-table of accounts ran out on 20"
    )
    assert heads(guard(short, "check").out)[1].startswith(
        "pyproject.toml:2:8: error[stale-ignore]: the entry that ignores missing-table of accounts ran out"
    )


def test_an_entry_that_matches_nothing(project: Project) -> None:
    """It would hide the next fault: an error."""
    project.sql(ACCOUNTS, UNIQUE)
    project.models(ACCOUNT)
    ignoring(project)
    checked = report(project, "check")
    assert (checked.code, checked.codes) == (1, ["stale-ignore"])
    assert checked.findings[0]["fact"] == (
        "the entry that ignores missing-table of accounts matches nothing"
    )
    assert "take it out of pyproject.toml" in checked.findings[0]["hint"]


@pytest.mark.parametrize(
    ("code", "stale_for"),
    [
        ("undeclared-upsert", [["scan", "models.py"]]),
        ("unserved-function", [["functions"]]),
        ("duplicate-rows", [["check", "--rows"]]),
        ("missing-arbiter", [["check"], ["check", "--rows"]]),
        ("unknown-dialect", [["check"], ["check", "--rows"], ["functions"]]),
    ],
)
def test_an_entry_of_another_command_is_left_alone(
    project: Project, code: str, stale_for: list[list[str]]
) -> None:
    """Only a command that can report the code may call its entry stale."""
    project.sql(ACCOUNTS, UNIQUE)
    project.models(ACCOUNT)
    ignoring(project, ENTRY.replace("missing-table", code))
    for arguments in (["check"], ["check", "--rows"], ["scan", "models.py"], ["functions"]):
        codes = report(project, *arguments).codes
        assert codes == (["stale-ignore"] if arguments in stale_for else []), arguments


@pytest.mark.parametrize("schema", [None, "billing"])
def test_the_schema_is_part_of_the_name(project: Project, schema: str | None) -> None:
    """An entry for one schema's table hides nothing of its namesake in another."""
    project.sql("CREATE SCHEMA billing")
    project.models(
        ACCOUNT
        + ACCOUNT.replace("Account", "Billed").replace(
            '"email"),', '"email"), {"schema": "billing"},'
        )
    )
    ignoring(project, ENTRY.replace('"accounts"', f'"{schema}.accounts"') if schema else ENTRY)
    checked = report(project, "check")
    assert [f["schema"] for f in checked.findings] == [None if schema else "billing"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("reason =", "#", 'lacks reason = "..."'),
        ("it comes with the next release", "  ", 'lacks reason = "..."'),
        ('"it comes with the next release"', "7", 'lacks reason = "..."'),
        ("table =", "#", 'lacks table = "..."'),
        ("code =", "#", 'lacks code = "..."'),
        ("missing-table", "missing-tabel", "missing-tabel is no finding code; there are missing-"),
        (
            "missing-table",
            "stale-ignore",
            "stale-ignore cannot be suppressed: change the stale entry",
        ),
        (
            "missing-table",
            "arbiter-removed",
            "arbiter-removed cannot be suppressed: it is a log line",
        ),
        (
            "reason",
            "untill = 2027-01-31\nreason",
            "has the unknown member untill: there are code, ",
        ),
        ("reason", 'until = "2027-01-31"\nreason', "until is a date without quotes"),
        ("reason", "until = 2027-01-31T00:00:00\nreason", "until is a date without quotes"),
    ],
)
def test_an_entry_that_cannot_be_used(short: Project, old: str, new: str, message: str) -> None:
    """Exit 2, with the number of the entry: a misspelt one must not pass for none."""
    ignoring(short, ENTRY.replace(old, new, 1))
    said = could_not_run(short, "check")
    assert said.startswith("pyproject.toml: entry 1 of [[tool.upsert_guard.ignore]]")
    assert message in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ENTRY.replace("[[", "[").replace("]]", "]"), "write [[tool.upsert_guard.ignore]], in two"),
        (
            ENTRY.replace("ignore", "ignores"),
            "has the unknown key ignores: there are environments, exclude, ignore, metadata, paths, strict",
        ),
        ("[tool]\nupsert_guard = 1", "tool.upsert_guard is no table"),
        (
            "[tool.upsert_guard]\nignore = [1]",
            "entry 1 of [[tool.upsert_guard.ignore]] is no table",
        ),
        ("[tool", "cannot be read: TOMLDecodeError: "),
    ],
)
def test_a_file_that_cannot_be_used(short: Project, text: str, message: str) -> None:
    """Exit 2 with the reason; a file that is half read would suppress too much or too little."""
    ignoring(short, text)
    assert message in could_not_run(short, "check")


def test_a_file_that_is_no_utf_8(tmp_path: Path) -> None:
    """The name of the file is in the error."""
    (tmp_path / "pyproject.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(PyprojectError, match=r"pyproject\.toml cannot be read"):
        read_entries(tmp_path / "pyproject.toml")


def test_entries_in_one_array(short: Project) -> None:
    """TOML's other spelling: read as well, without a line to name."""
    ignoring(
        short,
        '[tool.upsert_guard]\nignore = [{code = "duplicate-rows", table = "accounts", reason = "r"}]\n',
    )
    checked = report(short, "check", "--rows")
    assert checked.codes == ["missing-table", "stale-ignore"]
    assert checked.findings[1]["location"] is None
    assert (checked.findings[1]["table"], checked.findings[1]["elements"]) == ("accounts", [])


def test_the_file_is_the_one_beside_the_configuration(short: Project) -> None:
    """Not the one of the folder it is run in."""
    folder = short.path / "db"
    folder.mkdir()
    (short.path / "migrations").rename(folder / "migrations")
    (short.path / "alembic.ini").rename(folder / "alembic.ini")
    (folder / "pyproject.toml").write_text(ENTRY)
    ignoring(short, "[tool.upsert_guard]\nignore = [1]\n")

    assert guard(short, "check", "-c", "db/alembic.ini").code == 0
    (folder / "pyproject.toml").unlink()
    assert guard(short, "check", "-c", "db/alembic.ini").code == 1


# -- the baseline


@pytest.mark.parametrize(
    "there",
    [
        None,
        "",
        "[project]\nname = 'mine'\n",
        "[project]\nname = 'mine'",
        "[project]\r\nname = 'mine'\r\n",
        "[project]\nname = 'mine' # é\n\n\n",
        ENTRY.replace("accounts", "elsewhere").replace("missing-table", "null-rows").strip(),
    ],
)
def test_the_next_run_is_clean(short: Project, there: str | None) -> None:
    """Whatever the file was; what was in it stays, byte by byte."""
    pyproject = short.path / "pyproject.toml"
    if there is not None:
        pyproject.write_bytes(there.encode())
    ran = guard(short, "check", "--baseline")
    assert ran.code == 0
    assert ran.out == "1 upsert key: nothing to do, 1 suppressed.\n"
    assert ran.err.splitlines()[-1] == "1 entry added to pyproject.toml"

    assert pyproject.read_bytes().startswith((there or "").encode())
    assert pyproject.read_bytes().count(b"\r\n") in (0, pyproject.read_bytes().count(b"\n"))
    assert guard(short, "check", "--strict").out == "1 upsert key: nothing to do, 1 suppressed.\n"
    assert read_entries(pyproject)[-1].reason.startswith("found when the guard was introduced, 20")
    written = pyproject.read_bytes()
    assert guard(short, "check", "--baseline").err.splitlines()[-1].startswith("0 entries added")
    assert pyproject.read_bytes() == written


def test_a_baseline_of_rows_and_of_upserts(project: Project) -> None:
    """Each command suppresses its own; findings without a table are suppressed as "*"."""
    project.sql(ACCOUNTS, "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a')")
    project.models(ACCOUNT)
    (project.path / "service.py").write_text(
        "execute('INSERT INTO accounts (email) VALUES (1) ON CONFLICT (email) DO NOTHING')\n"
        "from sqlalchemy.dialects.postgresql import insert\n"
        "insert(unknown()).on_conflict_do_nothing(index_elements=['a'])\n"
    )
    for arguments in (["check", "--rows"], ["scan", "service.py"]):
        assert report(project, *arguments, "--strict").code == 1
        assert guard(project, *arguments, "--baseline").code == 0
    for arguments in (["check"], ["check", "--rows"], ["scan", "service.py"]):
        assert guard(project, *arguments, "--strict").code == 0
    assert {(e.code, e.table) for e in read_entries(project.path / "pyproject.toml")} == {
        ("missing-arbiter", "accounts"),
        ("duplicate-rows", "accounts"),
        ("undeclared-upsert", "accounts"),
        ("unresolved-upsert", "*"),
    }


UPSERTS = """
from sqlalchemy.dialects.postgresql import insert
from models import Account
def first(): insert(Account).on_conflict_do_nothing(index_elements=["email"])
"""


@pytest.mark.parametrize(
    ("path", "line", "codes"),
    [
        ("service.py", "ins.on_conflict_do_nothing(index_elements=['email'])", []),
        ("other.py", "ins.on_conflict_do_nothing(index_elements=['email'])", ["undeclared-upsert"]),
        ("service.py", "ins.on_conflict_do_nothing(index_elements=['id'])", ["undeclared-upsert"]),
        (
            "service.py",
            "ins.on_conflict_do_nothing(index_elements=['email'], index_where=text('id > 0'))",
            ["undeclared-upsert"],
        ),
    ],
)
def test_a_new_upsert_is_red_beside_a_suppressed_one(
    sqlite_project: Project, path: str, line: str, codes: list[str]
) -> None:
    """One on another target, or in another file; on the same target in the same file it is the same decision."""
    sqlite_project.models(ACCOUNT)
    service = sqlite_project.path / "service.py"
    service.write_text(UPSERTS)
    (sqlite_project.path / "other.py").write_text("upsert = 1\n")
    scanned = guard(sqlite_project, "scan", ".", "--baseline")
    assert scanned.out.endswith(": nothing to do, 1 suppressed.\n")

    with (sqlite_project.path / path).open("a") as file:
        file.write(
            f"from sqlalchemy import text\n{UPSERTS.partition('def')[0]}ins = insert(Account)\n{line}\n"
        )
    for paths in (".", str(sqlite_project.path)):
        again = report(sqlite_project, "scan", paths)
        assert again.codes == codes
        assert len(again.suppressed) == 2 - len(codes)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ("elements = 'email'", "elements is a list of strings"),
        ("elements = [1]", "elements is a list of strings"),
        ("path = 1", "path is a string"),
        ("elements = []\nwhere = 1", "where is a string"),
        ("where = 'a'", "where counts with elements: write both"),
    ],
)
def test_a_target_that_cannot_be_used(short: Project, members: str, message: str) -> None:
    """Exit 2: it must not widen what is suppressed."""
    ignoring(short, f"{ENTRY}{members}\n")
    assert message in could_not_run(short, "check")


def test_a_stale_entry_stays_one(short: Project) -> None:
    """It has to be taken out by a person: the baseline still fails."""
    ignoring(short, f"{ENTRY}until = 2020-01-31\n")
    ran = guard(short, "check", "--baseline")
    assert ran.code == 1
    assert [head.partition(": ")[2].partition(":")[0] for head in heads(ran.out)] == [
        "error[stale-ignore]"
    ]
    assert report(short, "check").codes == ["stale-ignore"]


def test_a_file_that_cannot_take_entries(short: Project) -> None:
    """Nothing is written, and it is said."""
    text = '[tool.upsert_guard]\nignore = [{code = "null-rows", table = "a", reason = "r"}]\n'
    ignoring(short, text)
    said = could_not_run(short, "check", "--baseline")
    assert said.startswith("pyproject.toml cannot take [[tool.upsert_guard.ignore]] at its end: ")
    assert said.endswith("; nothing was written")
    assert (short.path / "pyproject.toml").read_text() == text


@pytest.mark.parametrize(
    "name", ['a"b', "a\\b", "a\nb\tc", "a\x7fb\x01", "grüße", "\U0001f600", "a'b"]
)
def test_any_name_survives(tmp_path: Path, name: str) -> None:
    """What is written is what is read."""
    pyproject = tmp_path / "pyproject.toml"
    found = Finding(
        code=FindingCode.MISSING_TABLE, schema="s", table=name, elements=("a",), fact="f", hint="h"
    )
    append_entries(pyproject, entries_for([found, found], pyproject, date(2027, 1, 31)))
    (entry,) = read_entries(pyproject)
    assert (entry.code, entry.table) == ("missing-table", f"s.{name}")
    assert entry.reason == "found when the guard was introduced, 2027-01-31"
    assert isinstance(entry, IgnoreEntry)
