"""``upsert-guard check --statements``, ``--statements-from``, ``--log`` and ``--observed``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import create_engine

from alembic_upsert_guard.cli import main
from alembic_upsert_guard.command.records import RecordOptions, Records
from alembic_upsert_guard.errors import CannotRunError
from tests.cli.commands import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.statements.conftest import Database, Log

TABLE = "CREATE TABLE account (id int PRIMARY KEY, email text, status text)"
EMAIL = "CREATE UNIQUE INDEX uq_email ON account (email)"
STATUS = "CREATE UNIQUE INDEX uq_status ON account (status)"
BY_EMAIL = (
    "INSERT INTO account VALUES (1, 'a s3cret') ON CONFLICT (email) DO UPDATE SET status = 's3cret'"
)
BY_STATUS = "INSERT INTO account VALUES (2, 'a s3cret') ON CONFLICT (status) DO NOTHING"


@dataclass
class Ran:
    """What the command printed."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> Any:
        found = json.loads(self.out)
        Draft202012Validator(SCHEMA).validate(found)
        return found


@pytest.fixture
def check(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Run the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        code = main(["check", *arguments])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


def test_what_production_uses_is_a_table(database: Database, check: Any) -> None:
    """The most frequent upsert first, each with its arbiter; no value is in it."""
    database.run(TABLE, EMAIL, STATUS, BY_STATUS, BY_EMAIL, BY_EMAIL)

    ran = check("--database", database.url, "--statements")

    assert ran.out.splitlines()[:3] == [
        "calls  upsert                   arbiter",
        "    2  public.account (email)   uq_email",
        "    1  public.account (status)  uq_status",
    ]
    assert "2 upserts in statistics of 3 calls" in ran.out
    assert "s3cret" not in ran.out + ran.err
    assert ran.code == 0


def test_a_dropped_arbiter_is_found_before_the_next_call(database: Database, check: Any) -> None:
    """The upsert ran while the index was there; the hint is the SQL to run."""
    database.run(TABLE, EMAIL, BY_EMAIL, BY_EMAIL, "DROP INDEX uq_email")

    ran = check("--database", database.url, "--statements")

    assert ran.code == 1
    assert "public.account (email): the upsert that ran 2 times fails with 42P10" in ran.out
    assert "ADD CONSTRAINT uq_account_email" in ran.out


def test_call_sites_of_statements_have_calls_and_no_place(database: Database, check: Any) -> None:
    """The members of the report, as its schema has them."""
    database.run(TABLE, EMAIL, BY_EMAIL)

    ran = check("--database", database.url, "--statements", "--format", "json")

    assert ran.report["call_sites"] == [
        {
            "source": "statements",
            "path": None,
            "line": None,
            "schema": "public",
            "table": "account",
            "elements": ["email"],
            "where": None,
            "constraint": None,
            "resolution": "served",
            "arbiters": ["uq_email"],
            "calls": 1,
        }
    ]


def test_production_is_held_against_a_branch(
    database: Database, bare: Database, check: Any
) -> None:
    """What production ran, in the schema that the branch has; the branch needs no extension."""
    database.run(TABLE, EMAIL, BY_EMAIL)
    bare.run(TABLE)

    ran = check("--database", bare.url, "--statements-from", database.url)

    assert ran.code == 1
    assert "the upsert that ran once fails with 42P10" in ran.out


def test_a_branch_with_the_arbiter_serves_production(
    database: Database, bare: Database, check: Any
) -> None:
    """The twin: one index more."""
    database.run(TABLE, EMAIL, BY_EMAIL)
    bare.run(TABLE, EMAIL)

    assert check("--database", bare.url, "--statements-from", database.url).code == 0


def test_an_ignore_entry_suppresses_it(database: Database, check: Any, tmp_path: Path) -> None:
    """By code, table and reason, as any finding."""
    database.run(TABLE, EMAIL, BY_EMAIL, "DROP INDEX uq_email")
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.upsert_guard.ignore]]\ncode = "unserved-upsert"\ntable = "public.account"\nreason = "gone"\n'
    )

    assert check("--database", database.url, "--statements").code == 0


@pytest.mark.parametrize("preloaded", [True, False])
def test_statistics_that_cannot_be_read_end_with_2(
    bare: Database, forgetful: Database, check: Any, *, preloaded: bool
) -> None:
    """The message is what to run."""
    expected = "as a superuser, in this database, run: CREATE EXTENSION pg_stat_statements;"
    database = bare
    if not preloaded:
        forgetful.run("CREATE EXTENSION pg_stat_statements")
        database = forgetful
        expected = "run: ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements';"

    ran = check("--database", database.url, "--statements")

    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.err


def test_of_several_databases_those_with_statistics_are_judged(database: Database) -> None:
    """What ran in the one of another kind is not known, which is said; without the first nothing is judged."""
    database.run(TABLE, EMAIL, BY_EMAIL)
    records, others = (Records(RecordOptions(statements=True)) for _ in range(2))

    with create_engine("sqlite://").connect() as elsewhere, database.connection() as connection:
        records.ask(elsewhere, None)
        records.ask(connection, None)
        others.ask(elsewhere, None)

    (checked,) = records.checked()
    assert checked.subject == "1 upsert in statistics of 1 call"
    assert records.notes == (
        "pg_stat_statements is PostgreSQL's, and the database is sqlite: what ran there is not known",
    )
    with pytest.raises(CannotRunError, match="and the database is sqlite"):
        list(others.checked())


def test_hidden_statements_end_with_2_where_nothing_else_is_read(
    database: Database, check: Any
) -> None:
    """A role that sees no statement of the application has nothing to hold; the GRANT is what to run."""
    database.run(TABLE, EMAIL, BY_EMAIL, 'DROP ROLE IF EXISTS "Ann"', 'CREATE ROLE "Ann" LOGIN')

    ran = check("--database", database.at(username="Ann"), "--statements")
    database.run('DROP ROLE "Ann"')

    assert ran.code == 2
    assert 'GRANT pg_read_all_stats TO "Ann";' in ran.err


def test_hidden_statements_are_counted_where_others_are_read(
    database: Database, check: Any
) -> None:
    """Of the own upserts there is an answer, and of the others their number."""
    database.run(TABLE, EMAIL, BY_STATUS.replace("(status)", "(id)"), "DROP ROLE IF EXISTS app")
    database.run("CREATE ROLE app LOGIN", "GRANT ALL ON account TO app")
    database.run(BY_EMAIL, url=database.at(username="app"))

    ran = check("--database", database.at(username="app"), "--statements")
    database.run("DROP OWNED BY app", "DROP ROLE app")

    assert ran.code == 0
    assert "1 upsert in statistics of 1 call" in ran.out
    assert "of other roles, upserts or not, are hidden from app" in ran.err


def test_nothing_is_written_to_the_database(database: Database, check: Any) -> None:
    """The check runs in transactions that are READ ONLY, and no sequence moves."""
    database.run(TABLE.replace("int PRIMARY KEY", "serial PRIMARY KEY"), EMAIL, BY_EMAIL)
    state = "SELECT xmin::text, ctid::text, (SELECT last_value FROM account_id_seq) FROM account"
    with database.connection() as connection:
        before = connection.exec_driver_sql(state).all()

    check("--database", database.url, "--statements")

    with database.connection() as connection:
        assert connection.exec_driver_sql(state).all() == before


def test_a_password_is_in_no_message(check: Any) -> None:
    """Of the other database's URL neither."""
    url = "postgresql+psycopg2://ann:s3cret@/nowhere?host=/nonexistent"

    ran = check("--database", "sqlite://", "--statements-from", url)

    assert ran.code == 2
    assert "s3cret" not in ran.err


# -- the log


def test_a_failure_in_the_log_is_found_at_its_line(
    logging_database: Database, log: Log, check: Any
) -> None:
    """Equal ones are one finding, at the first; nothing of the row is shown."""
    logging_database.run(TABLE)
    path = str(log.after(logging_database, BY_EMAIL, BY_EMAIL.replace("1", "2")))

    ran = check("--database", logging_database.url, "--log", path)

    assert ran.code == 1
    assert "the upsert into public.account (email) that failed 2 times fails with 42P10" in ran.out
    assert f"{path}:" in ran.out
    assert "1 failed upsert in the log" in ran.out
    assert "s3cret" not in ran.out + ran.err


def test_a_failure_that_is_fixed_is_no_finding(
    logging_database: Database, log: Log, check: Any
) -> None:
    """The database at hand serves what failed when the log was written."""
    logging_database.run(TABLE)
    path = str(log.after(logging_database, BY_EMAIL))
    logging_database.run(EMAIL)

    ran = check("--database", logging_database.url, "--log", path, "--format", "json")

    assert ran.code == 0
    (site,) = ran.report["call_sites"]
    assert (site["resolution"], site["arbiters"], site["calls"]) == ("served", ["uq_email"], 1)


def test_failures_of_other_databases_are_left_out(
    logging_database: Database, bare: Database, log: Log, check: Any
) -> None:
    """Unless the one that is meant is named: a branch is called otherwise than production."""
    logging_database.run(TABLE)
    bare.run(TABLE)
    path = str(log.after(logging_database, BY_EMAIL))

    ran = check("--database", bare.url, "--log", path)
    named = check("--database", bare.url, "--log", path, "--log-database", logging_database.name)

    assert (ran.code, named.code) == (0, 1)
    assert "of other databases left out" in ran.err
    assert logging_database.name in ran.err


# -- what tests ran


def observed(path: Path, **members: Any) -> str:
    upsert = {
        "schema": None,
        "table": "account",
        "elements": ["email"],
        "where": None,
        "constraint": None,
        "dialect": "postgresql",
        "outcome": "ok",
        "count": 2,
        "places": [
            {"path": "app/accounts.py", "line": 7, "test": "tests/test_a.py::test_one"},
            {"path": "app/accounts.py", "line": 7, "test": "tests/test_a.py::test_two"},
        ],
        **members,
    }
    path.write_text(json.dumps({"version": 1, "upserts": [upsert], "unread": []}))
    return str(path)


def test_an_observed_upsert_without_its_arbiter_is_found_at_its_line(
    bare: Database, check: Any, tmp_path: Path
) -> None:
    """Two tests ran one line: one finding."""
    bare.run(TABLE)

    ran = check("--database", bare.url, "--observed", observed(tmp_path / "observed.json"))

    assert ran.code == 1
    assert (
        ran.out.count(
            "app/accounts.py:7: error[unserved-upsert]: the upsert into account (email) fails"
        )
        == 1
    )
    assert "1 observed upsert" in ran.out


def test_an_observed_upsert_with_its_arbiter_names_it(
    bare: Database, check: Any, tmp_path: Path
) -> None:
    """The twin: one index more."""
    bare.run(TABLE, EMAIL)
    path = observed(tmp_path / "observed.json")

    ran = check("--database", bare.url, "--observed", path, "--format", "json")

    (site,) = ran.report["call_sites"]
    assert (site["source"], site["path"], site["line"]) == ("observed", "app/accounts.py", 7)
    assert (site["resolution"], site["arbiters"]) == ("served", ["uq_email"])


def test_a_bound_value_is_no_answer(bare: Database, check: Any, tmp_path: Path) -> None:
    """The file has ``$1`` for it, which no planner takes."""
    bare.run(TABLE, EMAIL.replace("(email)", "(email) WHERE status = 'active'"))
    path = observed(tmp_path / "observed.json", where="status = $1")

    ran = check("--database", bare.url, "--observed", path)

    assert ran.code == 0
    assert "compares with a bound value" in ran.out


def test_a_table_that_a_test_made_is_no_error(bare: Database, check: Any, tmp_path: Path) -> None:
    """It is in no model and not in the database: a warning says so."""
    ran = check("--database", bare.url, "--observed", observed(tmp_path / "observed.json"))

    assert ran.code == 0
    assert "unresolved-upsert" in ran.out


def test_a_comment_at_the_line_suppresses_it(bare: Database, check: Any, tmp_path: Path) -> None:
    """As it does for the recording itself."""
    bare.run(TABLE)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "accounts.py").write_text(
        "\n" * 6 + "connection.execute(upsert)  # upsert-guard: ignore[unserved-upsert]\n"
    )

    assert check("--database", bare.url, "--observed", observed(tmp_path / "o.json")).code == 0


def test_a_file_that_is_no_record_ends_with_2(bare: Database, check: Any, tmp_path: Path) -> None:
    """The message names it."""
    path = tmp_path / "observed.json"
    path.write_text("{}")

    ran = check("--database", bare.url, "--observed", str(path))

    assert ran.code == 2
    assert "observed.json is no file of observed upserts" in ran.err
