"""``upsert_guard_observed`` in ``context.configure()``: upserts that no model declares count where an arbiter goes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.project import Project

TABLE = "CREATE TABLE accounts (id serial PRIMARY KEY, email text NOT NULL, kind text NOT NULL)"
UNIQUE = "ALTER TABLE accounts ADD CONSTRAINT uq_email UNIQUE (email)"
MODEL = """
    class Account(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(Text)
        kind: Mapped[str] = mapped_column(Text)
"""


def observe(project: Project, **members: Any) -> None:
    """Let env.py name a file of one observed upsert."""
    upsert = {
        "schema": None,
        "table": "accounts",
        "elements": ["email"],
        "where": None,
        "constraint": None,
        "dialect": "postgresql",
        "outcome": "ok",
        "count": 1,
        "places": [{"path": "app/accounts.py", "line": 7, "test": None}],
        **members,
    }
    path = project.path / "observed.json"
    path.write_text(json.dumps({"version": 1, "upserts": [upsert], "unread": []}))
    project.configure(upsert_guard_observed=repr(str(path)))


def test_a_drop_names_the_line_that_upserts_on_it(project: Project) -> None:
    """No model declares a key: the warning and the comment above the drop are from what a test ran."""
    project.sql(TABLE, UNIQUE)
    project.models(MODEL)
    observe(project)

    revision = project.revise()

    (warning,) = [line for line in revision.ran.err.splitlines() if "arbiter-removed" in line]
    assert "accounts (email) loses its last arbiter, uq_email" in warning
    assert "app/accounts.py:7" in warning
    *_, comment, drop = revision.lines("upgrade")
    assert comment == "# Tests ran them at app/accounts.py:7."
    assert drop.startswith("op.drop_constraint")


@pytest.mark.parametrize("members", [{"elements": ["kind"]}, {"table": "users"}])
def test_another_upsert_is_no_reason_to_warn(project: Project, members: dict[str, Any]) -> None:
    """The twin: it never had this arbiter."""
    project.sql(TABLE, UNIQUE)
    project.models(MODEL)
    observe(project, **members)

    revision = project.revise()

    assert revision.calls("upgrade") == ["op.drop_constraint"]
    assert "arbiter-removed" not in revision.ran.err


def test_an_upsert_by_a_constraint_loses_it_by_name(project: Project) -> None:
    """Another arbiter on the same elements does not help it."""
    project.sql(TABLE, UNIQUE, "CREATE UNIQUE INDEX ux_email ON accounts (email)")
    project.models(MODEL + "        __table_args__ = (Index('ux_email', 'email', unique=True),)\n")
    observe(project, elements=[], constraint="uq_email")

    assert "app/accounts.py:7" in project.revise().ran.err


def test_an_arbiter_that_is_left_serves_the_upsert(project: Project) -> None:
    """The twin: it names the elements, and an index on these stays."""
    project.sql(TABLE, UNIQUE, "CREATE UNIQUE INDEX ux_email ON accounts (email)")
    project.models(MODEL + "        __table_args__ = (Index('ux_email', 'email', unique=True),)\n")
    observe(project)

    assert "arbiter-removed" not in project.revise().ran.err


def test_a_file_that_is_not_there_is_an_error(project: Project) -> None:
    """No record is no reason to be silent: the message names the option and the file."""
    project.models(MODEL)
    project.configure(upsert_guard_observed="'absent.json'")

    ran = project.check()

    assert ran.code != 0
    assert "upsert_guard_observed: absent.json cannot be read" in ran.out + ran.err


def test_nothing_changes_where_nothing_is_dropped(project: Project) -> None:
    """A table with observed upserts and no key is compared as without the option."""
    project.sql(TABLE, UNIQUE)
    project.models(
        MODEL + "        __table_args__ = (UniqueConstraint('email', name='uq_email'),)\n"
    )
    observe(project)

    assert project.check().code == 0
    assert project.revise().is_empty
