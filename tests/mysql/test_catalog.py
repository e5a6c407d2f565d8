"""Rows of information_schema to values, and which columns of it each server is asked for. No server takes part."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.dialects.mysql.base import MySQLDialect

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.catalog.mysql import catalog_statement, offered_from
from alembic_upsert_guard.databases import MYSQL
from alembic_upsert_guard.inference import ConflictTarget, Element, Kind, State, Traits, judge

MYSQL_8 = Traits(database=MYSQL, version=(8, 0, 36))


def table(name: str = "t", kind: str = "BASE TABLE", folds: int = 0) -> Any:
    return row("table", table_name=name, name=kind, current_schema="app", folds_names=folds)


def element(index: str, position: int, column: str | None = None, **facts: Any) -> Any:
    """As the manual documents STATISTICS; numbers as decimals, as drivers hand out what a UNION made of them."""
    given = {"is_unique": 1, "is_nullable": 0, "direction": "A", **facts}
    return row("element", name=index, position=position, column_name=column, **given)


def row(part: str, **facts: Any) -> Any:
    empty = dict.fromkeys(
        ("name", "column_name", "expression", "prefix", "is_unique", "is_nullable", "direction")
    )
    named = {
        "schema_name": "app",
        "table_name": "t",
        "position": 0,
        "current_schema": None,
        "folds_names": None,
    }
    return SimpleNamespace(part=part, **{**empty, **named, **facts})


def asked(version: tuple[int, ...], *, is_mariadb: bool = False) -> str:
    dialect: Any = MySQLDialect()
    dialect.server_version_info, dialect.is_mariadb = version, is_mariadb
    statement, _ = catalog_statement(dialect, [TableName(None, "t")])
    return str(statement)


def test_expressions_are_asked_for_where_the_server_has_them() -> None:
    """MySQL from 8.0.13 on."""
    assert "EXPRESSION," in asked((8, 0, 13)).split("FROM information_schema.STATISTICS")[0]
    assert "i.EXPRESSION" not in asked((8, 0, 12))
    assert "i.EXPRESSION" not in asked((10, 11, 19), is_mariadb=True)


def test_it_is_one_statement_whatever_the_number_of_tables() -> None:
    """And names are bound."""
    dialect: Any = MySQLDialect()
    dialect.server_version_info = (8, 4, 0)
    tables = [TableName(None, "a"), TableName(None, "b"), TableName("it's", "c")]
    statement, values = catalog_statement(dialect, tables)
    assert str(statement).count("information_schema.STATISTICS") == 1
    assert values == {"names_0": ["a", "b"], "names_1": ["c"], "schema_1": "it's"}


def test_rows_of_mysql_8_become_candidates() -> None:
    """In the order of the index; an expression without the catalog's backslashes."""
    rows = [
        table(),
        row("auto_increment", column_name="id"),
        element("PRIMARY", 1, "id"),
        element("uq", 1, "a"),
        element("uq", 2, "s", prefix=10, is_nullable=1, direction="D"),
        element("uq", 3, expression="concat(`s`,_utf8mb4\\'x\\')", is_nullable=1),
    ]
    offered = offered_from(rows, [TableName(None, "t")], MYSQL_8)[TableName(None, "t")]
    primary, uq = offered.candidates

    assert (primary.name, primary.kind, primary.definition) == ("PRIMARY", Kind.PRIMARY_KEY, None)
    assert uq.elements == (
        Element("a"),
        Element("s", prefix=10),
        Element(expression="concat(`s`,_utf8mb4'x')"),
    )
    assert (
        uq.definition
        == "CREATE UNIQUE INDEX `uq` ON `t` (`a`, `s`(10) DESC, (concat(`s`,_utf8mb4'x')))"
    )
    assert offered.nullable == {"s"}
    assert offered.traits.auto_increment == {"id"}


def test_a_prefix_and_its_twin_under_the_judge() -> None:
    """What the recorded rows of the two mean."""
    target = ConflictTarget((Element("s"),))
    for prefix, state in ((10, State.SHORT), (None, State.SATISFIED)):
        rows = [table(), element("uq", 1, "s", prefix=prefix)]
        offered = offered_from(rows, [TableName(None, "t")], MYSQL_8)[TableName(None, "t")]
        assert judge(target, offered.candidates, offered.traits).state is state


@pytest.mark.parametrize(("folds", "found"), [(0, False), (1, True), (2, True)])
def test_the_case_of_tables_counts_where_the_server_says_so(folds: int, *, found: bool) -> None:
    """lower_case_table_names: 1 on Windows, 2 on macOS."""
    rows = [table("Orders" if folds == 2 else "orders", folds=folds)]
    assert bool(offered_from(rows, [TableName("APP", "ORDERS")], MYSQL_8)) == found
    assert bool(offered_from(rows, [TableName(None, "ORDERS")], MYSQL_8)) == found


def test_a_partitions_expression_names_its_columns() -> None:
    """The names in backquotes, a doubled backquote included."""
    rows = [table(), row("partition", expression="to_days(`d``ay`) + `id`")]
    traits = offered_from(rows, [TableName(None, "t")], MYSQL_8)[TableName(None, "t")].traits
    assert traits.relation == "partitioned table"
    assert traits.partition_columns == ("d`ay", "id")


def test_a_table_that_is_not_there_is_left_out() -> None:
    """It has no row."""
    assert offered_from([], [TableName(None, "t")], MYSQL_8) == {}
