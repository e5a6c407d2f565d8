"""Upserts of migrations against the schema of their day: what the files before them make, and nothing of today's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.findings import FindingCode
from alembic_upsert_guard.upserts.code import CheckedCode
from alembic_upsert_guard.upserts.scan import DeclaredTables, scan

if TYPE_CHECKING:
    from pathlib import Path

    from alembic_upsert_guard.upserts.scan import ScanReport

SEED = "INSERT INTO plans (name) VALUES ('free') ON CONFLICT (name) DO NOTHING;\n"
TABLE = "CREATE TABLE plans (id serial PRIMARY KEY, name text, tier int, gone date);\n"
UNIQUE = "CREATE UNIQUE INDEX by_name ON plans (name);\n"
BOTH = TABLE + UNIQUE
INLINE = TABLE.replace("name text", "name text UNIQUE")
AGAIN = BOTH.replace("TABLE plans", "TABLE IF NOT EXISTS plans").replace(
    "INDEX", "INDEX IF NOT EXISTS"
)


def scanned(folder: Path, files: dict[str, str]) -> ScanReport:
    """The files, in folders of their own, with their migrations and without a model."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return scan([folder], DeclaredTables(()), migrations=True)


def answer(folder: Path, *scripts: str) -> str:
    """The resolution of the one upsert in scripts that run one after the other, and the fact of its finding."""
    files = {f"migrations/{number:04}_x.sql": text for number, text in enumerate(scripts)}
    (judged,) = scanned(folder, files).upserts
    return " ".join([judged.resolution.value, *(f.fact for f in judged.findings)])


SCRIPTS = [
        (BOTH, "served"),
        (TABLE, "unserved"),
        (INLINE, "served"),
        (TABLE.replace("name text", "name text UNIQUE DEFERRABLE"), "unserved"),
        (TABLE.replace("gone date", "gone date, UNIQUE (name)"), "served"),
        (TABLE.replace("gone date", "gone date, UNIQUE (name, tier)"), "unserved"),
        (TABLE + UNIQUE.replace(" UNIQUE", ""), "unserved"),
        (TABLE + UNIQUE.replace(";", " WHERE gone IS NULL;"), "unserved"),
        (TABLE + UNIQUE.replace("(name)", "(lower(name))"), "unserved"),
        (TABLE + "ALTER TABLE plans ADD CONSTRAINT u UNIQUE (name);", "served"),
        (TABLE + "ALTER TABLE plans ADD CONSTRAINT u CHECK (name <> '');", "unserved"),
        (BOTH + "ALTER TABLE plans ADD CONSTRAINT u UNIQUE USING INDEX by_name;", "served"),
        (BOTH + "DROP INDEX by_name;", "unserved"),
        (BOTH + "DROP INDEX IF EXISTS by_tier;", "served"),
        (BOTH + "ALTER TABLE plans DROP COLUMN name;", "unserved"),
        (BOTH + "ALTER TABLE plans DROP COLUMN gone;", "served"),
        (BOTH + "ALTER TABLE plans RENAME COLUMN name TO title;", "unserved"),
        (BOTH.replace("name", "title") + "ALTER TABLE plans RENAME COLUMN title TO name;", "served"),
        (BOTH.replace("plans", "tariffs") + "ALTER TABLE tariffs RENAME TO plans;", "served"),
        (BOTH.replace("plans", "old.plans") + "ALTER TABLE old.plans SET SCHEMA public;", "served"),
        (BOTH + "ALTER INDEX by_name RENAME TO other; DROP INDEX other;", "unserved"),
        (BOTH.replace("plans", "public.plans"), "served"),
        (BOTH + AGAIN, "served"),
        (BOTH.replace("(name)", "(tier)") + AGAIN, "unserved"),
        (BOTH + "DROP TABLE plans;" + TABLE, "unserved"),
        (BOTH + "CREATE TYPE t AS ENUM ('a'); GRANT SELECT ON plans TO PUBLIC;", "served"),
        (INLINE + "ALTER TABLE plans DROP CONSTRAINT plans_name_key;", "unserved"),
        (INLINE.replace("name text", "name text PRIMARY KEY").replace("serial PRIMARY KEY", "serial")
         + "ALTER TABLE plans DROP CONSTRAINT plans_pkey;", "unserved"),
        (INLINE + "ALTER TABLE plans ADD UNIQUE (name); ALTER TABLE plans DROP CONSTRAINT plans_name_key;", "served"),
        (BOTH + "ALTER TABLE plans ADD UNIQUE (name) DEFERRABLE;", "unserved"),
        ("CREATE SCHEMA public2;" + BOTH + "ALTER SCHEMA public RENAME TO public3;"
         "ALTER SCHEMA public2 RENAME TO public;" + TABLE.replace("serial", "int"), "unserved"),
        ("CREATE TABLE `plans` (`name` text);\nCREATE UNIQUE INDEX `i` ON `plans` (`name`);", "served"),
]  # fmt: skip
"""What is run before the upsert, and what it meets then."""


@pytest.mark.parametrize(("before", "resolution"), SCRIPTS)
def test_what_the_files_before_make(tmp_path: Path, before: str, resolution: str) -> None:
    """Each statement, and its twin a word away."""
    assert answer(tmp_path, before, SEED).split()[0] == resolution


def test_a_database_answers_the_same(url: str) -> None:
    """Each script is run, and then the upsert."""
    engine = create_engine(url)
    for before, resolution in [each for each in SCRIPTS if "`" not in each[0]]:
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE SCHEMA old; CREATE TABLE tiers (id int PRIMARY KEY)")
            connection.exec_driver_sql(before)
            try:
                connection.exec_driver_sql(SEED)
            except DBAPIError as error:
                state = str(error.orig.pgcode)  # type: ignore[union-attr]
                assert resolution == "unserved", before
                assert state in ("42P10", "55000", "42703"), before
            else:
                assert resolution == "served", before
    engine.dispose()


def test_no_database_is_asked_about_them(tmp_path: Path, url: str) -> None:
    """Today's schema serves it; its day's did not, which ``check --code`` reports with its own code."""
    report = scanned(tmp_path, {"migrations/1_a.sql": TABLE, "migrations/2_b.sql": SEED})
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql(BOTH)
        checked = CheckedCode(report, None)
        checked.judge(connection)
    engine.dispose()

    assert [each.code for each in checked.findings()] == [FindingCode.UNSERVED_UPSERT]
    assert [each.code for each in report.findings] == [FindingCode.UNDECLARED_UPSERT]


def test_what_comes_later_makes_no_difference(tmp_path: Path) -> None:
    """An index that is dropped later served it; one that is made later did not, in the same file neither."""
    assert answer(tmp_path / "a", BOTH, SEED, "DROP INDEX by_name;") == "served"
    assert answer(tmp_path / "b", TABLE, SEED, UNIQUE).startswith("unserved ")
    assert answer(tmp_path / "c", TABLE + SEED + UNIQUE).startswith("unserved ")
    assert answer(tmp_path / "d", TABLE + UNIQUE + SEED) == "served"


def test_the_finding_names_what_was_there(tmp_path: Path) -> None:
    """An error at the upsert's line."""
    assert answer(tmp_path, TABLE, SEED) == (
        "unserved the upsert into plans (name) fails when the migration runs: of the migrations before it, there is "
        "the primary key plans_pkey (id)"
    )


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("", "no migration before it makes the table"),
        (TABLE + "DO $$ BEGIN IF now() > '2020-1-1' THEN CREATE UNIQUE INDEX u ON plans (name); END IF; END $$;",
         "a block before it changes it under a condition"),
        (TABLE + "DO $$ BEGIN EXECUTE format('CREATE UNIQUE INDEX ON %I (name)', 'plans'); END $$;",
         "a block before it executes what is put together at run time"),
        (BOTH + "SET search_path = tenant;", "a migration before it sets search_path"),
        (BOTH + "DROP TYPE mood CASCADE;", "a DROP ... CASCADE before it may have taken columns along"),
        (BOTH + "ROLLBACK;", "a migration before it rolls back"),
        (BOTH + "\\i other.sql\n", "a migration before it includes another file"),
        (BOTH + "ALTER TABLE plans MODIFY name varchar(9);",
         "a migration before it defines something in SQL that is not read"),
        ("CREATE TABLE plans (LIKE tariffs INCLUDING ALL);", "it is made like another table, or as a part of one"),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE plans ADD UNIQUE (name); END $$;"
         + TABLE + "SELECT f();", "a migration before it calls a function that defines something"),
        (TABLE + "ALTER TABLE plans ADD COLUMN IF NOT EXISTS name text UNIQUE;",
         "whether a column is added is not known"),
        (INLINE + "ALTER TABLE plans DROP CONSTRAINT uq_plans;",
         "uq_plans is dropped, and may be a constraint without a name of its own"),
        (BOTH + "CREATE RULE r AS ON INSERT TO plans DO ALSO SELECT 1;",
         "a rule before it rewrites what is inserted"),
        (BOTH + "CREATE TEMP TABLE plans (name text);", "a temporary table before it has the same name"),
        (TABLE.replace(";", " PARTITION BY LIST (name);").replace(" PRIMARY KEY", "")
         + UNIQUE.replace("ON", "ON ONLY"), "an index of it is made ON ONLY the partitioned table"),
        (TABLE.replace("plans", "base") + "CREATE TABLE plans () INHERITS (base);" + UNIQUE,
         "it is made like another table, or as a part of one"),
        (BOTH + "ALTER TABLE plans INHERIT base;", "it is a part of another table, whose columns are changed with it"),
        (BOTH + "ALTER TABLE plans ADD EXCLUDE (tier WITH =) DEFERRABLE;",
         "an exclusion constraint of it is deferrable"),
        (BOTH + "SELECT set_config('search_path', 'tenant', false);", "a migration before it sets search_path"),
        (BOTH + "ALTER DATABASE shop SET search_path = tenant;", "a migration before it sets search_path"),
        (BOTH + "DROP OWNED BY someone CASCADE;", "a DROP OWNED before it may have taken it along"),
        (BOTH + "DROP SCHEMA types CASCADE;", "a DROP SCHEMA ... CASCADE before it may have taken columns along"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DROP INDEX by_name; END $$;"
         "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT f()';" + BOTH + "VALUES (g());",
         "a migration before it calls a function that defines something"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_in_doubt(tmp_path: Path, before: str, reason: str) -> None:
    """With the reason."""
    assert answer(tmp_path, before, SEED) == f"unresolved {reason}"


@pytest.mark.parametrize(
    "harmless",
    [
        "DO $$ BEGIN CREATE TYPE mood AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
        "DO $$ BEGIN ALTER TABLE plans ADD CONSTRAINT f FOREIGN KEY (tier) REFERENCES tiers; END $$;",
        "SELECT set_config('search_path', '', false); SELECT cron.schedule('a', '* * * * *', 'SELECT 1');",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM plans'; SELECT f();",
        "SET search_path = public; ALTER TABLE plans ENABLE ROW LEVEL SECURITY;",
        "DROP VIEW v CASCADE; BEGIN; COMMIT;",
        "ALTER TABLE plans DROP CONSTRAINT plans_tier_fkey;",
        "CREATE RULE r AS ON DELETE TO plans DO ALSO SELECT 1; CREATE TEMP TABLE tiers (name text);",
        "ALTER TABLE plans ADD EXCLUDE (tier WITH =); ALTER DATABASE shop SET work_mem = '1MB';",
        "DROP SCHEMA types; INSERT INTO tiers VALUES (f());",
    ],
)
def test_what_changes_nothing_leaves_no_doubt(tmp_path: Path, harmless: str) -> None:
    """The twins of the statements above."""
    assert answer(tmp_path, BOTH + harmless, SEED) == "served"


@pytest.mark.parametrize(
    ("upsert", "resolution"),
    [
        ("ON CONFLICT ON CONSTRAINT u DO NOTHING", "served"),
        ("ON CONFLICT ON CONSTRAINT by_tier DO NOTHING", "unserved"),
        ("ON CONFLICT ON CONSTRAINT v DO NOTHING", "unresolved"),
        ("ON CONFLICT DO NOTHING", "served"),
        ("ON CONFLICT (tier) DO NOTHING", "served"),
        ("ON CONFLICT (lower(name)) DO NOTHING", "served"),
        ("ON CONFLICT (upper(name)) DO NOTHING", "unresolved"),
        ("ON CONFLICT (f(name)) DO NOTHING", "unresolved"),
        ("ON CONFLICT (gone) WHERE tier > 1 DO NOTHING", "served"),
        ("ON CONFLICT (gone) WHERE tier > 2 DO NOTHING", "unresolved"),
    ],
)
def test_targets(tmp_path: Path, upsert: str, resolution: str) -> None:
    """By constraint, by nothing, by expression and by predicate."""
    before = TABLE + (
        "ALTER TABLE plans ADD CONSTRAINT u UNIQUE (name); CREATE UNIQUE INDEX by_tier ON plans (tier);"
        "CREATE UNIQUE INDEX l ON plans (lower(name)); CREATE UNIQUE INDEX p ON plans (gone) WHERE tier > 1;"
    )
    found = answer(tmp_path, before, f"INSERT INTO plans (name) VALUES ('a') {upsert};")

    assert found.split()[0] == resolution


@pytest.mark.parametrize(
    ("before", "target", "resolution"),
    [
        (INLINE, "ON CONSTRAINT plans_name_key", "served"),
        ("CREATE TABLE plans_name_key (a int);" + INLINE, "ON CONSTRAINT plans_name_key", "unresolved"),
        ("CREATE TABLE plans_name_key (a int);" + INLINE, "ON CONSTRAINT plans_name_key1", "served"),
        (INLINE + "ALTER TABLE plans RENAME TO old; DO $$ BEGIN EXECUTE 'DROP INDEX IF EXISTS ' || 'i'; END $$;"
         + INLINE, "ON CONSTRAINT plans_name_key", "unresolved"),
        (INLINE.replace("plans", "p" * 60), f"ON CONSTRAINT {'p' * 54}_name_key", "served"),
        (INLINE.replace("plans", "p" * 60), f"ON CONSTRAINT {'p' * 55}_name_key", "unresolved"),
        (TABLE + 'ALTER TABLE plans ADD UNIQUE (name) DEFERRABLE; CREATE UNIQUE INDEX c ON plans (name COLLATE "C");',
         '(name COLLATE "C")', "unresolved"),
        (TABLE + "ALTER TABLE plans ADD UNIQUE (name) DEFERRABLE; CREATE UNIQUE INDEX c ON plans ((name::text));",
         "((name::text))", "unresolved"),
        (TABLE + "CREATE UNIQUE INDEX c ON plans ((name::text));", "((name::text))", "served"),
        (TABLE + "CREATE UNIQUE INDEX c ON plans ((name::text)); ALTER TABLE plans ALTER name TYPE varchar(9);",
         "((name::text))", "unresolved"),
    ],
)  # fmt: skip
def test_names_that_postgresql_gives_and_what_it_simplifies(
    tmp_path: Path, url: str, before: str, target: str, resolution: str
) -> None:
    """Names that are taken or too long, a deferrable constraint beside an index, a cast: what is served runs."""
    table = "p" * 60 if "ppp" in before else "plans"
    upsert = f"INSERT INTO {table} (name) VALUES ('a') ON CONFLICT {target} DO NOTHING;"
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql(before)
        if resolution == "served":
            connection.exec_driver_sql(upsert)
    engine.dispose()

    assert answer(tmp_path, before, upsert).split()[0] == resolution


def test_a_lookup_cannot_fail(tmp_path: Path) -> None:
    """A migration runs alone, so no second session inserts the row."""
    lookup = (
        "INSERT INTO plans (name) SELECT 'a' WHERE NOT EXISTS (SELECT FROM plans WHERE name = 'a');"
    )

    assert answer(tmp_path / "a", TABLE, lookup) == "read"
    assert answer(tmp_path / "b", BOTH, lookup) == "served"


def test_what_undoes_is_not_run(tmp_path: Path) -> None:
    """Neither a script of its own nor the part of one below the tool's comment; an upsert there is unresolved."""
    down = "-- +goose Down\nDROP INDEX by_name;\n"
    files = {"migrations/1_a.up.sql": BOTH, "migrations/1_a.down.sql": "DROP TABLE plans;\n" + SEED,
             "migrations/2_b.up.sql": down, "migrations/3_c.up.sql": SEED}  # fmt: skip

    found = {j.upsert.place.path: j.resolution.value for j in scanned(tmp_path, files).upserts}

    assert found == {
        str(tmp_path / "migrations/1_a.down.sql"): "unresolved",
        str(tmp_path / "migrations/3_c.up.sql"): "served",
    }


def test_files_of_the_folder_count_that_are_not_scanned(tmp_path: Path) -> None:
    """As where only what a commit changes is scanned."""
    scanned(tmp_path, {"migrations/1_a.sql": BOTH, "migrations/2_b.sql": "DROP INDEX by_name;"})
    last = tmp_path / "migrations" / "3_c.sql"
    last.write_text(SEED)

    (judged,) = scan([last], DeclaredTables(()), migrations=True).upserts

    assert judged.resolution.value == "unserved"


def test_the_order_is_that_of_the_numbers(tmp_path: Path) -> None:
    """10 is behind 9; Prisma's folders and Flyway's versions are numbers too."""
    flyway = {"db/V1__a.sql": TABLE, "db/V9__b.sql": UNIQUE, "db/V10__c.sql": SEED}
    prisma = {"prisma/migration_lock.toml": "", "prisma/20240101_a/migration.sql": BOTH,
              "prisma/20240102_b/migration.sql": SEED}  # fmt: skip

    for number, files in enumerate((flyway, prisma)):
        (judged,) = scanned(tmp_path / str(number), files).upserts
        assert judged.resolution.value == "served"


REVISION = """\
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert as pg_insert
revision = {revision!r}
down_revision = {down!r}
def upgrade():
{body}
def downgrade():
    op.drop_table("plans")
"""
CREATE = """op.create_table("plans", sa.Column("id", sa.Integer(), nullable=False), sa.Column("name", sa.Text()),
        sa.PrimaryKeyConstraint("id"){more})"""
UPSERT = "op.execute(\"INSERT INTO plans (name) VALUES ('a') ON CONFLICT (name) DO NOTHING\")"
MADE = 'op.create_index("by_name", "plans", ["name"], unique=True)'


def of_revisions(folder: Path, *bodies: str) -> str:
    """The resolution of the one upsert in revisions of which each is behind the one before, and its finding's fact."""
    names = [chr(ord("z") - number) for number in range(len(bodies))]
    files = {}
    for number, (name, body) in enumerate(zip(names, bodies, strict=True)):
        down = names[number - 1] if number else None
        text = "\n".join(f"    {line}" for line in (body or "pass").split("\n"))
        files[f"versions/{name}_x.py"] = REVISION.format(revision=name, down=down, body=text)
    (judged,) = scanned(folder, files).upserts
    return " ".join([judged.resolution.value, *(f.fact for f in judged.findings)])


PLAIN = CREATE.format(more="")
UQ = 'op.create_unique_constraint("u", "plans", ["name"])'
UNNAMED = UQ.replace('"u"', "None")
BATCH = 'with op.batch_alter_table("plans") as b:\n    b.create_unique_constraint("u", ["name"])'
OLD = f"{PLAIN}\n{UQ}".replace("plans", "old")


@pytest.mark.parametrize(
    ("before", "resolution"),
    [
        (PLAIN, "unserved"),
        (f"{PLAIN}\n{MADE}", "served"),
        (f"{PLAIN}\n{MADE.replace('True', 'False')}", "unserved"),
        (CREATE.format(more=', sa.UniqueConstraint("name", name="u")'), "served"),
        (CREATE.format(more=', sa.UniqueConstraint("name", "id", name="u")'), "unserved"),
        (PLAIN.replace("sa.Text()", "sa.Text(), unique=True"), "served"),
        (PLAIN.replace("sa.Text()", "sa.Text(), index=True"), "unserved"),
        (f"{PLAIN}\n{UQ}", "served"),
        (f"{PLAIN}\n{UQ[:-1]}, deferrable=True)", "unserved"),
        (f"{PLAIN}\n{BATCH}", "served"),
        (f"{PLAIN}\n{BATCH.replace('plans', 'other')}", "unserved"),
        (f'{PLAIN}\n{MADE}\nop.drop_index("by_name", table_name="plans")', "unserved"),
        (f'{PLAIN}\n{MADE}\nop.drop_column("plans", "name")', "unserved"),
        (f'{PLAIN}\n{MADE}\nop.alter_column("plans", "name", new_column_name="title")', "unserved"),
        (f'{PLAIN}\n{MADE}\nop.alter_column("plans", "name", nullable=False)', "served"),
        (f'{PLAIN}\nop.execute("CREATE UNIQUE INDEX u ON plans (name)")', "served"),
        (f'{PLAIN}\nop.get_bind().execute(sa.text("CREATE UNIQUE INDEX u ON plans (name)"))', "served"),
        (f'{PLAIN}\nop.execute(sa.text("CREATE " + "INDEX u ON plans (name)"))', "unserved"),
        (f"{PLAIN}\n{MADE[:-1]}, postgresql_where=sa.text('id > 1'))", "unserved"),
        (f"{PLAIN}\n{MADE}\nbind = op.get_bind()\nbind.execute(pg_insert(t).values(a=1))", "served"),
        (f'{PLAIN}\n{MADE}\npostgresql.ENUM("a", name="m").create(op.get_bind(), checkfirst=True)', "served"),
        (f'{PLAIN}\n{MADE}\nop.drop_table("plans")\n{PLAIN}', "unserved"),
        (f'{OLD}\nop.rename_table("old", "plans")', "served"),
        (PLAIN.replace("sa.Text()", "sa.Text(), unique=True, primary_key=True").replace(
            ',\n        sa.PrimaryKeyConstraint("id")', "")
         + '\nop.drop_constraint("plans_pkey", "plans")', "unserved"),
    ],
)  # fmt: skip
def test_what_the_revisions_before_make(tmp_path: Path, before: str, resolution: str) -> None:
    """Each operation, and its twin a word away; the upsert is in a revision behind, or in the same one."""
    assert of_revisions(tmp_path / "a", before, UPSERT).split()[0] == resolution
    assert of_revisions(tmp_path / "b", f"{before}\n{UPSERT}").split()[0] == resolution


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("", "no migration before it makes the table"),
        (f'{PLAIN}\nif op.get_bind().dialect.name == "sqlite":\n    {MADE}',
         "a revision before it changes it under a condition"),
        (f'{PLAIN}\nfor name in ["name"]:\n    op.create_index(name, "plans", [name], unique=True)',
         "an operation of a revision before it is not read"),
        (f'{PLAIN}\nop.execute(f"CREATE UNIQUE INDEX {{name}} ON plans (name)")',
         "an operation of a revision before it is not read"),
        (f"{PLAIN}\nmake_indexes()", "an operation of a revision before it is not read"),
        (f"{PLAIN}\nmeta.create_all(op.get_bind())", "an operation of a revision before it is not read"),
        (PLAIN.replace("sa.Text()", "sa.Text(), unique=True, index=True") + '\nop.drop_index("ix_plans_name")',
         "ix_plans_name is dropped, and may be an index without a name of its own"),
        (f'{PLAIN}\n{MADE.replace(chr(34) + "by_name" + chr(34), "None")}\nop.drop_index("ix_plans_name")',
         "ix_plans_name is dropped, and may be an index without a name of its own"),
        (f'{PLAIN}\n{MADE}\n{UNNAMED}\nop.drop_constraint("u", "plans")',
         "u is dropped, and may be a constraint without a name of its own"),
    ],
)  # fmt: skip
def test_what_of_revisions_is_not_certain(tmp_path: Path, before: str, reason: str) -> None:
    """A loop, a condition, a call of something else."""
    assert of_revisions(tmp_path, before, UPSERT) == f"unresolved {reason}"


def test_statements_on_one_line(tmp_path: Path) -> None:
    """Only what is before the upsert counts; of two upserts on the line, which is which is not known."""
    before, upsert, behind = TABLE.strip(), SEED.strip(), UNIQUE.strip()
    assert answer(tmp_path / "a", before + upsert + behind).split()[0] == "unserved"
    assert answer(tmp_path / "b", before + behind + upsert).split()[0] == "served"
    report = scanned(tmp_path / "c", {"migrations/1_a.sql": before + upsert + behind + upsert})
    assert {judged.resolution.value for judged in report.upserts} == {"unresolved"}


LATER = 'statement = "INSERT INTO plans (name) VALUES (1) ON CONFLICT (name) DO NOTHING"'
DROPPED = 'op.drop_index("by_name")'


@pytest.mark.parametrize(
    ("body", "resolution"),
    [
        (f"{PLAIN}\n{LATER}\n{MADE}\nop.execute(statement)", "served"),
        (f"{PLAIN}\n{LATER}\nop.execute(statement)\n{MADE}", "unserved"),
        (f"{PLAIN}\n{LATER}\nop.execute(statement)\n{MADE}\nop.execute(statement)", "unresolved"),
        (f"{PLAIN}\ndef seed():\n    {UPSERT}\n{MADE}\nseed()", "unresolved"),
        (f"{PLAIN}; {MADE}; {UPSERT}", "unresolved"),
    ],
)
def test_a_statement_runs_where_its_name_is_used(
    tmp_path: Path, body: str, resolution: str
) -> None:
    """One that is kept in a name or a function meets what is there when it is executed, not when it is written."""
    assert of_revisions(tmp_path, body).split()[0] == resolution


@pytest.mark.parametrize(
    ("before", "resolution"),
    [
        (f"{PLAIN}\nif x:\n    return\n{MADE}", "unresolved"),
        (f"{PLAIN}\nif x:\n    print()\n{MADE}", "served"),
        (f'{PLAIN}\n{MADE}\nname = "by_name"\nif x:\n    name = "b"\nop.drop_index(name)', "unresolved"),
        (f'{PLAIN}\n{MADE}\nname = "by_name"\nop.drop_index(name)', "unserved"),
        (f'{PLAIN}\nc = ["name"]\nc.append("id")\nop.create_unique_constraint("u", "plans", c)', "unresolved"),
        (f'{PLAIN}\nc = ["name"]\nc.index("id")\nop.create_unique_constraint("u", "plans", c)', "unresolved"),
        (f'{PLAIN}\nc = ["name"]\nprint(c)\nop.create_unique_constraint("u", "plans", c)', "served"),
        (f'{PLAIN}\nc = ["name"]\nk = c\nk[0] = "id"\nop.create_unique_constraint("u", "plans", c)', "unresolved"),
        (f"{PLAIN}\nx and {MADE}", "unresolved"),
        (f"{PLAIN}\n[{MADE} for _ in x]", "unresolved"),
        (f"{PLAIN}\nlist({MADE} for _ in x)", "unresolved"),
        (f"{PLAIN}\nmake = lambda: {MADE}", "unresolved"),
        (f'{PLAIN}\n{MADE}\nwith op.batch_alter_table("plans", recreate="always") as b:\n    pass', "unresolved"),
        (f'{PLAIN}\n{MADE}\nwith op.batch_alter_table("plans", recreate="never") as b:\n    pass', "served"),
        (f'{PLAIN}\n{MADE}\nop.create_table("plans", prefixes=["TEMPORARY"])', "unresolved"),
    ],
)  # fmt: skip
def test_what_of_upgrade_runs_for_certain(tmp_path: Path, before: str, resolution: str) -> None:
    """A return, a name that is bound again, a list that is changed, an expression that may not run."""
    assert of_revisions(tmp_path, before, UPSERT).split()[0] == resolution


def test_revisions_of_another_branch_may_have_run(tmp_path: Path) -> None:
    """What they change is in doubt; its twin changes another table, and what is behind both makes no difference."""
    for table, resolution in (("plans", "unresolved"), ("others", "served")):
        drop = f'    op.drop_constraint("u", "{table}")'
        texts = {"a": (None, f"    {PLAIN}\n    {UQ}"), "b": ("a", f"    {UPSERT}"), "c": ("a", drop),
                 "d": (("b", "c"), '    op.drop_table("plans")')}  # fmt: skip
        files = {f"versions/{name}.py": REVISION.format(revision=name, down=down, body=body)
                 for name, (down, body) in texts.items()}  # fmt: skip
        (judged,) = scanned(tmp_path / table, files).upserts
        assert judged.resolution.value == resolution


@pytest.mark.parametrize(
    ("before", "resolution"),
    [
        (BOTH + "-- Down Migration\nDROP INDEX by_name;", "served"),
        (BOTH + "-- Down\nDROP INDEX by_name;", "served"),
        (BOTH + "-- down with it\nDROP INDEX by_name;", "unserved"),
        (BOTH + "\\connect other\n", "unresolved"),
        (BOTH + "\\echo other\n", "served"),
        (TABLE + "SELECT 'CREATE UNIQUE INDEX by_name ON plans (name)' \\gexec\n", "unresolved"),
        (BOTH + "COPY plans (name)\n  FROM stdin WITH (FORMAT csv);\nit's\nDROP INDEX by_name;\n\\.\n", "served"),
        (BOTH + "COPY plans (name)\n  TO stdout;\nDROP INDEX by_name;\n\\echo\n", "unserved"),
        (BOTH + "DELIMITER //\nDROP TABLE plans//\n", "unresolved"),
        ("--changeset a:1 context:test\n" + BOTH, "unresolved"),
        ("--changeset a:1\n" + BOTH, "served"),
        (TABLE + "DO LANGUAGE plpython3u 'plpy.execute(make())';", "unresolved"),
    ],
)  # fmt: skip
def test_what_clients_and_tools_write_into_scripts(
    tmp_path: Path, before: str, resolution: str
) -> None:
    """The part that takes back, psql's and MySQL's commands, Liquibase's contexts, data; and a twin of each."""
    assert answer(tmp_path, before, SEED).split()[0] == resolution


def test_revisions_after_it_and_of_other_branches(tmp_path: Path) -> None:
    """What is behind it makes no difference; several branches before it have no order; a gap is one."""
    assert of_revisions(tmp_path / "a", PLAIN, UPSERT, MADE).startswith("unserved ")
    merge = REVISION.format(revision="m", down=("a", "b"), body=f"    {UPSERT}")
    gap = REVISION.format(revision="m", down="gone", body=f"    {UPSERT}")
    for text, reason in ((merge, "the revisions before it are of several branches"),
                         (gap, "the revision gone before it is not known")):  # fmt: skip
        (judged,) = scanned(tmp_path / reason, {"versions/m.py": text}).upserts
        assert [f.fact for f in judged.findings] == [reason]


KNEX = """\
exports.up = async (knex) => {
  await knex('plans').insert({ name: 'free' }).onConflict('name').ignore();
};
"""


TYPEORM = f"class A implements MigrationInterface {{ async up(q) {{ await q.query(`{SEED}`) }} }}"
KYSELY = f"export async function up(db: Kysely<any>) {{ await sql`{SEED.strip()}`.execute(db) }}"
SEQUELIZE = f"module.exports = {{ up: async (q) => q.sequelize.query(`{SEED}`) }}"


@pytest.mark.parametrize(
    ("path", "module", "word", "twin"),
    [
        ("migrations/20240131120000_a.js", KNEX, "exports.up", "exports.seed"),
        ("src/a.ts", TYPEORM, "implements MigrationInterface", "implements Migration"),
        ("migrations/2024-01-31_a.ts", KYSELY, "function up(", "function save("),
        ("migrations/20240131120000-a.js", SEQUELIZE, "up: async", "run: async"),
    ],
)
def test_migrations_in_javascript_are_known(
    tmp_path: Path, path: str, module: str, word: str, twin: str
) -> None:
    """Knex, TypeORM, Kysely, Sequelize: left out as others are, and unresolved where they are shown."""
    report = scanned(tmp_path / "a", {path: module})
    assert [j.resolution.value for j in report.upserts] == ["unresolved"]
    assert scan([tmp_path / "a"], DeclaredTables(()), migrations=False).in_migrations == 1
    scanned(tmp_path / "b", {path: module.replace(word, twin)})
    assert scan([tmp_path / "b"], DeclaredTables(()), migrations=False).in_migrations == 0
