"""A database that holds none of the keys' tables is most likely another one than was meant: one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, Integer, MetaData, Table, create_engine

from alembic_upsert_guard import UpsertKey, check_keys
from alembic_upsert_guard.findings import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic_upsert_guard import Finding

NAMES = ("a", "b", "c", "d", "e")
WAY_OUT = "Look whether this is the database that is meant, or run alembic upgrade head"


def checked(*there: str) -> Sequence[Finding]:
    """What is found of five tables where those `there` are in the database."""
    metadata = MetaData()
    for name in NAMES:
        id_column = Column("id", Integer, primary_key=True)
        Table(name, metadata, id_column, Column("k", Integer), UpsertKey("id"))
    with create_engine("sqlite://").connect() as connection:
        for name in there:
            metadata.tables[name].create(connection)
        return check_keys(connection, metadata)


def test_a_database_without_any_of_the_tables_is_one_line() -> None:
    """A program that reads the findings gets each key."""
    findings = checked()

    assert [(str(each.code), each.table) for each in findings] == [
        ("missing-table", name) for name in NAMES
    ]
    assert as_text(findings, coloured=False) == [
        "error[missing-table]: 5 upsert keys: none of the 5 tables is in the database",
        f"  help: {WAY_OUT}",
    ]


def test_tables_beside_others_are_missing_one_by_one() -> None:
    """The twin: one of them is there."""
    lines = as_text(checked("a"), coloured=False)

    assert [line.partition("]: ")[2] for line in lines if "missing-table" in line] == [
        f"upsert key {name} (id): the table is not in the database" for name in NAMES[1:]
    ]
