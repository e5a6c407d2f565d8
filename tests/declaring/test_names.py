"""The name of what a key attaches: predictable, stable, and short enough for every database."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    column,
    func,
    text,
)

from alembic_upsert_guard import UpsertKey, declared_upsert_keys
from tests.declaring.tables import accounts, names

CONVENTION = {
    "uq": "k_%(table_name)s_%(column_0_N_name)s",
    "ix": "i_%(table_name)s_%(column_0_N_name)s",
}

OPEN = text("status = 'open'")


def test_without_a_convention_it_is_built_of_table_and_columns() -> None:
    """``uq_<table>_<columns>``, in declared order."""
    assert names(accounts(UpsertKey("tenant", "email"))) == ["uq_accounts_tenant_email"]
    assert names(accounts(UpsertKey("email", "tenant"))) == ["uq_accounts_email_tenant"]


@pytest.mark.parametrize("as_index", [False, True], ids=["constraint", "index"])
@pytest.mark.parametrize(
    ("convention", "name"),
    [
        ({}, "uq_accounts_tenant_email"),
        ({"ix": "i_%(column_0_label)s"}, "uq_accounts_tenant_email"),
        (CONVENTION, "k_accounts_tenant_email"),
        ({"uq": "uq_%(table_name)s_%(column_0_name)s"}, "uq_accounts_tenant"),
        ({"uq": "uq_%(column_0_label)s"}, "uq_accounts_tenant"),
        ({UniqueConstraint: "u_%(table_name)s_%(column_1_name)s"}, "u_accounts_email"),
        ({"short": lambda *_: "acc", "uq": "uq_%(short)s_%(column_0N_key)s"}, "uq_acc_tenantemail"),
    ],
    ids=["none", "ix alone", "uq", "first column", "label", "class", "own token"],
)
def test_a_naming_convention_is_followed(
    convention: dict[Any, Any], name: str, *, as_index: bool
) -> None:
    """The convention for unique constraints names the index too: it does a constraint's work."""
    table = accounts(
        UpsertKey("tenant", "email", as_index=as_index),
        metadata=MetaData(naming_convention=convention),
    )

    assert names(table) == [name]


@pytest.mark.parametrize("convention", [{}, CONVENTION], ids=["none", "uq"])
@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        (lambda: UpsertKey("email", where=OPEN), "uq_accounts_email_[0-9a-f]{8}"),
        (lambda: UpsertKey("tenant", "email", where=OPEN), "uq_accounts_tenant_email_[0-9a-f]{8}"),
        (lambda: UpsertKey(func.lower(column("email"))), "uq_accounts_email_[0-9a-f]{8}"),
        (
            lambda: UpsertKey("tenant", func.concat(column("email"), column("tenant"))),
            "uq_accounts_tenant_email_[0-9a-f]{8}",
        ),
        (lambda: UpsertKey(text("lower(email)")), "uq_accounts_[0-9a-f]{8}"),
    ],
    ids=["partial", "partial on two", "expression", "column and expression", "text"],
)
def test_sql_in_a_key_is_told_by_a_hash(key: Any, pattern: str, convention: dict[str, str]) -> None:
    """Partial and expression keys: ``uq_<table>_<columns>_<8 hex>``, whatever the convention says."""
    table = accounts(key(), metadata=MetaData(naming_convention=convention))

    (name,) = names(table)
    assert re.fullmatch(pattern, name)


def test_the_hash_is_the_same_everywhere() -> None:
    """Names end up in databases: no version of anything may change them."""
    table = accounts(UpsertKey("email", where=OPEN), UpsertKey(text("lower(email)")))

    assert names(table) == ["uq_accounts_55eb9a25", "uq_accounts_email_e9b7fd96"]


def test_the_same_sql_has_the_same_name_however_it_is_written() -> None:
    """Expression or text: what counts is how it reads."""
    as_text = accounts(UpsertKey("email", where=text("status = 'open'")))
    as_expression = accounts(UpsertKey("email", where=column("status") == "open"))

    assert names(as_text) == names(as_expression)


def test_different_sql_has_different_names() -> None:
    """Several keys on the same columns stand side by side."""
    table = accounts(
        UpsertKey("email"),
        UpsertKey("email", where=text("status = 'open'")),
        UpsertKey("email", where=text("status = 'new'")),
        UpsertKey(func.lower(column("email"))),
        UpsertKey(func.lower(column("email")), where=text("status = 'open'")),
        UpsertKey(func.upper(column("email"))),
    )

    assert len(set(names(table))) == 6


@pytest.mark.parametrize("as_index", [False, True])
@pytest.mark.parametrize("where", [None, OPEN], ids=["whole", "partial"])
@pytest.mark.parametrize("convention", [{}, CONVENTION], ids=["none", "uq"])
def test_a_stated_name_is_kept(convention: dict[str, str], where: Any, *, as_index: bool) -> None:
    """Neither convention nor hash touches it."""
    table = accounts(
        UpsertKey("email", where=where, name="Mine", as_index=as_index),
        metadata=MetaData(naming_convention=convention),
    )

    assert names(table) == ["Mine"]
    assert declared_upsert_keys(table)[0].name == "Mine"


LONG = {
    "ascii": "n" * 70,
    "latin": "ä" * 40,
    "cyrillic": "очень_длинное_имя_таблицы_" * 3,
    "four bytes a letter": "𐍈" * 20,
    "a letter on the limit": "n" * 49 + "ääää",
}


@pytest.mark.parametrize(
    "options",
    [{}, {"as_index": True}, {"where": OPEN}],
    ids=["constraint", "index", "partial"],
)
@pytest.mark.parametrize("convention", [{}, CONVENTION], ids=["none", "uq"])
@pytest.mark.parametrize("alphabet", LONG)
def test_no_name_is_longer_than_a_database_keeps(
    alphabet: str, convention: dict[str, str], options: dict[str, Any]
) -> None:
    """PostgreSQL cuts at 63 bytes without an error, and would then never find the name again."""
    table = Table(
        LONG[alphabet],
        MetaData(naming_convention=convention),
        Column("email", String),
        UpsertKey("email", **options),
    )

    (name,) = names(table)
    assert len(name.encode()) <= 63
    assert re.search("_[0-9a-f]{4,8}$", name)


def test_a_name_of_63_bytes_is_not_cut() -> None:
    """One byte more is."""
    fits, does_not = (
        Table("n" * length, MetaData(), Column("email", String), UpsertKey("email"))
        for length in (54, 55)
    )

    assert names(fits) == ["uq_" + "n" * 54 + "_email"]
    assert names(does_not) != ["uq_" + "n" * 55 + "_email"]


@pytest.mark.parametrize("convention", [{}, CONVENTION], ids=["none", "uq"])
@pytest.mark.parametrize("letter", ["n", "ä"])
def test_what_differs_behind_the_cut_stays_different(
    letter: str, convention: dict[str, str]
) -> None:
    """The hash stands for what was cut."""
    table = Table(
        letter * 60,
        MetaData(naming_convention=convention),
        Column("email", String),
        Column("phone", String),
        UpsertKey("email"),
        UpsertKey("phone"),
    )

    assert len(set(names(table))) == 2


def test_a_name_that_must_be_stated_is_stated_by_the_key() -> None:
    """A convention that wraps the given name wraps the key's, as it does a constraint's."""
    metadata = MetaData(naming_convention={"uq": "%(table_name)s_%(constraint_name)s"})
    table = accounts(UpsertKey("email", name="mine"), metadata=metadata)

    assert names(table) == ["accounts_mine"]


def test_a_name_that_is_taken_is_not_given_twice() -> None:
    """A constraint that does not serve bears the convention's name already; two of a name cannot be created."""
    table = Table(
        "accounts",
        MetaData(naming_convention=CONVENTION),
        Column("phone", String, unique=True),
        UpsertKey("phone", nulls="not_distinct"),
    )

    assert len(names(table)) == len(set(names(table))) == 2
