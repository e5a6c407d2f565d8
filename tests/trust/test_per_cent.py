"""Scripts make the index that was declared: ``%`` and ``:`` of a key's SQL are in it once, by every driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.online.revisions import revision
from tests.scenarios.test_names import in_psql
from tests.scenarios.test_templates import InitialisedProject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.project import Project

DRIVERS = ["psycopg2", "psycopg", "asyncpg"]
TABLE = 'CREATE TABLE notes (id serial PRIMARY KEY, a int NOT NULL, c varchar NOT NULL, "x%:y" int NOT NULL)'
MODEL = """
    class Note(Base):
        __tablename__ = "notes"
        __table_args__ = ({key},)
        id: Mapped[int] = mapped_column(primary_key=True)
        a: Mapped[int]
        c: Mapped[str]
        x: Mapped[int] = mapped_column("x%:y")
"""
WHERE = "c = 'a%b:x'"
PARTIAL = f'UpsertKey("a", where=text("""{WHERE}""".replace(":", chr(92) + ":")))'
EXPRESSION = """UpsertKey(text("replace(c, '%%', ' \\\\:%')"), "a")"""
KEYS = {
    "a predicate": (PARTIAL, f"(a) WHERE {WHERE}"),
    "an expression": (EXPRESSION, "(replace(c, '%%', ' :%'), a)"),
    "a column": ('UpsertKey("a", "x%:y")', '(a, "x%:y")'),
    "an index on a column": ('UpsertKey("x%:y", as_index=True)', '("x%:y")'),
}
"""The declaration, and the conflict target."""


def configured(project: Project, driver: str) -> None:
    """The driver, and an env.py without ``dialect_opts``: the script is compiled as for the driver."""
    project.edit("migrations/env.py", ', dialect_opts={"paramstyle": "named"}', "")
    project.url = project.url.replace("postgresql+psycopg2", f"postgresql+{driver}")


def upserted(project: Project, target: str) -> None:
    """The application's upsert finds its arbiter."""
    project.sql(
        "INSERT INTO notes (a, c, \"x%:y\") VALUES (1, 'a%b:x', 2) "
        f"ON CONFLICT {target} DO UPDATE SET id = notes.id"
    )


def upgrade_in_psql(project: Project) -> None:
    project.sql("DROP TABLE IF EXISTS alembic_version")
    written = project.alembic("upgrade", "head", "--sql")
    assert written.code == 0, written.said
    ran = in_psql(project, written.out)
    assert ran.code == 0, ran.said


def upgrade(project: Project) -> None:
    project.upgrade()


def generated(project: Project, key: str) -> None:
    project.models(MODEL.format(key=key))
    project.revise()


BY_DRIVER = pytest.mark.parametrize("driver", DRIVERS)
WAYS = pytest.mark.parametrize(
    ("driver", "apply"),
    [
        *(pytest.param(driver, upgrade_in_psql, id=f"{driver} --sql") for driver in DRIVERS),
        # the project's env.py is not asynchronous: asyncpg online has a test of its own
        *(pytest.param(driver, upgrade, id=driver) for driver in ("psycopg2", "psycopg")),
    ],
)


@WAYS
@pytest.mark.parametrize(("key", "target"), KEYS.values(), ids=KEYS)
def test_a_generated_revision_makes_what_is_declared(
    project: Project, driver: str, apply: Callable[[Project], None], key: str, target: str
) -> None:
    """On a table that is there, and then nothing is left to do."""
    project.sql(TABLE)
    generated(project, key)
    configured(project, driver)

    apply(project)
    upserted(project, target)
    project.url = project.url.replace(driver, "psycopg2")
    check = project.check()
    assert check.code == 0, check.said


@BY_DRIVER
@pytest.mark.parametrize("key", ["a predicate", "an expression"])
def test_an_index_of_a_new_table_is_what_is_declared(
    project: Project, driver: str, key: str
) -> None:
    """No check of the rows comes before it in the script."""
    declared, target = KEYS[key]
    project.models(MODEL.replace('"x%:y"', '"x"').format(key=declared))
    written = project.revise().text
    assert "op.validate_upsert_key(" not in written
    configured(project, driver)

    upgrade_in_psql(project)
    project.sql(f"INSERT INTO notes (a, c, x) VALUES (1, 'a', 2) ON CONFLICT {target} DO NOTHING")


DIRECTIVES = {
    "create_index": (
        "op.validate_upsert_key('notes', ['a'], where=sa.text({where!r}))\n"
        "op.create_index('uq_notes', 'notes', ['a'], unique=True, postgresql_where=sa.text({where!r}))"
    ),
    "create_index below a deduplication": (
        "op.deduplicate_upsert_key('notes', ['a'], keep='last', order_by='id', where=sa.text({where!r}))\n"
        "op.create_index('uq_notes', 'notes', ['a'], unique=True, postgresql_where=sa.text({where!r}))"
    ),
    "create_index below a check that is verified": (
        "op.validate_upsert_key('notes', ['a'], where={plain!r})\n"
        "op.create_index('uq_notes', 'notes', ['a'], unique=True, postgresql_where=op.sql_as_written({plain!r}))\n"
        "op.verify_upsert_key('notes', ['a'], where={plain!r})"
    ),
    "create_unique_index_concurrently": (
        "op.create_unique_index_concurrently('uq_notes', 'notes', ['a'], where=sa.text({where!r}))\n"
        "op.verify_upsert_key('notes', ['a'], where=sa.text({where!r}))"
    ),
    "in a batch": (
        "with op.batch_alter_table('notes') as batch_op:\n"
        "    batch_op.validate_upsert_key(['a'], where=sa.text({where!r}))\n"
        "    batch_op.create_index('uq_notes', ['a'], unique=True, postgresql_where=sa.text({where!r}))"
    ),
}


@WAYS
@pytest.mark.parametrize("lines", DIRECTIVES.values(), ids=DIRECTIVES)
def test_a_revision_that_a_person_wrote(
    project: Project, driver: str, apply: Callable[[Project], None], lines: str
) -> None:
    """Beside a directive of ours Alembic's own creation is right as well."""
    project.sql(TABLE)
    revision(project, lines.format(where=WHERE.replace(":", "\\:"), plain=WHERE))
    configured(project, driver)

    apply(project)
    upserted(project, f"(a) WHERE {WHERE}")


@WAYS
def test_a_primary_key_that_a_person_wrote(
    project: Project, driver: str, apply: Callable[[Project], None]
) -> None:
    """A column's name is quoted as it is."""
    project.sql(TABLE.replace("serial PRIMARY KEY", "serial"))
    revision(
        project,
        "op.validate_upsert_key('notes', ['x%:y'])\n"
        "op.create_primary_key('pk_notes', 'notes', ['x%:y'])\n"
        "op.verify_upsert_key('notes', ['x%:y'])",
    )
    configured(project, driver)

    apply(project)
    upserted(project, '("x%:y")')


def test_other_tables_of_the_script_are_alembics(project: Project) -> None:
    """The twin: where no directive of ours is about the table, the script is what Alembic writes."""
    project.sql(TABLE)
    revision(
        project,
        "op.validate_upsert_key('notes', ['a'])\n"
        "op.create_index('ix_others', 'others', ['a'], unique=True, postgresql_where=sa.text(\"c = 'a%b'\"))",
    )
    configured(project, "psycopg2")

    assert "WHERE c = 'a%%b';" in project.alembic("upgrade", "head", "--sql").out


@pytest.mark.parametrize(("key", "target"), KEYS.values(), ids=KEYS)
def test_asyncpg_online_makes_what_is_declared(
    tmp_path: Path, url: str, key: str, target: str
) -> None:
    """In Alembic's asynchronous template."""
    project = InitialisedProject(tmp_path / "project", url, template="async")
    project.connect_to(url.replace("psycopg2", "asyncpg"))
    project.target("models.Base.metadata")
    project.sql(TABLE)
    generated(project, key)

    project.upgrade()
    upserted(project, target)
    project.dispose()
