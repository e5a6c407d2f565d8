"""``upsert-guard scan --observed``: what tests ran tells what the source does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from alembic_upsert_guard.cli import main

if TYPE_CHECKING:
    from pathlib import Path

MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from alembic_upsert_guard import UpsertKey

class Base(DeclarativeBase):
    pass

class Account(Base):
    __tablename__ = "account"
    __table_args__ = (UpsertKey("email"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    kind: Mapped[str]
"""

HELPER = """
from sqlalchemy.dialects.postgresql import insert

def save(session, table, keys, rows):
    statement = insert(table).values(rows)
    statement = statement.on_conflict_do_nothing(index_elements=keys)
    session.execute(statement)

def other(session):
    session.commit()
"""
SENT, ELSEWHERE = 7, 10
"""Lines of it."""


TWO = """
from sqlalchemy.dialects.postgresql import insert
from models import Account

def save(session, table, keys, rows):
    statement = insert(table).values(rows).on_conflict_do_nothing(index_elements=keys)
    account = insert(Account).values(rows[0]).on_conflict_do_nothing(index_elements=["email"])
    session.execute(statement)
    session.execute(account)
"""
"""Two upserts in one function, of which the source shows the second."""


@pytest.fixture
def scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Scan the helper with what was observed; the report as JSON."""
    monkeypatch.chdir(tmp_path)
    models = f"models_{tmp_path.name}"
    (tmp_path / f"{models}.py").write_text(MODELS)

    def run(*observed: dict[str, Any], form: str = "json", helper: str = HELPER) -> Any:
        (tmp_path / "helper.py").write_text(helper.replace("models", models))
        upserts = [{**OBSERVED, **each} for each in observed]
        (tmp_path / "o.json").write_text(
            json.dumps({"version": 1, "upserts": upserts, "unread": []})
        )
        main(
            [
                "scan",
                "helper.py",
                "--metadata",
                f"{models}:Base",
                "--observed",
                "o.json",
                "--format",
                form,
            ]
        )
        out = capsys.readouterr().out
        return json.loads(out) if form == "json" else out

    return run


def at(line: int) -> list[dict[str, Any]]:
    return [{"path": "helper.py", "line": line, "test": None}]


OBSERVED = {
    "schema": None,
    "table": "account",
    "elements": ["email"],
    "where": None,
    "constraint": None,
    "dialect": "postgresql",
    "outcome": "ok",
    "count": 1,
    "places": at(SENT),
}


def resolutions(report: Any) -> list[tuple[str | None, list[str], str]]:
    return [(site["table"], site["elements"], site["resolution"]) for site in report["call_sites"]]


def test_a_helper_is_told_by_the_line_that_sends_its_statement(scan: Any) -> None:
    """Its table and keys are parameters; a test ran it with those that the models declare."""
    report = scan({})

    assert resolutions(report) == [("account", ["email"], "declared")]
    assert report["findings"] == []


def test_what_ran_and_is_not_declared_is_found_at_the_site(scan: Any) -> None:
    """The twin: other keys."""
    report = scan({"elements": ["kind"]})

    (finding,) = report["findings"]
    assert (finding["code"], finding["location"]["line"]) == ("undeclared-upsert", 6)


IN_SCHEMA = """
def save(cursor, settings):
    cursor.execute(f"INSERT INTO {settings.schema}.account (email) VALUES (1) ON CONFLICT (email) DO NOTHING")
"""


def test_a_schema_of_the_tests_own_is_not_taken_for_the_applications(scan: Any) -> None:
    """The models have one table of that name, whichever schema a test made for itself."""
    report = scan({"schema": "test_1", "places": at(3)}, helper=IN_SCHEMA)

    assert resolutions(report) == [("account", ["email"], "declared")]


def test_a_schema_that_is_written_is_the_applications(scan: Any) -> None:
    """The twin: no model has a table there."""
    written = IN_SCHEMA.replace("{settings.schema}", "test_1")
    report = scan({"schema": "test_1", "places": at(3)}, helper=written)

    assert resolutions(report) == [("account", ["email"], "unresolved")]


def test_a_target_that_is_not_read_ran_in_its_schema(scan: Any) -> None:
    """Table, schema and target are those of the run, where the source leaves the target open as well."""
    helper = IN_SCHEMA.replace("(email) DO", "({settings.key}) DO")
    report = scan({"places": at(3)}, helper=helper)

    assert resolutions(report) == [("account", ["email"], "declared")]


def test_a_site_that_ran_with_several_tables_is_each_of_them(scan: Any) -> None:
    """One helper, and as many upserts as tests ran with it."""
    report = scan({}, {"elements": ["id"]})

    assert sorted(resolutions(report)) == [
        ("account", ["email"], "declared"),
        ("account", ["id"], "modelled"),
    ]


def test_another_function_tells_nothing(scan: Any) -> None:
    """What ran there is none of the helper's: it stays unresolved."""
    (site,) = scan({"places": at(ELSEWHERE)})["call_sites"]

    assert site["resolution"] == "unresolved"


def test_of_two_upserts_the_one_that_can_have_run_did(scan: Any) -> None:
    """The other one has another target, which the source shows."""
    report = scan({"elements": ["id"], "places": at(8)}, {"places": at(9)}, helper=TWO)

    assert resolutions(report) == [
        ("account", ["id"], "modelled"),
        ("account", ["email"], "declared"),
    ]


def test_what_may_be_either_of_two_upserts_tells_nothing(scan: Any) -> None:
    """The twin: what ran has the target of the second, and the first may have had it too."""
    report = scan({"places": at(8)}, helper=TWO)

    assert [site["resolution"] for site in report["call_sites"]] == ["unresolved", "declared"]


def test_a_site_that_no_test_ran_is_counted(scan: Any) -> None:
    """In the summary, and not as a finding of its own."""
    assert "1 upsert in 1 file, 1 that no test ran" in scan({"places": at(ELSEWHERE)}, form="text")
    assert "that no test ran" not in scan({}, form="text")
