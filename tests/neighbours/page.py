"""The table of ``docs/neighbours.md``: a row a neighbour, made from what ran."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[2] / "docs" / "neighbours.md"


@dataclass(frozen=True)
class Neighbour:
    """One distribution, and what a user has to know of it beside ours."""

    distribution: str
    module: str
    entry: str
    """How its tests drive it: its own command or hook."""
    note: str = ""
    """What does not work and whose it is, with the thread; empty: everything does."""


NEIGHBOURS = (
    Neighbour("alembic-utils", "test_alembic_utils.py", "`register_entities([...])`"),
    Neighbour(
        "alembic-postgresql-enum",
        "test_alembic_postgresql_enum.py",
        "`import alembic_postgresql_enum` in env.py",
        "`downgrade()` of an enum value fails where the predicate of an index compares the column, with our plugin "
        "or without ([#103](https://github.com/Pogchamp-company/alembic-postgresql-enum/issues/103), "
        "[#134](https://github.com/Pogchamp-company/alembic-postgresql-enum/issues/134)). A partial key on a value "
        "that is new takes two revisions: PostgreSQL lets no statement use it before the transaction that adds it has "
        "committed",
    ),
    Neighbour(
        "sqlalchemy-declarative-extensions",
        "test_declarative_extensions.py",
        "`register_alembic_events()`, `declare_database()`",
        "beside alembic-utils, leave functions and views to one of the two: either drops what the other made",
    ),
    Neighbour(
        "pytest-alembic",
        "test_pytest_alembic.py",
        "its four built-in tests, imported from `pytest_alembic.tests`",
        "0.13.1 on pytest 9.2: its own collection (`--test-alembic`) raises `AttributeError: _nodeid`, and takes any "
        "`tests/conftest.py` along; `-p no:pytest_alembic` keeps it out of a suite that does not use it. No thread was "
        "found upstream",
    ),
    Neighbour(
        "Flask-Migrate",
        "test_flask_migrate.py",
        "`flask db init`, `check`, `migrate`, `upgrade`, `downgrade`",
    ),
    Neighbour(
        "GeoAlchemy2",
        "test_geoalchemy2.py",
        "`include_object`, `process_revision_directives=writer`, `render_item`",
        "without PostGIS: a table with a geometry is written and not run",
    ),
    Neighbour(
        "sqlmodel", "test_sqlmodel.py", "`SQLModel.metadata`, `import sqlmodel` in script.py.mako"
    ),
    Neighbour(
        "advanced-alchemy",
        "test_advanced_alchemy.py",
        "`alchemy init`, `make-migrations`, `check`, `upgrade`, `downgrade`; `upsert_many(match_fields=...)`",
        "its template runs each revision in AUTOCOMMIT: what stands above a check that refuses stays done, and the "
        "refusal says so",
    ),
    Neighbour(
        "SQLAlchemy-Continuum",
        "test_sqlalchemy_continuum.py",
        "`make_versioned()`, `configure_mappers()`",
    ),
)


def row(neighbour: Neighbour, version: str, passed: int) -> str:
    """Return the row of one neighbour."""
    tests = f"{passed} passed"
    cells = (
        neighbour.distribution,
        version,
        neighbour.entry,
        tests,
        neighbour.note or "none known",
    )
    return f"| {' | '.join(cells)} |"


def with_rows(page: str, rows: Sequence[str]) -> str:
    """Return the page with `rows` in the place of those that it has."""
    head, table, tail = re.split(
        r"(?<=\n\|---\|---\|---\|---\|---\|\n)((?:\|.*\n)*)", page, maxsplit=1
    )
    del table
    return head + "".join(f"{each}\n" for each in rows) + tail


def with_hosts(page: str, hosts: Sequence[str]) -> str:
    """Return the page with `hosts`, by name and version, as what it was run with."""
    *most, last = hosts
    sentence = f"Run with {', '.join(most)} and {last}."
    return re.sub(r"^Run with .*$", sentence, page, count=1, flags=re.MULTILINE)
