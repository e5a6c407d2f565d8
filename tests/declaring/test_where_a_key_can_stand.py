"""Every place that SQLAlchemy has for a constraint takes an ``UpsertKey``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, column, func, text
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    declared_attr,
    mapped_column,
    registry,
)
from sqlmodel import Field, SQLModel

from alembic_upsert_guard import UpsertKey, declare_upsert_key
from tests.declaring.tables import accounts, keys, uniques

if TYPE_CHECKING:
    from collections.abc import Callable

EMAIL = [(("email",), None)]


@pytest.fixture
def base() -> type[DeclarativeBase]:
    """A declarative base with a metadata of its own."""

    class Base(DeclarativeBase):
        pass

    return Base


def test_in_the_table_args_of_a_model(base: Any) -> None:
    """The class body is the first place anybody tries."""

    class Account(base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("email"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

    assert keys(Account) == EMAIL
    assert uniques(Account) == ["CONSTRAINT uq_accounts_email UNIQUE (email)"]


def test_in_table_args_with_options_behind(base: Any) -> None:
    """The dictionary at the end of ``__table_args__`` stays what it is."""

    class Account(base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("email"), {"schema": "crm", "comment": "ours"})
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

    assert keys(Account) == EMAIL
    assert (Account.__table__.schema, Account.__table__.comment) == ("crm", "ours")


def test_in_a_core_table() -> None:
    """A ``Table`` takes it among its arguments, behind the columns."""
    table = Table("accounts", MetaData(), Column("email", String), UpsertKey("email"))

    assert keys(table) == EMAIL
    assert uniques(table) == ["CONSTRAINT uq_accounts_email UNIQUE (email)"]


def test_in_a_mixin_that_several_tables_share(base: Any) -> None:
    """One object in a mixin's plain ``__table_args__`` gives each table a constraint of its own."""

    class HasEmail:
        email: Mapped[str]
        __table_args__ = (UpsertKey("email"), UpsertKey(text("lower(email)")))

    class Account(HasEmail, base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Contact(HasEmail, base):
        __tablename__ = "contacts"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert uniques(Account) == [
        "CONSTRAINT uq_accounts_email UNIQUE (email)",
        "CREATE UNIQUE INDEX uq_accounts_55eb9a25 ON accounts (lower(email))",
    ]
    assert uniques(Contact) == [
        "CONSTRAINT uq_contacts_email UNIQUE (email)",
        "CREATE UNIQUE INDEX uq_contacts_55eb9a25 ON contacts (lower(email))",
    ]


def test_in_a_mixin_with_an_expression_of_lightweight_columns(base: Any) -> None:
    """``column("email")`` in a mixin stands for each table's own column of that name."""

    class HasEmail:
        email: Mapped[str]
        __table_args__ = (UpsertKey(func.lower(column("email")), where=column("email") != ""),)

    class Account(HasEmail, base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Contact(HasEmail, base):
        __tablename__ = "contacts"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert keys(Account) == keys(Contact) == [(("lower(email)",), "email != ''")]


def test_in_a_mixin_with_its_own_named_column(base: Any) -> None:
    """A mixin's column that states its name stands for each table's copy of it."""

    class HasEmail:
        mail: Mapped[str] = mapped_column("email")
        __table_args__ = (UpsertKey(mail),)

    class Account(HasEmail, base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert keys(Account) == EMAIL


def test_in_a_declared_attr(base: Any) -> None:
    """A mixin's ``declared_attr`` may use the columns of the class that it is asked for."""

    class HasEmail:
        email: Mapped[str]

        @declared_attr.directive
        def __table_args__(cls) -> tuple[UpsertKey, ...]:  # noqa: N805
            return (UpsertKey(func.lower(cls.email), where=cls.email != ""),)

    class Account(HasEmail, base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column()

    class Contact(HasEmail, base):
        __tablename__ = "contacts"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column()

    assert keys(Account) == keys(Contact) == [(("lower(email)",), "email != ''")]


@pytest.fixture
def model() -> Any:
    """SQLModel with a metadata of its own."""

    class Model(SQLModel, registry=registry()):
        pass

    return Model


def test_in_an_sqlmodel(model: Any) -> None:
    """SQLModel hands ``__table_args__`` to SQLAlchemy as it is."""

    class Account(model, table=True):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email"),)
        id: int | None = Field(default=None, primary_key=True)
        tenant: int
        email: str

    assert uniques(Account) == ["CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email)"]


def test_a_field_that_sqlmodel_made_unique_serves(model: Any) -> None:
    """``Field(unique=True)`` is a unique constraint like any other."""

    class Account(model, table=True):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("email"),)
        id: int | None = Field(default=None, primary_key=True)
        email: str = Field(unique=True)

    assert uniques(Account) == ["UNIQUE (email)"]


def test_on_an_imperatively_mapped_class() -> None:
    """A class that was mapped onto a table by hand stands for that table."""
    mapped = registry()
    table = Table("accounts", mapped.metadata, Column("id", Integer, primary_key=True))
    table.append_column(Column("email", String))

    class Account:
        pass

    mapped.map_imperatively(Account, table)
    declare_upsert_key(Account, "email")

    assert keys(Account) == keys(table) == EMAIL


def test_on_a_class_that_cannot_be_edited(base: Any) -> None:
    """``declare_upsert_key`` takes the class, and its attributes as elements."""

    class Account(base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        mail: Mapped[str] = mapped_column("email")

    declare_upsert_key(Account, Account.mail)

    assert keys(Account) == EMAIL
    assert uniques(Account) == ["CONSTRAINT uq_accounts_email UNIQUE (email)"]


def test_on_a_table_that_cannot_be_edited() -> None:
    """``declare_upsert_key`` takes every option of ``UpsertKey``."""
    table = accounts()
    declare_upsert_key(
        table, "email", where=text("tenant > 0"), nulls="distinct", name="mine", as_index=True
    )

    assert uniques(table) == ["CREATE UNIQUE INDEX mine ON accounts (email) WHERE tenant > 0"]


def test_on_a_class_that_shares_the_table_of_its_parent(base: Any) -> None:
    """Single-table inheritance: a key of the child is a key of the one table."""

    class Account(base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

    class Admin(Account):
        pass

    declare_upsert_key(Admin, "email")

    assert keys(Account) == keys(Admin) == EMAIL


def test_on_a_class_that_has_a_table_beside_its_parents(base: Any) -> None:
    """Joined-table inheritance: a key of the parent is none of the child's table."""

    class Account(base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("email"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

    class Admin(Account):
        __tablename__ = "admins"
        id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)

    assert keys(Account) == EMAIL
    assert keys(Admin) == []


def test_on_a_table_in_a_schema() -> None:
    """The schema is the table's, and no part of the constraint's name."""
    table = accounts(UpsertKey("email"), schema="crm")

    assert keys(table) == EMAIL
    assert uniques(table) == ["CONSTRAINT uq_accounts_email UNIQUE (email)"]


@pytest.mark.parametrize(
    ("element", "told"),
    [
        (lambda _: "email", "email"),
        (lambda t: t.c.email, "email"),
        (lambda _: column("email"), "email"),
        (lambda t: func.lower(t.c.email), "lower(email)"),
        (lambda _: func.lower(column("email")), "lower(email)"),
        (lambda _: text("lower(email)"), "lower(email)"),
        (lambda t: func.coalesce(t.c.visits, 0), "coalesce(visits, 0)"),
        (lambda t: t.c.email + "x", "(email || 'x')"),
        (lambda t: t.c.document["x"].as_string(), "(CAST(document ->> 'x' AS VARCHAR))"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_element_may_be(element: Callable[[Table], Any], told: str) -> None:
    """A name, a column of any kind, an expression (in parentheses, as in an index) or text."""
    table = accounts()
    declare_upsert_key(table, element(table))

    assert keys(table) == [((told,), None)]


@pytest.mark.parametrize(
    ("where", "told"),
    [
        (lambda t: t.c.status == "open", "status = 'open'"),
        (lambda _: column("status") == "open", "status = 'open'"),
        (lambda _: text("status = 'open'"), "status = 'open'"),
        (lambda t: t.c.status.in_(["open", "new"]), "status IN ('open', 'new')"),
        (lambda t: t.c.closed_at.is_(None), "closed_at IS NULL"),
        (lambda t: t.c.active, "active"),
        (lambda t: t.c.active.is_(True), "active IS true"),
        (lambda t: t.c.status.like("50%"), "status LIKE '50%'"),
        (lambda _: text("status = 'a\\:b'"), "status = 'a:b'"),
        (lambda _: text("status = :s").bindparams(s="it's"), "status = 'it''s'"),
        (lambda t: (t.c.tenant > 1) & (t.c.visits < 5), "tenant > 1 AND visits < 5"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_predicate_may_be(where: Callable[[Table], Any], told: str) -> None:
    """Any SQL expression or text; its values are written out, and its columns without the table."""
    table = accounts()
    declare_upsert_key(table, "email", where=where(table))

    assert keys(table) == [(("email",), told)]


def test_attributes_of_the_class_body_are_elements(base: Any) -> None:
    """In the class body the attributes have no names yet; they get them before the key is read."""

    class Account(base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column()
        status: Mapped[str] = mapped_column()
        mail_: Mapped[str] = mapped_column("mail")
        __table_args__ = (
            UpsertKey(email),
            UpsertKey(mail_, where=status == "open"),
            UpsertKey(func.lower(email)),
        )

    assert keys(Account) == [
        (("email",), None),
        (("lower(email)",), None),
        (("mail",), "status = 'open'"),
    ]


@pytest.mark.parametrize("spelling", ["mail", "E-Mail"])
def test_a_column_goes_by_its_key_and_by_its_name(spelling: str) -> None:
    """Where ``Column.key`` is another than the name, both are understood, and the name is what is kept."""
    table = Table("accounts", MetaData(), Column("E-Mail", String, key="mail"), UpsertKey(spelling))

    assert keys(table) == [(("E-Mail",), None)]
    assert uniques(table) == ['CONSTRAINT "uq_accounts_E-Mail" UNIQUE ("E-Mail")']


def test_a_key_beats_a_name() -> None:
    """A name that is one column's key and another one's name means the former, as in SQLAlchemy."""
    table = Table(
        "accounts",
        MetaData(),
        Column("a", String, key="b"),
        Column("b", String, key="c"),
        UpsertKey("b"),
    )

    assert keys(table) == [(("a",), None)]
