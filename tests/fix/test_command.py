"""``upsert-guard scan --diff`` and ``--fix``, through the real command."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import could_not_run, guard, report
from tests.project import goes_red

if TYPE_CHECKING:
    from tests.project import Project

MODELS = """
    class Account(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str] = mapped_column(unique=True)
        number: Mapped[int]
"""
SERVICE = """
from sqlalchemy.dialects.postgresql import insert
from models import Account

def remember(session):
    session.execute(insert(Account).on_conflict_do_nothing(index_elements=["tenant", "number"]))
    session.execute(insert(Account).on_conflict_do_nothing(index_elements=["email"]))
"""
WRITTEN = '__table_args__ = (UpsertKey("tenant", "number"), UpsertKey("email"))'
TABLE = """
    CREATE TABLE accounts (
        id serial PRIMARY KEY, tenant integer NOT NULL, email varchar NOT NULL UNIQUE, number integer NOT NULL
    )
"""


def with_service(project: Project, service: str = SERVICE) -> Project:
    project.models(MODELS)
    (project.path / "service.py").write_text(service)
    return project


@pytest.fixture
def service(sqlite_project: Project) -> Project:
    """A project with two upserts and no key."""
    return with_service(sqlite_project)


def models_of(project: Project) -> str:
    return (project.path / "models.py").read_text()


def test_three_commands_bring_a_project_under_guard(project: Project) -> None:
    """``scan --fix``; ``alembic check`` goes red; ``alembic revision --autogenerate`` has what makes it green."""
    with_service(project).sql(TABLE)

    assert guard(project, "scan", ".", "--fix").code == 0
    revision = goes_red(project, "accounts")
    project.upgrade()

    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_unique_constraint"]
    assert project.check().code == 0
    assert guard(project, "check", "--strict").code == 0
    project.sql(
        "INSERT INTO accounts VALUES (1, 1, 'x', 7) ON CONFLICT (tenant, number) DO NOTHING"
    )


def test_what_is_written_is_said_and_no_longer_reported(service: Project) -> None:
    """On standard error, a line a class; the report and the exit code are those of the next scan."""
    ran = guard(service, "scan", ".", "--fix")

    line = 1 + models_of(service).splitlines().index(f"    {WRITTEN}")
    assert ran.code == 0
    assert ran.out.endswith("files: nothing to do.\n")
    # one line was added above, for the import
    said = f'{line}: UpsertKey("tenant", "number"), UpsertKey("email") written into class Account'
    assert f"models.py:{said}" in ran.err
    assert report(service, "scan", ".", "--strict").findings == []


def test_a_second_run_changes_nothing(service: Project) -> None:
    """And says nothing of what is written."""
    guard(service, "scan", ".", "--fix")
    models = models_of(service)

    ran = guard(service, "scan", ".", "--fix")

    assert (ran.code, models_of(service)) == (0, models)
    assert "written" not in ran.err


def test_the_json_is_that_of_the_next_scan(service: Project) -> None:
    """But for the lines of files that were written into."""
    fixed = report(service, "scan", ".", "--fix")

    scanned = report(service, "scan", ".")
    assert (fixed.findings, fixed.call_sites) == (scanned.findings, scanned.call_sites)
    assert {site["resolution"] for site in fixed.call_sites or []} == {"declared"}


def test_a_diff_is_what_is_written(service: Project) -> None:
    """Nothing is written by it; ``git apply`` makes of the models what ``--fix`` makes of them."""
    before = models_of(service)
    ran = guard(service, "scan", ".", "--diff")
    assert (ran.code, models_of(service)) == (1, before)
    guard(service, "scan", ".", "--fix")
    fixed = models_of(service)
    (service.path / "models.py").write_text(before)

    subprocess.run(["git", "apply", "-"], input=ran.out, cwd=service.path, text=True, check=True)

    assert models_of(service) == fixed


def test_a_diff_exits_as_the_scan_does(service: Project) -> None:
    """1 where there are errors, 0 where there are warnings; the findings are on standard error."""
    service.edit("service.py", '"tenant", "number"', '"email"')

    ran = guard(service, "scan", ".", "--diff")

    assert ran.code == 0
    assert ran.out.startswith("--- a/models.py\n+++ b/models.py\n@@ ")
    assert "2 upserts in" in ran.err
    assert guard(service, "scan", ".", "--diff", "--strict").code == 1


def test_a_diff_of_nothing_is_empty(service: Project) -> None:
    """Once everything is declared."""
    guard(service, "scan", ".", "--fix")

    ran = guard(service, "scan", ".", "--diff")

    assert (ran.code, ran.out) == (0, "")


def test_models_that_were_not_scanned_are_left(service: Project) -> None:
    """Nobody named their file: the finding has the line to paste, and the reason."""
    before = models_of(service)

    ran = guard(service, "scan", "service.py", "--fix")

    assert (ran.code, models_of(service)) == (1, before)
    hint = (
        'Write declare_upsert_key(Account, "tenant", "number"); declare_upsert_key(Account, "email") below '
        "class Account in models.py; "
    )
    assert hint in ran.out
    assert (
        "--fix leaves that to you: its file is not among those that were scanned: name it as well"
        in ran.out
    )


def test_a_read_only_file_is_left(service: Project) -> None:
    """As its owner wants it, whoever runs the command."""
    before = models_of(service)
    (service.path / "models.py").chmod(0o444)

    ran = guard(service, "scan", ".", "--fix")

    assert (ran.code, models_of(service)) == (1, before)
    assert "--fix leaves that to you: its file is read-only" in ran.out


def test_an_ignored_finding_gets_no_key(service: Project) -> None:
    """Its entry in pyproject.toml gives the reason."""
    (service.path / "pyproject.toml").write_text(
        '[[tool.upsert_guard.ignore]]\ncode = "undeclared-upsert"\ntable = "accounts"\nreason = "not ours"\n'
    )
    before = models_of(service)

    ran = guard(service, "scan", ".", "--fix")

    assert (ran.code, models_of(service)) == (0, before)


def test_primary_keys_are_declared_where_warnings_fail(service: Project) -> None:
    """``--strict`` asks for a scan that finds nothing."""
    (service.path / "service.py").write_text(SERVICE.replace('"email"', '"id"'))
    guard(service, "scan", ".", "--fix")
    assert 'UpsertKey("id")' not in models_of(service)

    assert guard(service, "scan", ".", "--fix", "--strict").code == 0

    assert '__table_args__ = (UpsertKey("tenant", "number"), UpsertKey("id"))' in models_of(service)
    assert guard(service, "scan", ".", "--strict").code == 0


def test_named_models(service: Project) -> None:
    """--metadata: env.py is not run."""
    (service.path / "migrations" / "env.py").unlink()

    assert guard(service, "scan", ".", "--metadata", "models:Base", "--fix").code == 0

    assert WRITTEN in models_of(service)


def test_either_or(service: Project) -> None:
    """--diff writes nothing."""
    ran = guard(service, "scan", ".", "--diff", "--fix")

    assert ran.code == 2
    assert "not allowed with argument" in ran.err


def test_a_diff_is_no_json(service: Project) -> None:
    """Standard output is one thing."""
    said = could_not_run(service, "scan", ".", "--diff", "--format", "json")

    assert said == "--diff prints a diff: leave out --format"


def test_without_the_parsers(service: Project) -> None:
    """Exit 2, and what to install."""
    (service.path / "postgast.py").write_text("raise ModuleNotFoundError(name='postgast')\n")

    said = could_not_run(service, "scan", "service.py", "--fix", forked=False)

    assert said.endswith("pip install 'alembic-upsert-guard[scan]'")


def test_a_diff_keeps_the_encoding(service: Project) -> None:
    """Its lines are the file's bytes."""
    service.edit("models.py", '"accounts"', '"accounts"  # größe')
    models = "# coding: latin-1\n" + models_of(service)
    (service.path / "models.py").write_bytes(models.encode("latin-1"))

    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "alembic_upsert_guard.cli",
            "scan",
            ".",
            "--metadata",
            "models:Base",
            "--diff",
        ],
        cwd=service.path,
        capture_output=True,
        check=False,
    )

    assert ran.returncode == 1
    assert "größe".encode("latin-1") in ran.stdout


def test_without_models(service: Project) -> None:
    """A project whose models nobody named: exit 2, and how to name them."""
    (service.path / "alembic.ini").unlink()

    said = could_not_run(service, "scan", ".", "--fix")

    assert "--metadata module:attribute" in said
