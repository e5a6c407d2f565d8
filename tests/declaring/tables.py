"""A table to declare keys on, and what a declaration made of it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Enum,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from alembic_upsert_guard import declared_upsert_keys

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem

POSTGRESQL = postgresql.dialect()

CONSTRAINTS_CARRY = pytest.mark.skipif(
    tuple(map(int, sqlalchemy.__version__.split(".")[:3])) < (2, 0, 41),
    reason="SQLAlchemy 2.0.41 brought INCLUDE in constraints",
)


class Tier(enum.Enum):
    """A value that needs its type to be written as SQL."""

    FREE = 1
    PAID = 2


def accounts(*items: SchemaItem, metadata: MetaData | None = None, **options: Any) -> Table:
    """The table of most tests, with `items` after its columns."""
    return Table(
        "accounts",
        MetaData() if metadata is None else metadata,
        Column("id", Integer, primary_key=True),
        Column("tenant", Integer, nullable=False),
        Column("email", String, nullable=False),
        Column("phone", String),
        Column("status", String, nullable=False, server_default="open"),
        Column("active", Boolean),
        Column("tier", Enum(Tier)),
        Column("closed_at", DateTime),
        Column("document", JSON),
        Column("visits", Integer, nullable=False, server_default="1"),
        *items,
        **options,
    )


def uniques(table: Any) -> list[str]:
    """Everything that the table declares as unique beside its primary key, as PostgreSQL is told of it."""
    table = getattr(table, "__table__", table)
    return sorted(
        [_constraint_sql(c) for c in table.constraints if isinstance(c, UniqueConstraint)]
        + [_index_sql(index) for index in table.indexes if index.unique]
    )


def names(table: Table) -> list[str]:
    """The names of what :func:`uniques` lists, as the database gets to see them."""
    # CONSTRAINT name UNIQUE ..., CREATE UNIQUE INDEX name ON ...
    words = [sql.removeprefix("CREATE UNIQUE ").split()[1] for sql in uniques(table)]
    return [word.strip('"') for word in words]


def keys(declared_on: Any) -> list[tuple[tuple[str, ...], str | None]]:
    """Elements and predicate of every declared key."""
    return [(key.elements, key.where) for key in declared_upsert_keys(declared_on)]


def _constraint_sql(constraint: UniqueConstraint) -> str:
    return str(POSTGRESQL.ddl_compiler(POSTGRESQL, None).process(constraint)).strip()


def _index_sql(index: Index) -> str:
    return str(CreateIndex(index).compile(dialect=POSTGRESQL))
