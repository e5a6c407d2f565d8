"""``reveal=False``: no value of the rows in what the command prints, whatever fails and however much is logged."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from typing import TYPE_CHECKING

import pytest

from tests.rows.test_arrivals import between, concurrently, of_another_connection
from tests.rows.test_obstacles import role, role_without_temporary
from tests.rows.test_preflight import ACCOUNTS, TABLE, revised
from tests.scenarios.test_templates import InitialisedProject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.project import Project, Ran

EMAIL = "s3cret@example"
SECRETS = f"""
    INSERT INTO accounts (tenant, email)
    VALUES (1, '{EMAIL}'), (1, '{EMAIL}'), (2, '{EMAIL}'), (2, '{EMAIL}'), (NULL, '{EMAIL}')
"""
# read at run time: a logged statement would show what is in the revision
FROM_ELSEWHERE = "INSERT INTO accounts (tenant, email) SELECT tenant, email FROM elsewhere"
ELSEWHERE = (
    "CREATE TABLE elsewhere (tenant int, email varchar)",
    SECRETS.replace("accounts", "elsewhere"),
)
COUNTS = "2 duplicate groups, 2 surplus rows"


def by_argument(project: Project) -> None:
    """``reveal=False`` in each check of the revision."""
    for path in (project.path / "migrations" / "versions").glob("*.py"):
        lines = [
            line.removesuffix(")") + ", reveal=False)"
            if "op.validate_upsert_key(" in line
            else line
            for line in path.read_text().splitlines()
        ]
        assert any("reveal=False" in line for line in lines)
        path.write_text("\n".join(lines) + "\n")


def by_option(project: Project) -> None:
    """``upsert_guard_reveal=False`` in env.py."""
    project.edit(
        "migrations/env.py",
        "target_metadata=models.Base.metadata",
        "target_metadata=models.Base.metadata, upsert_guard_reveal=False",
    )


@pytest.fixture(params=[by_argument, by_option], ids=["reveal=False", "upsert_guard_reveal=False"])
def keep_back(request: pytest.FixtureRequest) -> Callable[[Project], None]:
    """Either way to ask for it, to be called when the revision is there."""
    ask: Callable[[Project], None] = request.param
    return ask


def log_everything(project: Project) -> None:
    """Every logger at INFO, SQLAlchemy's statements and their parameters included."""
    project.edit("alembic.ini", "level = WARNING", "level = INFO")
    project.edit("alembic.ini", "keys = root,alembic", "keys = root,alembic,sqlalchemy")
    project.edit(
        "alembic.ini",
        "[handler_console]",
        "[logger_sqlalchemy]\nlevel = INFO\nhandlers =\nqualname = sqlalchemy\n[handler_console]",
    )


def fails_silently(project: Project, *arguments: str) -> Ran:
    """The upgrade fails, says so, and nowhere says the value."""
    ran = project.alembic(*arguments, "upgrade", "head")
    assert ran.code != 0
    assert EMAIL not in ran.said
    assert EMAIL.split("@", maxsplit=1)[0] not in ran.said
    return ran


def test_without_being_asked_for_values_are_shown(project: Project) -> None:
    """The twin of all that follows."""
    assert EMAIL in revised(project, SECRETS).alembic("upgrade", "head").out


def test_a_refusal_shows_counts(project: Project, keep_back: Callable[[Project], None]) -> None:
    """And the SELECT that lists the rows, for who may see them."""
    revised(project, SECRETS)
    keep_back(project)

    ran = fails_silently(project)
    assert COUNTS in ran.out
    assert "List them all:\n  SELECT tenant, email, count(*)" in ran.out
    assert "Traceback" not in ran.said


def test_a_refusal_names_no_row_by_a_primary_key_that_is_the_value(
    project: Project, keep_back: Callable[[Project], None]
) -> None:
    """The identity of a row may itself be what is kept back."""
    project.sql(
        "CREATE TABLE people (email varchar PRIMARY KEY, kind varchar)",
        f"INSERT INTO people VALUES ('{EMAIL}', 'a'), ('{EMAIL}2', 'a')",
    )
    project.models("""
        class Person(Base):
            __tablename__ = "people"
            __table_args__ = (UpsertKey("kind"),)
            email: Mapped[str] = mapped_column(primary_key=True)
            kind: Mapped[str | None]
    """)
    project.revise()
    keep_back(project)

    assert "1 duplicate group, 1 surplus row" in fails_silently(project).out


@pytest.mark.parametrize("surplus", ["few", "many"])
def test_nothing_is_logged_of_the_values(
    project: Project, keep_back: Callable[[Project], None], surplus: str
) -> None:
    """SQLAlchemy logs statements and parameters; neither has a value in it."""
    many = f"""
        INSERT INTO accounts (tenant, email)
        SELECT n / 2, '{EMAIL}' FROM generate_series(1, 30000) n
    """
    revised(project, SECRETS if surplus == "few" else many)
    keep_back(project)
    log_everything(project)

    ran = fails_silently(project)
    assert "[sqlalchemy.engine.Engine] SELECT" in ran.err


def test_with_forbidden_nulls_no_value_is_shown(
    project: Project, keep_back: Callable[[Project], None]
) -> None:
    """Rows with NULL in one column of the key have values in the others."""
    rows = f"INSERT INTO accounts (tenant, email) VALUES (NULL, '{EMAIL}')"
    revised(project, rows, key=', nulls="forbid"')
    keep_back(project)

    assert "1 row with NULL in the key" in fails_silently(project).out


@pytest.mark.parametrize("arguments", [(), ("--raiseerr",)], ids=["", "--raiseerr"])
def test_a_refusal_has_no_value_in_its_traceback(
    project: Project, keep_back: Callable[[Project], None], arguments: tuple[str, ...]
) -> None:
    """``alembic --raiseerr`` shows the whole chain of causes."""
    revised(project, SECRETS)
    keep_back(project)
    log_everything(project)

    ran = fails_silently(project, *arguments)
    assert COUNTS in ran.said
    assert ("Traceback" in ran.err) == bool(arguments)


@pytest.mark.parametrize("arguments", [(), ("--raiseerr",)], ids=["", "--raiseerr"])
def test_the_race_shows_no_value(
    project: Project, keep_back: Callable[[Project], None], arguments: tuple[str, ...]
) -> None:
    """The database's own error has the key of one row in its DETAIL."""
    revised(project)
    project.sql(*ELSEWHERE)
    keep_back(project)
    between(project, f"op.execute({FROM_ELSEWHERE!r})")

    ran = fails_silently(project, *arguments)
    assert COUNTS in ran.said
    assert "arrived after the check" in ran.said
    assert ("Traceback" in ran.err) == bool(arguments)


def test_the_race_shows_no_value_in_the_logs(
    project: Project, keep_back: Callable[[Project], None]
) -> None:
    """With every logger at INFO."""
    revised(project)
    project.sql(*ELSEWHERE)
    keep_back(project)
    between(project, f"op.execute({FROM_ELSEWHERE!r})")
    log_everything(project)

    assert COUNTS in fails_silently(project, "--raiseerr").said


def test_the_race_of_a_concurrent_build_shows_no_value(
    project: Project, keep_back: Callable[[Project], None]
) -> None:
    """Outside of a transaction as well."""
    concurrently(project)
    project.sql(*ELSEWHERE)
    keep_back(project)
    between(project, of_another_connection(FROM_ELSEWHERE))

    assert COUNTS in fails_silently(project, "--raiseerr").said


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_the_race_under_other_drivers_shows_no_value(tmp_path: Path, url: str, driver: str) -> None:
    """Each driver hands the DETAIL out in a way of its own."""
    project = InitialisedProject(tmp_path / "project", url, template="async")
    project.connect_to(url.replace("psycopg2", driver))
    project.target("models.Base.metadata")
    revised(project)
    project.sql(*ELSEWHERE)
    by_argument(project)
    between(project, f"op.execute({FROM_ELSEWHERE!r})")

    assert COUNTS in fails_silently(project, "--raiseerr").said
    project.dispose()


def numbered(project: Project, element: str = 'text("CAST(email AS int)")') -> Project:
    """A key whose expression fails on a row."""
    project.sql(TABLE, SECRETS)
    project.models(ACCOUNTS.replace('"email"{key}', element))
    project.revise()
    return project


@pytest.mark.parametrize("arguments", [(), ("--raiseerr",)], ids=["", "--raiseerr"])
def test_an_expression_that_fails_on_a_row_shows_no_value(
    project: Project, keep_back: Callable[[Project], None], arguments: tuple[str, ...]
) -> None:
    """The database says which value it could not take; we do not."""
    numbered(project)
    keep_back(project)
    log_everything(project)

    ran = fails_silently(project, *arguments)
    assert "the rows could not be checked, nothing was changed" in ran.said
    assert ("Traceback" in ran.err) == bool(arguments)


def test_an_expression_that_fails_on_a_row_shows_it_where_values_are_shown(
    project: Project,
) -> None:
    """The twin: the database's message is the fastest way to the row."""
    ran = numbered(project).alembic("upgrade", "head")

    assert ran.code != 0
    assert f'The database says: invalid input syntax for type integer: "{EMAIL}"' in ran.out
    assert "Traceback" not in ran.said


def test_a_predicate_that_fails_on_a_row_shows_no_value(
    project: Project, keep_back: Callable[[Project], None]
) -> None:
    """The same for the rows that a partial key is about."""
    numbered(project, '"email", where=text("CAST(email AS int) > 0")')
    keep_back(project)

    assert "the rows could not be checked" in fails_silently(project, "--raiseerr").said


def test_without_the_temporary_privilege_no_value_is_shown(
    project: Project, keep_back: Callable[[Project], None]
) -> None:
    """The rows are then read in another way."""
    numbered(project)
    keep_back(project)
    with role_without_temporary(project):
        assert "the rows could not be checked" in fails_silently(project, "--raiseerr").said


def test_the_race_of_an_expression_that_fails_shows_no_value(
    project: Project, keep_back: Callable[[Project], None]
) -> None:
    """The rows that arrive do not offend the key, the expression fails on them while the index is built."""
    project.sql(TABLE)
    project.models(ACCOUNTS.replace('"email"{key}', 'text("CAST(email AS int)")'))
    project.revise()
    project.sql(*ELSEWHERE)
    keep_back(project)
    between(project, f"op.execute({FROM_ELSEWHERE!r})")

    fails_silently(project, "--raiseerr")


def test_a_terminal_is_shown_no_value(
    project: Project, keep_back: Callable[[Project], None]
) -> None:
    """There the report is logged."""
    revised(project, SECRETS)
    keep_back(project)
    terminal, end = pty.openpty()
    with os.fdopen(terminal, "rb"):
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        ran = project.alembic("upgrade", "head", stdin=end)
        os.close(end)

    assert COUNTS in ran.said
    assert EMAIL not in ran.said


def test_hidden_rows_show_no_value(project: Project, keep_back: Callable[[Project], None]) -> None:
    """Row level security is reported without a row."""
    revised(project, SECRETS)
    project.sql(
        "ALTER TABLE accounts ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE accounts FORCE ROW LEVEL SECURITY",
    )
    keep_back(project)
    with role(project):
        ran = fails_silently(project, "--raiseerr")

    assert "row level security hides rows" in ran.said


def test_on_sqlite_no_value_is_shown(
    sqlite_project: Project, keep_back: Callable[[Project], None]
) -> None:
    """The report there, with every logger at INFO."""
    revised(
        sqlite_project,
        SECRETS,
        key=", as_index=True",
        table=TABLE.replace("serial", "integer NOT NULL"),
    )
    keep_back(sqlite_project)
    log_everything(sqlite_project)

    assert COUNTS in fails_silently(sqlite_project, "--raiseerr").said


def test_the_stronger_of_argument_and_option_counts(project: Project) -> None:
    """``reveal=True`` in a revision does not undo what env.py keeps back for all of them."""
    revised(project, SECRETS)
    by_argument(project)
    by_option(project)
    path = next((project.path / "migrations" / "versions").glob("*.py"))
    project.edit(str(path), "reveal=False", "reveal=True")

    assert COUNTS in fails_silently(project).out
