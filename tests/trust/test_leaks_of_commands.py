"""No value of a row in what the commands print, in any of their formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import guard, report
from tests.online.faults import another_session
from tests.online.revisions import revision
from tests.rows.test_arrivals import between, of_another_connection
from tests.rows.test_preflight import ACCOUNTS
from tests.trust.probes import (
    ARRIVES,
    AWAY,
    ELSEWHERE,
    LOOKS_A_TABLE_UP,
    ON_DELETE,
    RAISES,
    RAISES_A_VIOLATION,
    ROW,
    ROWS,
    SECRET,
    TABLE,
    TRIGGER,
)

if TYPE_CHECKING:
    from tests.project import Project

CAST = 'text("(CAST(email AS int))")'
FAILING = 'text("failing(email)")'

FAILURES = {
    "a cast": (CAST, (), "SQLSTATE 22P02 (invalid_text_representation)"),
    "RAISE": (FAILING, (RAISES,), "SQLSTATE P0001 (raise_exception)"),
    "RAISE as a violation": (FAILING, (RAISES_A_VIOLATION,), "SQLSTATE 23505 (unique_violation)"),
    "a value as a name": (FAILING, (LOOKS_A_TABLE_UP,), "SQLSTATE 42P01 (undefined_table)"),
}


def declared(project: Project, element: str) -> None:
    project.models(ACCOUNTS.replace('"tenant", "email"{key}', element))


@pytest.mark.parametrize("form", ["text", "json", "github"])
@pytest.mark.parametrize(("element", "made", "shows"), FAILURES.values(), ids=FAILURES)
def test_check_rows_names_the_error_and_no_value(
    project: Project, element: str, made: tuple[str, ...], shows: str, form: str
) -> None:
    """What the database says of the row is held back in every format."""
    project.sql(TABLE, ROW, *made)
    declared(project, element)

    ran = guard(project, "check", "--rows", "--format", form)
    assert ran.code == 1
    assert shows in ran.out
    assert "unread-rows" in ran.out
    assert SECRET not in ran.said


def test_the_hint_reads_the_row_in_the_same_way(project: Project) -> None:
    """Who may see values pastes the statement, and gets the database's whole message."""
    project.sql(TABLE, ROW)
    declared(project, CAST)

    (found,) = [
        f for f in report(project, "check", "--rows").findings if f["code"] == "unread-rows"
    ]
    statement = found["hint"].partition("values included: ")[2]
    with pytest.raises(Exception, match=f'invalid input syntax for type integer: "{SECRET}"'):
        project.rows(statement.removesuffix(";"))


def test_a_row_that_the_expression_takes_is_read(project: Project) -> None:
    """The twin: the same key on a row of digits."""
    project.sql(TABLE, ROW.replace(SECRET, "17"))
    declared(project, CAST)

    assert "unread-rows" not in report(project, "check", "--rows").codes


def test_a_role_that_may_not_read_is_a_cause_of_its_own(project: Project) -> None:
    """Its message has no value in it and is shown; the hint is about the role, and not about a row."""
    project.sql(TABLE, ROW, "CREATE ROLE leak_reader LOGIN")
    declared(project, '"email"')
    url, project.url = project.url, project.url.replace("postgres:", "leak_reader:", 1)
    try:
        (found,) = [
            f for f in report(project, "check", "--rows").findings if f["code"] == "unread-rows"
        ]
    finally:
        project.url = url
        project.sql("DROP OWNED BY leak_reader", "DROP ROLE leak_reader")
    assert found["fact"].endswith("permission denied for table accounts")
    assert found["hint"] == "run the check as a role that may read every row of the table"


def test_a_check_that_is_switched_off_shows_no_detail(project: Project) -> None:
    """``-x upsert_guard_validate=off``: the refusal of the database is reported as ours, in counts."""
    project.sql(TABLE, ROWS)
    project.models(ACCOUNTS.replace("{key}", ""))
    project.revise()
    project.configure(upsert_guard_reveal="False")

    ran = project.alembic("--raiseerr", "-x", "upsert_guard_validate=off", "upgrade", "head")
    assert ran.code != 0
    assert "1 duplicate group, 1 surplus row; nothing was changed" in ran.said
    assert "arrived after the check" not in ran.said
    assert SECRET not in ran.said


def test_a_check_that_is_switched_off_shows_the_detail_where_values_are_shown(
    project: Project,
) -> None:
    """The twin."""
    project.sql(TABLE, ROWS)
    project.models(ACCOUNTS.replace("{key}", ""))
    project.revise()

    ran = project.alembic("-x", "upsert_guard_validate=off", "upgrade", "head")
    assert f"Key (tenant, email)=(1, {SECRET}) is duplicated." in ran.said


@pytest.mark.parametrize("raiseerr", [(), ("--raiseerr",)], ids=["", "--raiseerr"])
def test_a_deduplication_that_a_trigger_refuses(
    project: Project, raiseerr: tuple[str, ...]
) -> None:
    """Through the real command, with and without the traceback."""
    project.sql(TABLE, ROWS, TRIGGER.format(state="raise_exception", row="OLD"), ON_DELETE)
    revision(
        project,
        "op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='last', order_by='id', reveal=False)",
    )

    ran = project.alembic(*raiseerr, "upgrade", "head")
    assert ran.code != 0
    assert "SQLSTATE P0001 (raise_exception); its message may hold a value of a row" in ran.said
    assert SECRET not in ran.said


def test_a_session_in_the_way_is_named_without_its_statement(project: Project) -> None:
    """Another session's statement has values in it, too."""
    project.sql(TABLE)
    project.configure(upsert_guard_reveal="False")
    revision(
        project,
        "op.create_unique_constraint_concurrently('uq_accounts', 'accounts', ['tenant', 'email'], "
        "lock_timeout='50ms', attempts=2)",
    )
    project.sql("CREATE UNIQUE INDEX uq_accounts ON accounts (tenant, email)")
    with another_session(project, "BEGIN", ROW):
        ran = project.alembic("--raiseerr", "upgrade", "head")
    assert ran.code != 0
    assert "in the way: pid " in ran.said
    assert SECRET not in ran.said


def test_rows_of_another_connection_leak_nothing_into_a_traceback(project: Project) -> None:
    """The race, as ``alembic --raiseerr`` prints it."""
    project.sql(TABLE)
    project.models(ACCOUNTS.replace("{key}", ""))
    project.revise()
    project.sql(ROWS, ELSEWHERE, AWAY)
    project.configure(upsert_guard_reveal="False")
    between(project, of_another_connection(ARRIVES))

    ran = project.alembic("--raiseerr", "upgrade", "head")
    assert "1 duplicate group, 1 surplus row" in ran.said
    assert "Traceback" in ran.err
    assert SECRET not in ran.said


def test_a_statement_of_env_py_that_fails_on_a_row(project: Project) -> None:
    """What env.py runs before the keys are looked at is reported, and without the value."""
    project.sql(TABLE, ROW)
    declared(project, '"email"')
    project.edit(
        "migrations/env.py",
        "        context.configure(connection",
        "        connection.exec_driver_sql('SELECT CAST(email AS int) FROM accounts').all()\n"
        "        context.configure(connection",
    )

    ran = guard(project, "check")
    assert ran.code == 2
    assert "SQLSTATE 22P02 (invalid_text_representation)" in ran.err
    assert SECRET not in ran.said
