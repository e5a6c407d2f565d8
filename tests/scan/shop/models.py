"""The shop's tables, and the upsert keys that they declare."""

import datetime as dt
import enum

from sqlalchemy import Column, Date, Integer, String, Table, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from alembic_upsert_guard import UpsertKey


class Base(DeclarativeBase):
    pass


class Status(enum.Enum):
    OPEN = "open"


class Account(Base):
    """Two keys: a full one, and a partial one."""

    __tablename__ = "accounts"
    __table_args__ = (
        UpsertKey("tenant", "email"),
        UpsertKey("email", where=text("deleted_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[int]
    email: Mapped[str]
    status: Mapped[str]
    active: Mapped[bool]
    # the attribute has another name than the column
    display: Mapped[str] = mapped_column("full_name")
    deleted_at: Mapped[dt.datetime | None]


class Subscription(Base):
    """One key, and it is partial."""

    __tablename__ = "subscriptions"
    __table_args__ = (UpsertKey("account_id", where=text("status = 'open'")),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    status: Mapped[str]


class User(Base):
    """A key of an expression, under a name."""

    __tablename__ = "users"
    __table_args__ = (UpsertKey(text("lower(email)"), name="uq_users_email"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    userName: Mapped[str]  # noqa: N815 - a column in mixed case


class Order(Base):
    """No key at all, and yet a unique constraint."""

    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("number", name="uq_orders_number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]


class Tag(Base):
    """The key is the primary key, which has no name in the models."""

    __tablename__ = "tags"
    __table_args__ = (UpsertKey("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    weight: Mapped[int]


class Entry(Base):
    """In a schema of its own."""

    __tablename__ = "entries"
    __table_args__ = (UpsertKey("number"), {"schema": "ledger"})

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


visits = Table(
    "visits",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("day", Date, key="visited_on", nullable=False),
    Column("page", String),
    UniqueConstraint("account_id", "visited_on", name="uq_visits"),
    UpsertKey("account_id", "visited_on"),
)


class Batch(Base):
    """In one of two schemas that have a table of this name."""

    __tablename__ = "batches"
    __table_args__ = (UpsertKey("number"), {"schema": "ledger"})

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class ArchivedBatch(Base):
    """In the other one."""

    __tablename__ = "batches"
    __table_args__ = (UpsertKey("number"), {"schema": "archive"})

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
