"""``op.validate_upsert_key`` through the real ``alembic upgrade``."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.project import Project

ACCOUNTS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email"{key}),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int | None]
        email: Mapped[str | None]
"""
TABLE = "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int, email varchar)"
TWICE = "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a'), (1, 'b'), (2, 'a'), (2, 'a'), (2, 'a')"
NULLS = "INSERT INTO accounts (tenant, email) VALUES (NULL, 'n'), (NULL, 'n')"


def revised(project: Project, *rows: str, key: str = "", table: str = TABLE) -> Project:
    """The project with a table, rows and a generated revision that has yet to be applied."""
    project.sql(table, *rows)
    project.models(ACCOUNTS.replace("{key}", key))
    project.revise()
    return project


def test_duplicates_are_refused_with_the_whole_report(project: Project) -> None:
    """One readable report, a failing exit code, no traceback."""
    ran = revised(project, TWICE).alembic("upgrade", "head")

    assert ran.code != 0
    assert "Traceback" not in ran.said
    assert ran.out.split("FAILED: ")[1] == (
        "upsert key accounts (tenant, email) does not hold: 2 duplicate groups, 3 surplus rows; "
        "nothing was changed\n"
        "\n"
        "  tenant = 2, email = 'a': 3 rows, id 4, 5, 6\n"
        "  tenant = 1, email = 'a': 2 rows, id 1, 2\n"
        "\n"
        "List them all:\n"
        "  SELECT tenant, email, count(*) FROM accounts GROUP BY tenant, email "
        "HAVING count(*) > 1 ORDER BY count(*) DESC;\n"
        "\n"
        "What can be done:\n"
        "  - keep the last row of each key by id and archive the others: look this over and put it above "
        "the check\n"
        "      op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='last', order_by=['id'], "
        "archive_table='accounts_duplicates')\n"
        "    and this one, which brings them back, into downgrade() below the drop\n"
        "      op.restore_deduplicated_rows('accounts', ['tenant', 'email'], archive_table='accounts_duplicates')\n"
        "  - keep one row of each key and delete or merge the others, in this revision above the check or by hand, "
        "then run the upgrade again\n"
        "  - if the rows are meant to be there, the key is not what the upsert matches by: correct the declaration\n"
    )


def test_the_database_is_untouched_by_a_refusal(project: Project) -> None:
    """Neither a constraint nor a version is left behind."""
    revised(project, TWICE).alembic("upgrade", "head")

    assert project.uniques() == [
        "CREATE UNIQUE INDEX accounts_pkey ON public.accounts USING btree (id) / PRIMARY KEY (id)"
    ]
    assert project.rows("SELECT count(*) FROM accounts") == [(6,)]
    assert project.rows("SELECT * FROM alembic_version") == []


def test_the_same_upgrade_goes_through_once_the_rows_are_fixed(project: Project) -> None:
    """Nothing has to be generated again."""
    revised(project, TWICE).alembic("upgrade", "head")
    project.sql(
        "DELETE FROM accounts a USING accounts b WHERE (a.tenant, a.email) = (b.tenant, b.email) AND a.id < b.id"
    )

    project.upgrade()
    assert project.check().code == 0


def test_the_listing_lists_what_was_refused(project: Project) -> None:
    """The SELECT in the report can be pasted."""
    ran = revised(project, TWICE).alembic("upgrade", "head")
    listing = ran.out.split("List them all:\n")[1].splitlines()[0].strip().rstrip(";")

    assert project.rows(listing) == [(2, "a", 3), (1, "a", 2)]


def test_nulls_are_counted_and_let_through(project: Project) -> None:
    """They never conflict: the index takes them, and the log says so."""
    ran = revised(project, NULLS).upgrade()

    assert "upsert key accounts (tenant, email): 2 rows with NULL in the key" in ran.err


def test_intended_nulls_are_not_spoken_of(project: Project) -> None:
    """``nulls="distinct"`` is silent."""
    ran = revised(project, NULLS, key=', nulls="distinct"').upgrade()

    assert "NULL in the key" not in ran.said


def test_forbidden_nulls_are_refused(project: Project) -> None:
    """``nulls="forbid"`` refuses them though the index would not."""
    ran = revised(project, NULLS, key=', nulls="forbid"').alembic("upgrade", "head")

    assert ran.code != 0
    assert "does not hold: 2 rows with NULL in the key; nothing was changed" in ran.out
    assert "OR tenant IS NULL OR email IS NULL" in ran.out


@pytest.mark.since(15)  # NULLS NOT DISTINCT
def test_nulls_that_are_not_distinct_are_grouped(project: Project) -> None:
    """``nulls="not_distinct"`` takes NULLs as equal, as the index will."""
    ran = revised(project, NULLS, key=', nulls="not_distinct"').alembic("upgrade", "head")

    assert "1 duplicate group, 1 surplus row" in ran.out
    assert "tenant = None, email = 'n': 2 rows, id 1, 2" in ran.out


def test_values_are_kept_back_when_asked(project: Project) -> None:
    """``upsert_guard_reveal=False`` shows counts, and no value anywhere."""
    project.configure(upsert_guard_reveal="False")
    ran = revised(project, TWICE.replace("'a'", "'secret@example'")).alembic("upgrade", "head")

    assert "2 duplicate groups, 3 surplus rows" in ran.out
    assert "secret@example" not in ran.said


def test_the_check_can_be_skipped_and_says_so(project: Project) -> None:
    """``-x upsert_guard_validate=off``: the database itself then refuses, with its own message."""
    ran = revised(project, TWICE).alembic("-x", "upsert_guard_validate=off", "upgrade", "head")

    assert "Skipped the check of the rows of upsert key accounts (tenant, email)" in ran.err
    assert "could not create unique index" in ran.err


def test_an_unknown_switch_is_refused(project: Project) -> None:
    """A misspelt value does not pass for one of the two."""
    ran = revised(project).alembic("-x", "upsert_guard_validate=no", "upgrade", "head")

    assert "write -x upsert_guard_validate=off" in ran.out


def test_rows_without_a_primary_key_are_named_by_ctid(project: Project) -> None:
    """Its rows are named by what the database names them by."""
    project.sql("CREATE TABLE bare (a int NOT NULL)", "INSERT INTO bare VALUES (1), (1)")
    project.models("""
        class Bare(Base):
            __table__ = Table("bare", Base.metadata, Column("a", Integer, nullable=False), UpsertKey("a"))
            __mapper_args__ = {"primary_key": [__table__.c.a]}
    """)
    project.revise()

    assert "a = 1: 2 rows, ctid (0,1), (0,2)" in project.alembic("upgrade", "head").out


def test_equality_is_that_of_the_index(project: Project) -> None:
    """Padded char, numeric scale and negative zero are duplicates to both."""
    project.sql(
        "CREATE TABLE odd (id serial PRIMARY KEY, c char(4), n numeric, f float8)",
        "INSERT INTO odd (c, n, f) VALUES ('a', 1.0, 0), ('a ', 1.00, '-0')",
    )
    project.models("""
        class Odd(Base):
            __tablename__ = "odd"
            __table_args__ = (UpsertKey("c", "n", "f", nulls="distinct"),)
            id: Mapped[int] = mapped_column(primary_key=True)
            c: Mapped[str | None] = mapped_column(CHAR(4))
            n: Mapped[float | None] = mapped_column(Numeric)
            f: Mapped[float | None] = mapped_column(Double)
    """)
    project.revise()

    assert "1 duplicate group, 1 surplus row" in project.alembic("upgrade", "head").out


def test_a_partial_key_reads_its_own_rows_only(project: Project) -> None:
    """Rows outside the predicate do not count."""
    project.sql(TABLE, TWICE)
    project.models(ACCOUNTS.replace("{key}", ', where=text("tenant > 1")'))
    project.revise()

    out = project.alembic("upgrade", "head").out
    assert (
        "upsert key accounts (tenant, email) WHERE tenant > 1 does not hold: 1 duplicate group"
        in out
    )


def test_the_sample_is_bounded_and_says_what_it_left_out(project: Project) -> None:
    """Five groups, five rows each, and a count of the rest."""
    project.sql(
        TABLE,
        "INSERT INTO accounts (tenant, email) SELECT n % 7, 'a' FROM generate_series(1, 70) n",
    )
    project.models(ACCOUNTS.replace("{key}", ""))
    project.revise()

    out = project.alembic("upgrade", "head").out
    assert out.count("10 rows, id ") == 5
    assert "... and 2 more groups" in out
    assert "tenant = 0, email = 'a': 10 rows, id 7, 14, 21, 28, 35, ...\n" in out


def test_a_missing_column_is_one_clear_error(project: Project) -> None:
    """A hand-written check of a column that is not there names it, without a traceback."""
    revision = revised(project)
    path = next((revision.path / "migrations" / "versions").glob("*.py"))
    path.write_text(
        path.read_text().replace("['tenant', 'email'])\n    op.c", "['tenant', 'mail'])\n    op.c")
    )
    ran = project.alembic("upgrade", "head")

    assert ran.code != 0
    assert 'column "mail" does not exist' in ran.out
    assert "Traceback" not in ran.said


def test_a_terminal_shows_the_report_once_and_in_lines(project: Project) -> None:
    """Alembic folds an error's text there; the report is logged as it is, and the error says where it is."""
    revised(project, TWICE)
    terminal, end = pty.openpty()
    with os.fdopen(terminal, "rb"):
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        ran = project.alembic("upgrade", "head", stdin=end)
        os.close(end)

    assert ran.said.count("tenant = 2, email = 'a': 3 rows, id 4, 5, 6\n") == 1
    assert "the report is above" in " ".join(ran.out.split())
    assert "List them all" not in ran.out


def test_a_translated_schema_is_the_one_that_is_read(project: Project) -> None:
    """A tenant's rows are checked where ``schema_translate_map`` sends Alembic's own directives."""
    revised(project)
    project.sql(
        "CREATE SCHEMA tenant",
        "CREATE TABLE tenant.alembic_version (LIKE alembic_version INCLUDING ALL)",
        "CREATE TABLE tenant.accounts (LIKE accounts INCLUDING ALL)",
        TWICE.replace("accounts", "tenant.accounts"),
    )
    project.edit(
        "migrations/env.py",
        "as connection:",
        "as plain:\n        connection = plain.execution_options(schema_translate_map={None: 'tenant'})",
    )

    assert (
        "upsert key tenant.accounts (tenant, email) does not hold"
        in project.alembic("upgrade", "head").out
    )
