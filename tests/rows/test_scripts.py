"""``alembic upgrade --sql``: the script refuses in the same cases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.rows.test_any_revision import CONSTRAINT, SQLITE_TABLE, write
from tests.rows.test_preflight import NULLS, TABLE, TWICE, revised

if TYPE_CHECKING:
    import psycopg

    from tests.project import Project


def run(postgresql: psycopg.Connection, script: str) -> list[str]:
    """Run a script as psql does; the warnings it raised."""
    said: list[str] = []
    postgresql.autocommit = True
    postgresql.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
    postgresql.execute(script.encode())
    return said


def script(project: Project) -> str:
    """The whole script, for a database that has not met Alembic yet."""
    project.sql("DROP TABLE IF EXISTS alembic_version")
    return project.alembic("upgrade", "head", "--sql").out


def test_a_script_on_clean_rows_runs_to_the_end(
    project: Project, postgresql: psycopg.Connection
) -> None:
    """The constraint is there afterwards."""
    revised(project, "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'b')")

    assert run(postgresql, script(project)) == []
    assert "uq_accounts_tenant_email" in "".join(project.uniques())


def test_a_script_on_duplicates_stops_with_the_first_line_of_the_report(
    project: Project, postgresql: psycopg.Connection
) -> None:
    """No DDL has run by then."""
    revised(project, TWICE)

    with pytest.raises(
        Exception, match="does not hold: 2 duplicate groups, 3 surplus rows"
    ) as refused:
        run(postgresql, script(project))
    assert "List them all: SELECT tenant, email, count" in str(refused.value)
    postgresql.execute("ROLLBACK")
    assert "uq_accounts_tenant_email" not in "".join(project.uniques())


@pytest.mark.parametrize(
    ("nulls", "outcome"),
    [
        ("warn", "warning"),
        ("distinct", "silence"),
        ("forbid", "refusal"),
        pytest.param("not_distinct", "refusal", marks=pytest.mark.since(15)),
    ],
)
def test_a_script_takes_nulls_as_stated(
    project: Project, postgresql: psycopg.Connection, nulls: str, outcome: str
) -> None:
    """Warns, is silent or refuses, as the check online does."""
    written = script(revised(project, NULLS, key=f", nulls={nulls!r}"))

    if outcome == "refusal":
        with pytest.raises(Exception, match="does not hold"):
            run(postgresql, written)
    else:
        said = run(postgresql, written)
        told = [
            "upsert key accounts (tenant, email): 2 rows with NULL in the key: no upsert ever matches them"
        ]
        assert said == (told if outcome == "warning" else [])


def test_a_script_can_leave_the_check_out(project: Project) -> None:
    """And says so in a comment."""
    revised(project)
    written = project.alembic("-x", "upsert_guard_validate=off", "upgrade", "head", "--sql").out

    assert "upsert_guard_check" not in written
    assert "the check of the rows is skipped" in written


def test_a_verification_in_a_script_fails_without_an_arbiter(
    project: Project, postgresql: psycopg.Connection
) -> None:
    """The planner is asked there as well; a deferrable arbiter is no arbiter."""
    revised(project)
    path = next((project.path / "migrations" / "versions").glob("*.py"))
    whole = path.read_text()
    body = whole.split("def upgrade():\n")[1].split("\n\n\n")[0]
    path.write_text(
        whole.replace(body, "    op.verify_upsert_key('accounts', ['tenant', 'email'])")
    )
    written = script(project).replace("BEGIN;\n", "").replace("COMMIT;\n", "")

    with pytest.raises(Exception, match="no unique or exclusion constraint matching"):
        run(postgresql, written)
    project.sql(
        "DROP TABLE IF EXISTS alembic_version",
        "ALTER TABLE accounts ADD CONSTRAINT d UNIQUE (tenant, email) DEFERRABLE",
    )
    with pytest.raises(Exception, match="has a deferrable arbiter"):
        run(postgresql, written)
    project.sql(
        "DROP TABLE IF EXISTS alembic_version",
        "ALTER TABLE accounts DROP CONSTRAINT d, ADD UNIQUE (tenant, email)",
    )
    run(postgresql, written)


def test_a_script_for_sqlite_fails_with_the_key_in_its_message(sqlite_project: Project) -> None:
    """A CHECK that names itself stops the shell before the DDL."""
    revised(
        sqlite_project,
        TWICE,
        key=", as_index=True",
        table=TABLE.replace("serial", "integer NOT NULL"),
    )
    written = script(sqlite_project)

    with closing(sqlite3.connect(sqlite_project.url.removeprefix("sqlite:///"))) as shell:
        with pytest.raises(
            sqlite3.IntegrityError, match=r"upsert key accounts \(tenant, email\) does not hold"
        ):
            shell.executescript(written)
        shell.rollback()
        shell.execute(
            "DELETE FROM accounts WHERE id NOT IN (SELECT min(id) FROM accounts GROUP BY tenant, email)"
        )
        shell.execute(
            "DROP TABLE alembic_version"
        )  # no DDL of the script is in a transaction there
        shell.commit()
        shell.executescript(written)
        assert shell.execute("SELECT name FROM sqlite_master WHERE name LIKE 'uq%'").fetchall() == [
            ("uq_accounts_tenant_email",)
        ]


def test_a_comment_in_a_predicate_ends_with_its_line(
    project: Project, postgresql: psycopg.Connection
) -> None:
    """What follows it in the script is no part of it."""
    revised(project, TWICE)
    (revision,) = (project.path / "migrations" / "versions").glob("*.py")
    text = revision.read_text()
    call = "op.validate_upsert_key('accounts', ['tenant', 'email']"
    assert call in text
    revision.write_text(text.replace(call, f"{call}, where='tenant < 0 -- none'"))

    with pytest.raises(Exception, match="could not create unique index"):
        run(postgresql, script(project))
    postgresql.execute("ROLLBACK")

    revision.write_text(text.replace(call, f"{call}, where='tenant > 0 -- all'"))
    with pytest.raises(Exception, match="2 duplicate groups, 3 surplus rows"):
        run(postgresql, script(project))


IN_SQL = "op.execute('CREATE UNIQUE INDEX uq_sql ON accounts (email, id)')"


def test_with_the_option_each_build_of_a_script_is_checked(
    project: Project, postgresql: psycopg.Connection
) -> None:
    """Whoever wrote it, once, right above it; a table that the script creates has no rows."""
    project.configure(upsert_guard_validate="'all'")
    project.sql(TABLE, TWICE)
    write(
        project,
        "op.create_table('fresh', sa.Column('id', sa.Integer, unique=True), sa.Column('a', sa.Text))",
        "op.create_index('uq_fresh', 'fresh', ['a'], unique=True)",
        "op.validate_upsert_key('accounts', ['id'])",
        "op.create_unique_constraint('uq_id', 'accounts', ['id'])",
        "op.add_column('accounts', sa.Column('added', sa.Integer))",
        IN_SQL,
        CONSTRAINT,
        "op.create_index('uq_added', 'accounts', ['added'], unique=True)",
    )
    written = script(project)

    assert written.count("CREATE UNIQUE INDEX") == 3
    checked = [
        label
        for label in (
            "uq_fresh on",
            "key accounts (id)",
            "uq_id on",
            "uq_sql on",
            "uq_theirs on",
            "uq_added on",
        )
        if f"{label}" in written
    ]
    assert checked == ["key accounts (id)", "uq_sql on", "uq_theirs on", "uq_added on"]
    with pytest.raises(
        Exception,
        match=r"unique constraint uq_theirs on accounts \(tenant, email\) does not hold: 2 duplicate groups",
    ):
        run(postgresql, written)


def test_with_the_option_a_script_of_sqlite_says_what_it_does_not_check(
    sqlite_project: Project,
) -> None:
    """An index is checked; of SQL text there is no database to ask what it makes unique."""
    sqlite_project.configure(upsert_guard_validate="'all'")
    sqlite_project.sql(SQLITE_TABLE, TWICE)
    index = "op.create_index('uq', 'accounts', ['tenant', 'email'], unique=True)"
    write(sqlite_project, IN_SQL, index)
    written = sqlite_project.alembic("upgrade", "head", "--sql").out

    assert (
        "-- what the next statement makes unique, if anything, is the database's to say" in written
    )
    with (
        closing(sqlite3.connect(sqlite_project.url.removeprefix("sqlite:///"))) as database,
        pytest.raises(
            sqlite3.IntegrityError,
            match=r"unique index uq on accounts \(tenant, email\) does not hold",
        ),
    ):
        database.executescript(written)


def test_without_the_option_a_script_has_the_checks_of_its_directives_only(
    project: Project,
) -> None:
    """Alembic's own operations are written as Alembic writes them."""
    project.sql(TABLE, TWICE)
    write(project, IN_SQL, CONSTRAINT)

    assert "upsert_guard" not in script(project)
