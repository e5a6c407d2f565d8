"""``Table.to_metadata()`` takes every kind of key along, and the copy is a table of its own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    column,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.dialects.sqlite import insert

from alembic_upsert_guard import (
    UpsertKey,
    conflict_target,
    declare_upsert_key,
    declared_upsert_keys,
)
from alembic_upsert_guard.declaration import declarations_of
from tests.declaring.tables import accounts, keys, uniques

KINDS: dict[str, Any] = {
    "plain": lambda: accounts(UpsertKey("email")),
    "as index": lambda: accounts(UpsertKey("email", as_index=True)),
    "partial": lambda: accounts(UpsertKey("email", where=column("status") == "open")),
    "partial with a list": lambda: accounts(
        UpsertKey("email", where=column("status").in_(["open", "new"]))
    ),
    "expression": lambda: accounts(UpsertKey(func.lower(column("email")), "tenant")),
    "text": lambda: accounts(UpsertKey(text("lower(email)"), where=text("visits > 0"))),
    "null mode": lambda: accounts(UpsertKey("phone", nulls="not_distinct")),
    "named": lambda: accounts(UpsertKey("email", name="mine")),
    "on the primary key": lambda: accounts(UpsertKey("id")),
    "on a constraint": lambda: accounts(UniqueConstraint("email", name="mine"), UpsertKey("email")),
    "on an index": lambda: accounts(UpsertKey("email"), Index("mine", "email", unique=True)),
    "on a partial index": lambda: accounts(
        Index("mine", "email", unique=True, postgresql_where=text("visits > 0")),
        UpsertKey("email", where=text("visits > 0")),
    ),
    "on an expression index": lambda: accounts(
        Index("mine", text("lower(email)"), unique=True), UpsertKey(text("lower(email)"))
    ),
    "on a unique column": lambda: Table(
        "accounts", MetaData(), Column("email", String, unique=True), UpsertKey("email")
    ),
    "on a unique and indexed column": lambda: Table(
        "accounts",
        MetaData(),
        Column("email", String, unique=True, index=True),
        UpsertKey("email"),
    ),
    "several": lambda: accounts(
        UpsertKey("tenant", "email"), UpsertKey("email", where=text("visits > 0")), UpsertKey("id")
    ),
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


@EVERY_KIND
def test_a_copy_has_the_keys(kind: str) -> None:
    """Elements, predicate, NULL mode and name are those of the original."""
    original = KINDS[kind]()

    copy = original.to_metadata(MetaData())

    assert declared_upsert_keys(copy) == declared_upsert_keys(original) != ()


@EVERY_KIND
def test_a_copy_has_one_arbiter_for_each_key(kind: str) -> None:
    """Its own, and no more than the original has."""
    original = KINDS[kind]()

    copy = original.to_metadata(MetaData())

    assert uniques(copy) == uniques(original)
    for declaration in declarations_of(copy):
        arbiter = declaration.arbiter(copy)
        assert arbiter.table is copy
        assert arbiter.name == declaration.arbiter(original).name


@EVERY_KIND
def test_a_copy_of_a_copy_has_the_keys(kind: str) -> None:
    """Nothing wears out."""
    original = KINDS[kind]()

    copy = original.to_metadata(MetaData()).to_metadata(MetaData())

    assert declared_upsert_keys(copy) == declared_upsert_keys(original)
    assert uniques(copy) == uniques(original)


@EVERY_KIND
def test_a_copy_into_a_schema_says_so(kind: str) -> None:
    """A table per tenant: the key is in the copy's schema, everything else stays."""
    original = KINDS[kind]()

    copy = original.to_metadata(MetaData(), schema="tenant_1")

    assert [key.schema for key in declared_upsert_keys(copy)] == ["tenant_1"] * len(keys(original))
    assert keys(copy) == keys(original)
    # SQLAlchemy names the index of a column anew: ix_tenant_1_accounts_email
    in_no_schema = [sql.replace("tenant_1.", "").replace("tenant_1_", "") for sql in uniques(copy)]
    assert in_no_schema == uniques(original)


@EVERY_KIND
def test_a_copy_under_another_name_says_so(kind: str) -> None:
    """The key is of the table that it stands on."""
    original = KINDS[kind]()

    copy = original.to_metadata(MetaData(), name="contacts")

    assert {key.table for key in declared_upsert_keys(copy)} == {"contacts"}
    assert keys(copy) == keys(original)


def test_a_naming_convention_survives_the_copy() -> None:
    """The copy's constraint bears the original's name, though its metadata has no convention."""
    metadata = MetaData(naming_convention={"uq": "k_%(table_name)s_%(column_0_N_name)s"})
    original = accounts(UpsertKey("email"), metadata=metadata)

    assert uniques(original.to_metadata(MetaData())) == [
        "CONSTRAINT k_accounts_email UNIQUE (email)"
    ]


def test_a_key_of_the_copy_is_not_one_of_the_original() -> None:
    """What is declared later stays where it is declared."""
    original = accounts(UpsertKey("email"))
    copy = original.to_metadata(MetaData())

    declare_upsert_key(copy, "phone")

    assert keys(original) == [(("email",), None)]
    assert keys(copy) == [(("email",), None), (("phone",), None)]


def test_a_key_of_the_original_is_not_one_of_an_earlier_copy() -> None:
    """A copy is a copy of what was there."""
    original = accounts(UpsertKey("email"))
    copy = original.to_metadata(MetaData())

    declare_upsert_key(original, "phone")

    assert keys(copy) == [(("email",), None)]


@pytest.mark.parametrize(
    ("kind", "arbiter", "left"),
    [
        (
            "plain",
            lambda copy: copy.append_constraint(UniqueConstraint("email", name="late")),
            ["CONSTRAINT late UNIQUE (email)"],
        ),
        (
            "as index",
            lambda copy: Index("late", copy.c.email, unique=True),
            ["CREATE UNIQUE INDEX late ON accounts (email)"],
        ),
        (
            "partial",
            lambda copy: Index(
                "late", copy.c.email, unique=True, postgresql_where=copy.c.status == "open"
            ),
            ["CREATE UNIQUE INDEX late ON accounts (email) WHERE status = 'open'"],
        ),
        (
            "expression",
            lambda copy: Index("late", func.lower(copy.c.email), copy.c.tenant, unique=True),
            ["CREATE UNIQUE INDEX late ON accounts (lower(email), tenant)"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_later_arbiter_takes_over_on_the_copy_alone(
    kind: str, arbiter: Any, left: list[str]
) -> None:
    """The copy owns nothing twice either, and the original is not touched."""
    original = KINDS[kind]()
    before = uniques(original)
    copy = original.to_metadata(MetaData())

    arbiter(copy)

    assert uniques(copy) == left
    assert uniques(original) == before


@pytest.mark.parametrize("schema", [None, "main"])
@pytest.mark.parametrize("kind", ["plain", "partial", "expression", "text", "on a partial index"])
def test_a_copy_can_be_upserted_on(kind: str, schema: str | None) -> None:
    """The conflict target of the copy is executed against the copy."""
    copy = KINDS[kind]().to_metadata(MetaData(), schema=schema)
    engine = create_engine("sqlite://")
    copy.metadata.create_all(engine)
    upsert = (
        insert(copy)
        .values(tenant=1, email="a")
        .on_conflict_do_update(**conflict_target(copy), set_={"visits": copy.c.visits + 1})
    )

    with engine.begin() as connection:
        for _ in range(3):
            connection.execute(upsert)
        visits = connection.execute(select(copy.c.visits)).all()
    engine.dispose()

    assert visits == [(3,)]


def test_the_conflict_target_of_a_copy_takes_its_own_columns() -> None:
    """A column of the original is one of another table where the schema differs."""
    original = Table("accounts", MetaData(), Column("email", Integer), UpsertKey("email"))
    copy = original.to_metadata(MetaData(), schema="tenant_1")

    assert conflict_target(copy, copy.c.email) == {"index_elements": ["email"]}
