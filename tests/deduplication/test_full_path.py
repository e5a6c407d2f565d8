"""Up, down and up again through the real ``alembic`` command, with references of two columns that move on the way."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DBAPIError

from tests.scenarios.test_names import in_psql
from tests.scenarios.test_templates import InitialisedProject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.project import Project

ACCOUNTS = (
    "CREATE TABLE accounts (region varchar NOT NULL, id integer NOT NULL, tenant integer, email varchar, "
    "PRIMARY KEY (region, id))"
)
SESSIONS = (
    "CREATE TABLE sessions (id integer NOT NULL PRIMARY KEY, region varchar NOT NULL, account_id integer NOT NULL, "
    "FOREIGN KEY (region, account_id) REFERENCES accounts (region, id) ON DELETE CASCADE)"
)
TABLES = (
    ACCOUNTS,
    SESSIONS,
    "INSERT INTO accounts VALUES ('eu', 1, 1, 'a'), ('us', 1, 1, 'a'), ('us', 2, 1, 'b'), ('us', 3, NULL, 'b')",
    "INSERT INTO sessions VALUES (1, 'eu', 1), (2, 'us', 1), (3, 'us', 2)",
)
EU, US, B, NONE = ("eu", 1, 1, "a"), ("us", 1, 1, "a"), ("us", 2, 1, "b"), ("us", 3, None, "b")
MOVED = [(1, "us", 1), (2, "us", 1), (3, "us", 2)]
NOT_MOVED = [(1, "eu", 1), (2, "us", 1), (3, "us", 2)]

DEDUPLICATE = (
    "op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='last', order_by=['region'], "
    "archive_table='accounts_duplicates', repoint=True)"
)
INDEX = "op.create_index('uq', 'accounts', ['tenant', 'email'], unique=True)"
DROP = "op.drop_index('uq', 'accounts')"
RESTORE = (
    "op.restore_deduplicated_rows('accounts', ['tenant', 'email'], "
    "archive_table='accounts_duplicates')"
)
UPSERT = (
    "INSERT INTO accounts VALUES ('eu', 9, 1, 'a') "
    "ON CONFLICT (tenant, email) DO UPDATE SET email = excluded.email"
)


@dataclass(frozen=True)
class Found:
    """What a project's tables hold."""

    accounts: list[tuple[object, ...]]
    sessions: list[tuple[object, ...]]
    archived: list[tuple[object, ...]] | None
    """None: there is no archive."""


UP = Found([US, B, NONE], MOVED, [EU])
DOWN = Found([EU, US, B, NONE], MOVED, None)
BEFORE = Found([EU, US, B, NONE], NOT_MOVED, None)


def found(project: Project) -> Found:
    columns = "SELECT region, id, tenant, email FROM"
    try:
        archived = project.rows(f"{columns} accounts_duplicates ORDER BY region, id")
    except DBAPIError:
        archived = None
    return Found(
        project.rows(f"{columns} accounts ORDER BY region, id"),
        project.rows("SELECT id, region, account_id FROM sessions ORDER BY id"),
        archived,
    )


def write(project: Project, upgrade: str, downgrade: str) -> None:
    """Write the first revision."""
    bodies = (
        textwrap.indent(textwrap.dedent(body).strip(), "    ") for body in (upgrade, downgrade)
    )
    up, down = bodies
    (project.path / "migrations" / "versions" / "r01.py").write_text(
        "from alembic import op\n\nrevision = 'r01'\ndown_revision = None\n\n\n"
        f"def upgrade():\n{up}\n\n\ndef downgrade():\n{down}\n"
    )


def goes_up_and_down(project: Project) -> None:
    project.upgrade()
    assert found(project) == UP
    project.sql(UPSERT)
    assert found(project) == UP
    project.downgrade()
    assert found(project) == DOWN
    project.upgrade()
    assert found(project) == UP


@pytest.fixture(params=["postgresql", "sqlite"])
def either(request: pytest.FixtureRequest) -> Project:
    """A project with duplicates and references to them, on each kind of database."""
    project: Project = request.getfixturevalue(
        "project" if request.param == "postgresql" else "sqlite_project"
    )
    project.sql(*TABLES)
    return project


def test_in_a_revision(either: Project) -> None:
    """Both columns of a reference move, the upsert works, and the archived row comes back."""
    write(either, f"{DEDUPLICATE}\n{INDEX}", f"{DROP}\n{RESTORE}")

    goes_up_and_down(either)


def test_in_a_batch_block(either: Project) -> None:
    """The rows are mended before the table is altered, or made anew."""
    write(
        either,
        f"""
        with op.batch_alter_table('accounts') as batch_op:
            {DEDUPLICATE.replace("op.", "batch_op.", 1).replace("'accounts', ", "", 1)}
            batch_op.create_unique_constraint('uq', ['tenant', 'email'])
        """,
        f"""
        with op.batch_alter_table('accounts') as batch_op:
            batch_op.drop_constraint('uq', type_='unique')
        {RESTORE}
        """,
    )

    goes_up_and_down(either)


IN_AUTOCOMMIT = """
    with op.get_context().autocommit_block():
        {0}
"""


def test_in_an_autocommit_block(either: Project) -> None:
    """The block's statements are committed one by one, the deduplication as a whole."""
    write(
        either,
        f"{IN_AUTOCOMMIT.format(DEDUPLICATE)}\n    {INDEX}",
        f"{IN_AUTOCOMMIT.format(DROP)}\n        {RESTORE}",
    )

    goes_up_and_down(either)


def test_a_refusal_in_an_autocommit_block_changes_nothing(either: Project) -> None:
    """Where nothing is rolled back afterwards, nothing must have been done before."""
    write(
        either, IN_AUTOCOMMIT.format(DEDUPLICATE.replace("repoint=True", "repoint=False")), "pass"
    )
    refused = either.alembic("upgrade", "head")

    assert refused.code != 0
    assert (
        "1 references to surplus rows would be lost: sessions (region, account_id) 1"
        in refused.said
    )
    assert found(either) == BEFORE


def test_a_collision_of_moved_references_changes_nothing(either: Project) -> None:
    """The foreign key is named, without a traceback."""
    either.sql("CREATE UNIQUE INDEX one_each ON sessions (region, account_id)")
    write(either, DEDUPLICATE, "pass")
    refused = either.alembic("upgrade", "head")

    assert refused.code != 0
    assert (
        "cannot be deduplicated: the foreign key sessions (region, account_id) is" in refused.said
    )
    assert "nothing was changed" in refused.said
    assert "Traceback" not in refused.said
    assert found(either) == BEFORE


def test_as_a_script_that_psql_runs(project: Project) -> None:
    """Up, down and up again without Alembic being there."""
    project.sql(*TABLES)
    write(project, f"{DEDUPLICATE}\n{INDEX}", f"{DROP}\n{RESTORE}")
    up = project.alembic("upgrade", "head", "--sql").out
    down = project.alembic("downgrade", "r01:base", "--sql").out

    for script, wanted in ((up, UP), (down, DOWN), (up, UP)):
        if script == up:
            # a script begins with a database that has not met Alembic yet, and does not end with one
            project.sql("DROP TABLE IF EXISTS alembic_version")
        ran = in_psql(project, script)
        assert ran.code == 0, ran.said
        assert found(project) == wanted


def test_a_script_that_is_refused_changes_nothing(project: Project) -> None:
    """psql stops at the refusal, and the transaction is not committed."""
    project.sql(*TABLES)
    write(project, DEDUPLICATE.replace("repoint=True", "repoint=False"), "pass")
    ran = in_psql(project, project.alembic("upgrade", "head", "--sql").out)

    assert ran.code != 0
    assert "1 references to surplus rows would be lost: sessions (region, account_id) 1" in ran.err
    assert found(project) == BEFORE


def test_a_script_for_sqlite_leaves_it_out_and_says_so(sqlite_project: Project) -> None:
    """Its shell cannot look foreign keys up: the rows stay as they are."""
    sqlite_project.sql(*TABLES)
    write(sqlite_project, DEDUPLICATE, RESTORE)
    written = sqlite_project.alembic("upgrade", "head", "--sql")

    assert "op.deduplicate_upsert_key is left out, a script for sqlite cannot do it" in written.out
    assert "run it online" in written.err


def test_in_an_async_environment(tmp_path: Path, url: str) -> None:
    """The same through asyncpg."""
    project = InitialisedProject(tmp_path / "project", url, template="async")
    project.connect_to(url.replace("psycopg2", "asyncpg"))
    project.sql(*TABLES)
    write(project, f"{DEDUPLICATE}\n{INDEX}", f"{DROP}\n{RESTORE}")

    goes_up_and_down(project)
    project.dispose()
