"""Which database it is, is asked in one module; what differs between databases is a fact of its record."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

import alembic_upsert_guard
from alembic_upsert_guard.catalog import TableName, catalog_for
from alembic_upsert_guard.catalog.script import script_verification
from alembic_upsert_guard.databases import (
    DATABASES,
    POSTGRESQL,
    database_named,
)
from alembic_upsert_guard.inference import (
    Candidate,
    ConflictTarget,
    Element,
    State,
    Traits,
    judge,
)
from alembic_upsert_guard.rows import RowsOfKey, can_deduplicate, script_check

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = Path(alembic_upsert_guard.__file__).parent
_NAMES = frozenset(DATABASES)


def _asks_for_a_name(tree: ast.AST) -> Iterator[int]:
    """The lines that read a dialect's name, or have the name of one as a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "name":
            owner = node.value
            called = getattr(owner, "attr", getattr(owner, "id", ""))
            if "dialect" in called:
                yield node.lineno
        elif isinstance(node, ast.Constant) and node.value in _NAMES:
            yield node.lineno


def test_no_other_module_asks_for_the_name_of_a_dialect() -> None:
    """Nothing reads ``dialect.name``, and no string of the package is the name of one."""
    asking = [
        f"{path.relative_to(_PACKAGE)}:{line}"
        for path in sorted(_PACKAGE.rglob("*.py"))
        if path != _PACKAGE / "databases.py"
        for line in _asks_for_a_name(ast.parse(path.read_text()))
    ]
    assert asking == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("if context.dialect.name: ...", [1]),
        ("x = dialect.name", [1]),
        ("x = self._dialect.name", [1]),
        ("if kind == 'sqlite': ...", [1]),
        ("x = database.name", []),
        ("x = 'PostgreSQL'", []),
    ],
)
def test_what_counts_as_asking(source: str, lines: list[int]) -> None:
    """A dialect's name is found by attribute and by string; a record's name is for messages."""
    assert list(_asks_for_a_name(ast.parse(source))) == lines


def test_an_unknown_database_is_not_taken_for_another() -> None:
    """A database without a record is not judged, and no script or deduplication of another one is run on it."""
    dialect = make_url("oracle+oracledb://").get_dialect()()
    table, target = TableName(None, "t"), ConflictTarget((Element("a"),))
    assert catalog_for(dialect) is None
    assert script_verification(dialect, table, target) is None
    assert script_check(dialect, RowsOfKey(table=table, target=target, nulls="warn"), "") is None
    assert not can_deduplicate(dialect)


def test_a_known_database_has_its_record() -> None:
    """A dialect leads to the record of its name, which the catalog is found by."""
    assert database_named("postgresql") is POSTGRESQL
    assert all(catalog_for(SimpleNamespace(name=name)) for name in DATABASES)  # type: ignore[arg-type]


def test_nothing_is_proved_for_an_unknown_database() -> None:
    """Equal text proves an arbiter only where a record says so; columns without SQL need no proof."""
    unknown = Traits(database=database_named("oracle"))
    target = ConflictTarget((Element(expression="lower(email)"),))
    offered = [Candidate(name="uq", elements=target.elements)]
    assert judge(target, offered, unknown).state is State.UNKNOWN
    assert (
        judge(target, offered, Traits(database=database_named("sqlite"))).state is State.SATISFIED
    )
