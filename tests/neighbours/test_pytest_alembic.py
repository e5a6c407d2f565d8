"""pytest-alembic: its built-in tests, run by a pytest of its own, hold the models against our revisions."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.neighbours.installed import needs
from tests.shapes.keys import ACCOUNTS, WITHOUT_A_KEY

if TYPE_CHECKING:
    from tests.project import Project, Ran

needs("pytest-alembic")

TESTS = """
from pytest_alembic.tests import (
    test_model_definitions_match_ddl,
    test_single_head_revision,
    test_up_down_consistency,
    test_upgrade,
)
"""
CONFTEST = """
import os

import pytest
from sqlalchemy import create_engine

@pytest.fixture
def alembic_config():
    return {"file": "alembic.ini"}

@pytest.fixture
def alembic_engine():
    return create_engine(os.environ["PROJECT_URL"])
"""


def run_pytest(project: Project, *arguments: str) -> Ran:
    return project.python("-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments)


def with_two_revisions(project: Project) -> None:
    """A table, then its key; the database is left empty, as pytest-alembic wants it."""
    project.models(WITHOUT_A_KEY)
    project.revise()
    project.upgrade()
    project.models(ACCOUNTS)
    project.revise()
    project.sql("DROP TABLE accounts, alembic_version")
    engine = "create_engine(url, poolclass=pool.NullPool)"
    given = f'(context.config.attributes.get("connection") or {engine})'
    project.edit("migrations/env.py", engine, given)
    (project.path / "pytest.ini").write_text("[pytest]\n")
    (project.path / "test_migrations.py").write_text(TESTS)
    (project.path / "conftest.py").write_text(CONFTEST)


def test_its_tests_pass(project: Project) -> None:
    """Up, down and up again, one head, and models that match."""
    with_two_revisions(project)

    ran = run_pytest(project)
    assert ran.code == 0, ran.said
    assert "4 passed" in ran.out


def test_a_key_without_a_revision_fails_them(project: Project) -> None:
    """Its test of the models prints our operation beside Alembic's."""
    with_two_revisions(project)
    (project.path / "migrations" / "versions" / "r02_r.py").unlink()

    ran = run_pytest(project)
    assert ran.code == 1
    assert "1 failed, 3 passed" in ran.out
    assert "op.validate_upsert_key('accounts', ['tenant', 'email'])" in ran.out


def test_its_own_collection(project: Project) -> None:
    """``--test-alembic`` without a line of tests, on a pytest that it can collect with."""
    if tuple(map(int, version("pytest").split(".")[:2])) >= (9, 2):
        pytest.skip("pytest 9.2 has no Node._nodeid, which pytest-alembic 0.13.1 assigns to")
    with_two_revisions(project)
    (project.path / "test_migrations.py").unlink()

    ran = run_pytest(project, "--test-alembic", "--alembic-tests-path", "conftest.py")
    assert ran.code == 0, ran.said
    assert "4 passed" in ran.out
