"""``declared_upsert_keys`` tells what was declared, in plain values."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, column, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from alembic_upsert_guard import DeclaredUpsertKey, UpsertKey, declared_upsert_keys
from alembic_upsert_guard.declaration import declarations_of
from tests.declaring.tables import accounts


def test_every_part_of_a_key_is_told() -> None:
    """Schema, table, elements, predicate, NULL mode and stated name."""
    table = accounts(
        UpsertKey("tenant", "email", where=text("active"), nulls="forbid", name="mine"),
        schema="crm",
    )

    assert declared_upsert_keys(table) == (
        DeclaredUpsertKey(
            schema="crm",
            table="accounts",
            elements=("tenant", "email"),
            where="active",
            nulls="forbid",
            name="mine",
        ),
    )


def test_what_is_not_stated_is_none_or_the_default() -> None:
    """The name that an arbiter got without being asked is none of the key's."""
    assert declared_upsert_keys(accounts(UpsertKey("email"))) == (
        DeclaredUpsertKey(None, "accounts", ("email",), None, "warn", None),
    )


def test_a_key_has_these_fields_and_no_others() -> None:
    """Scripts may rely on them."""
    assert [field.name for field in fields(DeclaredUpsertKey)] == [
        "schema",
        "table",
        "elements",
        "where",
        "nulls",
        "name",
    ]


def test_a_key_is_a_value() -> None:
    """Equal where its parts are, usable in a set, and not to be changed."""
    (one,) = declared_upsert_keys(accounts(UpsertKey("email")))
    (other,) = declared_upsert_keys(accounts(UpsertKey("email")))

    assert {one, other} == {one}
    with pytest.raises(FrozenInstanceError):
        one.nulls = "forbid"  # type: ignore[misc]


def test_elements_are_told_in_declared_order() -> None:
    """Columns by their bare names, expressions as SQL."""
    table = accounts(UpsertKey("tenant", func.lower(column("email")), "id"))

    (key,) = declared_upsert_keys(table)
    assert key.elements == ("tenant", "lower(email)", "id")


def test_columns_are_told_unquoted_and_expressions_as_sql() -> None:
    """A name is a name; SQL is SQL."""
    table = Table(
        "Order",
        MetaData(),
        Column("select", Integer),
        UpsertKey("select"),
        UpsertKey(func.abs(column("select"))),
    )

    assert [key.elements for key in declared_upsert_keys(table)] == [
        ('abs("select")',),
        ("select",),
    ]


def test_keys_are_sorted_whatever_the_order_of_their_declaration() -> None:
    """By schema (none first), table, elements, predicate (none first)."""
    metadata = MetaData()
    accounts(UpsertKey("email"), metadata=metadata, schema="crm")
    Table("b", metadata, Column("x", Integer), UpsertKey("x"))
    accounts(
        UpsertKey("tenant"),
        UpsertKey("email", "tenant"),
        UpsertKey("email", where=text("visits > 1")),
        UpsertKey("email", where=text("active")),
        UpsertKey("email"),
        metadata=metadata,
    )

    assert [
        (key.schema, key.table, key.elements, key.where) for key in declared_upsert_keys(metadata)
    ] == [
        (None, "accounts", ("email",), None),
        (None, "accounts", ("email",), "active"),
        (None, "accounts", ("email",), "visits > 1"),
        (None, "accounts", ("email", "tenant"), None),
        (None, "accounts", ("tenant",), None),
        (None, "b", ("x",), None),
        ("crm", "accounts", ("email",), None),
    ]


def test_metadata_table_and_class_tell_the_same() -> None:
    """Whichever of them is at hand."""

    class Base(DeclarativeBase):
        pass

    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("email"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

    told = declared_upsert_keys(Account)
    assert told == declared_upsert_keys(Account.__table__) == declared_upsert_keys(Base.metadata)
    assert len(told) == 1


def test_where_nothing_is_declared_nothing_is_told() -> None:
    """A table without keys has none, however unique it is."""
    table = Table("a", MetaData(), Column("x", Integer, unique=True))

    assert declared_upsert_keys(table) == declared_upsert_keys(table.metadata) == ()


def test_nothing_is_kept_in_info() -> None:
    """Alembic writes ``Table.info`` into revisions."""
    table = accounts(
        UpsertKey("email"),
        UpsertKey("id"),
        UpsertKey("email", where=text("active")),
        UpsertKey(text("lower(email)")),
        info={"theirs": 1},
    )

    assert table.info == {"theirs": 1}
    assert table.metadata.info == {}
    assert all(not item.info for item in (*table.columns, *table.constraints, *table.indexes))


def test_a_key_prints_as_it_was_written() -> None:
    """A table's repr is read by people."""
    assert repr(UpsertKey("tenant", "email")) == "UpsertKey('tenant', 'email')"


@pytest.mark.parametrize(
    ("where", "nullable"),
    [
        (column("phone").is_not(None), []),
        (text("phone IS NOT NULL"), []),
        (text("phone  is not null"), []),
        (column("phone").is_not(None) & (column("visits") > 0), []),
        (column("phone").is_not(None) | (column("visits") > 0), ["phone"]),
        (column("phone").is_(None), ["phone"]),
        (column("email").is_not(None), ["phone"]),
        (text("visits > 0"), ["phone"]),
        (None, ["phone"]),
    ],
)
def test_a_predicate_that_excludes_null(where: Any, nullable: list[str]) -> None:
    """In the rows that the key is about no such column is NULL; whatever is not stated so is not excluded."""
    table = accounts(UpsertKey("phone", where=where))
    (declaration,) = declarations_of(table)
    assert declaration.nullable_columns(table) == nullable
