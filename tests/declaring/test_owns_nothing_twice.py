"""A key points at what the table declares already, and attaches an arbiter only where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    column,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from alembic_upsert_guard import DeclarationError, UpsertKey, declare_upsert_key
from alembic_upsert_guard.declaration import declarations_of
from tests.declaring.tables import CONSTRAINTS_CARRY, Tier, accounts, keys, uniques

if TYPE_CHECKING:
    from collections.abc import Callable

EMAIL = "CONSTRAINT uq_accounts_email UNIQUE (email)"


def constraint(*columns: str, **options: Any) -> Callable[[Table], Any]:
    """A unique constraint named ``mine``."""
    return lambda table: table.append_constraint(UniqueConstraint(*columns, name="mine", **options))


def index(elements: Callable[[Any], list[Any]], **options: Any) -> Callable[[Table], Any]:
    """A unique index named ``mine``."""
    return lambda table: Index("mine", *elements(table.c), **{"unique": True, **options})


def key(*elements: Any, where: Any = None, **options: Any) -> Callable[[Table], Any]:
    """An upsert key; the predicate, and elements that are no strings, are made of the table's columns."""

    def declare(table: Table) -> None:
        wanted = [e if isinstance(e, str) else e(table.c) for e in elements]
        predicate = None if where is None else where(table.c)
        declare_upsert_key(table, *wanted, where=predicate, **options)

    return declare


SERVES = {
    "a constraint": (key("email"), constraint("email")),
    "a constraint in another order": (key("tenant", "email"), constraint("email", "tenant")),
    "a constraint that carries more": (
        key("email"),
        constraint("email", postgresql_include=["phone"]),
    ),
    "an index": (key("email"), index(lambda c: [c.email])),
    "an index for as_index": (key("email", as_index=True), constraint("email")),
    "an index in another order": (key("tenant", "email"), index(lambda c: [c.email, c.tenant])),
    "an index that sorts": (key("email"), index(lambda c: [c.email.desc().nulls_last()])),
    "an index on an expression": (
        key(lambda c: func.lower(c.email)),
        index(lambda c: [func.lower(c.email)]),
    ),
    "an index on the same expression as text": (
        key(lambda c: func.lower(c.email), "tenant"),
        index(lambda c: [text("lower(email)"), c.tenant]),
    ),
    "a partial index": (
        key("email", where=lambda c: c.status == "open"),
        index(lambda c: [c.email], postgresql_where=text("status = 'open'")),
    ),
}
# each one word apart from a row above
DOES_NOT_SERVE = {
    "a constraint on more columns": (key("email"), constraint("email", "tenant")),
    "a constraint on fewer columns": (key("tenant", "email"), constraint("email")),
    "an index that is not unique": (key("email"), index(lambda c: [c.email], unique=False)),
    "an index on another expression": (
        key(lambda c: func.lower(c.email)),
        index(lambda c: [func.upper(c.email)]),
    ),
    "an index on the column beneath": (
        key(lambda c: func.lower(c.email)),
        index(lambda c: [c.email]),
    ),
    "a partial index for a whole key": (
        key("email"),
        index(lambda c: [c.email], postgresql_where=text("status = 'open'")),
    ),
    "a whole index for a partial key": (
        key("email", where=lambda c: c.status == "open"),
        index(lambda c: [c.email]),
    ),
    "a partial index with another predicate": (
        key("email", where=lambda c: c.status == "open"),
        index(lambda c: [c.email], postgresql_where=text("status = 'new'")),
    ),
}
ORDERS = pytest.mark.parametrize("first", ["arbiter", "key"])


def declared(key: Any, arbiter: Any, first: str) -> Table:
    """The table with both, one after the other."""
    table = accounts()
    for step in (arbiter, key) if first == "arbiter" else (key, arbiter):
        step(table)
    return table


@ORDERS
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row, marks=CONSTRAINTS_CARRY if row == "a constraint that carries more" else ()
        )
        for row in SERVES
    ],
)
def test_points_at(row: str, first: str) -> None:
    """What the table declares with the key's uniqueness stays alone, whichever of the two comes first."""
    by_hand = accounts()
    SERVES[row][1](by_hand)

    table = declared(*SERVES[row], first)

    assert uniques(table) == uniques(by_hand)
    assert declarations_of(table)[0].arbiter(table).name == "mine"


@ORDERS
@pytest.mark.parametrize("row", DOES_NOT_SERVE)
def test_attaches_its_own_beside(row: str, first: str) -> None:
    """What only looks alike is left as it is, and the key gets an arbiter of its own."""
    alone = accounts()
    DOES_NOT_SERVE[row][0](alone)

    table = declared(*DOES_NOT_SERVE[row], first)

    (own,) = uniques(alone)
    assert own in uniques(table)
    assert declarations_of(table)[0].arbiter(table).name != "mine"


@pytest.mark.parametrize("elements", [("a", "b"), ("b", "a")])
def test_points_at_the_primary_key(elements: tuple[str, ...]) -> None:
    """In whatever order it is written."""
    table = Table(
        "accounts",
        MetaData(),
        Column("a", Integer, primary_key=True),
        Column("b", Integer, primary_key=True),
        UpsertKey(*elements),
    )

    assert keys(table) == [(elements, None)]
    assert uniques(table) == []


def test_part_of_the_primary_key_is_not_the_primary_key() -> None:
    """A subset of it is unique only if something says so."""
    table = Table(
        "accounts",
        MetaData(),
        Column("a", Integer, primary_key=True),
        Column("b", Integer, primary_key=True),
        UpsertKey("a"),
    )

    assert uniques(table) == ["CONSTRAINT uq_accounts_a UNIQUE (a)"]


@ORDERS
def test_points_at_a_primary_key_constraint(first: str) -> None:
    """Before or after the key."""
    items = [PrimaryKeyConstraint("email"), UpsertKey("email")]
    table = Table(
        "accounts",
        MetaData(),
        Column("email", String),
        *(items if first == "arbiter" else reversed(items)),
    )

    assert uniques(table) == []


def test_a_primary_key_that_grows_leaves_the_key_with_an_arbiter() -> None:
    """A column that joins the primary key behind the key's back takes the arbiter away; another takes its place."""
    table = Table(
        "accounts",
        MetaData(),
        Column("a", Integer, primary_key=True),
        UpsertKey("a"),
        Column("b", Integer, primary_key=True),
    )

    assert uniques(table) == ["CONSTRAINT uq_accounts_a UNIQUE (a)"]


@pytest.mark.parametrize(
    ("options", "served_by"),
    [
        ({"unique": True}, "UNIQUE (email)"),
        (
            {"unique": True, "index": True},
            "CREATE UNIQUE INDEX ix_accounts_email ON accounts (email)",
        ),
    ],
    ids=["unique", "unique and index"],
)
def test_points_at_a_unique_column(options: dict[str, bool], served_by: str) -> None:
    """A column's own ``unique=True`` is enough, as constraint and as index."""
    table = Table("accounts", MetaData(), Column("email", String, **options), UpsertKey("email"))

    assert uniques(table) == [served_by]


def test_an_index_of_a_column_alone_is_no_arbiter() -> None:
    """``index=True`` without ``unique=True`` is one word short."""
    table = Table("accounts", MetaData(), Column("email", String, index=True), UpsertKey("email"))

    assert uniques(table) == [EMAIL]


def test_an_index_after_the_class_takes_over() -> None:
    """An ``Index`` that is written below the class replaces what the key attached."""

    class Base(DeclarativeBase):
        pass

    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("email"), UpsertKey(text("lower(email)")))
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

    Index("mine", Account.email, unique=True)
    Index("mine_too", func.lower(Account.email), unique=True)

    assert uniques(Account) == [
        "CREATE UNIQUE INDEX mine ON accounts (email)",
        "CREATE UNIQUE INDEX mine_too ON accounts (lower(email))",
    ]


@pytest.mark.parametrize(
    "mine",
    [
        lambda: UniqueConstraint("email", name="uq_accounts_email"),
        lambda: Index("uq_accounts_email", "email", unique=True),
        lambda: UniqueConstraint("email"),
    ],
    ids=["constraint", "index", "by the same convention"],
)
@ORDERS
def test_points_at_what_bears_the_name_it_would_give(mine: Any, first: str) -> None:
    """What somebody wrote before there was a key often has the very name that the key would choose."""
    items = [mine(), UpsertKey("email")]
    convention = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}
    table = accounts(
        *(items if first == "arbiter" else reversed(items)),
        metadata=MetaData(naming_convention=convention),
    )

    assert len(uniques(table)) == 1
    assert declarations_of(table)[0].arbiter(table) is items[0]


def test_a_hand_written_arbiter_is_not_taken_away_for_its_name() -> None:
    """Bearing the name that the key gave once does not make it the key's."""
    table = accounts(
        UpsertKey("email"),
        UniqueConstraint("email", name="uq_accounts_email"),
        Index("mine", "email", unique=True),
    )

    assert uniques(table) == [EMAIL, "CREATE UNIQUE INDEX mine ON accounts (email)"]


def test_text_on_both_sides_is_the_same_text() -> None:
    """``text()`` in the index and in the key are compared as they read."""
    table = accounts(
        Index("mine", text("lower(email)"), unique=True), UpsertKey(text("lower(email)"))
    )

    assert uniques(table) == ["CREATE UNIQUE INDEX mine ON accounts (lower(email))"]


def test_a_predicate_may_be_a_string_in_the_index() -> None:
    """SQLAlchemy takes a plain string there."""
    table = accounts(
        Index("mine", "email", unique=True, postgresql_where="status = 'open'"),
        UpsertKey("email", where=text("status = 'open'")),
    )

    assert uniques(table) == ["CREATE UNIQUE INDEX mine ON accounts (email) WHERE status = 'open'"]


def test_an_index_that_has_no_literal_form_is_passed_over() -> None:
    """SQL of the user's that cannot be compared stops no declaration."""
    unwritable = column("tier") == Tier.FREE  # nothing tells the type
    table = accounts(
        Index("theirs", "email", unique=True, postgresql_where=unwritable), UpsertKey("email")
    )

    assert len(table.constraints) == 2
    assert declarations_of(table)[0].arbiter(table).name == "uq_accounts_email"


def test_an_arbiter_that_somebody_takes_away_is_missed() -> None:
    """A key never answers without one."""
    table = accounts(UpsertKey("email"))
    table.constraints = {table.primary_key}

    with pytest.raises(DeclarationError, match=r"upsert key accounts \(email\) lost its arbiter"):
        declarations_of(table)[0].arbiter(table)


@pytest.mark.parametrize(
    ("elements", "columns", "nullable"),
    [
        (["tenant", "email"], [], False),
        (["phone", "email"], ["phone"], True),
        (["phone", "status", "closed_at"], ["phone", "closed_at"], True),
        (["email", text("lower(email)")], [], True),
    ],
    ids=["none", "one", "two", "an expression"],
)
def test_a_key_tells_which_of_its_columns_may_be_null(
    elements: list[Any], columns: list[str], *, nullable: bool
) -> None:
    """In declared order; of an expression nobody knows."""
    table = accounts(UpsertKey(*elements))
    (declaration,) = declarations_of(table)

    assert declaration.nullable_columns(table) == columns
    assert declaration.is_nullable(table) is nullable


def test_each_key_has_its_own_arbiter() -> None:
    """An arbiter that takes one key over leaves the others with theirs."""
    table = accounts(
        UpsertKey("email"), UpsertKey("tenant", "phone"), UniqueConstraint("email", name="mine")
    )

    assert uniques(table) == [
        "CONSTRAINT mine UNIQUE (email)",
        "CONSTRAINT uq_accounts_tenant_phone UNIQUE (tenant, phone)",
    ]


def test_what_was_written_twice_by_hand_stays_twice() -> None:
    """The key takes back what it attached and nothing else."""
    table = accounts(
        UniqueConstraint("email", name="mine"),
        UpsertKey("email"),
        Index("mine_too", "email", unique=True),
    )

    assert uniques(table) == [
        "CONSTRAINT mine UNIQUE (email)",
        "CREATE UNIQUE INDEX mine_too ON accounts (email)",
    ]


NULLABLE = [
    # nulls, the arbiter's mode, whether it serves where a key column is nullable
    ("warn", "distinct", True),
    ("warn", "not distinct", True),
    ("forbid", "distinct", True),
    ("forbid", "not distinct", True),
    ("distinct", "distinct", True),
    ("distinct", "not distinct", False),
    ("not_distinct", "distinct", False),
    ("not_distinct", "not distinct", True),
]


def with_nulls(column: str, nulls: str, mode: str) -> list[str]:
    """What is unique on a table with a constraint in that mode and a key on the same column."""
    not_distinct = {"postgresql_nulls_not_distinct": True} if mode == "not distinct" else {}
    return uniques(
        accounts(
            UniqueConstraint(column, name="mine", **not_distinct),
            UpsertKey(column, nulls=nulls),  # type: ignore[arg-type]
        )
    )


@pytest.mark.parametrize(("nulls", "mode", "serves"), NULLABLE)
def test_the_null_mode_counts_where_the_key_is_nullable(
    nulls: str, mode: str, *, serves: bool
) -> None:
    """A key that states how NULLs compare is served only by what compares them so."""
    found = with_nulls("phone", nulls, mode)

    assert len(found) == (1 if serves else 2)


@pytest.mark.parametrize(("nulls", "mode"), [row[:2] for row in NULLABLE])
def test_the_null_mode_counts_for_nothing_where_no_null_can_be(nulls: str, mode: str) -> None:
    """On columns that are NOT NULL every arbiter enforces the same uniqueness."""
    assert len(with_nulls("email", nulls, mode)) == 1


def test_an_expression_can_be_null_for_all_that_is_known() -> None:
    """An expression over NOT NULL columns still tells the modes apart."""
    table = accounts(
        Index("mine", text("nullif(email, '')"), unique=True),
        UpsertKey(text("nullif(email, '')"), nulls="not_distinct"),
    )

    assert len(uniques(table)) == 2


def test_a_key_whose_nulls_are_equal_says_so() -> None:
    """``nulls="not_distinct"`` attaches an arbiter with NULLS NOT DISTINCT, as constraint and as index."""
    table = accounts(
        UpsertKey("phone", nulls="not_distinct"),
        UpsertKey("phone", "tenant", nulls="not_distinct", as_index=True),
    )

    assert uniques(table) == [
        "CONSTRAINT uq_accounts_phone UNIQUE NULLS NOT DISTINCT (phone)",
        "CREATE UNIQUE INDEX uq_accounts_phone_tenant ON accounts (phone, tenant) NULLS NOT DISTINCT",
    ]


def test_as_index_is_one_word_apart_from_a_constraint() -> None:
    """``as_index=True`` attaches a unique index of the same name."""
    assert uniques(accounts(UpsertKey("email", as_index=False))) == [EMAIL]
    assert uniques(accounts(UpsertKey("email", as_index=True))) == [
        "CREATE UNIQUE INDEX uq_accounts_email ON accounts (email)"
    ]


@pytest.mark.parametrize("as_index", [False, True])
def test_no_constraint_can_hold_a_predicate_or_an_expression(*, as_index: bool) -> None:
    """Such keys attach an index whether they ask for one or not."""
    table = accounts(
        UpsertKey("email", where=text("active"), as_index=as_index),
        UpsertKey(text("lower(email)"), as_index=as_index),
    )

    assert [sql.split(" INDEX ")[0] for sql in uniques(table)] == ["CREATE UNIQUE", "CREATE UNIQUE"]


def test_the_predicate_reaches_both_databases() -> None:
    """PostgreSQL and SQLite each get it under their own option."""
    table = accounts(UpsertKey("email", where=text("active")))
    (attached,) = table.indexes

    assert str(attached.dialect_kwargs["postgresql_where"]) == "active"
    assert str(attached.dialect_kwargs["sqlite_where"]) == "active"


def test_columns_keep_their_declared_order() -> None:
    """The order means nothing to inference and much to an index."""
    assert uniques(accounts(UpsertKey("tenant", "email"))) == [
        "CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email)"
    ]
    assert uniques(accounts(UpsertKey("email", "tenant"))) == [
        "CONSTRAINT uq_accounts_email_tenant UNIQUE (email, tenant)"
    ]


def test_only_what_lets_go_by_any_name_is_owned() -> None:
    """A stated name is kept; an arbiter that was found is not the key's."""
    table = accounts(
        UniqueConstraint("phone"),
        UpsertKey("email"),
        UpsertKey("tenant", name="stated"),
        UpsertKey("phone"),
    )

    assert {
        declaration.target.labels: declaration.owns(table) for declaration in declarations_of(table)
    } == {("email",): True, ("tenant",): False, ("phone",): False}
