"""Why no value is bound: PostgreSQL infers a partial index from a parameter five times, and then no more."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.dialects.postgresql import insert

from alembic_upsert_guard import conflict_target, declare_upsert_key
from tests.declaring.tables import Tier, accounts
from tests.drivers import ON_POSTGRESQL, Driver

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = pytest.mark.parametrize("driver", ON_POSTGRESQL, ids=lambda driver: driver.name)


def upsert(table: Table, target: dict[str, Any]) -> Any:
    """One row, again and again."""
    return (
        insert(table)
        .values(tenant=1, email="a", status="open", visits=1)
        .on_conflict_do_update(**target, set_={"visits": table.c.visits + 1})
    )


@ALL
def test_a_literal_is_inferred_a_hundred_times(url: str, driver: Driver) -> None:
    """Plans turn generic after the fifth execution of a prepared statement; a literal stays one."""
    table = accounts()
    declare_upsert_key(table, "email", where=table.c.status == "open")
    visits = []

    def work(connection: Connection) -> None:
        table.metadata.create_all(connection)
        for _ in range(100):
            connection.execute(upsert(table, conflict_target(table)))
        visits.extend(connection.scalars(select(table.c.visits)))

    driver.on_one_connection(url, work)

    assert visits == [100]


@ALL
def test_a_literal_in_an_element_is_inferred_a_hundred_times(url: str, driver: Driver) -> None:
    """An expression of the index is found under the same condition as its predicate."""
    table = accounts()
    declare_upsert_key(table, func.coalesce(table.c.phone, "-"), "email")
    visits = []

    def work(connection: Connection) -> None:
        table.metadata.create_all(connection)
        for _ in range(100):
            connection.execute(upsert(table, conflict_target(table)))
        visits.extend(connection.scalars(select(table.c.visits)))

    driver.on_one_connection(url, work)

    assert visits == [100]


PREDICATES: dict[str, Callable[[Any], Any]] = {
    "a string": lambda c: c.status == "open",
    "a quote": lambda c: c.status != "it's",
    "a backslash": lambda c: c.status != "a\\b",
    "a per cent sign": lambda c: c.status != "100%",
    "a pattern": lambda c: c.status.like("op%"),
    "a colon": lambda c: c.status != "a:b",
    "a colon in text": lambda _: text("status <> 'c\\:d'"),
    "a per cent sign in text": lambda _: text("status <> '50%'"),
    "a list": lambda c: c.status.in_(["open", "new"]),
    "a number": lambda c: c.visits > 0,
    "a truth": lambda c: c.active.is_not(False),
    "a date": lambda c: c.closed_at > datetime(2020, 1, 2),  # noqa: DTZ001 - a column without a time zone
    "an enum": lambda c: c.tier == Tier.PAID,
    "NULL": lambda c: c.closed_at.is_(None),
}
ELEMENTS: dict[str, Callable[[Any], Any]] = {
    "a function": lambda c: func.lower(c.email),
    "a function with a value": lambda c: func.coalesce(c.phone, "50%"),
    "an operator": lambda c: c.email + "x",
    "a document": lambda c: c.document["x"].as_string(),
    "text": lambda _: text("upper(email)"),
}


@ALL
def test_every_kind_of_value_is_inferred(url: str, driver: Driver) -> None:
    """What the key's index was created with is what the upsert names."""
    refused = {}

    def work(connection: Connection) -> None:
        for part, kinds in (("where", PREDICATES), ("element", ELEMENTS)):
            for kind, made_of in kinds.items():
                with connection.begin_nested() as savepoint:
                    table = accounts()
                    clause = made_of(table.c)
                    try:
                        if part == "where":
                            declare_upsert_key(table, "email", where=clause)
                        else:
                            declare_upsert_key(table, clause)
                        table.metadata.create_all(connection)
                        connection.execute(upsert(table, conflict_target(table)))
                    except Exception as error:  # noqa: BLE001 - every kind is tried
                        refused[kind] = str(error).splitlines()[0]
                    savepoint.rollback()

    driver.on_one_connection(url, work)

    assert refused == {}
