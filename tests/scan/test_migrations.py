"""Upserts of migrations: left out where they ran once, kept where a routine of today's schema holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import DeclaredTables, scan

if TYPE_CHECKING:
    from pathlib import Path

    from alembic_upsert_guard.upserts.scan import ScanReport

SEED = "INSERT INTO plans (name) VALUES ('free') ON CONFLICT (name) DO NOTHING;\n"
FUNCTION = """\
CREATE OR REPLACE FUNCTION save(who uuid, n int DEFAULT 1) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO profiles (id) VALUES (who) ON CONFLICT (id) DO NOTHING;
END $$;
"""
WITHOUT_UPSERT = """\
CREATE OR REPLACE FUNCTION save(who uuid, n int) RETURNS void LANGUAGE sql AS 'DELETE FROM profiles';
"""
REVISION = """\
from alembic import op
revision = {revision!r}
down_revision = {down!r}
def upgrade():
    op.execute({up!r})
def downgrade():
    op.execute({back!r})
"""


def scanned(folder: Path, files: dict[str, str], *, migrations: bool = False) -> ScanReport:
    """The files, with folders, scanned without models."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return scan([folder], DeclaredTables(()), migrations=migrations)


def tables(report: ScanReport) -> list[str | None]:
    """Those of the upserts."""
    return [judged.upsert.table_name for judged in report.upserts]


@pytest.mark.parametrize(
    ("migration", "beside", "twin"),
    [
        ("supabase/migrations/20240131120000_plans.sql", None, "supabase/queries/2024_plans.sql"),
        ("db/V1_2__plans.sql", None, "db/V1_2_plans.sql"),
        ("migrations/0001_plans.sql", None, "migrations/plans.sql"),
        ("migrations/migration_001_002.sql", None, "migrations/migration.sql"),
        ("migrations/0001_plans/up.sql", None, "plans/0001_plans/up_.sql"),
        ("drizzle/0000_plans.sql", "drizzle/meta/_journal.json", "drizzle2/0000_plans.sql"),
        ("prisma/20240131_plans/migration.sql", "prisma/migration_lock.toml", "p/2024_/migration.sql"),
        ("scripts/20240131120000_plans.sql", None, "scripts/20240131_plans.sql"),
    ],
)  # fmt: skip
def test_layouts_of_migrations(
    tmp_path: Path, migration: str, beside: str | None, twin: str
) -> None:
    """What each tool's folder looks like; a file of another name in it, or of that name elsewhere, is none."""
    others = {} if beside is None else {beside: ""}

    report = scanned(tmp_path, {migration: SEED, twin: SEED, **others})

    assert [judged.upsert.place.path for judged in report.upserts] == [str(tmp_path / twin)]
    assert report.in_migrations == 1


DJANGO = """\
from django.db import migrations
class Migration(migrations.Migration):
    operations = [migrations.RunSQL({up!r})]
"""


@pytest.mark.parametrize("twin", ["shop/0002_plans.py", "shop/migrations/plans.py"])
def test_a_migration_of_django_is_known_by_its_name_and_class(tmp_path: Path, twin: str) -> None:
    """``migrations/0002_x.py``; its twins have the class, and another name or folder."""
    migration = DJANGO.format(up=SEED)

    report = scanned(tmp_path, {"shop/migrations/0002_plans.py": migration, twin: migration})

    assert [judged.upsert.place.path for judged in report.upserts] == [str(tmp_path / twin)]
    assert report.in_migrations == 1


def test_what_migrations_of_django_make_is_not_read(tmp_path: Path) -> None:
    """Their upserts are unresolved, where they are asked for."""
    migration = {"shop/migrations/0002_plans.py": DJANGO.format(up=SEED)}

    report = scanned(tmp_path, migration, migrations=True)

    assert [str(judged.resolution) for judged in report.upserts] == ["unresolved"]


def test_a_revision_of_alembic_says_so_itself(tmp_path: Path) -> None:
    """Whatever its folder; its twin states no ``down_revision``."""
    revision = REVISION.format(revision="a", down=None, up=SEED, back="")

    report = scanned(
        tmp_path, {"a.py": revision, "b.py": revision.replace("down_revision", "below")}
    )

    assert [judged.upsert.place.path for judged in report.upserts] == [str(tmp_path / "b.py")]


def test_all_of_them_are_shown_where_asked_for(tmp_path: Path) -> None:
    """And none is counted as left out."""
    report = scanned(tmp_path, {"migrations/1_a.sql": SEED}, migrations=True)

    assert tables(report) == ["plans"]
    assert report.in_migrations == 0


def test_a_function_lives_on(tmp_path: Path) -> None:
    """The statement beside it ran once."""
    report = scanned(tmp_path, {"migrations/1_a.sql": SEED + FUNCTION})

    assert tables(report) == ["profiles"]
    assert report.in_migrations == 1


DEFINED_AGAIN = FUNCTION.replace("profiles", "people").replace("DEFAULT 1", "DEFAULT 2")


@pytest.mark.parametrize(
    ("later", "left"),
    [
        (DEFINED_AGAIN, ["people"]),
        (DEFINED_AGAIN.replace("n int", "n bigint"), ["profiles", "people"]),
        (WITHOUT_UPSERT, []),
        (WITHOUT_UPSERT.replace("save", "store"), ["profiles"]),
        ("DROP FUNCTION IF EXISTS public.save(uuid, int);", []),
        ("DROP FUNCTION save;", []),
        ("DROP FUNCTION save(uuid);", ["profiles"]),
    ],
)
@pytest.mark.parametrize("is_one_file", [True, False])
def test_the_last_definition_counts(
    tmp_path: Path, later: str, left: list[str], *, is_one_file: bool
) -> None:
    """Of the same name and arguments; an overload is another function."""
    files = (
        {"migrations/9_a.sql": FUNCTION + later}
        if is_one_file
        else {"migrations/9_a.sql": FUNCTION, "migrations/10_b.sql": later}
    )

    assert sorted(map(str, tables(scanned(tmp_path, files)))) == sorted(left)


@pytest.mark.parametrize("schema", [':"schema".', ":schema.", "{{ schema }}.", "audit."])
def test_functions_of_a_schema_that_psql_puts_in_are_told_apart(
    tmp_path: Path, schema: str
) -> None:
    """The last definition of each one counts, and none replaces another."""
    one = FUNCTION.replace("save(", f"{schema}save(")
    other = one.replace("save(", "keep(").replace("profiles", "people")

    report = scanned(tmp_path, {"migrations/1_a.sql": one + other})

    assert tables(report) == ["profiles", "people"]


def test_what_a_downgrade_defines_is_not_there(tmp_path: Path) -> None:
    """It brings back the definition before; revisions are in the order that they state."""
    first = REVISION.format(revision="z", down=None, up=FUNCTION, back="")
    second = REVISION.format(revision="a", down="z", up=DEFINED_AGAIN, back=FUNCTION)

    report = scanned(tmp_path, {"versions/1.py": second, "versions/2.py": first})

    assert tables(report) == ["people"]
    assert report.in_migrations == 2


def test_a_script_that_undoes_another_is_left_out(tmp_path: Path) -> None:
    """With the function that it makes again."""
    files = {"migrations/1_a.up.sql": DEFINED_AGAIN, "migrations/1_a.down.sql": FUNCTION}

    assert tables(scanned(tmp_path, files)) == ["people"]


def test_a_trigger_whose_body_has_semicolons_lives_on(tmp_path: Path) -> None:
    """SQLite's; what is behind its END ran once."""
    trigger = f"CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; {SEED}END;\n"

    report = scanned(tmp_path, {"migrations/1_a.sql": trigger + SEED.replace("plans", "b")})

    assert tables(report) == ["plans"]


def test_a_comment_for_what_is_left_out_is_not_stale(tmp_path: Path) -> None:
    """Its twin, beside no upsert, is."""
    comment = "-- upsert-guard: ignore[undeclared-upsert]\n"
    ignored = SEED.replace(";\n", f" {comment};\n")

    assert scanned(tmp_path, {"migrations/1_a.sql": ignored}).stale_ignores == ()
    assert len(scanned(tmp_path, {"migrations/2_a.sql": comment}).stale_ignores) == 1
