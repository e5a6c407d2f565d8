"""SQLite's kinds of tables and columns, what a connection registers, and files that are attached."""

from __future__ import annotations

import textwrap

import pytest
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import OperationalError

from tests.project import Project, goes_red, goes_round

ACCOUNT = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = ({key},)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str] = mapped_column(Text)
"""
COLUMNS = "id INTEGER NOT NULL PRIMARY KEY, tenant INTEGER NOT NULL, email TEXT NOT NULL"
TWICE = "INSERT INTO accounts (id, tenant, email) VALUES (1, 1, 'a'), (2, 1, 'a')"
UPSERT = """
    from sqlalchemy import create_engine
    from sqlalchemy.dialects.sqlite import insert
    from alembic_upsert_guard import conflict_target
    from models import Account
    import os

    engine = create_engine(os.environ["PROJECT_URL"])
    with engine.begin() as connection:
        for email in {emails}:
            upsert = insert(Account).values(tenant=1, email=email)
            connection.execute(upsert.on_conflict_do_update(**conflict_target(Account), set_={"tenant": 1}))
        print(connection.exec_driver_sql("SELECT count(*) FROM accounts").scalar())
    engine.dispose()
"""


def account(key: str) -> str:
    return ACCOUNT.replace("{key}", key)


def upserted(project: Project, *emails: str) -> int:
    """The rows that are there once the application has upserted these by the one key."""
    return int(project.application(UPSERT.replace("{emails}", repr(emails))).out)


def when_connected(project: Project, *lines: str) -> None:
    """What env.py does with each connection, and so does the test's own engine."""
    body = "\n".join(f"    {line}" for line in lines)
    listener = f"""
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import Engine

@event.listens_for(Engine, "connect")
def connected(connection, record):
{body}
"""
    project.edit("migrations/env.py", "import models\n", f"import models\n{listener}")
    (project.path / "connected.py").write_text(listener)
    scope: dict[str, object] = {}
    exec(  # noqa: S102 - the same lines
        f"def connected(connection, record):\n{textwrap.indent(chr(10).join(lines), '    ')}", scope
    )
    event.listen(project.engine, "connect", scope["connected"])


# -- kinds of tables


@pytest.mark.parametrize("batch", ["True", "False"])
@pytest.mark.parametrize("kind", ["WITHOUT ROWID", "STRICT", "STRICT, WITHOUT ROWID"])
def test_a_key_is_made_on_a_table_of_each_kind(
    sqlite_project: Project, kind: str, batch: str
) -> None:
    """Duplicates are refused with their primary keys, then the key goes round."""
    sqlite_project.configure(render_as_batch=batch)
    sqlite_project.sql(f"CREATE TABLE accounts ({COLUMNS}) {kind}", TWICE)
    sqlite_project.models(account('UpsertKey("tenant", "email", as_index=True)'))

    revision = goes_red(sqlite_project, "missing-arbiter")
    refused = sqlite_project.alembic("upgrade", "head")
    assert "accounts (tenant, email) does not hold: 1 duplicate group, 1 surplus row" in refused.out
    sqlite_project.sql("DELETE FROM accounts WHERE id = 2")
    goes_round(sqlite_project, revision)


@pytest.mark.parametrize("kind", ["", "WITHOUT ROWID", "STRICT"])
def test_a_constraint_is_made_in_a_batch(sqlite_project: Project, kind: str) -> None:
    """Alembic copies the table; its rows and its kind come along."""
    if kind and "get_table_options" not in vars(SQLiteDialect):
        pytest.skip("SQLAlchemy 2.0.53 brought the kinds of SQLite's tables, which a batch copies")
    sqlite_project.configure(render_as_batch="True")
    sqlite_project.sql(
        f"CREATE TABLE accounts ({COLUMNS}) {kind}", "INSERT INTO accounts VALUES (7, 1, 'a')"
    )
    sqlite_project.models(account('UpsertKey("tenant", "email")'))

    revision = goes_red(sqlite_project, "missing-arbiter")
    goes_round(sqlite_project, revision)
    assert sqlite_project.rows("SELECT id FROM accounts") == [(7,)]
    made = "SELECT wr, strict FROM pragma_table_list('accounts')"
    assert sqlite_project.rows(made) == [(kind == "WITHOUT ROWID", kind == "STRICT")]


@pytest.mark.parametrize("kind", ["STORED", "VIRTUAL"])
def test_a_generated_column_in_a_key(sqlite_project: Project, kind: str) -> None:
    """Its values are compared before, and its index goes round."""
    folded = f"folded TEXT NOT NULL GENERATED ALWAYS AS (lower(email)) {kind}"
    sqlite_project.sql(
        f"CREATE TABLE accounts ({COLUMNS}, {folded})",
        "INSERT INTO accounts (id, tenant, email) VALUES (1, 1, 'a'), (2, 1, 'A')",
    )
    sqlite_project.models(
        account('UpsertKey("tenant", "folded", as_index=True)').rstrip()
        + "\n        folded: Mapped[str] = mapped_column("
        f"Text, Computed('lower(email)', persisted={kind == 'STORED'}))\n"
    )

    revision = goes_red(sqlite_project, "missing-arbiter")
    refused = sqlite_project.alembic("upgrade", "head")
    assert "1 duplicate group, 1 surplus row" in refused.out
    sqlite_project.sql("DELETE FROM accounts WHERE id = 2")
    goes_round(sqlite_project, revision)
    assert upserted(sqlite_project, "A", "b") == 2


# -- the rowid


@pytest.mark.parametrize("elements", ['"tenant", "id"', '"id", "email"'])
def test_a_key_that_holds_the_rowid_is_refused(sqlite_project: Project, elements: str) -> None:
    """No upsert on it would ever find an arbiter: the check fails, and says what the key could be."""
    sqlite_project.sql(f"CREATE TABLE accounts ({COLUMNS})")
    sqlite_project.models(account(f"UpsertKey({elements}, as_index=True)"))

    for command in (["check"], ["revision", "--autogenerate", "-m", "r"]):
        ran = sqlite_project.alembic(*command)
        assert ran.code != 0
        assert "is never served on SQLite: id is the rowid there" in ran.out
        assert 'declare UpsertKey("id") and upsert on it' in ran.out
        assert "Traceback" not in ran.said


def test_it_is_refused_for_a_table_that_is_yet_to_be_made(sqlite_project: Project) -> None:
    """Otherwise its first revision would be the second's error."""
    sqlite_project.models(account('UpsertKey("tenant", "id")'))

    check = sqlite_project.check()
    assert "upsert key accounts (tenant, id) is never served on SQLite" in check.out


@pytest.mark.parametrize(
    ("table", "id_column", "more"),
    [
        (
            f"({COLUMNS.replace('INTEGER NOT NULL PRIMARY', 'BIGINT NOT NULL PRIMARY', 1)})",
            "BigInteger, ",
            "",
        ),
        (f"({COLUMNS}) WITHOUT ROWID", "", ', {"sqlite_with_rowid": False}'),
    ],
    ids=["BIGINT", "WITHOUT ROWID"],
)
def test_a_primary_key_that_is_no_rowid_may_stand_in_a_key(
    sqlite_project: Project, table: str, id_column: str, more: str
) -> None:
    """Only the word INTEGER makes it one, and a table may have none."""
    sqlite_project.sql(f"CREATE TABLE accounts {table}")
    key = 'UpsertKey("tenant", "id", as_index=True)' + more
    sqlite_project.models(
        account(key).replace("},)", "})").replace("(primary_key", f"({id_column}primary_key")
    )

    revision = goes_red(sqlite_project, "missing-arbiter")
    goes_round(sqlite_project, revision)
    sqlite_project.sql(
        "INSERT INTO accounts VALUES (1, 1, 'a') ON CONFLICT (tenant, id) DO NOTHING"
    )


def test_what_the_database_has_as_its_rowid_is_asked_there(sqlite_project: Project) -> None:
    """A model may say otherwise: the database's own primary key decides."""
    sqlite_project.sql(f"CREATE TABLE accounts ({COLUMNS})")
    big = account('UpsertKey("tenant", "id", as_index=True)').replace(
        "(primary_key", "(BigInteger, primary_key"
    )
    sqlite_project.models(big)

    check = sqlite_project.check()
    assert check.code != 0
    assert "upsert key accounts (tenant, id) is never served on SQLite" in check.out


@pytest.mark.parametrize("name", ["rowid", "oid", "_rowid_", "ROWID"])
def test_the_rowid_by_its_own_name_is_refused(sqlite_project: Project, name: str) -> None:
    """An upsert may name it and no index can: the column that it is has to be named."""
    sqlite_project.sql(f"CREATE TABLE accounts ({COLUMNS})")
    with pytest.raises(OperationalError, match=f"no such column: {name}"):
        sqlite_project.sql(f"CREATE UNIQUE INDEX theirs ON accounts ({name})")
    sqlite_project.models(account(f'UpsertKey(text("{name}"))'))

    check = sqlite_project.check()
    assert check.code != 0
    assert f"upsert key accounts ({name}) names {name}, SQLite's own number of a row" in check.out
    assert 'write UpsertKey("id")' in check.out


def test_a_column_of_that_name_is_a_column(sqlite_project: Project) -> None:
    """It hides the rowid, and can be indexed."""
    sqlite_project.sql(f"CREATE TABLE accounts ({COLUMNS}, oid INTEGER NOT NULL)")
    sqlite_project.models(
        account('UpsertKey(text("oid"), as_index=True)').rstrip() + "\n        oid: Mapped[int]\n"
    )

    revision = goes_red(sqlite_project, "missing-arbiter")
    goes_round(sqlite_project, revision)


# -- collations and functions


@pytest.mark.parametrize(("collation", "equal"), [("NOCASE", ("a", "A")), ("RTRIM", ("a", "a  "))])
def test_a_columns_collation_compares_the_rows(
    sqlite_project: Project, collation: str, equal: tuple[str, str]
) -> None:
    """What the index would take for equal is refused before, and upserts once it is there."""
    one, other = equal
    sqlite_project.sql(
        f"CREATE TABLE accounts ({COLUMNS} COLLATE {collation})",
        f"INSERT INTO accounts VALUES (1, 1, '{one}'), (2, 1, '{other}')",
    )
    sqlite_project.models(
        account('UpsertKey("email", as_index=True)').replace(
            "mapped_column(Text)", f'mapped_column(Text(collation="{collation}"))'
        )
    )

    revision = goes_red(sqlite_project, "missing-arbiter")
    assert "1 duplicate group" in sqlite_project.alembic("upgrade", "head").out
    sqlite_project.sql("DELETE FROM accounts WHERE id = 2")
    goes_round(sqlite_project, revision)
    assert upserted(sqlite_project, other) == 1


COLLATION = 'connection.create_collation("BY_LENGTH", lambda one, other: len(one) - len(other))'
FUNCTION = 'connection.create_function("initial", 1, lambda text: text[:1], deterministic={})'
BY_LENGTH = 'declare_upsert_key(Account, Account.email.collate("BY_LENGTH"))'
INITIAL = "declare_upsert_key(Account, func.initial(Account.email))"


@pytest.mark.parametrize(
    ("registers", "key", "equal"),
    [
        (COLLATION, BY_LENGTH, "equal"),
        (FUNCTION.format(True), INITIAL, "other"),
    ],
    ids=["collation", "function"],
)
def test_what_the_connection_registers_is_asked_with(
    sqlite_project: Project, registers: str, key: str, equal: str
) -> None:
    """env.py registers it: rows are compared by it, the index goes round, and another spelling of it is the same."""
    when_connected(sqlite_project, registers)
    sqlite_project.sql(
        f"CREATE TABLE accounts ({COLUMNS})",
        "INSERT INTO accounts VALUES (1, 1, 'other'), (2, 1, 'olive')",
    )
    sqlite_project.models(f"{account('')}\n    {key}\n".replace("(,)", "()"))

    revision = goes_red(sqlite_project, "missing-arbiter")
    assert "1 duplicate group, 1 surplus row" in sqlite_project.alembic("upgrade", "head").out
    sqlite_project.sql("DELETE FROM accounts WHERE id = 2")
    goes_round(sqlite_project, revision)


def test_another_spelling_of_it_is_the_same(sqlite_project: Project) -> None:
    """SQLite is asked where only the application's own functions and collations say what an index is."""
    when_connected(sqlite_project, COLLATION, FUNCTION.format(True))
    sqlite_project.sql(
        f"CREATE TABLE accounts ({COLUMNS})",
        'CREATE UNIQUE INDEX theirs ON accounts (INITIAL("email"), tenant)',
        "CREATE UNIQUE INDEX by_length ON accounts (email COLLATE by_length)",
    )
    sqlite_project.models(
        account("").replace("(,)", "()")
        + f"\n    {INITIAL.replace('Account,', 'Account, Account.tenant,')}\n    {BY_LENGTH}\n"
    )

    check = sqlite_project.check()
    assert check.code == 0, check.said
    assert sqlite_project.revise().is_empty


def test_what_is_not_registered_is_said_before_anything_is_changed(
    sqlite_project: Project,
) -> None:
    """env.py forgot it: SQLite's own words, from the check of the rows."""
    sqlite_project.sql(f"CREATE TABLE accounts ({COLUMNS})")
    sqlite_project.models(f"{account('')}\n    {INITIAL}\n".replace("(,)", "()"))
    sqlite_project.revise()

    refused = sqlite_project.alembic("upgrade", "head")
    assert refused.code != 0
    assert "nothing was changed. The database says: no such function: initial" in refused.out


def test_what_is_not_registered_is_said_with_what_stays(sqlite_project: Project) -> None:
    """A column that was added above the check is there, and comes a second time with the next upgrade."""
    sqlite_project.sql(f"CREATE TABLE accounts ({COLUMNS})")
    sqlite_project.models(f"{account('')}\n    {INITIAL}\n".replace("(,)", "()"))
    revision = sqlite_project.revise()
    (check,) = (line for line in revision.text.splitlines() if "op.validate_upsert_key(" in line)
    more = "    op.add_column('accounts', sa.Column('more', sa.Integer))"
    sqlite_project.edit(str(revision.path), check, f"{more}\n{check}")

    refused = sqlite_project.alembic("upgrade", "head")
    assert (
        "what changed the schema above this line stays. The database says: no such function"
        in refused.out
    )
    assert "nothing was changed" not in refused.said
    assert ("more",) in sqlite_project.rows("SELECT name FROM pragma_table_info('accounts')")


# -- foreign keys


SESSION = """
    class Session(Base):
        __tablename__ = "sessions"
        id: Mapped[int] = mapped_column(primary_key=True)
        account: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", {action}))
"""


def with_sessions(project: Project, action: str, key: str) -> None:
    """Foreign keys are enforced, and a session refers to the one account."""
    when_connected(project, 'connection.execute("PRAGMA foreign_keys=ON")')
    project.edit(
        "migrations/env.py",
        "connection=connection,",
        "connection=connection, render_as_batch=True,",
    )
    project.sql(
        f"CREATE TABLE accounts ({COLUMNS})",
        "CREATE TABLE sessions (id INTEGER NOT NULL PRIMARY KEY, account INTEGER, "
        f"FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE {action})",
        "INSERT INTO accounts VALUES (1, 1, 'a')",
        "INSERT INTO sessions VALUES (1, 1)",
    )
    project.models(account(key) + SESSION.replace("{action}", f'ondelete="{action}"'))


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "RESTRICT"])
def test_a_batch_that_would_delete_what_refers_to_the_table_is_refused(
    sqlite_project: Project, action: str
) -> None:
    """The copied table is dropped, which SQLite takes for a DELETE of its rows: silently, where they cascade."""
    with_sessions(sqlite_project, action, 'UpsertKey("tenant", "email")')
    goes_red(sqlite_project, "missing-arbiter")

    refused = sqlite_project.alembic("upgrade", "head")
    assert refused.code != 0
    assert (
        "the rows that refer to it go along: sessions (account) 1; no row was changed"
        in refused.out
    )
    assert "Traceback" not in refused.said
    assert sqlite_project.rows("SELECT * FROM sessions") == [(1, 1)]
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version' ORDER BY 1"
    assert sqlite_project.rows(tables) == [("accounts",), ("sessions",)]


def test_a_pragma_in_the_revision_is_heard(sqlite_project: Project) -> None:
    """It says nothing inside a transaction: the check of the rows, above it, leaves none open."""
    with_sessions(sqlite_project, "CASCADE", 'UpsertKey("tenant", "email", where=text("id > 0"))')
    revision = goes_red(sqlite_project, "missing-arbiter")
    block = "    with op.batch_alter_table('accounts'"
    sqlite_project.edit(
        f"migrations/versions/{revision.path.name}",
        block,
        f"    op.execute('PRAGMA foreign_keys=OFF')\n    op.get_bind().execute(sa.text('SELECT 1'))\n{block}",
    )

    goes_round(sqlite_project, revision)
    assert sqlite_project.rows("SELECT * FROM sessions") == [(1, 1)]


def test_an_index_needs_no_copy_of_the_table(sqlite_project: Project) -> None:
    """as_index=True: the batch adds it in place, and nothing is dropped."""
    with_sessions(sqlite_project, "CASCADE", 'UpsertKey("tenant", "email", as_index=True)')

    revision = goes_red(sqlite_project, "missing-arbiter")
    goes_round(sqlite_project, revision)
    assert sqlite_project.rows("SELECT * FROM sessions") == [(1, 1)]


def test_a_connection_that_was_open_has_to_read_before_it_upserts(sqlite_project: Project) -> None:
    """SQLite looks whether its schema is old for a missing table or column, and not for a missing arbiter."""
    sqlite_project.sql(f"CREATE TABLE accounts ({COLUMNS})")
    sqlite_project.models(account('UpsertKey("tenant", "email", as_index=True)'))
    sqlite_project.revise()
    upsert = "INSERT INTO accounts VALUES (1, 1, 'a') ON CONFLICT (tenant, email) DO NOTHING"
    with sqlite_project.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM accounts").all()
        connection.rollback()
        sqlite_project.upgrade()

        for _ in range(3):
            with pytest.raises(OperationalError, match="does not match any PRIMARY KEY or UNIQUE"):
                connection.exec_driver_sql(upsert)
        connection.exec_driver_sql("SELECT 1 FROM accounts").all()
        connection.exec_driver_sql(upsert)


# -- attached files

OTHER = "ATTACH 'other.sqlite' AS other"
ATTACHED = f'connection.execute("{OTHER}")'


@pytest.fixture
def attached(sqlite_project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Each connection attaches a second file, and the models have a table in it."""
    monkeypatch.chdir(sqlite_project.path)
    sqlite_project.configure(include_schemas="True")
    when_connected(sqlite_project, ATTACHED)
    return sqlite_project


def in_other(key: str) -> str:
    return account(key).replace("},)", "})").replace(",)", ', {"schema": "other"})')


def test_a_key_in_an_attached_file_goes_round(attached: Project) -> None:
    """Refused by the rows there, made there, and not asked for again; the namesake in main is left alone."""
    attached.sql(
        f"CREATE TABLE other.accounts ({COLUMNS})",
        TWICE.replace("accounts", "other.accounts"),
        f"CREATE TABLE main.accounts ({COLUMNS})",
        TWICE,
    )
    attached.models(
        in_other('UpsertKey("tenant", "email", as_index=True)')
        + account("").replace("(,)", "()").replace("Account", "MainAccount")
    )

    revision = goes_red(attached, "missing-arbiter")
    assert revision.lines("upgrade") == [
        "op.validate_upsert_key('accounts', ['tenant', 'email'], schema='other')",
        "op.create_index('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'], unique=True, schema='other')",
    ]
    refused = attached.alembic("upgrade", "head")
    assert "other.accounts (tenant, email) does not hold: 1 duplicate group" in refused.out
    attached.sql("DELETE FROM other.accounts WHERE id = 2")
    goes_round(attached, revision)
    attached.engine.dispose()
    attached.sql(
        "INSERT INTO other.accounts VALUES (3, 1, 'a') ON CONFLICT (tenant, email) DO NOTHING"
    )


@pytest.mark.parametrize("batch", ["True", "False"])
def test_an_expression_and_a_predicate_in_an_attached_file(attached: Project, batch: str) -> None:
    """Alembic sees no index on an expression; the attached file is asked all the same."""
    attached.edit(
        "migrations/env.py",
        "connection=connection,",
        f"connection=connection, render_as_batch={batch},",
    )
    attached.sql(f"CREATE TABLE other.accounts ({COLUMNS})")
    attached.models(
        in_other('UpsertKey("tenant", where=text("email <> \'gone\'"))')
        + "\n    declare_upsert_key(Account, func.lower(Account.email))\n"
    )

    check = attached.check()
    assert check.code != 0
    revision = attached.revise()
    goes_round(attached, revision)


def test_a_constraint_in_an_attached_file_is_made_in_a_batch(attached: Project) -> None:
    """The copy is made in the same file."""
    attached.edit(
        "migrations/env.py",
        "connection=connection,",
        "connection=connection, render_as_batch=True,",
    )
    attached.sql(
        f"CREATE TABLE other.accounts ({COLUMNS})", "INSERT INTO other.accounts VALUES (1, 1, 'a')"
    )
    attached.models(in_other('UpsertKey("tenant", "email")'))

    revision = goes_red(attached, "missing-arbiter")
    goes_round(attached, revision)
    assert attached.rows("SELECT id FROM other.accounts") == [(1,)]


def test_an_attached_file_is_deduplicated(attached: Project) -> None:
    """The rows, what refers to them and the archive are all in the same file."""
    attached.sql(
        f"CREATE TABLE other.accounts ({COLUMNS})",
        "CREATE TABLE other.sessions (id INTEGER NOT NULL PRIMARY KEY, account INTEGER, "
        "FOREIGN KEY (account) REFERENCES accounts (id))",
        TWICE.replace("accounts", "other.accounts"),
        "INSERT INTO other.sessions VALUES (1, 2)",
    )
    session = SESSION.replace("accounts.id", "other.accounts.id").replace(", {action}", "")
    attached.models(
        in_other('UpsertKey("tenant", "email", as_index=True)')
        + session.replace(
            'sessions"\n', 'sessions"\n        __table_args__ = {"schema": "other"}\n'
        )
    )
    revision = attached.revise()
    attached.edit(
        f"migrations/versions/{revision.path.name}",
        "    op.validate_upsert_key(",
        "    op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='first', order_by=['id'], "
        "archive_table='gone', repoint=True, schema='other')\n    op.validate_upsert_key(",
    )

    attached.upgrade()
    assert attached.rows("SELECT id FROM other.accounts") == [(1,)]
    assert attached.rows("SELECT id FROM other.gone") == [(2,)]
    assert attached.rows("SELECT account FROM other.sessions") == [(1,)]
    assert attached.rows("PRAGMA main.table_list('gone')") == []
