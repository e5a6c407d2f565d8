"""The deploy window: what the code before and after a deploy does on each schema that an upgrade goes through."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic import command

from alembic_upsert_guard import UpsertKey, UpsertKeyViolation

from .changes import CHANGES, TABLE, metadata
from .play import Mode, Project, play
from .table import expected_rows, shortcomings

if TYPE_CHECKING:
    from tests.mysql.servers import MySQLServer

    from .changes import Change

BY_NAME = {change.name: change for change in CHANGES}
ON_POSTGRESQL = [
    ("changed, one name", True, False),
    ("changed, one name", True, True),
    ("changed, indexes of one name", False, False),
    ("constraint to index", True, False),
    ("made immediate", True, True),
    ("made partial", True, False),
    ("narrowed", False, True),
]


def plays_well(change: Change, mode: Mode, folder: Path) -> None:
    """Only what cannot work fails, and it has been named."""
    assert shortcomings(change, mode, play(change, mode, folder)) == []


@pytest.mark.parametrize(("name", "autocommit", "concurrently"), ON_POSTGRESQL)
def test_on_postgresql(
    url: str, tmp_path: Path, name: str, *, autocommit: bool, concurrently: bool
) -> None:
    """Some of the kinds of change; `python -m tests.deploy_window` plays all of them in all ways."""
    mode = Mode(url=url, autocommit=autocommit, concurrently=concurrently)
    plays_well(BY_NAME[name], mode, tmp_path)


@pytest.mark.parametrize("change", [c for c in CHANGES if "sqlite" in c.only], ids=lambda c: c.name)
def test_on_sqlite(tmp_path: Path, change: Change) -> None:
    """Every kind of change, in a batch block."""
    plays_well(change, Mode(url=f"sqlite:///{tmp_path / 'db'}"), tmp_path)


def test_each_statement_a_transaction_on_sqlite(tmp_path: Path) -> None:
    """The upgrade goes through all the same."""
    mode = Mode(url=f"sqlite:///{tmp_path / 'db'}", autocommit=True)
    plays_well(BY_NAME["changed, one name"], mode, tmp_path)


@pytest.mark.slow  # another server
@pytest.mark.parametrize("name", ["changed, one name", "widened", "narrowed"])
def test_on_mariadb(mariadb_server: MySQLServer, tmp_path: Path, name: str) -> None:
    """Where each statement commits, and an upsert takes any unique key."""
    mode = Mode(url=mariadb_server.database("guard_deploys"))
    plays_well(BY_NAME[name], mode, tmp_path)


def test_a_refusal_under_autocommit_has_changed_nothing(url: str, tmp_path: Path) -> None:
    """All checks come first: of two new keys none is there, the old one is, and the upgrade is run again."""
    project = Project(tmp_path, Mode(url=url, autocommit=True))
    before, after = (
        metadata(lambda: [UpsertKey("a", "b")]),
        metadata(lambda: [UpsertKey("a", "c"), UpsertKey("b", "c")]),
    )
    table = before.tables[TABLE]
    before.create_all(project.engine)
    with project.engine.begin() as connection:
        connection.execute(table.insert(), [{"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 1, "c": 1}])
    was = project.uniques()
    project.run(command.revision, after, "r", autogenerate=True)
    with pytest.raises(UpsertKeyViolation, match=r"\(b, c\)"):
        project.run(command.upgrade, after, "head")
    assert project.uniques() == was
    with project.engine.begin() as connection:
        connection.execute(table.delete().where(table.c.a == 2))
    project.run(command.upgrade, after, "head")
    project.run(command.check, after)


def test_the_page_has_the_table() -> None:
    """docs/deploys.md shows what these tests hold."""
    page = (Path(__file__).parents[2] / "docs" / "deploys.md").read_text()
    assert [line for change in CHANGES for line in expected_rows(change) if line not in page] == []


def test_all_in_one_revision(tmp_path: Path) -> None:
    """``upsert_guard_contract="same"``: the drop is in the revision of the rest, last."""
    mode = Mode(url=f"sqlite:///{tmp_path / 'db'}", contract="same")
    played = play(BY_NAME["changed"], mode, tmp_path)
    assert {schema for _, schema in played.outcomes} == {"before", "after"}
    assert played.broken == []
