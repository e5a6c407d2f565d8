"""What generated keys have found: each fault as it was made small, its twin one word away.

The database in SQL, the key as a model declares it; what the check says, and what the upsert does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from alembic.util import CommandError
from sqlalchemy import Boolean, Column, MetaData, Table, Text, text

from alembic_upsert_guard import UpsertKey

from .answers import inserted, said_of
from .project import Project, differences
from .world import execute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine

WORKS = ("satisfied", "ok")


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back."""
    with engine.connect() as connected:
        yield connected
        connected.rollback()


def _table(*columns: Column[Any]) -> Table:
    return Table("t", MetaData(), *columns)


def _words(**types: Any) -> Table:
    return _table(*(Column(name, type_) for name, type_ in types.items()))


def judged(connection: Connection, *ddl: str, table: Table) -> tuple[str, str]:
    """What the check says of the table's only key, and the answer to the upsert."""
    savepoint = connection.begin_nested()
    try:
        for statement in ddl:
            execute(connection, statement)
        row = {column.name: "NULL" for column in table.columns}
        return said_of(connection, table).verdict, inserted(connection, table, row)
    finally:
        savepoint.rollback()


def declared(table: Table, *elements: Any, where: Any = None) -> Table:
    """The table with a key on it."""
    UpsertKey(*elements, where=where)._set_parent_with_dispatch(table)
    return table


def texts(*elements: Any, where: Any = None) -> Table:
    """A model of ``t (a text, b text)`` with a key."""
    return declared(_words(a=Text(), b=Text()), *elements, where=where)


TEXTS = "CREATE TABLE t (a text, b text)"


# -- satisfied, and the upsert failed


def test_parentheses_around_a_collation(connection: Connection) -> None:
    """CREATE INDEX takes the parentheses off a COLLATE, and ON CONFLICT leaves them."""
    has = (TEXTS, 'CREATE UNIQUE INDEX i ON t (a COLLATE "C")')
    within, without = texts(text('(a COLLATE "C")')), texts(text('a COLLATE "C"'))
    assert judged(connection, *has, table=within) == ("short", "42P10")
    assert judged(connection, *has, table=without) == WORKS


def test_an_expression_that_is_simplified_to_its_column(connection: Connection) -> None:
    """An index on ``nullif(a, NULL)`` serves no target of that text: the planner makes it ``a``."""
    has = (TEXTS, "CREATE UNIQUE INDEX i ON t (nullif(a, NULL), b)")
    other = (TEXTS, "CREATE UNIQUE INDEX i ON t (nullif(a, ''), b)")
    assert judged(connection, *has, table=texts(text("nullif(a, NULL)"), "b")) == ("short", "42P10")
    assert judged(connection, *other, table=texts(text("nullif(a, '')"), "b")) == WORKS


def test_an_inlined_function(connection: Connection) -> None:
    """A function of SQL that gives its argument back is inlined in the target, and not in the index."""
    same = "CREATE FUNCTION same(x text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT x'"
    opaque = same.replace("LANGUAGE sql AS 'SELECT x'", "LANGUAGE plpgsql AS 'BEGIN RETURN x; END'")
    has = (TEXTS, "CREATE UNIQUE INDEX i ON t (same(a))")
    table = texts(text("same(a)"))
    assert judged(connection, same, *has, table=table) == ("short", "42P10")
    assert judged(connection, opaque, *has, table=table) == WORKS


@pytest.mark.parametrize(
    "rule",
    [
        "ON INSERT TO t WHERE NEW.a IS NULL DO ALSO NOTHING",
        "ON INSERT TO t DO INSTEAD INSERT INTO log VALUES (1)",
        "ON UPDATE TO t DO INSTEAD NOTHING",
        "ON UPDATE TO t WHERE false DO ALSO INSERT INTO log VALUES (1)",
    ],
)
def test_a_rule(connection: Connection, rule: str) -> None:
    """A rule on INSERT or UPDATE refuses every upsert; one on DELETE does not."""
    has = (TEXTS, "CREATE TABLE log (n int)", "CREATE UNIQUE INDEX i ON t (a)")
    said, answer = judged(connection, *has, f"CREATE RULE r AS {rule}", table=texts("a"))
    expected = ("satisfied", "ok") if answer == "ok" else ("short", "0A000")
    assert (said, answer) == expected
    harmless = "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING"
    assert judged(connection, *has, harmless, table=texts("a")) == WORKS


def test_a_rule_that_is_disabled(connection: Connection) -> None:
    """An INSERT rule that is disabled does no harm."""
    has = (
        TEXTS,
        "CREATE TABLE log (n int)",
        "CREATE UNIQUE INDEX i ON t (a)",
        "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (1)",
    )
    assert judged(connection, *has, table=texts("a")) == ("short", "0A000")
    disabled = "ALTER TABLE t DISABLE RULE r"
    assert judged(connection, *has, disabled, table=texts("a")) == WORKS


def test_a_predicate_that_is_no_sql(connection: Connection) -> None:
    """Where the arbiter has no predicate nobody compared the key's: a semicolon in it breaks every upsert."""
    has = (TEXTS, "CREATE UNIQUE INDEX i ON t (a)")
    said, answer = judged(connection, *has, table=texts("a", where=text("b IS NULL;")))
    assert (said != "satisfied", answer) == (True, "42601")
    assert judged(connection, *has, table=texts("a", where=text("b IS NULL"))) == WORKS


def test_a_predicate_of_a_function_that_is_not_there(connection: Connection) -> None:
    """The same of a name that does not resolve."""
    has = (TEXTS, "CREATE UNIQUE INDEX i ON t (a)")
    said, answer = judged(connection, *has, table=texts("a", where=text("lenght(b) > 0")))
    assert (said != "satisfied", answer) == (True, "42883")
    assert judged(connection, *has, table=texts("a", where=text("length(b) > 0"))) == WORKS


def test_a_sort_order_in_text(connection: Connection) -> None:
    """``text("lower(a) DESC")`` makes an index, and no conflict target."""
    has = (TEXTS, "CREATE UNIQUE INDEX i ON t (lower(a) DESC)")
    said, answer = judged(connection, *has, table=texts(text("lower(a) DESC")))
    assert (said != "satisfied", answer) == (True, "42P10")
    assert judged(connection, *has, table=texts(text("lower(a)"))) == WORKS


# -- short, and the upsert worked


@pytest.mark.parametrize("spelling", ["(f = true)", "(f <> false)", "(NOT NOT f)", "(true = f)"])
def test_a_boolean_compared(connection: Connection, spelling: str) -> None:
    """An index on the column serves a target that is simplified to it, and none that is not."""
    has = ("CREATE TABLE t (f bool)", "CREATE UNIQUE INDEX i ON t (f)")
    assert judged(connection, *has, table=declared(_words(f=Boolean()), text(spelling))) == WORKS
    other = declared(_words(f=Boolean()), text("(f IS TRUE)"))
    assert judged(connection, *has, table=other) == ("short", "42P10")


@pytest.mark.parametrize(
    "spelling", ["(a)", "(a::text)", "nullif(a, NULL)", "(CASE WHEN true THEN a END)"]
)
def test_a_column_in_other_words(connection: Connection, spelling: str) -> None:
    """The same of what is simplified to a column of any type."""
    has = (TEXTS, "CREATE UNIQUE INDEX i ON t (a)")
    assert judged(connection, *has, table=texts(text(spelling))) == WORKS
    assert judged(connection, *has, table=texts(text("(a || '')"))) == ("short", "42P10")


@pytest.mark.since(15)
def test_null_outside_of_the_predicate(connection: Connection) -> None:
    """How an index takes NULLs says nothing where its predicate lets none in."""
    has = (
        "CREATE TABLE t (f bool, b text)",
        "CREATE UNIQUE INDEX i ON t (f) NULLS NOT DISTINCT WHERE f",
    )
    table = declared(_words(f=Boolean(), b=Text()), "f", where=text("f"))
    assert judged(connection, *has, table=table) == WORKS
    lets_in = declared(_words(f=Boolean(), b=Text()), "f", where=text("b IS NULL"))
    other = "CREATE UNIQUE INDEX i ON t (f) NULLS NOT DISTINCT WHERE b IS NULL"
    assert judged(connection, has[0], other, table=lets_in) == ("short", "ok")


def test_a_temporary_table(connection: Connection) -> None:
    """The empty copy that spellings are compared on is no table of the session's."""
    has = (TEXTS, "CREATE UNIQUE INDEX i ON t (a) WHERE b IS NOT NULL")
    temporary = (has[0].replace("TABLE", "TEMP TABLE"), has[1])
    table = texts("a", where=text("\n (b IS NOT NULL)\n"))
    assert judged(connection, *temporary, table=table) == WORKS
    assert judged(connection, *has, table=table) == WORKS


@pytest.mark.parametrize(("where", "codes"), [("b IS NOT NULL", ()), ("a > ''", ("nullable-key",))])
def test_a_predicate_that_keeps_null_out(
    connection: Connection, where: str, codes: tuple[str, ...]
) -> None:
    """No warning of NULLs that double where the predicate lets none in."""
    execute(connection, TEXTS)
    execute(connection, f"CREATE UNIQUE INDEX i ON t (b) WHERE {where}")
    assert said_of(connection, texts("b", where=text(where))).codes == codes


# -- not refused, and the revision could never run


_TWO = "b) WHERE (b IS NULL"
"""Two halves of parentheses: a predicate of a row, which ON CONFLICT takes and no index."""


@pytest.mark.parametrize(
    ("elements", "where", "words"),
    [
        (["a::text"], None, "syntax error"),
        (["lower(a) DESC NULLS"], None, "syntax error"),
        ([_TWO, "md5(a)"], None, "must be type boolean"),
        (["a"], "b IS NULL;", "syntax error"),
        (["a"], "lenght(b) > 0", "lenght(text) does not exist"),
        (["a"], "b", "must be type boolean"),
        (["concat(a, 'x')"], None, "must be marked IMMUTABLE"),
    ],
)
def test_sql_that_is_never_served_is_refused(
    connection: Connection, elements: list[str], where: str | None, words: str
) -> None:
    """Before a revision is written, in the server's words."""
    execute(connection, TEXTS)
    predicate = None if where is None else text(where)
    with pytest.raises(CommandError, match=re.escape(words)):
        differences(connection, texts(*map(text, elements), where=predicate).metadata)


@pytest.mark.parametrize(
    ("elements", "where"),
    [(["(a::varchar)"], None), (["lower(a)"], None), (["a"], "length(b) > 0"), (["a"], "b = ''")],
)
def test_sql_that_can_be_served_is_not(
    connection: Connection, elements: list[str], where: str | None
) -> None:
    """The twins: autogenerate makes an index of them."""
    execute(connection, TEXTS)
    predicate = None if where is None else text(where)
    found = differences(connection, texts(*map(text, elements), where=predicate).metadata)
    assert "add_index" in {difference[0] for difference in found}


@pytest.mark.parametrize("gone", ["(CASE WHEN b > '' THEN b END)", "(b || 'x')"])
def test_a_removed_arbiter_on_several_lines(
    connection: Connection, tmp_path: Path, gone: str
) -> None:
    """The server prints CASE over several lines: the comment above the drop is a comment all the same."""
    execute(connection, TEXTS)
    execute(connection, f"CREATE UNIQUE INDEX gone ON t ({gone}, b)")
    connection.commit()
    written = Project(tmp_path / "migrations", connection, texts("a").metadata).revise()
    compile(written, "revision", "exec")


def test_two_elements_in_one_text(connection: Connection) -> None:
    """``text("a, nullif(b, NULL)")`` makes an index of two elements: it is judged, and nothing breaks."""
    has = (TEXTS, "CREATE UNIQUE INDEX i ON t (a, b)")
    assert judged(connection, *has, table=texts(text("a, nullif(b, NULL)"))) == WORKS
    assert judged(connection, *has, table=texts(text("a, nullif(b, '')"))) == ("short", "42P10")
