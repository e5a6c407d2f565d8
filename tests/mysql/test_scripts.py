"""``alembic upgrade --sql``: the script fails in the same cases, and changes nothing then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.catalog.reading import execute
from tests.mysql.test_rows import ROWS
from tests.mysql.test_scenarios import KEY, TABLE, declare
from tests.project import goes_red

if TYPE_CHECKING:
    from tests.project import Project

CLEAN = "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'b')"


def written(project: Project, *rows: str) -> str:
    """The script of a revision, for a database that has not met Alembic yet."""
    project.sql(TABLE, *rows)
    declare(project, KEY)
    goes_red(project)
    return script(project)


def script(project: Project) -> str:
    project.sql("DROP TABLE IF EXISTS alembic_version")
    return project.alembic("upgrade", "head", "--sql").out


def run(project: Project, whole: str) -> str:
    """As the shell does it, which stops at the first error; what the server then says."""
    statements = [s.strip() for s in f"{whole}\n".split(";\n")]
    with project.engine.connect() as connection:
        for statement in statements:
            lines = [line for line in statement.splitlines() if not line.startswith("--")]
            if not "".join(lines).strip():
                continue
            try:
                execute(connection, "\n".join(lines)).close()
            except DBAPIError as error:
                words: Any = error.orig
                return str(words.args[1])
    return ""


def test_clean_rows_let_it_run_to_the_end(mysql_project: Project) -> None:
    """The shell prints nothing."""
    whole = written(mysql_project, CLEAN)

    assert run(mysql_project, whole) == ""
    assert "uq_accounts_tenant_email" in "".join(mysql_project.uniques())


def test_duplicates_stop_it_before_the_build(mysql_project: Project) -> None:
    """With the number of rows and the key, in the server's own message."""
    whole = written(mysql_project, ROWS)

    said = run(mysql_project, whole)
    assert (
        "3 rows break upsert key accounts (tenant, email); what ran above the check stays" in said
    )
    assert "uq_accounts_tenant_email" not in "".join(mysql_project.uniques())
    assert mysql_project.rows("SELECT count(*) FROM accounts") == [(6,)]


@pytest.mark.parametrize(
    ("nulls", "fails"), [("warn", False), ("distinct", False), ("forbid", True)]
)
def test_nulls_are_taken_as_stated(mysql_project: Project, nulls: str, *, fails: bool) -> None:
    """Rows with NULL in the key are refused where they are forbidden, and nowhere else."""
    mysql_project.sql(TABLE, "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'b')")
    declare(mysql_project, f"UpsertKey('tenant', 'name', nulls={nulls!r}),")
    goes_red(mysql_project)

    said = run(mysql_project, script(mysql_project))
    assert ("2 rows break upsert key accounts (tenant, name)" in said) == fails
    assert bool(said) == fails


def test_names_survive_both_quotations(mysql_project: Project) -> None:
    """Quotes of every kind, a backslash and a per cent sign, in the message and in the statement."""
    name = 'it\'s `50%` \\ "x"'
    column = "o'c"
    quoted = name.replace("`", "``")
    mysql_project.sql(
        f"CREATE TABLE `{quoted}` (id int PRIMARY KEY, `{column}` int NOT NULL)",
        f"INSERT INTO `{quoted}` VALUES (1, 1), (2, 1)",
    )
    mysql_project.models(
        "class Odd(Base):\n"
        f"    __tablename__ = {name!r}\n"
        f"    __table_args__ = (UpsertKey({column!r}, name='uq_odd'),)\n"
        "    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)\n"
        f"    odd: Mapped[int] = mapped_column({column!r})\n"
    )
    goes_red(mysql_project)
    assert "1 duplicate group, 1 surplus row" in mysql_project.alembic("upgrade", "head").said

    said = run(mysql_project, script(mysql_project))
    assert "1 rows break upsert key" in said
    assert "it's" in said
    mysql_project.sql(f"DELETE FROM `{quoted}` WHERE id = 2")
    assert run(mysql_project, script(mysql_project)) == ""


def test_it_can_leave_the_check_out(mysql_project: Project) -> None:
    """``-x upsert_guard_validate=off``, and the script says so."""
    written(mysql_project, ROWS)
    ran = mysql_project.alembic("-x", "upsert_guard_validate=off", "upgrade", "head", "--sql")

    assert "the check of the rows is skipped" in ran.out
    assert "@upsert_guard" not in ran.out


def test_a_verification_fails_without_an_exact_key(mysql_project: Project) -> None:
    """A prefix and a plain index are none."""
    mysql_project.sql(TABLE)
    (mysql_project.path / "migrations" / "versions" / "v.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = 'v'\ndown_revision = None\n\n"
        "def upgrade():\n    op.verify_upsert_key('accounts', ['email', 'Tenant'])\n"
    )
    for made in (
        "",
        "INDEX a ON accounts (tenant, email)",
        "UNIQUE INDEX b ON accounts (email(9), tenant)",
    ):
        if made:
            mysql_project.sql(f"CREATE {made}")
        said = run(mysql_project, script(mysql_project))
        assert "nothing is unique on exactly accounts (email, Tenant)" in said
        refused = mysql_project.alembic("upgrade", "head")
        assert "Its catalog says: nothing is unique on exactly these elements" in refused.err

    mysql_project.sql("CREATE UNIQUE INDEX c ON accounts (tenant, email)")
    assert run(mysql_project, script(mysql_project)) == ""
    mysql_project.sql("DROP TABLE alembic_version")
    mysql_project.upgrade()


def test_a_verification_of_an_expression_is_left_out_and_says_so(mysql_project: Project) -> None:
    """Only the server knows how it would print it."""
    mysql_project.sql(TABLE)
    (mysql_project.path / "migrations" / "versions" / "v.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = 'v'\ndown_revision = None\n\n"
        "def upgrade():\n    op.verify_upsert_key('accounts', [sa.text('lower(email)')])\n"
    )
    ran = mysql_project.alembic("upgrade", "head", "--sql")
    assert ran.code == 0
    assert "op.verify_upsert_key is left out" in ran.out
    assert "run it online" in ran.err


def test_a_script_for_a_mysql_url_runs_on_mariadb(mariadb_project: Project) -> None:
    """Offline nobody says which of the two it will be."""
    whole = written(mariadb_project, ROWS)
    assert "SIGNAL SQLSTATE" in whole
    mariadb_project.url = mariadb_project.url.replace("mariadb+", "mysql+")
    whole = script(mariadb_project)
    assert "SIGNAL SQLSTATE" not in whole
    assert "3 rows break upsert key accounts" in run(mariadb_project, whole)


def test_a_deduplication_is_refused_before_it_begins(mysql_project: Project) -> None:
    """The directive is not for these servers."""
    mysql_project.sql(TABLE, ROWS)
    (mysql_project.path / "migrations" / "versions" / "v.py").write_text(
        "from alembic import op\nrevision = 'v'\ndown_revision = None\n\n"
        "def upgrade():\n"
        "    op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='last', order_by=[])\n"
    )
    ran = mysql_project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "cannot be deduplicated by this directive on" in ran.err
    assert mysql_project.rows("SELECT count(*) FROM accounts") == [(6,)]
