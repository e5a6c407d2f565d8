"""The public surface as a type checker sees it: checked with ``mypy --strict`` and strict pyright, never run.

A line that is ignored has to be wrong: both checkers report an ignore that nothing needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from alembic import op
from sqlalchemy import Column, Integer, MetaData, String, Table, func, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from typing_extensions import assert_type

from alembic_upsert_guard import (
    DeclarationError,
    DeclaredUpsertKey,
    Finding,
    UndeclaredUpsertKeyError,
    UnsupportedUpsertKeyError,
    UpsertGuardError,
    UpsertKey,
    UpsertKeyViolation,
    check_keys,
    conflict_target,
    declare_upsert_key,
    declared_upsert_keys,
    observe,
)
from alembic_upsert_guard.testing import test_upsert_keys_are_served
from alembic_upsert_guard.upserts.observed import ObservedUpsert, ObservedUpserts, read_observed

if TYPE_CHECKING:
    from alembic.util import CommandError
    from sqlalchemy.engine import Connection
    from sqlalchemy.exc import ArgumentError
    from sqlalchemy.schema import SchemaItem

# -- declaring


class Base(DeclarativeBase):
    pass


class HasEmail:
    email: Mapped[str]
    __table_args__ = (UpsertKey("email"),)


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column()
    status: Mapped[str | None] = mapped_column()
    __table_args__ = (
        UpsertKey("id", "email"),
        UpsertKey(email, where=status == "open"),
        UpsertKey(func.lower(email), where=text("status IS NULL")),
        UpsertKey("status", nulls="distinct", name="uq_status", as_index=True),
        {"schema": "crm"},
    )


table = Table(
    "accounts", MetaData(), Column("id", Integer), Column("email", String), UpsertKey("email")
)

item: SchemaItem = UpsertKey("email")

declare_upsert_key(table, "email", table.c.id, nulls="not_distinct")
declare_upsert_key(Account, Account.email, where=Account.status.is_(None), nulls="forbid")
declare_upsert_key(Account, func.lower(Account.email), name=None, as_index=False)

UpsertKey("email", nulls="ignore")  # type: ignore[arg-type]
UpsertKey("email", name=1)  # type: ignore[arg-type]
UpsertKey("email", deferrable=True)  # type: ignore[call-arg]
declare_upsert_key(table, "email", nulls=None)  # type: ignore[arg-type]

# -- reading back

assert_type(declared_upsert_keys(Base.metadata), tuple[DeclaredUpsertKey, ...])
assert_type(declared_upsert_keys(table), tuple[DeclaredUpsertKey, ...])
assert_type(declared_upsert_keys(Account), tuple[DeclaredUpsertKey, ...])

key = declared_upsert_keys(Account)[0]
assert_type(key.schema, str | None)
assert_type(key.table, str)
assert_type(key.elements, tuple[str, ...])
assert_type(key.where, str | None)
assert_type(key.nulls, Literal["warn", "distinct", "not_distinct", "forbid"])
assert_type(key.name, str | None)
key.table = "contacts"  # type: ignore[misc]

# -- conflict targets

assert_type(conflict_target(Account), dict[str, Any])
assert_type(conflict_target(table, "email", where=table.c.id > 0), dict[str, Any])

postgresql_insert(Account).on_conflict_do_update(
    **conflict_target(Account, Account.email), set_={"status": "open"}
)
sqlite_insert(table).on_conflict_do_nothing(**conflict_target(table))

# -- checking and observing


def checks(connection: Connection) -> None:
    assert_type(check_keys(connection, Base.metadata), tuple[Finding, ...])
    assert_type(check_keys(connection, [Base.metadata], rows=True), tuple[Finding, ...])
    check_keys(connection)  # type: ignore[call-arg]
    test_upsert_keys_are_served(connection, Base.metadata)


def finds(finding: Finding) -> tuple[str, str, str | None]:
    return finding.fact, finding.hint, finding.table


with observe(root=".", drivers=["psycopg"]) as upserts:
    assert_type(upserts, ObservedUpserts)
    assert_type(list(upserts), list[ObservedUpsert])
    assert_type(upserts.findings, tuple[Finding, ...])
    upserts.write("observed.json")
assert_type(read_observed("observed.json"), list[ObservedUpsert])
assert_type(read_observed("observed.json")[0].upsert.elements, tuple[str, ...])
assert_type(read_observed("observed.json")[0].count, int)

# -- errors

root: type[Exception] = UpsertGuardError
ours: list[type[UpsertGuardError]] = [
    DeclarationError,
    UndeclaredUpsertKeyError,
    UnsupportedUpsertKeyError,
    UpsertKeyViolation,
]
of_sqlalchemy: type[ArgumentError] = DeclarationError
of_alembic: type[CommandError] = UpsertKeyViolation
of_python: type[LookupError] = UndeclaredUpsertKeyError
of_python_too: type[NotImplementedError] = UnsupportedUpsertKeyError


def told(violation: UpsertKeyViolation) -> tuple[int, int]:
    """What a caught violation offers."""
    return violation.report.groups, violation.report.surplus


# -- what a checker does not see: Alembic's stub of `op` lists its own directives, and no plugin can add to it

op.validate_upsert_key("accounts", ["email"])  # type: ignore[attr-defined]
