"""What is read of the texts that a server keeps."""

from __future__ import annotations

import pytest

from alembic_upsert_guard.upserts.scan.sql.executed import executed_upserts
from alembic_upsert_guard.upserts.scan.sql.shapes import has_value, shape_of, without_values


def read(sql: str) -> list[tuple[object, object]]:
    return [(each.table, each.target) for each in executed_upserts(sql)]


def targets(sql: str) -> list[tuple[tuple[str, ...], str | None]]:
    found = [each.target for each in executed_upserts(sql)]
    return [(tuple(e.label for e in each.elements), each.predicate) for each in found]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO account VALUES ($1) ON CONFLICT (email) DO UPDATE SET at = date $2",
        "/* app:web */ INSERT INTO account VALUES (now() + interval $1) ON CONFLICT (email) DO NOTHING",
        "PREPARE register AS INSERT INTO account VALUES ($1) ON CONFLICT (email) DO NOTHING",
        "WITH i AS (INSERT INTO account VALUES ($1) ON CONFLICT (email) DO NOTHING RETURNING id) SELECT * FROM i",
        "SELECT 1; INSERT INTO account VALUES (E'\\'') ON CONFLICT (email) DO NOTHING",
    ],
)
def test_a_statement_that_runs_an_upsert_is_read(sql: str) -> None:
    """Whatever the server has put in the place of a literal."""
    assert targets(sql) == [(("email",), None)]


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN INSERT INTO account VALUES (1) ON CONFLICT (email) DO NOTHING",
        "DO $$ BEGIN INSERT INTO account VALUES (1) ON CONFLICT (email) DO NOTHING; END $$",
        "CREATE FUNCTION f() RETURNS void AS 'INSERT INTO a VALUES (1) ON CONFLICT (b) DO NOTHING'",
        "SELECT 'INSERT INTO account VALUES (1) ON CONFLICT (email) DO NOTHING'",
    ],
)
def test_a_statement_that_only_holds_an_upsert_is_not_read(sql: str) -> None:
    """It was not run, or is counted by itself."""
    assert executed_upserts(sql) == []


def test_rows_are_no_obstacle() -> None:
    """A statement of any number of rows is read: they are cut away before it is parsed."""
    rows = ", ".join(f"(${n}, $1)" for n in range(1, 20_000))

    assert targets(f"INSERT INTO account VALUES {rows} ON CONFLICT (email) DO NOTHING") == [
        (("email",), None)
    ]


def test_a_target_keeps_what_was_a_literal() -> None:
    """It says where a value is, in an element and in the predicate."""
    sql = "INSERT INTO t VALUES ($1) ON CONFLICT ((payload->>$2)) WHERE kind = $3 DO NOTHING"

    assert targets(sql) == [(("(payload ->> $2)",), "kind = $3")]


@pytest.mark.parametrize(
    ("recorded", "in_catalog"),
    [
        ("status = $3", "((status)::text = 'active'::text)"),
        (
            "status IN ($1, $2)",
            "((status)::text = ANY ((ARRAY['a'::varchar, 'b'::varchar])::text[]))",
        ),
        ("status in ($1 /*, ... */)", "(status = ANY (ARRAY['a'::text, 'b'::text]))"),
        ("at > date $1", "(at > '2020-01-01'::date)"),
        ("a BETWEEN $1 AND $2", "((a >= 1) AND (a <= 2))"),
        ("name LIKE $1", "((name)::text ~~ 'a%'::text)"),
        ("payload->>$1", "(payload ->> 'id'::text)"),
        ("date_trunc($1, at)", "date_trunc('day'::text, at)"),
    ],
)
def test_an_index_has_the_shape_of_what_was_recorded(recorded: str, in_catalog: str) -> None:
    """The catalog's casts and lists make no difference."""
    assert shape_of(recorded) == shape_of(in_catalog)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("status = $1", "state = 'active'"),
        ("status = $1", "status <> 'active'"),
        ("status = $1", "status = 'active' AND deleted_at IS NULL"),
        ("status = $1 AND kind = $2", "status = 'active' OR kind = 'a'"),
        ("a >= $1 AND a <= $2", "a >= 1 AND a < 2"),
        ("name LIKE $1", "name ILIKE 'a%'"),
        ("payload->>$1", "payload->'id'"),
    ],
)
def test_another_expression_has_another_shape(one: str, other: str) -> None:
    """Everything but a value tells expressions apart."""
    assert shape_of(one) != shape_of(other)


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("tenant = 'a secret'", "tenant = $1"),
        ("code = CAST('1234' AS varchar(20))", "code = $1::varchar(20)"),
        ("at > interval '1 day' * 3", "at > ($1::interval * $1)"),
        ("secret 'unfinished", "$1"),
    ],
)
def test_what_is_shown_holds_no_value(sql: str, shown: str) -> None:
    """Literals and parameters are both ``$1``."""
    assert without_values(sql) == shown
    assert has_value(sql)


def test_a_predicate_without_values_is_shown_as_it_is() -> None:
    """The twin: a column that is NULL is no value."""
    assert without_values("deleted_at IS NULL") == "deleted_at IS NULL"
    assert not has_value("deleted_at IS NULL")
