"""pytest's plugin, by a pytest of its own: off nothing, on the upserts of the tests, what was refused, and exit 1."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.observed.accounts import engine_of
from tests.observed.suites import SAVE

if TYPE_CHECKING:
    from tests.observed.suites import Suite

PASSES = """
    def test_saves():
        save("email")
"""
FAILS = """
    def test_saves():
        save("email")

    def test_does_not_save():
        with pytest.raises(Exception):
            save("email", "name")
"""

# -- off


def test_off_nothing_is_imported_printed_or_written(sqlite_suite: Suite) -> None:
    """Of the package there is the module with the options, and SQLAlchemy is not there at all."""
    sqlite_suite.write(
        "test_nothing.py",
        """
        import sys

        def test_what_is_imported():
            ours = {name for name in sys.modules if name.startswith("alembic_upsert_guard")}
            assert ours == {"alembic_upsert_guard", "alembic_upsert_guard.pytest_plugin"}
            assert not {"sqlalchemy", "alembic", "postgast", "sqlglot"} & set(sys.modules)
        """,
    )
    before = {path.name for path in sqlite_suite.folder.iterdir()}
    without = sqlite_suite.run(
        "-p", "no:upsert_guard", "test_nothing.py", "-k", "nothing_of_this_name"
    )
    with_plugin = sqlite_suite.run("test_nothing.py", "-k", "nothing_of_this_name")
    ran = sqlite_suite.run("test_nothing.py")

    assert ran.code == 0, ran.text
    assert with_plugin.text.split(" in ")[0] == without.text.split(" in ")[0]
    assert {path.name for path in sqlite_suite.folder.iterdir()} == before


def test_off_upserts_are_run_and_nothing_is_written(sqlite_suite: Suite) -> None:
    """Refused ones too: the tests decide."""
    ran = sqlite_suite.run(tests=FAILS)

    assert ran.code == 0, ran.text
    assert ran.section == []
    assert not (sqlite_suite.folder / ".upsert_guard").exists()


# -- on


def test_the_file_is_as_designed(suite: Suite) -> None:
    """Member by member."""
    ran = suite.run("--upsert-guard", tests=FAILS)

    assert ran.code == 1, ran.text
    place = {"path": "app.py", "line": SAVE}
    common = {"schema": None, "table": "accounts", "where": None, "constraint": None}
    assert suite.recorded() == {
        "version": 1,
        "upserts": [
            {
                **common,
                "elements": ["email"],
                "dialect": "postgresql",
                "outcome": "ok",
                "count": 1,
                "places": [{**place, "test": "test_app.py::test_saves"}],
            },
            {
                **common,
                "elements": ["email", "name"],
                "dialect": "postgresql",
                "outcome": "42P10",
                "count": 1,
                "places": [{**place, "test": "test_app.py::test_does_not_save"}],
            },
        ],
        "unread": [],
    }


def test_a_refused_upsert_fails_the_session(suite: Suite) -> None:
    """Though each test passes; in one line, with the SQL that fixes it."""
    ran = suite.run("--upsert-guard", tests=FAILS)

    assert ran.code == 1
    assert "2 passed" in ran.text
    assert ran.section == [
        (
            f"app.py:{SAVE}: error[unserved-upsert]: the upsert into accounts (email, name) fails with 42P10: nothing "
            'unique in the database serves it (in test_app.py::test_does_not_save). Add UpsertKey("email", "name") to '
            "the model of accounts and run alembic revision --autogenerate, or run: "
            "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_email_name UNIQUE (email, name);"
        ),
        "2 upserts recorded in .upsert_guard/observed.json: 1 error.",
    ]


def test_the_sql_of_the_section_is_the_fix(suite: Suite) -> None:
    """Run, and the same suite is clean."""
    ran = suite.run("--upsert-guard", tests=FAILS)
    _, _, sql = ran.section[0].partition("or run: ")
    with engine_of(suite.url).begin() as connection:
        connection.exec_driver_sql(sql)
    ran = suite.run(
        "--upsert-guard", tests=FAILS.replace("with pytest.raises(Exception):", "if True:")
    )

    assert ran.code == 0, ran.text
    assert ran.section == ["2 upserts recorded in .upsert_guard/observed.json: none was refused."]


def test_an_upsert_that_is_served_is_no_finding(suite: Suite) -> None:
    """It is recorded, and the session passes."""
    ran = suite.run("--upsert-guard", tests=PASSES)

    assert ran.code == 0, ran.text
    assert ran.section == ["1 upsert recorded in .upsert_guard/observed.json: none was refused."]


@pytest.mark.parametrize(
    ("ddl", "call", "line"),
    [
        (
            "ALTER TABLE accounts ADD CONSTRAINT uq_late UNIQUE (status) DEFERRABLE",
            'save("status")',
            (
                "app.py:{}: error[unserved-upsert]: the upsert into accounts (status) fails with 55000: the constraint "
                "uq_late is DEFERRABLE (in test_app.py::test_it). Declare the constraint without deferrable= and "
                "initially="
            ),
        ),
        (
            "SELECT 1",
            'save(constraint="uq_email")',
            (
                "app.py:{}: error[missing-constraint]: the upsert into accounts on constraint uq_email fails with "
                "42704: the table has no constraint of that name, and ON CONSTRAINT takes no index (in "
                "test_app.py::test_it). Name a constraint that the table has, or the columns that rows are matched by"
            ),
        ),
    ],
    ids=["55000", "42704"],
)
def test_what_the_server_refuses_is_told_apart(
    suite: Suite, ddl: str, call: str, line: str
) -> None:
    """A deferrable constraint from a missing one."""
    ran = suite.run(
        "--upsert-guard",
        tests=f"""
        def test_it():
            with engine.begin() as connection:
                connection.exec_driver_sql({ddl!r})
            with pytest.raises(Exception):
                {call}
        """,
    )

    assert ran.code == 1, ran.text
    assert ran.section[0].startswith(line.format(SAVE))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO accounts (id, email) SELECT id, email FROM accounts ORDER BY 7 ON CONFLICT (email) DO NOTHING",
        "SELECT id FROM accounts ORDER BY 7",
        "INSERT INTO accounts (id, email) VALUES (1, CAST('a' AS missing)) ON CONFLICT (email) DO NOTHING",
        "INSERT INTO through_trigger (email) VALUES ('a') ON CONFLICT (email) DO NOTHING",
    ],
    ids=["order by in an upsert", "order by", "42704 of a type", "42P10 inside a trigger"],
)
def test_other_causes_of_the_same_state_are_no_findings(suite: Suite, sql: str) -> None:
    """42P10 and 42704 are told of much else; a trigger that upserts is not the upsert that fires it."""
    ran = suite.run(
        "--upsert-guard",
        tests=f"""
        def test_it():
            with engine.begin() as connection:
                connection.exec_driver_sql('''
                    CREATE TABLE through_trigger (email text UNIQUE);
                    CREATE FUNCTION upserts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                        INSERT INTO accounts (id, status) VALUES (1, 'a') ON CONFLICT (status) DO NOTHING;
                        RETURN NEW;
                    END $$;
                    CREATE TRIGGER t BEFORE INSERT ON through_trigger FOR EACH ROW EXECUTE FUNCTION upserts();
                ''')
            with engine.connect() as connection, pytest.raises(Exception) as raised:
                connection.exec_driver_sql({sql!r})
            assert raised.value.orig.pgcode in ("42P10", "42704")
            assert not getattr(raised.value, "__notes__", [])
        """,
    )

    assert ran.code == 0, ran.text
    assert ran.section[-1].endswith("none was refused.")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions take notes from Python 3.11 on")
def test_the_exception_carries_the_fix(suite: Suite) -> None:
    """As a note, which pytest prints with it; another failure of the same upsert carries none."""
    ran = suite.run(
        "--upsert-guard",
        tests="""
        def test_refused():
            with pytest.raises(Exception) as raised:
                save("name")
            (note,) = raised.value.__notes__
            assert note == (
                "upsert-guard: the upsert into accounts (name) fails with 42P10: nothing unique in the database "
                "serves it.\\nAdd UpsertKey(\\"name\\") to the model of accounts and run alembic revision "
                "--autogenerate, or run:\\nALTER TABLE accounts ADD CONSTRAINT uq_accounts_name UNIQUE (name);"
            )

        def test_violates_the_primary_key():
            save("email")
            with engine.begin() as connection, pytest.raises(Exception) as raised:
                row = {"id": 1, "email": "another"}
                connection.execute(insert(Account).values(row).on_conflict_do_nothing(index_elements=["email"]))
            assert not getattr(raised.value, "__notes__", [])
        """,
    )

    assert "2 passed" in ran.text, ran.text


def test_values_that_are_bound_in_a_predicate_are_found(suite: Suite) -> None:
    """A warning on psycopg2, which writes them into the statement; an error on psycopg, which prepares."""
    tests = """
        def test_it():
            save("name", index_where=Account.status == "active")
    """
    warned = suite.run("--upsert-guard", tests=tests)
    suite.url = suite.url.replace("psycopg2", "psycopg")
    failed = suite.run("--upsert-guard", tests=tests)

    assert (warned.code, failed.code) == (0, 1), warned.text + failed.text
    for ran, severity in ((warned, "warning"), (failed, "error")):
        assert ran.section[0].startswith(
            f"app.py:{SAVE}: {severity}[bound-predicate]: the conflict target binds values: "
        )
    assert suite.recorded()["upserts"][0]["where"] == "status = $1"


# -- which test


def test_what_tests_share_belongs_to_none_of_them(suite: Suite) -> None:
    """A fixture of the session, set up and torn down in one test or another, against one that is each test's own."""
    ran = suite.run(
        "--upsert-guard",
        tests="""
        @pytest.fixture(scope="session")
        def shared():
            save("email")
            yield
            save()

        @pytest.fixture
        def own():
            yield
            save("email")

        def test_it(shared, own):
            pass
        """,
    )

    assert ran.code == 0, ran.text
    assert [
        (each["elements"], [place["test"] for place in each["places"]])
        for each in suite.recorded()["upserts"]
    ] == [([], [None]), (["email"], [None, "test_app.py::test_it"])]


MANY = """
    @pytest.fixture(scope="session", autouse=True)
    def shared():
        save("email")
        yield
        save()

    @pytest.mark.parametrize("number", range(12))
    def test_many(number):
        save("email")
        with pytest.raises(Exception):
            save("email", "name")

    def test_unread():
        with engine.connect() as connection, pytest.raises(Exception):
            connection.exec_driver_sql("INSERT INTO accounts VALUES (1) ON CONFLICT DO NOTHING; SELECT 'secret")
"""


def test_the_same_suite_gives_the_same_file(suite: Suite) -> None:
    """Twice, and by the workers of pytest-xdist, which write it once: but for the counts."""
    alone = suite.run("--upsert-guard", tests=MANY)
    first = suite.without_counts()
    again = suite.run("--upsert-guard")
    second = suite.without_counts()
    by_workers = suite.run("--upsert-guard", "-n", "2")

    assert first == second == suite.without_counts()
    assert len(first["upserts"]) == 3
    assert len(first["unread"]) == 1
    assert alone.code == again.code == by_workers.code == 1
    assert alone.section[:-1] == by_workers.section[:-1]
    assert [path.name for path in (suite.folder / ".upsert_guard").iterdir()] == ["observed.json"]


def test_what_workers_lost_is_said(sqlite_suite: Suite) -> None:
    """One that dies takes its records along."""
    ran = sqlite_suite.run(
        "--upsert-guard",
        "-n",
        "1",
        tests="""
        import os

        def test_it():
            os._exit(3)
        """,
    )

    assert (
        "not recorded: what 1 worker of pytest-xdist ran that did not end as it should"
        in ran.section
    )


# -- databases


def test_rolled_back_and_dropped(suite: Suite) -> None:
    """Tests that roll back, and that drop the table at the end, are recorded as others are."""
    ran = suite.run(
        "--upsert-guard",
        tests="""
        def test_rolls_back():
            with engine.connect() as connection:
                connection.execute(insert(Account).values(id=1, email="a").on_conflict_do_nothing())
                connection.rollback()

        def test_drops():
            save("email")
            Base.metadata.drop_all(engine)
        """,
    )

    assert ran.code == 0, ran.text
    assert len(suite.recorded()["upserts"]) == 2


def test_several_databases_are_recorded_in_one_file(suite: Suite, sqlite_url: str) -> None:
    """The same upsert on PostgreSQL and SQLite is two."""
    ran = suite.run(
        "--upsert-guard",
        tests=f"""
        def test_both():
            save("email")
            with create_engine({sqlite_url!r}).begin() as connection:
                connection.execute(on_sqlite(Account).values(id=1, email="a").on_conflict_do_nothing(
                    index_elements=["email"]))
        """,
    )

    assert ran.code == 0, ran.text
    assert [each["dialect"] for each in suite.recorded()["upserts"]] == ["postgresql", "sqlite"]


# -- settings


def test_the_setting_turns_it_on_and_the_option_names_the_file(sqlite_suite: Suite) -> None:
    """From the root directory on, wherever pytest is run."""
    sqlite_suite.write("pytest.ini", "[pytest]\nupsert_guard = true\n")
    ran = sqlite_suite.run("--upsert-guard-record", "build/upserts.json", tests=PASSES)

    assert ran.code == 0, ran.text
    assert len(sqlite_suite.recorded("build/upserts.json")["upserts"]) == 1
    assert not (sqlite_suite.folder / ".upsert_guard").exists()


def test_the_option_turns_the_setting_off(sqlite_suite: Suite) -> None:
    """For one run."""
    sqlite_suite.write("pytest.ini", "[pytest]\nupsert_guard = true\n")
    ran = sqlite_suite.run("--no-upsert-guard", tests=FAILS)

    assert (ran.code, ran.section) == (0, [])


def test_collecting_writes_nothing(sqlite_suite: Suite) -> None:
    """The file of the last run stays."""
    sqlite_suite.run("--upsert-guard", tests=PASSES)
    ran = sqlite_suite.run("--upsert-guard", "--collect-only")

    assert ran.section == []
    assert len(sqlite_suite.recorded()["upserts"]) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("upsert_guard_drivers = oracledb", "the driver oracledb cannot be recorded: there is no"),
        ("python_files = test_*.py", None),
    ],
)
def test_a_driver_that_is_none_is_refused(
    sqlite_suite: Suite, settings: str, message: str | None
) -> None:
    """Before any test is run."""
    sqlite_suite.write("pytest.ini", f"[pytest]\nupsert_guard = true\n{settings}\n")
    ran = sqlite_suite.run(tests=PASSES)

    assert ran.code == (0 if message is None else 4), ran.text
    assert message is None or message in ran.text


# -- suppressing


@pytest.mark.parametrize("comment", ["# upsert-guard: ignore[unserved-upsert]", "# upserts"])
def test_a_comment_suppresses_a_finding(sqlite_suite: Suite, comment: str) -> None:
    """On any line of the statement that runs it."""
    ran = sqlite_suite.run(
        "--upsert-guard",
        tests=f"""
        def test_it():
            with engine.connect() as connection, pytest.raises(Exception):
                connection.execute(
                    on_sqlite(Account).values(id=1).on_conflict_do_nothing(index_elements=["name"])  {comment}
                )
        """,
    )

    suppressed = "ignore" in comment
    assert ran.code == (0 if suppressed else 1), ran.text
    assert ran.section[-1].endswith("none was refused, 1 suppressed." if suppressed else "1 error.")


def test_an_entry_suppresses_a_finding(sqlite_suite: Suite) -> None:
    """In pyproject.toml; one that matches nothing is not reported: other tests may match it."""
    entry = (
        '[[tool.upsert_guard.ignore]]\ncode = "unserved-upsert"\ntable = "{}"\nreason = "meant"\n'
    )
    sqlite_suite.write("pyproject.toml", entry.format("accounts") + entry.format("others"))
    ran = sqlite_suite.run("--upsert-guard", tests=FAILS)

    assert ran.code == 0, ran.text
    assert ran.section == [
        "2 upserts recorded in .upsert_guard/observed.json: none was refused, 1 suppressed."
    ]


def test_a_failing_suite_keeps_its_exit(sqlite_suite: Suite) -> None:
    """What was interrupted stays so."""
    ran = sqlite_suite.run(
        "--upsert-guard", tests=f"{FAILS}\n    def test_stops():\n        pytest.exit('', 7)\n"
    )

    assert ran.code == 7, ran.text
    assert json.loads((sqlite_suite.folder / ".upsert_guard/observed.json").read_text())["upserts"]
