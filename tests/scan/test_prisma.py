"""Prisma sends ON CONFLICT under the conditions that its documentation lists; else it looks the row up by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import scan
from alembic_upsert_guard.upserts.scan.javascript.prisma_schema import parsed_schema
from alembic_upsert_guard.upserts.target import Elements, Lookup, Unread

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """
datasource db {
  provider = "PROVIDER" // where the data is
}

model Account {
  id     Int    @id @default(autoincrement())
  tenant Int    @map("tenant_id")
  email  String @unique(map: "uq_email")
  posts  Post[]

  @@unique([tenant, email(sort: Desc)])
  @@map("accounts")
}

model Post {
  id      Int     @id
  account Account @relation(fields: [ownerId], references: [id])
  ownerId Int     @map("owner")
}
"""

NATIVE = "where: { email }, create: { email, tenant }, update: { tenant }"


def target_of(folder: Path, options: str, provider: str = "postgresql") -> object:
    (folder / "schema.prisma").write_text(SCHEMA.replace("PROVIDER", provider))
    (folder / "save.ts").write_text(f"await prisma.account.upsert({{ {options} }});\n")
    (judged,) = scan([folder], None).upserts
    return judged.upsert.target


@pytest.mark.parametrize(
    "options",
    [
        NATIVE,
        f"{NATIVE}, select: {{ id: true }}",
        NATIVE.replace("{ email, tenant }", "{ ...rest, email }"),
        "where: { tenant_email: { tenant, email } }, create: { tenant, email }, update: { tenant }",
        "where: { email: row.email }, create: row, update: row",
    ],
)
def test_the_conditions_are_met(tmp_path: Path, options: str) -> None:
    """One unique field or several together, the same values, no other model, something to update."""
    assert isinstance(target_of(tmp_path, options), Elements)


@pytest.mark.parametrize(
    "options",
    [
        NATIVE.replace("update: { tenant }", "update: {}"),
        NATIVE.replace("create: { email, tenant }", "create: { tenant }"),
        NATIVE.replace("create: { email, tenant }", "create: { email: other, tenant }"),
        NATIVE.replace("where: { email }", "where: { email, tenant: 1 }"),
        NATIVE.replace("update: { tenant }", "update: { posts: { create: {} } }"),
        f"{NATIVE}, include: {{ posts: true }}",
    ],
)
def test_one_word_off_the_row_is_looked_up(tmp_path: Path, options: str) -> None:
    """The same field has to be unique, and nothing fails where it is not."""
    found = target_of(tmp_path, options)

    assert isinstance(found, Lookup)
    assert [element.label for element in found.elements] == ["email"]


@pytest.mark.parametrize("provider", ["mysql", "sqlserver"])
def test_a_database_without_inference_is_looked_up(tmp_path: Path, provider: str) -> None:
    """Prisma has native upserts for PostgreSQL, CockroachDB and SQLite only."""
    assert isinstance(target_of(tmp_path, NATIVE, provider), Lookup)


@pytest.mark.parametrize(
    "options",
    [
        "where, create: row, update: row",
        "where: { email }, create: row, update: row",
        "where: { tenant: 1 }, create: { tenant: 1 }, update: row",
    ],
)
def test_what_only_a_run_knows_is_unread(tmp_path: Path, options: str) -> None:
    """Which of both it is, or by which field, cannot be read."""
    assert isinstance(target_of(tmp_path, options), Unread)


def test_the_schema_says_the_names_of_the_database() -> None:
    """Tables, columns, and what ``where`` may name; comments, relations and options of indexes are no part of it."""
    schema = parsed_schema(SCHEMA)
    account = schema.models["Account"]

    assert schema.provider == "PROVIDER"
    assert account.table == "accounts"
    assert account.columns["tenant"] == "tenant_id"
    assert account.unique == {
        "id": ("id",),
        "email": ("email",),
        "tenant_email": ("tenant", "email"),
    }
    assert schema.model("post") is schema.models["Post"]
