"""``conflict_target`` says what the database has to match by, in SQLAlchemy's own keyword arguments."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    Index,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    column,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from alembic_upsert_guard import (
    DeclarationError,
    UndeclaredUpsertKeyError,
    UpsertGuardError,
    UpsertKey,
    conflict_target,
    declare_upsert_key,
)
from tests.declaring.tables import Tier, accounts, uniques

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine() -> Iterator[Engine]:
    """SQLite in memory."""
    made = create_engine("sqlite://")
    yield made
    made.dispose()


def sent(table: Table, target: dict[str, Any], dialect: Any) -> tuple[str, dict[str, Any]]:
    """What the driver is handed for an upsert on `target`: from ``ON CONFLICT`` on, and the parameters."""
    statement = dialect.insert(table).values(id=1).on_conflict_do_nothing(**target)
    compiled = statement.compile(dialect=dialect.dialect())
    # as every execution does it
    state = compiled._process_parameters_for_postcompile(compiled.params)
    return state.statement.partition(" ON CONFLICT ")[2], state.parameters


# -- the arguments


def test_a_plain_key_is_index_elements_and_nothing_else() -> None:
    """No ``index_where`` that would have to be explained."""
    table = accounts(UpsertKey("email"))

    assert conflict_target(table, "email") == {"index_elements": ["email"]}


def test_a_partial_key_has_its_predicate_too() -> None:
    """Exactly these two keys."""
    table = accounts(UpsertKey("email", where=text("active")))

    target = conflict_target(table, "email")
    assert set(target) == {"index_elements", "index_where"}
    assert target["index_elements"] == ["email"]
    assert str(target["index_where"]) == "active"


def test_columns_are_strings_in_declared_order() -> None:
    """In whatever order, and as whatever, they were asked for."""
    table = accounts(UpsertKey("tenant", "email"))

    for asked in (("tenant", "email"), ("email", "tenant"), (table.c.email, "tenant"), ()):
        target = conflict_target(table, *asked)
        assert target == {"index_elements": ["tenant", "email"]}
        assert all(isinstance(element, str) for element in target["index_elements"])


def test_a_column_is_told_by_its_name_and_not_by_its_key() -> None:
    """SQLAlchemy takes a string there for a name in the database."""
    table = Table("accounts", MetaData(), Column("E-Mail", String, key="mail"), UpsertKey("mail"))

    assert conflict_target(table, "mail") == {"index_elements": ["E-Mail"]}
    assert conflict_target(table, "E-Mail") == {"index_elements": ["E-Mail"]}


def test_a_key_that_points_at_something_is_answered_alike() -> None:
    """Whose constraint it is makes no difference to the call site."""
    table = accounts(UniqueConstraint("email"), UpsertKey("email"), UpsertKey("id"))

    assert conflict_target(table, "email") == {"index_elements": ["email"]}
    assert conflict_target(table, "id") == {"index_elements": ["id"]}


def test_a_mapped_class_is_asked_with_its_attributes() -> None:
    """As in the rest of the ORM."""

    class Base(DeclarativeBase):
        pass

    class Account(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        mail: Mapped[str] = mapped_column("email")
        __table_args__ = (UpsertKey(mail),)

    assert conflict_target(Account, Account.mail) == {"index_elements": ["email"]}
    assert conflict_target(Account) == {"index_elements": ["email"]}


# -- which key is meant


def test_the_only_key_need_not_be_named() -> None:
    """One is one."""
    assert conflict_target(accounts(UpsertKey("email"))) == {"index_elements": ["email"]}


def test_the_whole_key_is_meant_where_a_partial_one_has_the_same_elements() -> None:
    """The predicate has to be said."""
    table = accounts(UpsertKey("email", where=text("active")), UpsertKey("email"))

    assert "index_where" not in conflict_target(table, "email")
    assert "index_where" in conflict_target(table, "email", where=text("active"))


def test_the_only_key_on_these_elements_is_meant_though_it_is_partial() -> None:
    """Nothing else could be."""
    table = accounts(UpsertKey("email", where=text("active")), UpsertKey("tenant"))

    assert "index_where" in conflict_target(table, "email")


def test_a_predicate_tells_partial_keys_apart() -> None:
    """As text or as an expression: it is compared as it reads."""
    table = accounts(
        UpsertKey("email", where=text("status = 'open'")),
        UpsertKey("email", where=text("status = 'new'")),
    )

    for where in (text("status = 'new'"), table.c.status == "new", column("status") == "new"):
        assert str(conflict_target(table, "email", where=where)["index_where"]) == "status = 'new'"


def test_a_predicate_alone_can_be_enough() -> None:
    """Where one key has it."""
    table = accounts(UpsertKey("email", where=text("active")), UpsertKey("email"))

    assert str(conflict_target(table, where=text("active"))["index_where"]) == "active"


NO_KEY = {
    "none declared": (
        lambda: conflict_target(accounts()),
        "table 'accounts' declares no upsert key: add UpsertKey(...) to its __table_args__",
    ),
    "none declared, elements named": (
        lambda: conflict_target(accounts(), "tenant", "email"),
        'table \'accounts\' declares no upsert key: add UpsertKey("tenant", "email") to its __table_args__',
    ),
    "several": (
        lambda: conflict_target(
            accounts(UpsertKey("email"), UpsertKey("tenant", where=text("active")))
        ),
        (
            "no single upsert key of table 'accounts' fits: name the elements, and where= for a partial key, of one "
            "of these: upsert key accounts (email); upsert key accounts (tenant) WHERE active"
        ),
    ),
    "other elements": (
        lambda: conflict_target(accounts(UpsertKey("tenant", "email")), "email"),
        (
            "no single upsert key of table 'accounts' fits on (email): name the elements, and where= for a partial "
            "key, of one of these: upsert key accounts (tenant, email)"
        ),
    ),
    "the column beneath an expression": (
        lambda: conflict_target(accounts(UpsertKey(text("lower(email)"))), "email"),
        (
            "no single upsert key of table 'accounts' fits on (email): name the elements, and where= for a partial "
            "key, of one of these: upsert key accounts (lower(email))"
        ),
    ),
    "another predicate": (
        lambda: conflict_target(
            accounts(UpsertKey("email", where=text("active"))), "email", where=text("NOT active")
        ),
        "of one of these: upsert key accounts (email) WHERE active",
    ),
    "a predicate too many": (
        lambda: conflict_target(accounts(UpsertKey("email")), "email", where=text("active")),
        "of one of these: upsert key accounts (email)",
    ),
    "two partial ones": (
        lambda: conflict_target(
            accounts(
                UpsertKey("email", where=text("active")),
                UpsertKey("email", where=text("NOT active")),
            ),
            "email",
        ),
        "upsert key accounts (email) WHERE active; upsert key accounts (email) WHERE NOT active",
    ),
}


@pytest.mark.parametrize("asked", NO_KEY)
def test_no_single_key_fits(asked: str) -> None:
    """The error lists what could have been asked for."""
    ask, told = NO_KEY[asked]

    with pytest.raises(UndeclaredUpsertKeyError) as refusal:
        ask()

    assert str(refusal.value).endswith(told)
    assert isinstance(refusal.value, UpsertGuardError)
    assert isinstance(refusal.value, LookupError)


def test_an_unknown_column_is_told_as_in_a_declaration() -> None:
    """With the table's columns."""
    with pytest.raises(DeclarationError, match=r"unknown column 'mail'.*id, tenant, email"):
        conflict_target(accounts(UpsertKey("email")), "mail")


def test_a_predicate_as_a_plain_string_is_told_as_in_a_declaration() -> None:
    """With the line that would do."""
    with pytest.raises(DeclarationError, match=r"""write sa\.text\("status = 'open'"\)"""):
        conflict_target(
            accounts(UpsertKey("email", where=text("status = 'open'"))), where="status = 'open'"
        )


# -- no value is bound

PREDICATES: dict[str, Any] = {
    "a string": (lambda c: c.status == "open", "status = 'open'"),
    "a quote": (lambda c: c.status == "it's", "status = 'it''s'"),
    "a list": (lambda c: c.status.in_(["open", "new"]), "status IN ('open', 'new')"),
    "a list to keep out": (lambda c: c.status.not_in(["x", "y"]), "(status NOT IN ('x', 'y'))"),
    "a number": (lambda c: c.visits > 0, "visits > 0"),
    "a range": (lambda c: c.visits.between(0, 9), "visits BETWEEN 0 AND 9"),
    "a date": (
        lambda c: c.closed_at > datetime(2020, 1, 2),  # noqa: DTZ001 - the column has no time zone
        "closed_at > '2020-01-02 00:00:00'",
    ),
    "an enum": (lambda c: c.tier == Tier.PAID, "tier = 'PAID'"),
    "NULL": (lambda c: c.closed_at.is_(None), "closed_at IS NULL"),
    "a parameter of text": (
        lambda _: text("status = :status").bindparams(status="open"),
        "status = 'open'",
    ),
    "text": (lambda _: text("status = 'a\\:b'"), "status = 'a:b'"),
    "two": (
        lambda c: (c.status == "open") | (c.visits > 5),
        "status = 'open' OR visits > 5",
    ),
}


@pytest.mark.parametrize("dialect", [postgresql, sqlite], ids=["postgresql", "sqlite"])
@pytest.mark.parametrize("predicate", PREDICATES)
def test_no_value_of_a_predicate_is_bound(predicate: str, dialect: Any) -> None:
    """The index has literals, and is found by literals alone."""
    where, sql = PREDICATES[predicate]
    table = accounts()
    declare_upsert_key(table, "email", where=where(table.c))

    on_conflict, parameters = sent(table, conflict_target(table), dialect)

    if (predicate, dialect) == ("a date", sqlite):
        sql = sql.replace("00:00:00", "00:00:00.000000")  # as its own DateTime writes it
    assert on_conflict == f"(email) WHERE {sql} DO NOTHING"
    assert list(parameters.values()) == [1]


ELEMENTS: dict[str, Any] = {
    "no value": (lambda c: func.lower(c.email), "lower(email)"),
    "a number": (lambda c: func.coalesce(c.visits, 0), "coalesce(visits, 0)"),
    "a string": (lambda c: func.coalesce(c.phone, "-"), "coalesce(phone, '-')"),
    "an operator": (lambda c: c.email + "x", "(email || 'x')"),
    "text": (lambda _: text("lower(email)"), "lower(email)"),
}


@pytest.mark.parametrize("dialect", [postgresql, sqlite], ids=["postgresql", "sqlite"])
@pytest.mark.parametrize("element", ELEMENTS)
def test_no_value_of_an_element_is_bound(element: str, dialect: Any) -> None:
    """An expression is written as the index has it, in parentheses where it needs them."""
    expression, sql = ELEMENTS[element]
    table = accounts()
    declare_upsert_key(table, "tenant", expression(table.c))

    on_conflict, parameters = sent(table, conflict_target(table), dialect)

    assert on_conflict == f"(tenant, {sql}) DO NOTHING"
    assert list(parameters.values()) == [1]


@pytest.mark.parametrize("dialect", [postgresql, sqlite], ids=["postgresql", "sqlite"])
@pytest.mark.parametrize(
    ("key", "sql"),
    [
        (lambda c: UpsertKey("email", where=c.status == "open"), "(email) WHERE status = 'open'"),
        (lambda c: UpsertKey(func.coalesce(c.phone, "-")), "(coalesce(phone, '-'))"),
    ],
    ids=["predicate", "element"],
)
def test_a_script_has_the_literals_too(key: Any, sql: str, dialect: Any) -> None:
    """``alembic upgrade --sql`` writes statements with their values in place."""
    table = accounts(key(accounts().c))
    upsert = dialect.insert(table).values(id=1).on_conflict_do_nothing(**conflict_target(table))

    script = upsert.compile(dialect=dialect.dialect(), compile_kwargs={"literal_binds": True})

    assert str(script) == f"INSERT INTO accounts (id) VALUES (1) ON CONFLICT {sql} DO NOTHING"


def test_the_declaration_is_not_used_up() -> None:
    """A second call returns the same, and the index still has its literals."""
    table = accounts(UpsertKey("email", where=column("status") == "open"))

    first, second = (sent(table, conflict_target(table), sqlite) for _ in range(2))

    assert first == second
    assert uniques(table)[0].endswith(" ON accounts (email) WHERE status = 'open'")


def test_different_literals_are_different_statements(engine: Engine) -> None:
    """SQLAlchemy's statement cache does not hand one key's SQL to another."""
    table = accounts()
    for status in ("open", "new"):
        declare_upsert_key(table, "email", where=table.c.status == status)
    table.metadata.create_all(engine)
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))

    with engine.begin() as connection:
        for status in ("open", "new", "open"):
            target = conflict_target(table, "email", where=table.c.status == status)
            row = sqlite.insert(table).values(tenant=1, email="a", status=status)
            connection.execute(row.on_conflict_do_nothing(**target))

    assert [sql.partition(" WHERE ")[2] for sql in seen] == [
        "status = 'open' DO NOTHING",
        "status = 'new' DO NOTHING",
        "status = 'open' DO NOTHING",
    ]


# -- executed

KEYS: dict[str, Any] = {
    "plain": lambda _: UpsertKey("tenant", "email"),
    "as index": lambda _: UpsertKey("email", "tenant", as_index=True),
    "expression": lambda c: UpsertKey(func.lower(c.email)),
    "expression with a value": lambda c: UpsertKey(func.coalesce(c.phone, "-"), "email"),
    "operator": lambda c: UpsertKey(c.tenant + 1, "email"),
    "text": lambda _: UpsertKey(text("lower(email)"), "tenant"),
    **{
        f"partial: {name}": lambda c, where=where: UpsertKey("email", where=where(c))
        for name, (where, _) in PREDICATES.items()
    },
}


INSIDE: dict[str, dict[str, Any]] = {
    "partial: a quote": {"status": "it's"},
    "partial: a date": {"closed_at": datetime(2021, 1, 2)},  # noqa: DTZ001 - the column has no time zone
    "partial: an enum": {"tier": Tier.PAID},
    "partial: text": {"status": "a:b"},
}
"""What a row needs to be inside a predicate, where the defaults are not."""


@pytest.fixture(params=KEYS)
def keyed(request: pytest.FixtureRequest, engine: Engine) -> Table:
    """A table with one key, as ``create_all()`` makes it; its `info` is a row inside the predicate."""
    table = accounts(KEYS[request.param](accounts().c), info=INSIDE.get(request.param, {}))
    table.metadata.create_all(engine)
    return table


def row(table: Table) -> Any:
    """One row to insert again and again."""
    return sqlite.insert(table).values(tenant=1, email="a", visits=1, **table.info)


def test_an_upsert_updates_the_row(keyed: Table, engine: Engine) -> None:
    """``on_conflict_do_update`` finds its arbiter, each time: one row, whose visits were counted."""
    upsert = row(keyed).on_conflict_do_update(
        **conflict_target(keyed), set_={"visits": keyed.c.visits + 1}
    )

    with engine.begin() as connection:
        for _ in range(3):
            connection.execute(upsert)
        assert list(connection.scalars(select(keyed.c.visits))) == [3]


def test_an_upsert_does_nothing(keyed: Table, engine: Engine) -> None:
    """``on_conflict_do_nothing`` finds it too, and the row stays as it is."""
    upsert = row(keyed).on_conflict_do_nothing(**conflict_target(keyed))

    with engine.begin() as connection:
        connection.execute(row(keyed))
        for visits in (2, 3):
            connection.execute(upsert.values(visits=visits))
        assert list(connection.scalars(select(keyed.c.visits))) == [1]


@pytest.mark.parametrize(
    ("where", "rows"),
    [(None, [3]), (text("status = 'open'"), [3]), (text("status = 'closed'"), [1, 1, 1])],
    ids=["whole", "inside the predicate", "outside the predicate"],
)
def test_rows_are_matched_by_the_key(where: Any, rows: list[int], engine: Engine) -> None:
    """Rows outside a predicate are never matched."""
    table = accounts(UpsertKey("email", where=where))
    table.metadata.create_all(engine)
    upsert = row(table).on_conflict_do_update(
        **conflict_target(table), set_={"visits": table.c.visits + 1}
    )

    with engine.begin() as connection:
        for _ in range(3):
            connection.execute(upsert)
        assert list(connection.scalars(select(table.c.visits))) == rows


def test_an_upsert_through_the_orm(engine: Engine) -> None:
    """A session takes the same arguments."""

    class Base(DeclarativeBase):
        pass

    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("email"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]
        visits: Mapped[int] = mapped_column(default=1)

    Base.metadata.create_all(engine)
    upsert = sqlite.insert(Account).on_conflict_do_update(
        **conflict_target(Account, Account.email), set_={"visits": Account.visits + 1}
    )

    with Session(engine) as session:
        session.execute(upsert, [{"email": "a"}, {"email": "b"}])
        session.execute(upsert, [{"email": "a"}])
        found = session.execute(select(Account.email, Account.visits).order_by("email")).all()

    assert found == [("a", 2), ("b", 1)]


@pytest.mark.parametrize("comment", [" -- the open ones", ""], ids=["a comment", "none"])
def test_a_comment_ends_with_its_line(engine: Engine, comment: str) -> None:
    """What is written behind the declaration's SQL is no part of a comment in it: table, target, look-up."""
    where = f"closed_at IS NULL{comment}"
    table = accounts(
        UpsertKey(text(f"lower(email){comment}"), where=text(where)),
        UpsertKey("tenant", where=text(where) & (column("visits") > 0)),
    )
    table.metadata.create_all(engine)
    target = conflict_target(table, text(f"lower(email){comment}"), where=text(where))
    upsert = sqlite.insert(table).values(tenant=1, email="a").on_conflict_do_nothing(**target)
    with engine.begin() as connection:
        connection.execute(upsert)
        connection.execute(upsert)
        assert connection.scalar(text("SELECT count(*) FROM accounts")) == 1


@pytest.mark.parametrize("comment", [" -- the open ones", ""], ids=["a comment", "none"])
def test_a_comment_makes_no_other_predicate(comment: str) -> None:
    """A key points at an index of the table that is commented alike."""
    where = text(f"closed_at IS NULL{comment}")
    table = accounts(
        UpsertKey("tenant", where=where),
        Index("by_hand", "tenant", unique=True, postgresql_where=where, sqlite_where=where),
    )
    assert len(uniques(table)) == 1
