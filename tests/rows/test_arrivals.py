"""Rows that arrive between the check and the build: refused by the database, reported as by the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rows.test_preflight import ACCOUNTS, TABLE, TWICE, revised
from tests.scenarios.test_templates import InitialisedProject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.project import Project, Ran

ARRIVED = "The rows arrived after the check: the table was written to meanwhile.\n"
FIRST_LINE = (
    "upsert key accounts (tenant, email) does not hold: 2 duplicate groups, 3 surplus rows; "
    "nothing was changed"
)
# a build outside of a transaction cannot say that nothing was changed
COUNTS = FIRST_LINE.split("; ", maxsplit=1)[0]
SAMPLE = (
    "  tenant = 2, email = 'a': 3 rows, id 4, 5, 6\n  tenant = 1, email = 'a': 2 rows, id 1, 2\n"
)
VALIDATE = "op.validate_upsert_key('accounts', ['tenant', 'email'])"
ANOTHER_CONNECTION = """
    import os
    with sa.create_engine(os.environ["PROJECT_URL"]).begin() as meanwhile:
        meanwhile.exec_driver_sql({statement!r})
"""


def between(project: Project, *lines: str, below: str = "op.validate_upsert_key(") -> None:
    """Let `lines` run in ``upgrade()`` between the last check and what comes below it."""
    (path,) = (project.path / "migrations" / "versions").glob("*.py")
    upgrade, downgrade, rest = path.read_text().partition("\n\n\ndef downgrade")
    written = upgrade.splitlines()
    (*_, last) = (n for n, line in enumerate(written) if line.strip().startswith(below))
    written[last + 1 : last + 1] = [f"    {line}" for text in lines for line in text.splitlines()]
    path.write_text("\n".join(written) + downgrade + rest)


def arriving(project: Project, statement: str = TWICE) -> Ran:
    """The upgrade during which rows arrive."""
    between(project, f"op.execute({statement!r})")
    return project.alembic("upgrade", "head")


def of_another_connection(statement: str = TWICE) -> str:
    """The lines that insert and commit past the migration."""
    lines = ANOTHER_CONNECTION.replace("{statement!r}", repr(statement)).strip("\n").splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines)


def assert_is_told(ran: Ran, first_line: str = FIRST_LINE, sample: str = SAMPLE) -> None:
    """Our report, that the rows arrived late, and not a word of the database's."""
    assert ran.code != 0, ran.said
    assert "Traceback" not in ran.said
    assert "FAILED: " in ran.out
    first, _, rest = ran.out.split("FAILED: ")[1].partition("\n\n")
    assert first.startswith(first_line)
    assert rest.startswith(f"{ARRIVED}\n{sample}\nList them all:\n"), rest
    assert "could not create unique index" not in ran.said
    assert "UNIQUE constraint failed" not in ran.said


def assert_is_the_databases_own(ran: Ran, words: str, error: str = "IntegrityError") -> None:
    """SQLAlchemy's error comes out as it does without us, and nothing of ours is said."""
    assert ran.code != 0, ran.said
    assert f"\nsqlalchemy.exc.{error}: " in ran.err
    assert words in ran.err.split(f"\nsqlalchemy.exc.{error}: ")[1]
    assert "does not hold" not in ran.said
    assert "arrived after the check" not in ran.said


def assert_untouched(project: Project, rows: int) -> None:
    """Neither an index, nor a version, nor a row that the revision itself wrote."""
    assert "uq_" not in "".join(project.uniques())
    assert project.rows("SELECT count(*) FROM accounts") == [(rows,)]
    assert project.rows("SELECT * FROM alembic_version") == []


@pytest.mark.parametrize(
    "key", ["", ", as_index=True"], ids=["a unique constraint", "a unique index"]
)
def test_the_build_is_reported_as_by_the_check(project: Project, key: str) -> None:
    """Key, groups and sample, as the check reports them, and that the rows came late."""
    revised(project, key=key)

    assert_is_told(arriving(project))
    assert_untouched(project, rows=0)


def test_the_report_has_the_ways_out(project: Project) -> None:
    """The SELECT to paste and the directive to paste, as after a check."""
    revised(project)

    out = arriving(project).out
    assert "  SELECT tenant, email, count(*) FROM accounts GROUP BY tenant, email HAVING" in out
    assert "op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='last'" in out


@pytest.mark.parametrize("key", ["", ", as_index=True"], ids=["constraint", "index"])
def test_rows_of_another_connection_are_reported(project: Project, key: str) -> None:
    """The race as it is: another session commits duplicates while the migration runs."""
    revised(project, key=key)
    between(project, of_another_connection())

    assert_is_told(project.alembic("upgrade", "head"))
    assert_untouched(project, rows=6)


def test_one_row_of_another_connection_beside_one_that_was_there(project: Project) -> None:
    """The group is reported with both of its rows."""
    one = "INSERT INTO accounts (tenant, email) VALUES (1, 'a')"
    revised(project, one)
    between(project, of_another_connection(one))

    assert_is_told(
        project.alembic("upgrade", "head"),
        FIRST_LINE.replace(
            "2 duplicate groups, 3 surplus rows", "1 duplicate group, 1 surplus row"
        ),
        "  tenant = 1, email = 'a': 2 rows, id 1, 2\n",
    )
    assert_untouched(project, rows=2)


def test_rows_that_arrive_and_do_not_offend_let_the_build_through(project: Project) -> None:
    """The twin: other keys."""
    revised(project)
    between(
        project,
        of_another_connection("INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'b')"),
    )

    project.upgrade()
    assert project.check().code == 0


def test_the_same_upgrade_goes_through_once_the_rows_are_fixed(project: Project) -> None:
    """Nothing is in the way of the next attempt."""
    revised(project)
    (path,) = (project.path / "migrations" / "versions").glob("*.py")
    generated = path.read_text()
    between(project, of_another_connection())
    assert project.alembic("upgrade", "head").code != 0

    path.write_text(generated)
    project.sql("DELETE FROM accounts a USING accounts b WHERE a.email = b.email AND a.id < b.id")
    project.upgrade()
    assert project.check().code == 0


def test_the_build_of_a_partial_index_is_reported(project: Project) -> None:
    """With the rows that the index is about, and no others."""
    revised(project, key=', where=text("tenant > 1")')

    assert_is_told(
        arriving(project),
        "upsert key accounts (tenant, email) WHERE tenant > 1 does not hold: 1 duplicate group, "
        "2 surplus rows; nothing was changed",
        "  tenant = 2, email = 'a': 3 rows, id 4, 5, 6\n",
    )
    assert_untouched(project, rows=0)


def test_the_build_of_an_expression_index_is_reported(project: Project) -> None:
    """The expression is shown in place of the column."""
    project.sql(TABLE)
    project.models(ACCOUNTS.replace('"email"{key}', 'func.lower(text("email"))'))
    project.revise()

    assert_is_told(
        arriving(project, "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'A')"),
        "upsert key accounts (tenant, lower(email)) does not hold: 1 duplicate group, "
        "1 surplus row; nothing was changed",
        "  tenant = 1, lower(email) = 'a': 2 rows, id 1, 2\n",
    )
    assert_untouched(project, rows=0)


@pytest.mark.since(15)  # NULLS NOT DISTINCT
def test_nulls_that_are_not_distinct_are_reported(project: Project) -> None:
    """NULLs are equal to the build and to the report."""
    revised(project, key=', nulls="not_distinct"')

    assert_is_told(
        arriving(project, "INSERT INTO accounts (tenant, email) VALUES (NULL, 'n'), (NULL, 'n')"),
        FIRST_LINE.replace(
            "2 duplicate groups, 3 surplus rows", "1 duplicate group, 1 surplus row"
        ),
        "  tenant = None, email = 'n': 2 rows, id 1, 2\n",
    )
    assert_untouched(project, rows=0)


def test_a_schema_is_reported(project: Project) -> None:
    """The table of the schema is meant, and not one of the same name elsewhere."""
    project.configure(include_schemas="True")
    project.sql("CREATE SCHEMA tenants", TABLE, TABLE.replace("accounts", "tenants.accounts"))
    project.models(
        ACCOUNTS.replace('"email"{key}),)', '"email"), {"schema": "tenants"})')
        + """
    class Public(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int | None]
        email: Mapped[str | None]
        """
    )
    project.revise()

    assert_is_told(
        arriving(project, TWICE.replace("accounts", "tenants.accounts")),
        FIRST_LINE.replace("accounts", "tenants.accounts"),
    )
    assert_untouched(project, rows=0)


def test_a_block_of_batch_mode_is_reported(project: Project) -> None:
    """``render_as_batch=True``: the build is in a block, the check above it."""
    project.configure(render_as_batch="True")
    revised(project)

    assert_is_told(arriving(project))
    assert_untouched(project, rows=0)


def test_the_build_on_sqlite_is_reported(sqlite_project: Project) -> None:
    """An index of its own, without batch mode."""
    revised(
        sqlite_project, key=", as_index=True", table=TABLE.replace("serial", "integer NOT NULL")
    )
    assert_is_told(arriving(sqlite_project))
    assert "uq_" not in "".join(sqlite_project.uniques())
    assert sqlite_project.rows("SELECT * FROM alembic_version") == []


@pytest.mark.parametrize("key", [", as_index=True", ""], ids=["index", "constraint"])
def test_a_block_of_batch_mode_on_sqlite_is_reported(sqlite_project: Project, key: str) -> None:
    """A constraint is made there by writing the whole table anew."""
    sqlite_project.configure(render_as_batch="True")
    revised(sqlite_project, key=key, table=TABLE.replace("serial", "integer NOT NULL"))

    assert_is_told(arriving(sqlite_project))
    assert "uq_" not in "".join(sqlite_project.uniques())
    assert sqlite_project.rows("SELECT * FROM alembic_version") == []


@pytest.mark.parametrize("broken", ["email", "kind"])
@pytest.mark.parametrize(
    ("fixture", "as_index"),
    [("project", ""), ("project", ", as_index=True"), ("sqlite_project", ", as_index=True")],
    ids=["constraints", "indexes", "indexes on sqlite"],
)
def test_of_two_keys_of_a_table_the_broken_one_is_reported(
    request: pytest.FixtureRequest, fixture: str, as_index: str, broken: str
) -> None:
    """Both were checked; one build is refused."""
    project: Project = request.getfixturevalue(fixture)
    serial = "serial" if fixture == "project" else "integer NOT NULL"
    project.sql(f"CREATE TABLE accounts (id {serial} PRIMARY KEY, email varchar, kind varchar)")
    project.models(f"""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("email"{as_index}), UpsertKey("kind"{as_index}))
            id: Mapped[int] = mapped_column(primary_key=True)
            email: Mapped[str | None]
            kind: Mapped[str | None]
    """)
    revision = project.revise()
    checks = [line for line in revision.lines("upgrade") if "validate" in line]
    makes = [line for line in revision.lines("upgrade") if "create" in line]
    assert (len(checks), len(makes)) == (2, 2)
    # both checks first, then both builds
    body = "\n".join(f"    {line}" for line in [*checks, *makes])
    head, _, rest = revision.text.partition("def upgrade():\n")
    _, foot, downgrade = rest.partition("\n\n\ndef downgrade")
    revision.path.write_text(f"{head}def upgrade():\n{body}{foot}{downgrade}")

    values = "('a', 'x'), ('a', 'y')" if broken == "email" else "('a', 'x'), ('b', 'x')"
    value = "a" if broken == "email" else "x"
    assert_is_told(
        arriving(project, f"INSERT INTO accounts (email, kind) VALUES {values}"),
        f"upsert key accounts ({broken}) does not hold: 1 duplicate group, 1 surplus row; "
        "nothing was changed",
        f"  {broken} = '{value}': 2 rows, id 1, 2\n",
    )
    assert "uq_accounts_" + broken not in "".join(project.uniques())


@pytest.mark.parametrize(
    "made",
    [
        "op.create_unique_constraint('uq_theirs', 'accounts', ['email'])",
        "op.create_index('uq_theirs', 'accounts', ['email'], unique=True)",
    ],
    ids=["constraint", "index"],
)
def test_another_constraint_of_the_table_is_reported_as_the_operation_that_it_is(
    project: Project, made: str
) -> None:
    """It is no declared key: no check had read its rows."""
    revised(project)
    between(
        project,
        "op.execute(\"INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (2, 'a')\")",
        made,
    )

    ran = project.alembic("upgrade", "head")
    assert "uq_theirs on accounts (email) cannot be created: 1 duplicate group" in ran.out
    assert ARRIVED not in ran.out
    assert_untouched(project, rows=0)


def test_another_constraint_is_reported_though_the_key_is_broken_too(
    project: Project,
) -> None:
    """What is refused is what is reported: the build that failed was of another key."""
    revised(project)
    between(
        project,
        f"op.execute({TWICE!r})",
        "op.create_index('uq_theirs', 'accounts', ['email'], unique=True)",
    )

    ran = project.alembic("upgrade", "head")
    assert "unique index uq_theirs on accounts (email) cannot be created" in ran.out
    assert_untouched(project, rows=0)


def test_a_unique_index_of_another_table_is_reported(project: Project) -> None:
    """Whatever a directive has checked."""
    revised(project)
    project.sql("CREATE TABLE others (a int)", "INSERT INTO others VALUES (1), (1)")
    between(project, "op.create_index('uq_others', 'others', ['a'], unique=True)")

    ran = project.alembic("upgrade", "head")
    assert "unique index uq_others on others (a) cannot be created: 1 duplicate group" in ran.out


def test_an_error_that_is_no_violation_is_left_as_it_is(project: Project) -> None:
    """A name that is taken is the database's to report, whatever arrived."""
    revised(project, key=", as_index=True")
    project.sql("CREATE TABLE uq_accounts_tenant_email (a int)")

    ran = arriving(project)
    error = 'relation "uq_accounts_tenant_email" already exists'
    assert_is_the_databases_own(ran, error, "ProgrammingError")


def test_a_build_that_a_person_catches_leaves_the_transaction_usable(project: Project) -> None:
    """A revision may go on after the refusal, in a savepoint of its own."""
    revised(project)
    between(
        project,
        f"op.execute({TWICE!r})",
        "import alembic_upsert_guard",
        "try:",
        "    with op.get_bind().begin_nested():",
        "        op.create_unique_constraint('uq_first', 'accounts', ['tenant', 'email'])",
        "except alembic_upsert_guard.UpsertKeyViolation as violation:",
        "    assert violation.report.groups == 2",
        "    op.execute('DELETE FROM accounts WHERE id NOT IN (1, 3, 4)')",
    )

    project.upgrade()
    assert "uq_accounts_tenant_email" in "".join(project.uniques())
    assert "uq_first" not in "".join(project.uniques())
    assert project.rows("SELECT count(*) FROM accounts") == [(3,)]


def concurrently(project: Project, *rows: str) -> None:
    """A revision of the shape that Alembic's manual has for an index that blocks no writer."""
    revised(project, *rows, key=", as_index=True")
    (path,) = (project.path / "migrations" / "versions").glob("*.py")
    upgrade, downgrade, rest = path.read_text().partition("\n\n\ndef downgrade")
    built = [line for line in upgrade.splitlines() if line.strip().startswith("op.create_index")]
    assert len(built) == 1
    upgrade = upgrade.replace(
        built[0],
        "    with op.get_context().autocommit_block():\n    "
        + built[0].replace("unique=True)", "unique=True, postgresql_concurrently=True)"),
    )
    path.write_text(upgrade + downgrade + rest)


def test_a_concurrent_build_is_reported(project: Project) -> None:
    """There is no transaction to go back in, and the report comes out all the same."""
    concurrently(project)
    between(project, of_another_connection())

    assert_is_told(project.alembic("upgrade", "head"), COUNTS)
    assert project.rows("SELECT count(*) FROM accounts") == [(6,)]


def test_a_concurrent_build_that_is_refused_says_what_it_left_behind(project: Project) -> None:
    """PostgreSQL keeps an invalid index: "nothing was changed" must be true, or must not be said."""
    concurrently(project)
    between(project, of_another_connection())

    ran = project.alembic("upgrade", "head")
    assert "does not hold" in ran.out
    left = [unique for unique in project.uniques() if "INVALID" in unique]
    assert not left or (
        "nothing was changed" not in ran.out and "uq_accounts_tenant_email" in ran.out
    ), (left, ran.out)


def test_a_check_in_an_autocommit_block_watches_the_build(project: Project) -> None:
    """Check and build in one block, each statement on its own."""
    concurrently(project)
    between(project, of_another_connection())
    (path,) = (project.path / "migrations" / "versions").glob("*.py")
    source = path.read_text()
    block = "    with op.get_context().autocommit_block():\n"
    source = source.replace(block, "", 1).replace(f"    {VALIDATE}", f"{block}        {VALIDATE}")
    lines = []
    in_block = False
    for line in source.splitlines():
        shifted = in_block and line.startswith("    ") and not line.startswith("        op.")
        lines.append(f"    {line}" if shifted else line)
        in_block = (in_block or VALIDATE in line) and "def downgrade" not in line
    path.write_text("\n".join(lines) + "\n")

    assert_is_told(project.alembic("upgrade", "head"), COUNTS)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize("key", [", as_index=True", ""], ids=["index", "constraint"])
def test_other_drivers_are_reported(tmp_path: Path, url: str, driver: str, key: str) -> None:
    """The async template, under each driver that has a synchronous face for Alembic."""
    project = InitialisedProject(tmp_path / "project", url, template="async")
    project.connect_to(url.replace("psycopg2", driver))
    project.target("models.Base.metadata")
    revised(project, key=key)

    assert_is_told(arriving(project))
    assert_untouched(project, rows=0)
    project.dispose()


def test_a_concurrent_build_under_asyncpg_is_reported(tmp_path: Path, url: str) -> None:
    """The async template in AUTOCOMMIT."""
    project = InitialisedProject(tmp_path / "project", url, template="async")
    project.connect_to(url.replace("psycopg2", "asyncpg"))
    project.target("models.Base.metadata")
    concurrently(project)
    between(project, of_another_connection())

    assert_is_told(project.alembic("upgrade", "head"), COUNTS)
    project.dispose()


def test_aiosqlite_is_reported(tmp_path: Path) -> None:
    """The async template on SQLite."""
    path = tmp_path / "database.sqlite"
    project = InitialisedProject(tmp_path / "project", f"sqlite:///{path}", template="async")
    project.connect_to(f"sqlite+aiosqlite:///{path}")
    project.target("models.Base.metadata")
    revised(project, key=", as_index=True", table=TABLE.replace("serial", "integer NOT NULL"))

    assert_is_told(arriving(project))
    project.dispose()


def test_a_check_that_is_switched_off_leaves_the_databases_message(project: Project) -> None:
    """Who skips the check gets no report."""
    revised(project)
    between(project, f"op.execute({TWICE!r})")

    ran = project.alembic("-x", "upsert_guard_validate=off", "upgrade", "head")
    assert "could not create unique index" in ran.err
    assert "arrived after the check" not in ran.said


def test_a_name_that_another_constraint_has_is_refused_in_one_sentence(project: Project) -> None:
    """PostgreSQL refuses it as well, with a traceback of SQLAlchemy's."""
    revised(project)
    project.sql("ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email CHECK (tenant > 0)")

    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "Traceback" not in ran.said
    assert (
        "uq_accounts_tenant_email on accounts was not made, nothing was changed: that is the name of another "
        "constraint of the table, CHECK ((tenant > 0)). Give one of the two another name"
    ) in " ".join(ran.said.split())
