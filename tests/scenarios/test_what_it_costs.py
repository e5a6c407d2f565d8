"""Nothing where no key is declared, one read where keys are, and a history that outlives the package."""

from __future__ import annotations

from pathlib import Path

import alembic
import pytest
from sqlalchemy import create_engine, text

from alembic_upsert_guard.catalog.postgresql import catalog_statement
from tests.project import Project, Ran

OFF = '["alembic.autogenerate.*", "~alembic.autogenerate.upsert_guard"]'
STATEMENTS = """
    import pathlib

    @event.listens_for(Engine, "before_cursor_execute")
    def note(connection, cursor, statement, *_):
        with pathlib.Path("statements.log").open("a") as log:
            log.write("\\0" + statement)

"""


def tables(number: int, key: str) -> str:
    return (
        "    from sqlalchemy.engine import Engine\n"
        + STATEMENTS
        + f"""
    for number in range({number}):
        Table(
            f"accounts_{{number}}", Base.metadata,
            Column("id", Integer, primary_key=True),
            Column("tenant", Integer, nullable=False),
            Column("email", String(90), nullable=False),
            {key}
        )
"""
    )


def make_tables(project: Project, number: int) -> None:
    project.sql(
        *(
            f"CREATE TABLE accounts_{n}"
            " (id integer NOT NULL PRIMARY KEY, tenant integer NOT NULL, email varchar(50) NOT NULL)"
            for n in range(number)
        )
    )


def statements(project: Project) -> list[str]:
    """What was executed since the last time."""
    log = project.path / "statements.log"
    found = log.read_text().split("\0")[1:]
    log.unlink()
    return found


def revised(project: Project) -> tuple[str, Ran, list[str]]:
    """The revision's text, what the command printed without the plugins' names, and the statements it sent."""
    ran = project.alembic("revision", "--autogenerate", "-m", "r", "--rev-id", "r01")
    (path,) = (project.path / "migrations" / "versions").glob("*.py")
    text = path.read_text()
    path.unlink()
    said = [line for line in ran.err.splitlines() if "setting up autogenerate plugin" not in line]
    return text, Ran(ran.code, ran.out, "\n".join(said)), statements(project)


@pytest.mark.parametrize("kind", ["project", "sqlite_project"], ids=["postgresql", "sqlite"])
def test_without_a_key_nothing_differs(kind: str, request: pytest.FixtureRequest) -> None:
    """The revision, the output, the exit code and every statement are those of plain Alembic."""
    project: Project = request.getfixturevalue(kind)
    make_tables(project, 2)
    project.models(tables(2, 'Column("added", String), UniqueConstraint("tenant", name="u")'))
    project.configure(render_as_batch="True", autogenerate_plugins=OFF)
    project.alembic("check")  # makes Alembic's own table
    project.path.joinpath("statements.log").unlink()

    plain = revised(project)
    project.configure(render_as_batch="True")
    assert revised(project) == plain


def test_the_catalog_is_read_uncompiled(url: str) -> None:
    """The planner's price stays below ``jit_above_cost`` as it comes: compiling took ten times as long as reading."""
    engine = create_engine(url)
    with engine.connect() as connection:
        explain = text(f"EXPLAIN (FORMAT JSON) {catalog_statement(connection.dialect)}")
        (answer,) = connection.scalar(explain, {"wanted": '[{"schema": null, "name": "t"}]'})
    engine.dispose()

    assert answer["Plan"]["Total Cost"] < 100_000


@pytest.mark.parametrize("kind", ["project", "sqlite_project"], ids=["postgresql", "sqlite"])
def test_the_catalog_is_read_once(kind: str, request: pytest.FixtureRequest) -> None:
    """For twenty tables with two keys each, one statement more is sent than by plain Alembic."""
    project: Project = request.getfixturevalue(kind)
    make_tables(project, 20)
    project.models(tables(20, 'UpsertKey("tenant", "email"), UpsertKey("email", as_index=True)'))
    project.configure(autogenerate_plugins=OFF)
    project.alembic("check")
    project.path.joinpath("statements.log").unlink()

    project.check()
    plain = statements(project)
    project.configure()
    project.check()
    assert len(statements(project)) == len(plain) + 1


def test_served_keys_cost_one_read_as_well(project: Project) -> None:
    """Once all keys have their arbiters, each check still sends one statement more, and no more."""
    make_tables(project, 5)
    project.models(tables(5, 'UpsertKey("tenant", "email")').replace("String(90)", "String(50)"))
    project.revise()
    project.upgrade()
    project.configure(autogenerate_plugins=OFF)
    statements(project)
    project.check()
    plain = statements(project)

    project.configure()
    assert project.check().code == 0
    assert len(statements(project)) == len(plain) + 1


def test_the_history_is_readable_uninstalled(project: Project, tmp_path: Path) -> None:
    """Generated revisions import nothing of ours: where the package is not installed, history and heads work."""
    make_tables(project, 1)
    project.models(
        tables(1, 'UpsertKey("tenant", "email"), UpsertKey("id", where=text("tenant > 0"))')
    )
    project.revise()

    # every installed distribution but this one, in an interpreter that looks nowhere else
    elsewhere = tmp_path / "site-packages"
    elsewhere.mkdir()
    for installed in Path(alembic.__file__).parent.parent.iterdir():
        if "alembic_upsert_guard" not in installed.name:
            (elsewhere / installed.name).symlink_to(installed)
    project.environment.update(PYTHONPATH=str(elsewhere), PYTHONNOUSERSITE="1")

    imported = project.python("-S", "-c", "import alembic, alembic_upsert_guard")
    assert "No module named 'alembic_upsert_guard'" in imported.err
    for command, output in (("history", "<base> -> r01 (head), r"), ("heads", "r01 (head)")):
        ran = project.python("-S", "-m", "alembic", command)
        assert (ran.code, ran.out.strip()) == (0, output), ran.said
