"""``metadata.create_all()`` makes the key whole, or says why it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    create_mock_engine,
    inspect,
    text,
)

from alembic_upsert_guard import (
    UnsupportedUpsertKeyError,
    UpsertGuardError,
    UpsertKey,
    declare_upsert_key,
)
from tests.declaring.tables import accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine


@pytest.fixture
def sqlite() -> Iterator[Engine]:
    """SQLite in memory."""
    made = create_engine("sqlite://")
    yield made
    made.dispose()


def create_all_on(url: str, table: Table, version: tuple[int, ...] | None = None) -> list[str]:
    """The statements that ``create_all()`` sends to such a server; None: it has not told its version."""
    said = []

    def note(statement: Any, *_: Any, **__: Any) -> None:
        said.append(" ".join(str(statement.compile(dialect=engine.dialect)).split()))

    engine = create_mock_engine(url, note)
    engine.dialect.server_version_info = version
    table.metadata.create_all(engine, checkfirst=False)
    return said


POSTGRESQL = "postgresql+psycopg2://"
MYSQL = "mysql+pymysql://"
NOT_DISTINCT = 'upsert key accounts (phone) states nulls="not_distinct", which '


def test_the_constraint_is_there(sqlite: Engine) -> None:
    """Inside the table, as if it had been written by hand."""
    table = accounts(UpsertKey("tenant", "email"))
    table.metadata.create_all(sqlite)

    assert [
        (unique["name"], unique["column_names"])
        for unique in inspect(sqlite).get_unique_constraints("accounts")
    ] == [("uq_accounts_tenant_email", ["tenant", "email"])]


def test_the_index_is_there(sqlite: Engine) -> None:
    """With its predicate, on SQLite too."""
    table = accounts(UpsertKey("email", where=text("active")))
    table.metadata.create_all(sqlite)

    (index,) = inspect(sqlite).get_indexes("accounts")
    assert (index["unique"], index["column_names"]) == (1, ["email"])
    assert str(index["dialect_options"]["sqlite_where"]) == "active"


def test_it_goes_with_its_table(sqlite: Engine) -> None:
    """``drop_all()`` leaves nothing."""
    table = accounts(UpsertKey("email", where=text("active")), UpsertKey("email"))
    table.metadata.create_all(sqlite)
    table.metadata.drop_all(sqlite)

    assert inspect(sqlite).get_table_names() == []


def test_equal_nulls_are_refused_off_postgresql(sqlite: Engine) -> None:
    """SQLAlchemy would leave NULLS NOT DISTINCT out, and NULLs would never conflict."""
    table = accounts(UpsertKey("phone", nulls="not_distinct"))

    with pytest.raises(UnsupportedUpsertKeyError) as refusal:
        table.metadata.create_all(sqlite)

    assert str(refusal.value) == (
        NOT_DISTINCT
        + 'sqlite does not have: NULLs would not conflict there; state nulls="distinct" or '
        '"forbid", or make the columns NOT NULL'
    )
    assert inspect(sqlite).get_table_names() == []


@pytest.mark.parametrize("nulls", ["warn", "distinct", "forbid"])
def test_other_null_modes_are_for_every_database(nulls: Any, sqlite: Engine) -> None:
    """One word changed."""
    accounts(UpsertKey("phone", nulls=nulls)).metadata.create_all(sqlite)

    assert inspect(sqlite).get_table_names() == ["accounts"]


def test_where_no_null_can_be_no_null_mode_is_refused(sqlite: Engine) -> None:
    """The mend in the message mends: on NOT NULL columns there is nothing to be equal."""
    accounts(UpsertKey("email", nulls="not_distinct")).metadata.create_all(sqlite)

    assert inspect(sqlite).get_table_names() == ["accounts"]


@pytest.mark.parametrize("version", [(14, 11), (12, 0), (9, 6)])
def test_equal_nulls_are_refused_before_postgresql_15(version: tuple[int, ...]) -> None:
    """The server's version is told."""
    with pytest.raises(UnsupportedUpsertKeyError) as refusal:
        create_all_on(POSTGRESQL, accounts(UpsertKey("phone", nulls="not_distinct")), version)

    assert str(refusal.value).startswith(
        NOT_DISTINCT
        + f"PostgreSQL has from version 15 on and this server is {'.'.join(map(str, version))}; state "
    )


@pytest.mark.parametrize("version", [(15, 0), (18, 1), None])
def test_equal_nulls_are_made_from_postgresql_15_on(version: tuple[int, ...] | None) -> None:
    """And where the version is not known, as in a script."""
    (create,) = create_all_on(
        POSTGRESQL, accounts(UpsertKey("phone", nulls="not_distinct")), version
    )[-1:]

    assert "CONSTRAINT uq_accounts_phone UNIQUE NULLS NOT DISTINCT (phone)" in create


@pytest.mark.parametrize("url", [MYSQL, "mariadb+pymysql://"], ids=["mysql", "mariadb"])
def test_a_partial_key_is_refused_where_no_index_is_partial(url: str) -> None:
    """SQLAlchemy would make the index over every row."""
    table = Table(
        "accounts",
        MetaData(),
        Column("email", String(50)),
        Column("active", Integer),
        UpsertKey("email", where=text("active = 1")),
    )

    with pytest.raises(UnsupportedUpsertKeyError, match="has no partial indexes") as refusal:
        create_all_on(url, table)

    assert str(refusal.value).startswith(
        "upsert key accounts (email) WHERE active = 1 is partial, "
    )
    assert "remove the predicate, or key a generated column" in str(refusal.value)


@pytest.mark.parametrize("url", [MYSQL, "mariadb+pymysql://"], ids=["mysql", "mariadb"])
def test_a_whole_key_is_made_there(url: str) -> None:
    """The predicate away, as the message says."""
    table = Table("accounts", MetaData(), Column("email", String(50)), UpsertKey("email"))

    (create,) = create_all_on(url, table)
    assert "CONSTRAINT uq_accounts_email UNIQUE (email)" in create


@pytest.mark.parametrize(
    "arbiter",
    [
        lambda: UniqueConstraint("phone", postgresql_nulls_not_distinct=True),
        lambda: Index("mine", "phone", unique=True, postgresql_nulls_not_distinct=True),
    ],
    ids=["constraint", "index"],
)
def test_a_key_that_points_at_something_is_refused_alike(arbiter: Any, sqlite: Engine) -> None:
    """The hand-written arbiter loses its NULL mode just as silently."""
    table = accounts(arbiter(), UpsertKey("phone", nulls="not_distinct"))

    with pytest.raises(UnsupportedUpsertKeyError):
        table.metadata.create_all(sqlite)


@pytest.mark.parametrize("copied", [lambda t: t, lambda t: t.to_metadata(MetaData())])
def test_a_copy_is_refused_alike(copied: Any, sqlite: Engine) -> None:
    """``to_metadata()`` takes the guard along."""
    table = copied(accounts(UpsertKey("phone", nulls="not_distinct")))

    with pytest.raises(UnsupportedUpsertKeyError):
        table.metadata.create_all(sqlite)


def test_the_refusal_is_one_of_ours() -> None:
    """And a ``NotImplementedError``."""
    assert issubclass(UnsupportedUpsertKeyError, UpsertGuardError)
    assert issubclass(UnsupportedUpsertKeyError, NotImplementedError)


def test_the_rowid_by_its_own_name_is_refused_on_sqlite(sqlite: Engine) -> None:
    """No index can hold it; a table whose column bears the name is made."""
    accounts = Table("t", MetaData(), Column("id", Integer, primary_key=True))
    declare_upsert_key(accounts, text("rowid"))
    with pytest.raises(UnsupportedUpsertKeyError, match=r'names rowid, .* write UpsertKey\("id"\)'):
        accounts.metadata.create_all(sqlite)

    named = Table("t", MetaData(), Column("rowid", Integer), UpsertKey(text("rowid")))
    named.metadata.create_all(sqlite)
