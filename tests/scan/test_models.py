"""What the models declare, as plain values: tables, columns, keys with their arbiters, mapped classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, text
from sqlalchemy.ext.declarative import DeferredReflection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry, relationship

from alembic_upsert_guard import UpsertKey
from alembic_upsert_guard.inference import Candidate, Element, Kind
from alembic_upsert_guard.upserts.models import declared_tables
from alembic_upsert_guard.upserts.scan import DeclaredKey

if TYPE_CHECKING:
    from pathlib import Path

    from alembic_upsert_guard.upserts.scan import DeclaredTables


def test_a_table_tells_its_columns_keys_and_arbiters(shop: DeclaredTables) -> None:
    """Columns by key and name; the key with the name of the constraint that it points at."""
    visits = shop.table(None, "visits")

    assert visits is not None
    assert visits.columns[2] == ("visited_on", "day")
    assert visits.primary_key == ("id",)
    elements = (Element("account_id"), Element("day"))
    unique = Candidate("uq_visits", elements, Kind.CONSTRAINT)
    assert visits.keys == (DeclaredKey(elements, None, None, unique),)
    assert visits.arbiters == (Candidate(None, (Element("id"),), Kind.PRIMARY_KEY), unique)


def test_a_class_tells_its_file_and_attributes(shop: DeclaredTables, tree: Path) -> None:
    """An attribute by the name of its column."""
    account = shop.class_named("shop.models.Account")

    assert account is not None
    assert account.path == str((tree / "shop" / "models.py").resolve())
    assert account.column("display") == "full_name"
    assert account.column("full_name") is None
    assert shop.class_in_file(account.path, "Account") == account
    assert shop.class_in_file("/elsewhere/shop/models.py", "Account") is None


def test_a_package_may_offer_the_class_of_a_module(shop: DeclaredTables) -> None:
    """``from shop import Account``; but not where the name is another's."""
    assert shop.class_named("shop.Account") == shop.class_named("shop.models.Account")
    assert shop.class_named("sho.Account") is None
    assert shop.class_named("shop.models.Nobody") is None


@pytest.mark.parametrize(
    ("schema", "name", "found"),
    [
        (None, "accounts", "accounts"),
        ("public", "accounts", "accounts"),
        ("ledger", "entries", "ledger.entries"),
        (None, "entries", None),
        ("other", "accounts", None),
        (None, "Accounts", None),
    ],
)
def test_a_table_is_found_by_schema_and_name(
    shop: DeclaredTables, schema: str | None, name: str, found: str | None
) -> None:
    """Tables without a schema live in the default one."""
    table = shop.table(schema, name)

    assert (None if table is None else table.full_name) == found


def test_the_default_schema_can_be_unknown_or_another() -> None:
    """MySQL's is the database."""
    metadata = MetaData()
    Table("a", metadata, Column("x", Integer))
    Table("b", metadata, Column("x", Integer), schema="app")

    mine = declared_tables(metadata, default_schema="app")
    assert mine.table("app", "a") is not None
    assert mine.table(None, "b") is not None
    unknown = declared_tables(metadata, default_schema=None)
    assert unknown.table("app", "a") is None
    assert unknown.table(None, "b") is None


def test_several_metadata_are_one() -> None:
    """Whatever order they come in; foreign keys in a circle change nothing."""
    one, two = MetaData(), MetaData()
    Table("a", one, Column("x", Integer, ForeignKey("b.x")), UpsertKey("x", where=text("x > 0")))
    Table("b", one, Column("x", Integer, ForeignKey("a.x")))
    Table("c", two, Column("x", Integer))

    declared = declared_tables(one, two)

    assert [table.name for table in declared.tables] == ["a", "b", "c"]
    assert declared.tables[0].keys[0].where == "x > 0"


def test_the_key_goes_into_the_root_of_a_hierarchy_in_one_table() -> None:
    """A subclass is known as well, and no place for ``__table_args__``."""

    class Base(DeclarativeBase):
        pass

    class Parent(Base):
        __tablename__ = "parents"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind"}  # noqa: RUF012 - as SQLAlchemy's documentation writes it

    class Heir(Parent):
        __mapper_args__ = {"polymorphic_identity": "heir"}  # noqa: RUF012

    declared = declared_tables(Base.metadata)
    mapped = declared.class_for(declared.tables[0])

    assert mapped is not None
    assert mapped.qualname.endswith("Parent")
    assert [c.root for c in declared.classes] == [False, True]
    assert Heir.__table__ is Parent.__table__


def test_mappers_are_not_configured() -> None:
    """A relationship to a class that is not there yet is no concern of ours."""

    class Base(DeclarativeBase):
        pass

    class Child(Base):
        __tablename__ = "children"
        id: Mapped[int] = mapped_column(primary_key=True)
        friend = relationship("NotThereYet")

    declared = declared_tables(Base.metadata)

    assert declared.classes[0].attributes == (("id", "id"),)
    Base.registry.dispose()


def test_a_class_that_waits_for_its_mapper_stands_in_nobodys_way() -> None:
    """A DeferredReflection has a table, and its mapper from ``prepare()`` on."""

    class Base(DeclarativeBase):
        pass

    class Parent(Base):
        __tablename__ = "parents"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Waiting(DeferredReflection, Base):
        __tablename__ = "waiting"
        id: Mapped[int] = mapped_column(primary_key=True)

    declared = declared_tables(Base.metadata)

    assert [each.name for each in declared.tables] == ["parents", "waiting"]
    assert [each.table for each in declared.classes] == ["parents"]
    assert Waiting.__table__ is Base.metadata.tables["waiting"]


def test_imperative_mappings_are_known() -> None:
    """A class and a table that a registry brings together."""
    mapping = registry()
    table = Table("plain", mapping.metadata, Column("x", Integer, primary_key=True))

    class Plain:
        pass

    mapping.map_imperatively(Plain, table)

    (mapped,) = declared_tables(mapping.metadata).classes
    assert (mapped.table, mapped.attributes) == ("plain", (("x", "x"),))
