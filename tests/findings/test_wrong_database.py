"""A database that holds none of the keys' tables is most likely another one than was meant: one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, Integer, MetaData, Table, create_engine

from alembic_upsert_guard import UpsertKey, check_keys
from alembic_upsert_guard.findings import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic_upsert_guard import Finding


def checked(*there: str) -> Sequence[Finding]:
    """What is found of three tables where those `there` are in the database."""
    metadata = MetaData()
    for name in ("a", "b", "c"):
        Table(
            name,
            metadata,
            Column("id", Integer, primary_key=True),
            Column("k", Integer),
            UpsertKey("id"),
        )
    with create_engine("sqlite://").connect() as connection:
        for name in there:
            metadata.tables[name].create(connection)
        return check_keys(connection, metadata)


def test_a_database_without_any_of_the_tables_is_one_line() -> None:
    """A program that reads the findings gets each key."""
    findings = checked()

    assert [(str(each.code), each.table) for each in findings] == [
        ("missing-table", name) for name in ("a", "b", "c")
    ]
    assert as_text(findings, coloured=False) == [
        (
            "missing-table  3 upsert keys: none of the 3 tables is in the database. Look whether this is the database that "
            "is meant, or run alembic upgrade head"
        )
    ]


def test_tables_beside_others_are_missing_one_by_one() -> None:
    """The twin: one of the three is there."""
    assert [line.partition(":")[0] for line in as_text(checked("a"), coloured=False)] == [
        "missing-table  upsert key b (id)",
        "missing-table  upsert key c (id)",
    ]
