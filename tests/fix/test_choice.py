"""Which keys are declared, and which upserts are left to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix.corpus import Shape
from tests.fix.test_corpus import fixed

if TYPE_CHECKING:
    from pathlib import Path

MODELS = """\
from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        {unique}
        Index("ix_users_name", "name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    email: Mapped[str]
    name: Mapped[str]
"""
ON_EMAIL = 'insert(User).on_conflict_do_nothing(index_elements=["email"])\n'


def declared(folder: Path, unique: str, upserts: str, *, primary_keys: bool = False) -> list[str]:
    """The keys that are written into the class."""
    shape = Shape("", {"models.py": MODELS.replace("{unique}", unique), "upserts": upserts})
    models = shape.write(folder)
    fixed(folder, primary_keys=primary_keys)
    lines = models.read_text().splitlines()
    return [line.strip() for line in lines if line.startswith("        UpsertKey")]


@pytest.mark.parametrize(
    ("unique", "nearest"),
    [
        ('UniqueConstraint("tenant_id", "email"),', "more columns"),
        ('Index("i", "email", unique=True, postgresql_where=text("id > 7")),', "a predicate"),
        ('Index("i", text("lower(email)"), unique=True),', "another expression"),
        ('UniqueConstraint("email", deferrable=True),', "deferrable"),
    ],
)
def test_a_call_that_is_likelier_wrong_than_the_models(
    unique: str, nearest: str, tmp_path: Path
) -> None:
    """A key would silence it, and make the table unique on what nobody meant."""
    assert declared(tmp_path, unique, ON_EMAIL) == []


def test_a_call_that_nothing_comes_near_to(tmp_path: Path) -> None:
    """The twin: what is unique is on another column."""
    unique = 'UniqueConstraint("tenant_id", "name"),'

    assert declared(tmp_path, unique, ON_EMAIL) == ['UpsertKey("email"),']


@pytest.mark.parametrize(
    "upsert",
    [
        'insert(User).on_conflict_do_nothing(index_elements=["nobody"])',
        'insert(User).on_conflict_do_nothing(constraint="nobody")',
        "execute('INSERT INTO nobody (email) VALUES (1) ON CONFLICT (email) DO NOTHING')",
        "insert(User).on_conflict_do_nothing(index_elements=named())",
    ],
)
def test_a_target_that_the_models_do_not_have(upsert: str, tmp_path: Path) -> None:
    """An unknown column, constraint or table, or a target that cannot be read."""
    assert declared(tmp_path, "", upsert + "\n") == []


OTHER_USERS = """

class OtherUser(Base):
    __tablename__ = "users"
    __table_args__ = {"schema": "crm"}

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
"""
IN_SCHEMA = """\
execute(f'INSERT INTO {schema()}.users (email) VALUES (1) ON CONFLICT (email) DO NOTHING')
"""


def test_a_schema_of_run_time_and_one_table_of_that_name(tmp_path: Path) -> None:
    """The key is the only table's."""
    assert declared(tmp_path, "", IN_SCHEMA) == ['UpsertKey("email"),']


def test_a_schema_of_run_time_and_two_tables_of_that_name(tmp_path: Path) -> None:
    """The twin: which one is meant is not known, and neither gets a key."""
    models = MODELS.replace("{unique}", "") + OTHER_USERS
    written = Shape("", {"models.py": models, "upserts": IN_SCHEMA}).write(tmp_path)
    fixed(tmp_path)

    assert written.read_text() == models


def test_a_suppressed_upsert_gets_no_key(tmp_path: Path) -> None:
    """Whoever suppressed it said why."""
    comment = "  # upsert-guard: ignore[undeclared-upsert]\n"

    assert declared(tmp_path, "", ON_EMAIL.rstrip("\n") + comment) == []


ON_ID = 'insert(User).on_conflict_do_nothing(index_elements=["id"])\n'


def test_a_primary_key_gets_no_key(tmp_path: Path) -> None:
    """No revision takes it away by accident."""
    assert declared(tmp_path, "", ON_ID) == []


def test_a_primary_key_gets_one_where_warnings_fail(tmp_path: Path) -> None:
    """The twin, under ``--strict``."""
    assert declared(tmp_path, "", ON_ID, primary_keys=True) == ['UpsertKey("id"),']


def test_an_upsert_without_a_target_that_may_meet_several(tmp_path: Path) -> None:
    """Nothing says which of them is meant."""
    unique = 'UniqueConstraint("tenant_id", "name"), UniqueConstraint("email"),'

    assert declared(tmp_path, unique, "insert(User).on_conflict_do_nothing()\n") == []


MERGE = (
    """execute('MERGE INTO users u USING new n ON {} WHEN NOT MATCHED THEN INSERT VALUES (1)')\n"""
)
UNLESS_THERE = "execute('INSERT INTO users (email) SELECT 1 WHERE NOT EXISTS (SELECT FROM users WHERE email = $1{})')\n"


@pytest.mark.parametrize(
    ("unique", "upsert", "key"),
    [
        ("", MERGE.format("u.email = n.email AND u.name = n.name"), '"email", "name"'),
        ("", UNLESS_THERE.format(""), '"email"'),
        ("", UNLESS_THERE.format(" AND id > 7"), '"email", where=text("id > 7")'),
        (
            'UniqueConstraint("email"),',
            MERGE.format("u.email = n.email AND u.name = n.name"),
            '"email"',
        ),
        (
            'Index("i", "email", unique=True, postgresql_where=text("id>7")),',
            UNLESS_THERE.format(" AND id > 7"),
            '"email", where=text("id>7")',
        ),
    ],
)
def test_what_a_statement_looks_up_by_itself(
    unique: str, upsert: str, key: str, tmp_path: Path
) -> None:
    """The key of what keeps its rows apart, which may have fewer columns; else of what it compares."""
    assert declared(tmp_path, unique, upsert) == [f"UpsertKey({key}),"]


@pytest.mark.parametrize(
    ("unique", "upsert"),
    [
        ('UniqueConstraint("email", "name"),', UNLESS_THERE.format("")),
        ('UniqueConstraint("email", deferrable=True),', UNLESS_THERE.format("")),
        (
            'Index("i", "email", unique=True, postgresql_where=text("id > 7")),',
            UNLESS_THERE.format(""),
        ),
        ("", UNLESS_THERE.format(" AND random() > id")),
        ("", UNLESS_THERE.format(" AND name > CURRENT_USER")),
        ("", UNLESS_THERE.format(" AND name > $2")),
        ("", MERGE.format("u.id = n.id AND u.name = n.name")),
    ],
)
def test_what_is_looked_up_and_gets_no_key(unique: str, upsert: str, tmp_path: Path) -> None:
    """More columns are unique, none that a key can point at, in some rows only; or the primary key keeps them apart."""
    assert declared(tmp_path, unique, upsert) == []
