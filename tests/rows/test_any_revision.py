"""A unique constraint or index of a revision that a person wrote, with no key declared: refused rows are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rows.test_preflight import TABLE, TWICE

if TYPE_CHECKING:
    from tests.project import Project, Ran

SAMPLE = (
    "  tenant = 2, email = 'a': 3 rows, id 4, 5, 6\n  tenant = 1, email = 'a': 2 rows, id 1, 2\n"
)
COUNTS = "2 duplicate groups, 3 surplus rows; nothing was changed"
LINE = "op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='last', order_by=['id'], "
CONSTRAINT = "op.create_unique_constraint('uq_theirs', 'accounts', ['tenant', 'email'])"
SQLITE_TABLE = TABLE.replace("serial", "integer NOT NULL")


def written(project: Project, *lines: str, rows: str = TWICE, table: str = TABLE) -> Project:
    """The project with a table, rows and a revision of these lines, one with a colon at its end opens a block."""
    project.sql(table, *([rows] if rows else []))
    write(project, *lines)
    return project


def write(project: Project, *lines: str, name: str = "r01", after: str | None = None) -> None:
    """A revision of these lines."""
    body = "\n".join(f"    {line}" for line in lines)
    (project.path / "migrations" / "versions" / f"{name}.py").write_text(
        f"from alembic import op\nimport sqlalchemy as sa\n\nrevision = {name!r}\ndown_revision = {after!r}\n\n\n"
        f"def upgrade():\n{body}\n\n\ndef downgrade():\n    pass\n"
    )


def assert_is_reported(ran: Ran, label: str, sample: str = SAMPLE, line: str = LINE) -> None:
    """Our report, as that of a check, and not a word of the database's."""
    assert ran.code != 0, ran.said
    assert "Traceback" not in ran.said
    assert "could not create unique index" not in ran.said
    assert ran.out.split("FAILED: ")[1].startswith(f"{label}\n\n{sample}\nList them all:\n"), (
        ran.out
    )
    assert f"put it above the operation\n      {line}" in ran.out


@pytest.mark.parametrize(
    ("operation", "label"),
    [
        ((CONSTRAINT,), "unique constraint uq_theirs"),
        (
            ("op.create_index('uq_theirs', 'accounts', ['tenant', 'email'], unique=True)",),
            "unique index uq_theirs",
        ),
        (
            (
                "with op.batch_alter_table('accounts') as batch_op:",
                "    batch_op.create_unique_constraint('uq_theirs', ['tenant', 'email'])",
            ),
            "unique constraint uq_theirs",
        ),
        (
            ("op.execute('CREATE UNIQUE INDEX uq_theirs ON accounts (tenant, email)')",),
            "unique index uq_theirs",
        ),
        (
            ("op.execute('ALTER TABLE accounts ADD CONSTRAINT uq_theirs UNIQUE (tenant, email)')",),
            "unique constraint uq_theirs",
        ),
        (
            (
                "op.execute('ALTER TABLE accounts ADD COLUMN more int, ALTER id SET NOT NULL, '",
                "    'ADD CONSTRAINT uq_theirs UNIQUE (tenant, email)')",
            ),
            "unique constraint uq_theirs",
        ),
    ],
    ids=[
        "constraint",
        "index",
        "batch",
        "CREATE UNIQUE INDEX",
        "ADD CONSTRAINT",
        "ADD, ADD",
    ],
)
def test_whoever_wrote_the_operation_refused_rows_are_reported(
    project: Project, operation: tuple[str, ...], label: str
) -> None:
    """Groups, sample, listing and the line that fixes them."""
    ran = written(project, *operation).alembic("upgrade", "head")

    assert_is_reported(ran, f"{label} on accounts (tenant, email) cannot be created: {COUNTS}")
    assert "uq_theirs" not in "".join(project.uniques())


def test_a_batch_that_copies_a_table_of_postgresql_is_reported(project: Project) -> None:
    """Alembic drops its copy when that fails, and the error of the drop hid the reason."""
    lines = (
        "with op.batch_alter_table('accounts', recreate='always') as batch_op:",
        "    batch_op.create_unique_constraint('uq_theirs', ['tenant', 'email'])",
    )
    ran = written(project, *lines).alembic("upgrade", "head")
    assert (
        f"unique constraint uq_theirs on accounts (tenant, email) cannot be created: {COUNTS}"
        in ran.out
    )
    assert "Traceback" not in ran.said


def test_a_column_that_the_same_statement_changes_is_the_databases_to_refuse(
    project: Project,
) -> None:
    """Its rows are not what they were, so nothing is said of them."""
    sql = "ALTER TABLE accounts ALTER email TYPE text USING 'x', ADD CONSTRAINT uq_theirs UNIQUE (email)"
    ran = written(project, f'op.execute("{sql}")').alembic("upgrade", "head")
    assert "duplicate group" not in ran.said
    assert "could not create unique index" in ran.said


@pytest.mark.parametrize("options", [{"upsert_guard_validate": "'all'"}, {}])
def test_a_unique_column_that_is_added_with_one_value_is_no_matter_of_duplicates(
    project: Project, options: dict[str, str]
) -> None:
    """The line that keeps one row of all would delete the others, and fails where it is put."""
    project.configure(**options)
    line = "op.add_column('accounts', sa.Column('token', sa.Text, unique=True, server_default='x'))"
    ran = written(project, line).alembic("upgrade", "head")
    out = " ".join(ran.out.split())
    assert "unique constraint on accounts (token) cannot be created: 1 duplicate group" in out
    assert "op.deduplicate_upsert_key" not in out
    assert "add the column without unique=True, give each row a value of its own in it" in out


def test_a_primary_key_is_reported(project: Project) -> None:
    """Without another one the rows go by their place."""
    drop = "op.drop_constraint('accounts_pkey', 'accounts')"
    made = "op.create_primary_key('pk_theirs', 'accounts', ['tenant', 'email'])"
    ran = written(project, drop, made).alembic("upgrade", "head")

    assert (
        f"primary key pk_theirs on accounts (tenant, email) cannot be created: {COUNTS}" in ran.out
    )
    assert "tenant = 1, email = 'a': 2 rows, ctid (0,1), (0,2)" in ran.out


def test_sqlite_reports_an_index_and_a_table_that_batch_mode_copies(
    sqlite_project: Project,
) -> None:
    """The constraint is on the copy, and the rows are the table's."""
    batch = (
        "with op.batch_alter_table('accounts') as batch_op:",
        "    batch_op.add_column(sa.Column('order', sa.Integer))",
        "    batch_op.create_unique_constraint('uq_other', ['order'])",
        "    batch_op.create_unique_constraint('uq_theirs', ['tenant', 'email'])",
    )
    of_batch = written(sqlite_project, *batch, table=SQLITE_TABLE).alembic("upgrade", "head")
    # without it the next batch ends with "already exists"
    assert "in any case: DROP TABLE _alembic_tmp_accounts;" in of_batch.out
    sqlite_project.sql("DROP TABLE _alembic_tmp_accounts")
    write(sqlite_project, "op.create_index('ix', 'accounts', ['tenant', 'email'], unique=True)")
    of_index = sqlite_project.alembic("upgrade", "head")

    on = "on accounts (tenant, email) cannot be created"
    left = COUNTS.replace(
        "nothing was changed", "the batch left its copy _alembic_tmp_accounts behind"
    )
    assert_is_reported(of_batch, f"unique constraint uq_theirs {on}: {left}")
    assert_is_reported(of_index, f"unique index ix {on}: {COUNTS}")


@pytest.mark.parametrize(
    ("sql", "subject"),
    [
        (
            "CREATE UNIQUE INDEX uq ON accounts (tenant, email)",
            f"unique index uq on accounts (tenant, email) cannot be created: {COUNTS}",
        ),
        (
            'create unique index main."Uq Odd" on "Accounts" ("tenant", email desc); -- theirs',
            f'unique index "Uq Odd" on accounts (tenant, email) cannot be created: {COUNTS}',
        ),
        (
            "CREATE UNIQUE INDEX uq ON accounts (email) /* where */ WHERE tenant = 2",
            (
                "unique index uq on accounts (email) WHERE tenant = 2 cannot be created: 1 duplicate group, "
                "2 surplus rows; nothing was changed"
            ),
        ),
        (
            "CREATE UNIQUE INDEX uq ON accounts (tenant, email COLLATE NOCASE)",
            (
                "unique index uq on accounts (tenant, email COLLATE nocase) cannot be created: 2 duplicate groups, "
                "3 surplus rows; nothing was changed"
            ),
        ),
    ],
    ids=["plain", "odd names", "predicate", "collation"],
)
def test_sqlite_is_asked_what_sql_text_makes_unique(
    sqlite_project: Project, sql: str, subject: str
) -> None:
    """It is run on an empty copy, and no parser is needed."""
    written(sqlite_project, f"op.execute({sql!r})", table=SQLITE_TABLE)
    ran = sqlite_project.alembic("upgrade", "head")

    assert ran.code != 0
    assert f"FAILED: {subject}\n" in ran.out, ran.said
    assert "op.deduplicate_upsert_key('accounts', " in ran.out
    assert "Traceback" not in ran.said


@pytest.mark.parametrize(
    ("above", "stays"),
    [
        (("op.add_column('accounts', sa.Column('more', sa.Integer))",), True),
        ((), False),
        (
            (
                "op.execute('UPDATE accounts SET tenant = tenant')",
                "op.add_column('accounts', sa.Column('more', sa.Integer))",
            ),
            False,
        ),
    ],
    ids=["committed", "nothing", "in the transaction that an UPDATE began"],
)
def test_sqlite_keeps_what_changed_the_schema_above(
    sqlite_project: Project, above: tuple[str, ...], *, stays: bool
) -> None:
    """It is said, and only where it is so: else the next upgrade ends with "duplicate column name"."""
    line = "op.create_index('ix', 'accounts', ['tenant', 'email'], unique=True)"
    before = "op.add_column('accounts', sa.Column('of_another_revision', sa.Integer))"
    write(sqlite_project, before, name="r00")
    write(sqlite_project, *above, line, after="r00")
    sqlite_project.sql(SQLITE_TABLE, TWICE)
    ran = sqlite_project.alembic("upgrade", "head")

    first_line = next(line for line in ran.out.splitlines() if "cannot be created" in line)
    assert ("what changed the schema above the operation stays" in first_line) == stays
    assert ("nothing was changed" in first_line) != stays
    columns = sqlite_project.rows("SELECT name FROM pragma_table_info('accounts')")
    assert (("more",) in columns) == stays
    assert ("has committed each statement that changed the schema" in ran.out) == stays


def test_sqlite_is_asked_about_a_table_whose_name_has_a_quote(sqlite_project: Project) -> None:
    """The text has it twice."""
    line = """op.execute('CREATE UNIQUE INDEX uq ON "my""accounts" (tenant, email)')"""
    rename = 'ALTER TABLE accounts RENAME TO "my""accounts"'
    sqlite_project.sql(SQLITE_TABLE, TWICE, rename)
    write(sqlite_project, line)
    ran = sqlite_project.alembic("upgrade", "head")

    assert (
        f'unique index uq on "my""accounts" (tenant, email) cannot be created: {COUNTS}' in ran.out
    )


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO accounts (id, email) VALUES (1, 'unique')",
        "CREATE UNIQUE INDEX uq ON accounts (lower(email))",
        "CREATE UNIQUE INDEX uq ON copies (tenant, email)",
        "INSERT INTO empty_copies SELECT tenant, email FROM accounts",
    ],
    ids=["a row", "an expression", "a temporary table", "rows of another table"],
)
def test_what_sqlite_cannot_be_asked_keeps_its_own_error(sqlite_project: Project, sql: str) -> None:
    """Also where rows of a table that the text names are the same in the elements of the error."""
    lines = (
        "op.execute('CREATE TEMPORARY TABLE copies AS SELECT * FROM accounts')",
        "op.execute('CREATE TABLE empty_copies (tenant int, email text, UNIQUE (tenant, email))')",
        f"op.execute({sql!r})",
    )
    ran = written(sqlite_project, *lines, table=SQLITE_TABLE).alembic("upgrade", "head")

    assert "sqlite3.IntegrityError) UNIQUE constraint failed" in ran.err
    assert "cannot be created" not in ran.said


def test_ddl_of_sqlalchemys_is_reported(sqlite_project: Project) -> None:
    """``sa.DDL``: text, too."""
    line = "op.execute(sa.DDL('CREATE UNIQUE INDEX uq ON accounts (tenant, email)'))"
    ran = written(sqlite_project, line, table=SQLITE_TABLE).alembic("upgrade", "head")

    assert f"unique index uq on accounts (tenant, email) cannot be created: {COUNTS}" in ran.out


def test_an_expression_and_a_predicate_are_reported(project: Project) -> None:
    """As the index has them, in SQL text too."""
    rows = "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'A'), (2, 'b'), (2, 'B')"
    sql = "CREATE UNIQUE INDEX uq ON accounts (lower(email)) WHERE tenant > 1"
    written(project, f"op.execute({sql!r})", rows=rows)

    assert_is_reported(
        project.alembic("upgrade", "head"),
        "unique index uq on accounts (lower(email)) WHERE tenant > 1 cannot be created: 1 duplicate group, "
        "1 surplus row; nothing was changed",
        "  lower(email) = 'b': 2 rows, id 3, 4\n",
        "op.deduplicate_upsert_key('accounts', [sa.text('lower(email)')], keep='last', order_by=['id'], ",
    )


def test_the_offered_line_fixes_the_revision(project: Project) -> None:
    """Pasted where the report says."""
    written(project, CONSTRAINT)
    offered = project.alembic("upgrade", "head").out
    (line,) = (each.strip() for each in offered.splitlines() if each.strip().startswith(LINE))
    write(project, line, CONSTRAINT)

    project.upgrade()
    assert project.rows("SELECT count(*) FROM accounts_duplicates") == [(3,)]


CATCHES = (
    "import sqlalchemy.exc",
    "try:",
    "    {what}",
    "except sqlalchemy.exc.IntegrityError as error:",
    "    assert error.orig is not None and 'uq_theirs' in str(error.statement)",
)


def test_a_revision_that_catches_the_databases_error_catches_ours(project: Project) -> None:
    """It fixes the rows itself, as it does without the plugin."""
    lines = [line.format(what=f"{{}}{CONSTRAINT}") for line in CATCHES]
    lines[2:3] = ["    with op.get_bind().begin_nested():", f"        {CONSTRAINT}"]
    written(
        project,
        *lines,
        "    op.execute('DELETE FROM accounts WHERE id NOT IN (1, 3, 4)')",
        CONSTRAINT,
    )

    project.upgrade()
    assert "uq_theirs" in "".join(project.uniques())


def test_a_revision_that_swallows_the_error_fails_as_without_the_plugin(project: Project) -> None:
    """PostgreSQL's transaction has failed, and what comes next says so."""
    lines = [line.format(what=CONSTRAINT) for line in CATCHES]
    ran = written(project, *lines).alembic("upgrade", "head")

    assert ran.code != 0
    assert "current transaction is aborted" in ran.err
    assert "accounts_pkey" in "".join(project.uniques())


@pytest.mark.parametrize(
    "arguments", [("-x", "upsert_guard_validate=off"), ()], ids=["-x", "the plugin is off"]
)
def test_switched_off_the_databases_message_comes_out(
    project: Project, arguments: tuple[str, ...]
) -> None:
    """By the argument, and by leaving the plugin out."""
    if not arguments:
        off = "['alembic.autogenerate.*', '~alembic.autogenerate.upsert_guard']"
        project.configure(autogenerate_plugins=off)
    ran = written(project, CONSTRAINT).alembic(*arguments, "upgrade", "head")

    assert 'could not create unique index "uq_theirs"' in ran.err
    assert "cannot be created" not in ran.said


def test_values_are_kept_back(project: Project) -> None:
    """Neither the report, nor the database's error behind it, nor one that is not about rows shows any."""
    project.configure(upsert_guard_reveal="False")
    secret = TWICE.replace("'a'", "'s3cret'")
    ran = written(project, CONSTRAINT, rows=secret).alembic("--raiseerr", "upgrade", "head")

    assert COUNTS in ran.said
    assert "s3cret" not in ran.said


def test_a_concurrent_build_says_what_it_left_behind(project: Project) -> None:
    """Outside a transaction an INVALID index stays."""
    sql = "CREATE UNIQUE INDEX CONCURRENTLY uq_theirs ON accounts (tenant, email)"
    written(project, "with op.get_context().autocommit_block():", f"    op.execute({sql!r})")
    ran = project.alembic("upgrade", "head")

    assert "the build left the INVALID index uq_theirs behind" in ran.out
    assert "DROP INDEX CONCURRENTLY uq_theirs;" in ran.out
    assert "Traceback" not in ran.said


def test_with_the_option_rows_are_checked_before_each_operation(
    sqlite_project: Project,
) -> None:
    """Nothing of the batch is there when its rows are refused, not the copy either, which SQLite would keep."""
    sqlite_project.configure(upsert_guard_validate="'all'")
    batch = (
        "with op.batch_alter_table('accounts') as batch_op:",
        "    batch_op.create_unique_constraint('uq_theirs', ['tenant', 'email'])",
    )
    ran = written(sqlite_project, *batch, table=SQLITE_TABLE).alembic("upgrade", "head")

    assert (
        f"unique constraint uq_theirs on accounts (tenant, email) cannot be created: {COUNTS}"
        in ran.out
    )
    assert sqlite_project.rows("SELECT name FROM sqlite_master WHERE name LIKE '_alembic%'") == []


def test_with_the_option_nothing_is_built_before_the_refusal(project: Project) -> None:
    """An index outside a transaction leaves nothing INVALID; the twin without duplicate rows goes through."""
    project.configure(upsert_guard_validate="'all'")
    sql = "CREATE UNIQUE INDEX CONCURRENTLY uq_theirs ON accounts (tenant, email)"
    lines = ("with op.get_context().autocommit_block():", f"    op.execute({sql!r})")
    ran = written(project, *lines).alembic("upgrade", "head")
    assert f"cannot be created: {COUNTS}" in ran.out
    assert "uq_theirs" not in "".join(project.uniques())

    project.sql("DELETE FROM accounts WHERE id NOT IN (1, 3, 4)")
    project.upgrade()
    assert "uq_theirs" in "".join(project.uniques())


KEYED = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email", nulls="distinct"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int | None]
        email: Mapped[str | None]
"""
REMOVED = (
    "arbiter-removed: upsert key accounts (tenant, email) has lost its last arbiter, uq_own: code that still upserts "
    "on it fails with 42P10"
)
WITH_ITS_TABLE = (
    "arbiter-removed: upsert key accounts (tenant, email) has lost its last arbiter, uq_own, with the name of its "
    "table: code that still upserts on it fails"
)
WITH_ITS_COLUMN = (
    "arbiter-removed: upsert key accounts (tenant, email) has lost its last arbiter, uq_own, with the column email: "
    "code that still upserts on it fails with 42703"
)
RENAMED = "op.alter_column('accounts', 'email', new_column_name='mail')"
RENAMED_BACK = "op.alter_column('accounts', 'mail', new_column_name='email')"
COPIED = "op.execute('CREATE TABLE copies AS SELECT * FROM accounts')"
MADE_AGAIN = "op.create_index('uq_new', 'accounts', ['email', 'tenant'], unique=True)"


@pytest.mark.parametrize(
    ("lines", "warnings"),
    [
        (("op.drop_constraint('uq_own', 'accounts')",), [REMOVED]),
        (("op.drop_column('accounts', 'email')",), [WITH_ITS_COLUMN]),
        (("op.execute('ALTER TABLE accounts DROP CONSTRAINT uq_own')",), [REMOVED]),
        (("op.drop_constraint('uq_own', 'accounts')", MADE_AGAIN), []),
        ((RENAMED,), [WITH_ITS_COLUMN]),
        ((RENAMED, RENAMED_BACK), []),
        (("op.alter_column('accounts', 'email', type_=sa.String(200), nullable=False)",), []),
        (("op.execute('DROP TABLE accounts')",), []),
        (("op.drop_table('accounts')",), []),
        (("op.rename_table('accounts', 'people')",), [WITH_ITS_TABLE]),
        (("op.execute('ALTER TABLE accounts RENAME TO people')",), [WITH_ITS_TABLE]),
        (
            (
                "op.execute('CREATE SCHEMA attic')",
                "op.execute('ALTER TABLE accounts SET SCHEMA attic')",
            ),
            [WITH_ITS_TABLE],
        ),
        ((COPIED, "op.drop_table('accounts')", "op.rename_table('copies', 'accounts')"), [REMOVED]),
        (
            (
                COPIED,
                "op.drop_table('accounts')",
                "op.rename_table('copies', 'accounts')",
                MADE_AGAIN,
            ),
            [],
        ),
    ],
    ids=[
        "constraint",
        "column",
        "SQL",
        "made again in the revision",
        "a column's name",
        "and its name again",
        "a column's type",
        "the table goes too",
        "the table goes too, by Alembic",
        "the table's name",
        "the table's name, by SQL",
        "the table's schema, by SQL",
        "a copy without",
        "a copy with it",
    ],
)
def test_a_revision_that_takes_a_declared_keys_last_arbiter_says_so(
    project: Project, lines: tuple[str, ...], warnings: list[str]
) -> None:
    """In one line, when it has run."""
    project.models(KEYED)
    own = TABLE.removesuffix(")") + ", CONSTRAINT uq_own UNIQUE (tenant, email))"

    assert written(project, *lines, rows="", table=own).upgrade().detected() == warnings


@pytest.mark.parametrize(
    "line",
    [
        "op.rename_table('people', 'accounts')",
        "op.execute('ALTER TABLE people RENAME TO accounts')",
    ],
    ids=["by Alembic", "SQL"],
)
def test_a_table_that_takes_the_declared_name_is_no_removal(project: Project, line: str) -> None:
    """The key is declared under the new name, and so is its column."""
    project.models(KEYED)
    own = TABLE.removesuffix(")") + ", CONSTRAINT uq_own UNIQUE (tenant, email))"
    people = own.replace("accounts", "people").replace("email", "mail")
    rename = RENAMED_BACK.replace("accounts", "people")

    assert written(project, rename, line, rows="", table=people).upgrade().detected() == []
    assert project.check().code == 0


@pytest.mark.since(15)
def test_an_arbiter_that_takes_null_otherwise_is_no_removal(project: Project) -> None:
    """The upsert is served as before; what the rows then may hold is what ``check`` says."""
    project.models(KEYED)
    own = TABLE.removesuffix(")") + ", CONSTRAINT uq_own UNIQUE (tenant, email))"
    other = "CREATE UNIQUE INDEX uq ON accounts (tenant, email) NULLS NOT DISTINCT"
    lines = ("op.drop_constraint('uq_own', 'accounts')", f"op.execute({other!r})")

    assert written(project, *lines, rows="", table=own).upgrade().detected() == []


def test_a_column_that_an_expression_holds_takes_the_keys_arbiter_along(project: Project) -> None:
    """Its index goes with it; that the column is in the SQL is not known from the text, so no code is named."""
    project.models(KEYED.replace('"tenant", "email"', 'func.lower(text("email"))'))
    project.sql(TABLE, "CREATE UNIQUE INDEX uq_own ON accounts (lower(email))")
    write(project, "op.drop_column('accounts', 'email')")

    assert project.upgrade().detected() == [
        (
            "arbiter-removed: upsert key accounts (lower(email)) has lost its last arbiter, uq_own: code that still "
            "upserts on it fails"
        )
    ]


def test_a_batch_that_copies_no_expression_says_so(sqlite_project: Project) -> None:
    """Alembic copies what SQLAlchemy reflects of a table of SQLite, and indexes of expressions it does not."""
    sqlite_project.models(KEYED.replace('"tenant", "email"', 'func.lower(column("email"))'))
    index = "CREATE UNIQUE INDEX uq_own ON accounts (lower(email))"
    sqlite_project.sql(SQLITE_TABLE, index)
    write(
        sqlite_project,
        "with op.batch_alter_table('accounts') as batch_op:",
        "    batch_op.alter_column('tenant', type_=sa.BigInteger)",
    )

    assert sqlite_project.upgrade().detected() == [
        (
            "arbiter-removed: upsert key accounts (lower(email)) has lost its last arbiter, uq_own: code that still "
            "upserts on it fails"
        )
    ]
