"""Recorded upserts with an Alembic configuration, whose models have the hint and count as tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import guard

if TYPE_CHECKING:
    from tests.project import Project

MODEL = """
    class Account(Base):
        __tablename__ = "account"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]
"""
TABLE = "CREATE TABLE account (id serial PRIMARY KEY, email varchar NOT NULL)"


@pytest.fixture
def observing(project: Project) -> Project:
    """The project, with a file of one observed upsert."""
    upsert = {
        "schema": None,
        "table": "account",
        "elements": ["email"],
        "where": None,
        "constraint": None,
        "dialect": "postgresql",
        "outcome": "ok",
        "count": 1,
        "places": [{"path": "app/accounts.py", "line": 7, "test": None}],
    }
    document = {"version": 1, "upserts": [upsert], "unread": []}
    (project.path / "observed.json").write_text(json.dumps(document))
    project.models(MODEL)
    return project


def test_the_hint_is_what_the_model_declares(observing: Project) -> None:
    """The table has a model: the line to paste, and the command that migrates the database."""
    observing.sql(TABLE)

    ran = guard(observing, "check", "--observed", "observed.json")

    assert ran.code == 1
    assert (
        "app/accounts.py:7: error[unserved-upsert]: the upsert into account (email) fails"
        in ran.out
    )
    assert 'Add UpsertKey("email") to' in ran.out


def test_a_table_of_the_models_that_is_not_there_is_missing(observing: Project) -> None:
    """No test made it: a migration lacks."""
    ran = guard(observing, "check", "--observed", "observed.json")

    assert ran.code == 1
    assert "missing-table" in ran.out


def test_statistics_of_a_server_without_them_end_with_2(observing: Project) -> None:
    """The embedded server has no such extension: the message says what to install."""
    ran = guard(observing, "check", "--statements")

    assert (ran.code, ran.out) == (2, "")
    assert "pg_stat_statements" in ran.err
    assert "CREATE EXTENSION pg_stat_statements;" in ran.err


def test_statistics_are_postgresqls(sqlite_project: Project) -> None:
    """No other database has them: nothing is checked, and nothing passes."""
    sqlite_project.models(MODEL)

    ran = guard(sqlite_project, "check", "--statements")

    assert ran.code == 2
    assert "pg_stat_statements is PostgreSQL's, and the database is sqlite" in ran.err
