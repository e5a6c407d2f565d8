"""The one job from end to end, by every driver that is promised."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, String, Table, func, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard import UpsertKey, conflict_target, declare_upsert_key
from tests.cli.commands import report
from tests.drivers import GOES_THROUGH
from tests.project import goes_red, goes_round
from tests.rows.test_arrivals import between
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from tests.project import Ran
    from tests.spine.conftest import DriverProject

TABLE = """
    CREATE TABLE accounts (
        id {serial} PRIMARY KEY, tenant integer NOT NULL, email varchar NOT NULL, kind varchar NOT NULL
    )
"""
ACCOUNTS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email", as_index=True),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]
        kind: Mapped[str]
"""
# what drivers take for their own: per cent signs and colons, in an expression and a predicate
IN_SQL = """
    declare_upsert_key(
        Account, func.lower(Account.email) + "%", where=text("kind NOT LIKE '100%' AND kind <> 'a\\\\:b'")
    )
"""
IN_SQL_ALONE = (
    ACCOUNTS.replace('__table_args__ = (UpsertKey("tenant", "email", as_index=True),)', "") + IN_SQL
)
TWICE = (
    "INSERT INTO accounts (tenant, email, kind) VALUES (1, 'a', 'x'), (1, 'a', 'y'), (2, 'a', 'x')"
)
REFUSED = "upsert key accounts (tenant, email) does not hold: 1 duplicate group, 1 surplus row"
VALIDATE = "op.validate_upsert_key('accounts', ['tenant', 'email'])"
CREATE = "op.create_index('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'], unique=True)"


def given(project: DriverProject, *statements: str, models: str = ACCOUNTS) -> DriverProject:
    """The table as it stood, what a DBA did to it, and the models as they are now."""
    serial = "integer NOT NULL" if project.driver.dialect == "sqlite" else "serial"
    project.sql(TABLE.replace("{serial}", serial), *statements)
    project.models(models)
    return project


def assert_is_refused(ran: Ran, *expected: str) -> None:
    """By a report for people."""
    assert ran.code != 0, ran.said
    assert "Traceback" not in ran.said, ran.said
    for words in expected:
        assert words in ran.out, ran.said


def test_a_key_goes_round(spine: DriverProject) -> None:
    """Red, a revision, clean; the second revision is empty; down and up again."""
    given(spine)

    revision = goes_red(spine, "missing-arbiter")
    assert revision.lines("upgrade") == [VALIDATE, CREATE]
    goes_round(spine, revision)


def test_a_key_of_an_expression_and_a_predicate_goes_round(spine: DriverProject) -> None:
    """What drivers read as parameters reaches the database as it was written."""
    given(spine, models=IN_SQL_ALONE)

    revision = goes_red(spine, "missing-arbiter")
    goes_round(spine, revision)
    (index,) = [unique for unique in spine.uniques() if "lower" in unique]
    assert "'100%'" in index
    assert "'a:b'" in index


def test_the_same_in_other_words_is_there(spine: DriverProject) -> None:
    """The database itself is asked through the driver: nothing is generated."""
    given(
        spine,
        "CREATE UNIQUE INDEX theirs ON accounts (ABS(tenant), LOWER((email)))",
        "CREATE UNIQUE INDEX ours ON accounts (email, tenant)",
        models=f"{ACCOUNTS}\n    declare_upsert_key(Account, func.lower(Account.email), func.abs(Account.tenant))\n",
    )

    check = spine.check()
    assert check.code == 0, check.said
    assert spine.revise().is_empty


def test_duplicates_are_refused_and_the_offered_line_mends_them(spine: DriverProject) -> None:
    """Nothing is changed by the refusal; what is archived comes back with the downgrade."""
    given(spine, TWICE)
    revision = goes_red(spine, "missing-arbiter")

    assert_is_refused(spine.alembic("upgrade", "head"), REFUSED, "tenant = 1, email = 'a': 2 rows")
    assert "uq_" not in "".join(spine.uniques())

    offered = "    # op."
    revision.path.write_text(revision.text.replace(offered, "    op."))
    upgraded = spine.upgrade()
    assert "Deduplicated upsert key accounts (tenant, email): 1 surplus row moved" in upgraded.err
    assert spine.rows("SELECT kind FROM accounts ORDER BY id") == [("y",), ("x",)]
    assert spine.check().code == 0
    spine.downgrade()
    assert spine.rows("SELECT count(*) FROM accounts") == [(3,)]


def test_a_row_that_arrives_after_the_check_is_told_of(spine: DriverProject) -> None:
    """The build refuses it with its own message; what is printed is our report."""
    given(spine)
    spine.revise()
    between(spine, f"op.execute({TWICE!r})")

    ran = spine.alembic("upgrade", "head")
    assert_is_refused(ran, REFUSED, "The rows arrived after the check")
    assert "could not create unique index" not in ran.said
    assert "UNIQUE constraint failed" not in ran.said


def test_the_databases_words_stand_alone(spine: DriverProject) -> None:
    """Its message is printed without the names of the driver's classes."""
    given(
        spine, models=ACCOUNTS.replace('"tenant", "email", as_index=True', 'text("lower(nobody)")')
    )
    if spine.driver.dialect == "postgresql":  # it is asked before the revision is written
        refused = spine.alembic("revision", "--autogenerate", "-m", "r")
        words = 'every upsert on it fails: column "nobody" does not exist; '
        assert words in refused.said.split("FAILED: ")[1]
        return
    spine.revise()

    said = spine.alembic("upgrade", "head")
    assert_is_refused(said, "The database says: no such column: nobody\n")


def test_in_autocommit(spine: DriverProject) -> None:
    """Each statement commits by itself: the refusal still comes before any of them, and the key goes round."""
    given(spine, TWICE)
    spine.in_autocommit()
    revision = goes_red(spine, "missing-arbiter")

    assert_is_refused(spine.alembic("upgrade", "head"), REFUSED)
    assert "uq_" not in "".join(spine.uniques())
    spine.sql("DELETE FROM accounts WHERE kind = 'y'")
    goes_round(spine, revision)


def test_a_key_is_made_while_the_table_is_written_to(spine: DriverProject) -> None:
    """``upsert_guard_concurrently``: outside of a transaction, with a session beside it; SQLite makes it as always."""
    given(spine, TWICE)
    spine.edit(
        "migrations/env.py",
        "connection=connection, target_metadata=target_metadata",
        "connection=connection, target_metadata=target_metadata, upsert_guard_concurrently=True",
    )
    revision = goes_red(spine, "missing-arbiter")

    concurrently = "op.create_unique_index_concurrently" in revision.calls("upgrade")
    assert concurrently == (spine.driver.dialect == "postgresql")
    assert_is_refused(spine.alembic("upgrade", "head"), REFUSED)
    spine.sql("DELETE FROM accounts WHERE kind = 'y'")
    goes_round(spine, revision)


def test_a_script_refuses_what_the_upgrade_refuses(spine: DriverProject) -> None:
    """``--sql`` for the database's shell: no driver's doubling and no parameter is in it."""
    given(spine, TWICE, models=IN_SQL_ALONE)
    spine.revise()
    spine.sql("DROP TABLE IF EXISTS alembic_version")

    script = spine.alembic("upgrade", "head", "--sql").out
    assert "accounts ((lower(email) || '%')) WHERE kind NOT LIKE '100%'" in in_shell(spine, script)
    assert "uq_" not in "".join(spine.uniques())
    spine.sql("DELETE FROM accounts WHERE id > 1", "DROP TABLE IF EXISTS alembic_version")
    assert in_shell(spine, script) == ""
    assert "uq_" in "".join(spine.uniques())


def in_shell(project: DriverProject, script: str) -> str:
    """What the database's own shell says to the script; it stops at the first error."""
    if project.driver.dialect == "postgresql":
        return in_psql(project, script).err
    with closing(sqlite3.connect(str(project.engine.url.database))) as connection:
        try:
            connection.executescript(script)
        except sqlite3.Error as error:
            return str(error)
    return ""


def test_the_command_checks_keys_and_rows(spine: DriverProject) -> None:
    """``upsert-guard check --rows`` runs the same env.py, and writes nothing."""
    given(spine, TWICE)
    checked = report(spine, "check", "--rows")
    assert sorted(checked.codes) == ["duplicate-rows", "missing-arbiter"]

    spine.sql(
        "DELETE FROM accounts WHERE kind = 'y'",
        "CREATE UNIQUE INDEX there ON accounts (tenant, email)",
    )
    assert report(spine, "check", "--rows").findings == []


def visited() -> Table:
    """Accounts that are counted up, with a key that goes by literals."""
    table = Table(
        "accounts",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("tenant", Integer, nullable=False),
        Column("email", String, nullable=False),
        Column("visits", Integer, nullable=False),
        UpsertKey("tenant", "email"),
    )
    predicate = text("email NOT LIKE '100%' AND email <> 'a\\:b'")
    declare_upsert_key(table, func.lower(table.c.email), where=predicate)
    declare_upsert_key(table, "tenant", where=table.c.email == "a")
    return table


def count_up(
    spine: DriverProject, table: Table, target: dict[str, Any], times: int = 100
) -> list[int]:
    """Upsert the same row on one connection, again and again; the numbers of those that went through."""
    dialect = {"postgresql": postgresql, "sqlite": sqlite}[spine.driver.dialect]
    upsert = dialect.insert(table).values(tenant=1, email="a", visits=1)
    upsert = upsert.on_conflict_do_update(**target, set_={"visits": table.c.visits + 1})
    went_through: list[int] = []

    def work(connection: Connection) -> None:
        table.metadata.create_all(connection)
        for number in range(1, times + 1):
            connection.execute(upsert)
            went_through.append(number)

    try:
        spine.work(work)
    except DBAPIError as error:
        assert "no unique or exclusion constraint matching" in str(error)  # noqa: PT017 - or it goes through
    return went_through


def test_an_upsert_finds_its_arbiter_a_hundred_times(spine: DriverProject) -> None:
    """``conflict_target()`` on one connection: statements are prepared, plans turn generic, and it still does."""
    table = visited()

    for elements in (("tenant", "email"), (func.lower(table.c.email),), ("tenant",)):
        assert len(count_up(spine, table, conflict_target(table, *elements))) == 100
    assert spine.rows("SELECT visits FROM accounts") == [(300,)]


def test_a_bound_predicate_finds_its_arbiter_until_the_plan_turns_generic(
    spine: DriverProject,
) -> None:
    """What SQLAlchemy does by itself: where the driver prepares, the same upsert fails with 42P10 after a while."""
    table = visited()
    bound = {"index_elements": ["tenant"], "index_where": table.c.email == "a"}

    assert len(count_up(spine, table, bound)) == GOES_THROUGH.get(spine.driver, 100)


def test_a_database_that_is_not_there_is_told_in_a_line(spine: DriverProject) -> None:
    """The command could not run: exit 2, and a line says so in the database's words; a driver's thread may say more."""
    given(spine)
    there = str(spine.engine.url.database)
    spine.edit("alembic.ini", there, f"{there}/nowhere")

    ran = spine.python("-m", "alembic_upsert_guard", "check")
    start = "upsert-guard: env.py did not run to its end: "
    # what the thread writes as Python ends may be on the same line
    _, said = ran.err.split(start)
    assert ran.code == 2
    assert "nowhere" in said or "unable to open database file" in said


FUNCTION = """
    CREATE FUNCTION save(who varchar) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO accounts (tenant, email, kind) VALUES (1, who, 'x') ON CONFLICT (tenant, email) DO NOTHING;
    END $$
"""


def test_the_command_judges_functions(spine: DriverProject) -> None:
    """What a function in the database upserts on is asked of the planner; SQLite has no functions to read."""
    if spine.driver.dialect == "sqlite":
        given(spine)
        assert report(spine, "functions").findings == []
        return
    given(spine, FUNCTION)
    assert report(spine, "functions").codes == ["unserved-function"]

    spine.sql("CREATE UNIQUE INDEX there ON accounts (tenant, email)")
    assert report(spine, "functions").findings == []
