"""What no database could keep fails while the models are imported, and the message mends it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import (
    Column,
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
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from alembic_upsert_guard import (
    DeclarationError,
    UpsertGuardError,
    UpsertKey,
    conflict_target,
    declare_upsert_key,
    declared_upsert_keys,
)
from tests.declaring.tables import Tier, accounts, keys, uniques


def refused(*items: Any, **options: Any) -> str:
    """The message with which a table of these items is refused."""
    with pytest.raises(DeclarationError) as refusal:
        accounts(*items, **options)
    return str(refusal.value)


def test_the_error_is_one_of_sqlalchemys_and_one_of_ours() -> None:
    """Whoever catches bad arguments of SQLAlchemy, or everything of this package, catches it."""
    assert issubclass(DeclarationError, ArgumentError)
    assert issubclass(DeclarationError, UpsertGuardError)


def test_an_unknown_column() -> None:
    """The table's columns are listed: most such names are misspelt."""
    assert refused(UpsertKey("tenant", "mail")) == (
        "UpsertKey on table 'accounts' names the unknown column 'mail'; the table's columns are: id, tenant, "
        "email, phone, status, active, tier, closed_at, document, visits. Correct the name, or write the key after "
        "the columns in Table(...); an expression goes in as sa.text(...)"
    )


def test_an_unknown_column_in_a_predicate() -> None:
    """A predicate's columns are looked up like the elements."""
    message = refused(UpsertKey("email", where=column("state") == "open"))

    assert "unknown column 'state'" in message


def test_an_unknown_column_in_a_schema() -> None:
    """The table is told with its schema."""
    assert "on table 'crm.accounts'" in refused(UpsertKey("mail"), schema="crm")


def test_a_key_before_its_columns() -> None:
    """A Core table takes its items in order."""
    with pytest.raises(DeclarationError, match=r"none yet.*write the key after the columns"):
        Table("accounts", MetaData(), UpsertKey("email"), Column("email", String))


def test_no_elements() -> None:
    """A key of nothing matches nothing."""
    with pytest.raises(DeclarationError) as refusal:
        UpsertKey()

    assert str(refusal.value) == (
        "UpsertKey() names no elements: name the columns that the upsert matches rows by, as in "
        'UpsertKey("user_id", "question_id")'
    )


def test_an_unknown_null_mode() -> None:
    """The known ones are listed."""
    with pytest.raises(DeclarationError) as refusal:
        UpsertKey("email", nulls="ignore")  # type: ignore[arg-type]

    assert str(refusal.value) == (
        "UpsertKey(nulls='ignore') is not known: write one of 'warn', 'distinct', 'not_distinct', 'forbid'"
    )


@pytest.mark.parametrize("nulls", ["warn", "distinct", "not_distinct", "forbid"])
def test_the_known_null_modes_are_taken(nulls: Any) -> None:
    """Each of those that the message lists."""
    (key,) = declared_upsert_keys(accounts(UpsertKey("email", nulls=nulls)))

    assert key.nulls == nulls


@pytest.mark.parametrize(
    ("again", "told"),
    [
        (lambda t: declare_upsert_key(t, "tenant", "email"), "tenant, email"),
        (lambda t: declare_upsert_key(t, "email", "tenant"), "email, tenant"),
        (lambda t: declare_upsert_key(t, t.c.tenant, t.c.email), "tenant, email"),
        (lambda t: declare_upsert_key(t, "tenant", "email", nulls="forbid"), "tenant, email"),
        (lambda t: declare_upsert_key(t, "tenant", "email", name="mine"), "tenant, email"),
        (lambda t: declare_upsert_key(t, "tenant", "email", as_index=True), "tenant, email"),
    ],
    ids=["as written", "in another order", "as columns", "nulls", "name", "as_index"],
)
def test_the_same_key_twice(again: Any, told: str) -> None:
    """A key is its element set and its predicate, whatever else it says."""
    table = accounts(UpsertKey("tenant", "email"))

    with pytest.raises(DeclarationError) as refusal:
        again(table)

    assert str(refusal.value) == (
        f"upsert key accounts ({told}) is declared twice: drop one of the two declarations"
    )
    assert keys(table) == [(("tenant", "email"), None)]


def test_the_same_partial_key_twice() -> None:
    """As text and as an expression it is the same predicate."""
    assert refused(
        UpsertKey("email", where=text("status = 'open'")),
        UpsertKey("email", where=column("status") == "open"),
    ) == (
        "upsert key accounts (email) WHERE status = 'open' is declared twice: drop one of the two declarations"
    )


def test_keys_that_differ_in_a_word_are_two_keys() -> None:
    """In an element or in the predicate."""
    table = accounts(
        UpsertKey("email"),
        UpsertKey("email", "tenant"),
        UpsertKey("email", where=text("active")),
        UpsertKey("email", where=text("NOT active")),
        UpsertKey(func.lower(column("email"))),
    )

    assert len(keys(table)) == 5


def test_an_element_twice_in_a_key() -> None:
    """SQLite finds no arbiter for ``ON CONFLICT (email, email)``: the message names the element."""
    assert "email" in refused(UpsertKey("email", "tenant", "email"))


DEFERRABLE: dict[str, Any] = {
    "deferrable": {"deferrable": True},
    "initially immediate": {"deferrable": True, "initially": "IMMEDIATE"},
    "initially deferred": {"deferrable": True, "initially": "DEFERRED"},
    "initially alone": {"initially": "deferred"},
}
REFUSAL = (
    "upsert key accounts (tenant, email) cannot be upserted on: slow on the same columns is DEFERRABLE, and "
    "ON CONFLICT fails on it with 55000; declare that constraint without deferrable= and initially="
)


def slow(how: str = "deferrable", *columns: str) -> UniqueConstraint:
    """A deferrable constraint on the key's columns, in another order than the key's."""
    return UniqueConstraint(*(columns or ("email", "tenant")), name="slow", **DEFERRABLE[how])


def key(**options: Any) -> UpsertKey:
    """The key on those columns."""
    return UpsertKey("tenant", "email", **options)


@pytest.mark.parametrize("how", DEFERRABLE)
@pytest.mark.parametrize("order", ["constraint first", "key first"])
def test_a_deferrable_constraint_on_the_elements(how: str, order: str) -> None:
    """PostgreSQL infers it, and then refuses to use it."""
    items = [slow(how), key()]
    if order == "key first":
        items.reverse()

    assert refused(*items) == REFUSAL


@pytest.mark.parametrize(
    "items",
    [
        lambda good: [good, slow(), key()],
        lambda good: [slow(), good, key()],
        lambda good: [good, key(), slow()],
        lambda good: [key(), good, slow()],
        lambda good: [slow(), key(), good],
        lambda good: [key(), slow(), good],
    ],
    ids=["GDK", "DGK", "GKD", "KGD", "DKG", "KDG"],
)
def test_a_deferrable_constraint_beside_a_good_one(items: Any) -> None:
    """One bad arbiter spoils the upsert, in whatever order they stand."""
    good = UniqueConstraint("tenant", "email", name="good")

    assert refused(*items(good)) == REFUSAL


def test_a_deferrable_constraint_spoils_a_partial_key_too() -> None:
    """A constraint on every row is inferred for a target with a predicate as well."""
    assert "slow on the same columns is DEFERRABLE" in refused(slow(), key(where=text("active")))


def test_a_deferrable_primary_key() -> None:
    """It has no name to be told by."""
    with pytest.raises(DeclarationError, match="DEFERRABLE"):
        Table(
            "accounts",
            MetaData(),
            Column("a", Integer),
            PrimaryKeyConstraint("a", deferrable=True),
            UpsertKey("a"),
        )


@pytest.mark.parametrize(
    "constraint",
    [
        lambda: UniqueConstraint("email", "tenant", name="slow", deferrable=False),
        lambda: UniqueConstraint("email", "tenant", name="slow", initially="IMMEDIATE"),
        lambda: slow("deferrable", "email"),
        lambda: slow("deferrable", "email", "tenant", "status"),
    ],
    ids=["not deferrable", "immediate", "fewer columns", "more columns"],
)
@pytest.mark.parametrize("order", ["constraint first", "key first"])
def test_what_does_not_spoil_the_upsert_is_let_be(constraint: Any, order: str) -> None:
    """One word away from a deferrable constraint on the key's own elements."""
    items = [constraint(), key()]
    if order == "key first":
        items.reverse()

    assert keys(accounts(*items)) == [(("tenant", "email"), None)]


def test_a_predicate_as_a_plain_string() -> None:
    """The same string is handed back as it has to be written."""
    with pytest.raises(DeclarationError) as refusal:
        UpsertKey("email", where="status = 'open'")

    assert str(refusal.value) == (
        "UpsertKey(where=\"status = 'open'\") is not a SQL expression: write sa.text(\"status = 'open'\")"
    )


@pytest.mark.parametrize("element", [None, 3, ["tenant", "email"], Integer])
def test_an_element_that_is_no_sql(element: object) -> None:
    """It is named, and what would do in its place."""
    message = refused(UpsertKey(element))

    assert message.startswith(
        f"UpsertKey element {element!r} on table 'accounts' is neither a column nor a SQL expression: "
    )
    assert 'sa.text("lower(email)")' in message


@pytest.mark.parametrize("direction", ["asc", "desc", "nulls_first", "nulls_last"])
def test_a_sort_order(direction: str) -> None:
    """``ON CONFLICT (email DESC)`` is 42P10 on PostgreSQL."""
    message = refused(UpsertKey(getattr(column("email"), direction)()))

    assert "states a sort order, which ON CONFLICT does not allow (42P10)" in message
    assert "leave it out" in message


def test_a_column_of_another_table() -> None:
    """Both tables are named."""
    contacts = Table("contacts", MetaData(), Column("email", String))

    assert refused(UpsertKey(contacts.c.email)) == (
        "UpsertKey on table 'accounts' names contacts.email, a column of another table: name one of its own"
    )


def test_a_column_of_another_table_inside_an_expression() -> None:
    """Elements and predicates are both looked through."""
    contacts = Table("contacts", MetaData(), Column("email", String))

    assert "contacts.email" in refused(UpsertKey(func.lower(contacts.c.email)))
    assert "contacts.email" in refused(UpsertKey("email", where=contacts.c.email != ""))


@pytest.mark.parametrize("part", ["element", "predicate"])
def test_a_parameter_without_a_value(part: str) -> None:
    """``text()`` took something for a parameter: it is named, and how a colon is written."""
    sql = text("status = :state")
    message = refused(UpsertKey(sql) if part == "element" else UpsertKey("email", where=sql))

    assert "the parameter :state has no value" in message
    assert "a backslash before a colon" in message


def test_a_value_that_has_no_literal_form() -> None:
    """SQLAlchemy cannot write a Python object of an unknown type as SQL."""
    message = refused(UpsertKey("email", where=column("tier") == Tier.FREE))

    assert message.startswith(
        "UpsertKey on table 'accounts' cannot be written as SQL with its values in place"
    )
    assert "Write the expression as sa.text(...)" in message


def test_a_value_whose_column_knows_its_type_has_a_literal_form() -> None:
    """The twin: the table's own column tells how the value is written."""
    table = accounts()
    declare_upsert_key(table, "email", where=table.c.tier == Tier.FREE)

    assert keys(table) == [(("email",), "tier = 'FREE'")]


def test_an_attribute_of_a_mixin_that_has_no_name_yet() -> None:
    """It never gets one, its copies do: the message says more than the name that it has not."""

    class Base(DeclarativeBase):
        pass

    class HasEmail:
        email: Mapped[str] = mapped_column()
        __table_args__ = (UpsertKey(email),)

    with pytest.raises(DeclarationError) as refusal:
        type("Account", (HasEmail, Base), {"__tablename__": "accounts"})

    assert "None" not in str(refusal.value)


class NotATable:
    """What has neither a table nor keys."""


@pytest.mark.parametrize(
    "thing",
    [NotATable, DeclarativeBase, "accounts", None, accounts().alias()],
    ids=["class", "base", "name", "None", "alias"],
)
@pytest.mark.parametrize(
    "function",
    [lambda thing: declare_upsert_key(thing, "email"), declared_upsert_keys, conflict_target],
    ids=["declare_upsert_key", "declared_upsert_keys", "conflict_target"],
)
def test_a_class_that_is_no_table(function: Any, thing: Any) -> None:
    """What was passed is told, and what has to be."""
    with pytest.raises(DeclarationError) as refusal:
        function(thing)

    assert str(refusal.value) == (
        f"{thing!r} is neither a Table nor a mapped class: pass one of the two"
    )


@pytest.mark.parametrize(
    ("element", "where"),
    [("mail", None), ("email", column("state") == "open"), (column("email").desc(), None)],
    ids=["element", "predicate", "order"],
)
def test_a_refused_key_leaves_nothing_behind(element: Any, where: Any) -> None:
    """The table is as it was."""
    table = accounts()

    with pytest.raises(DeclarationError):
        declare_upsert_key(table, element, where=where)

    assert declared_upsert_keys(table) == ()
    assert uniques(table) == []


def test_a_convention_that_builds_on_a_stated_name() -> None:
    """SQLAlchemy's own error names neither the table nor the way out."""
    table = Table(
        "accounts",
        MetaData(naming_convention={"uq": "uq_%(table_name)s_%(constraint_name)s"}),
        Column("email", String),
    )

    with pytest.raises(DeclarationError, match=r"accounts \(email\) needs a name.*name="):
        declare_upsert_key(table, "email")
    declare_upsert_key(table, "email", name="email")
