"""``observe()``: every upsert that a process sends through SQLAlchemy, where it came from and what it names."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard import observe
from alembic_upsert_guard.inference import Element
from alembic_upsert_guard.upserts.observed import (
    ObservedFileError,
    SentUpsert,
    read_observed,
)
from alembic_upsert_guard.upserts.observed.observed_upsert import element_label, element_of_label
from alembic_upsert_guard.upserts.observed.source import as_upserts
from alembic_upsert_guard.upserts.target import Unread
from alembic_upsert_guard.upserts.upsert import Place, Source
from tests.observed import accounts
from tests.observed.accounts import Account, async_engine_of, engine_of, insert_for, row
from tests.test_imports import fresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic_upsert_guard.upserts.observed import ObservedUpserts
    from tests.mysql.servers import MySQLServer
    from tests.observed.conftest import Database

ROOT = Path(__file__).parents[2]
HERE = "tests/observed/accounts.py"
ON_EMAIL = SentUpsert(schema=None, table="accounts", elements=("email",))


def sent(upserts: ObservedUpserts) -> list[SentUpsert]:
    return [each.upsert for each in upserts]


@pytest.mark.parametrize("form", accounts.FORMS, ids=lambda form: form.__name__)
def test_every_form_is_recorded_at_its_line(
    database: Database, form: Callable[[Connection], int]
) -> None:
    """By every driver, sync and async: one upsert, on the line of the application that sends it."""
    with observe(root=ROOT) as upserts:
        line = database.work(form)

    (upsert,) = upserts
    assert upsert.upsert == ON_EMAIL
    assert (upsert.dialect, upsert.outcome) == (database.driver.dialect, "ok")
    assert [(place.path, place.line, place.test) for place in upsert.places] == [(HERE, line, None)]


@pytest.mark.parametrize(
    ("statement", "imported"),
    [
        ("insert(t).values(a=1).on_conflict_do_nothing(index_elements=['a'])", set()),
        ("text('INSERT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING')", {"postgast"}),
        (
            "text('INSERT OR ABORT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING')",
            {"postgast", "sqlglot"},
        ),
    ],
)
def test_a_parser_is_imported_where_a_statement_needs_it(
    statement: str, imported: set[str]
) -> None:
    """Columns of a construct need none, and only what PostgreSQL's grammar refuses needs the slower one."""
    modules = fresh(f"""
        import sys
        from sqlalchemy import Column, MetaData, Table, create_engine, text
        from sqlalchemy.dialects.sqlite import insert
        from alembic_upsert_guard import observe

        t = Table("t", MetaData(), Column("a", unique=True))
        with create_engine("sqlite://").begin() as connection, observe() as upserts:
            connection.exec_driver_sql("CREATE TABLE t (a UNIQUE)")
            connection.execute({statement})
        print(len(upserts), *{{"postgast", "sqlglot"}} & set(sys.modules))
    """).split()

    assert (modules[0], set(modules[1:])) == ("1", imported)


def test_an_upsert_in_a_cte_is_recorded(postgresql_url: str) -> None:
    """The INSERT around it has no conflict clause."""
    with observe(root=ROOT) as upserts, engine_of(postgresql_url).begin() as connection:
        accounts.by_cte(connection)

    assert sent(upserts) == [ON_EMAIL]


def test_what_is_no_upsert_is_not_recorded(postgresql_url: str) -> None:
    """A word alone makes none, and neither does a statement that is planned, prepared or kept in a function."""
    upsert = "INSERT INTO accounts (id, email) VALUES (1, '') ON CONFLICT (email) DO NOTHING"
    with observe(root=ROOT) as upserts, engine_of(postgresql_url).begin() as connection:
        connection.execute(text("SELECT 'conflict' AS duplicate"))
        connection.execute(text(f"EXPLAIN {upsert}"))
        connection.execute(text(f"PREPARE save AS {upsert}"))
        connection.execute(
            text(f"CREATE FUNCTION save() RETURNS void LANGUAGE sql AS $$ {upsert} $$")
        )
        connection.execute(insert_for(connection).values(row(1)))

    assert list(upserts) == []
    assert upserts.unread == ()


@pytest.mark.parametrize(
    ("work", "elements", "where"),
    [
        (accounts.on_expression, ("lower(name)",), None),
        (accounts.on_predicate, ("name",), "status = 'active'"),
        (accounts.on_nothing, (), None),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_target_is_recorded_as_it_was_sent(
    database: Database,
    work: Callable[[Connection], None],
    elements: tuple[str, ...],
    where: str | None,
) -> None:
    """Expressions and predicates in PostgreSQL's spelling; none where the upsert names none."""
    with observe(root=ROOT) as upserts:
        database.work(work)

    assert sent(upserts) == [
        SentUpsert(schema=None, table="accounts", elements=elements, where=where)
    ]


def test_a_constraint_is_recorded_by_its_name(postgresql_url: str) -> None:
    """It is an index here, which the server refuses."""
    engine = engine_of(postgresql_url)
    with observe(root=ROOT) as upserts, engine.connect() as connection, pytest.raises(DBAPIError):
        accounts.on_constraint(connection)

    (upsert,) = upserts
    assert upsert.upsert == SentUpsert(schema=None, table="accounts", constraint="uq_email")
    assert upsert.outcome == "42704"


def test_the_same_upsert_is_read_alike_from_construct_and_text(postgresql_url: str) -> None:
    """Whatever a driver writes for a parameter, ``$1`` stands in its place."""
    with observe(root=ROOT) as upserts, engine_of(postgresql_url).begin() as connection:
        accounts.on_bound_predicate(connection)
        connection.exec_driver_sql(
            "INSERT INTO accounts (id, email) VALUES (5, 'x') ON CONFLICT (name) WHERE status = %(s)s DO NOTHING",
            {"s": "active"},
        )

    (upsert,) = upserts
    assert upsert.upsert.where == "status = $1"
    assert upsert.count == 2


def test_the_schema_is_the_one_that_was_translated_to(postgresql_url: str) -> None:
    """The construct of the models is compiled once for all tenants."""
    engine = engine_of(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA tenant"))
        connection.execute(
            text("CREATE TABLE tenant.accounts (LIKE public.accounts INCLUDING ALL)")
        )
    with observe(root=ROOT) as upserts:
        for schema in ("tenant", "public"):
            translated = engine.execution_options(schema_translate_map={None: schema})
            with translated.begin() as connection:
                accounts.by_core(connection)

    assert [upsert.schema for upsert in sent(upserts)] == ["public", "tenant"]


@pytest.mark.parametrize("work", [accounts.by_core, accounts.by_text, accounts.on_bound_expression])
def test_no_value_of_a_row_is_kept(
    database: Database, work: Callable[[Connection], Any], tmp_path: Path
) -> None:
    """Neither in the file nor in a finding: each row's values say that they are secret."""
    notes = []
    with observe(root=ROOT) as upserts:
        try:
            database.work(work)
        except DBAPIError as error:
            notes = getattr(error, "__notes__", [])
    upserts.write(tmp_path / "observed.json")

    assert len(upserts) == 1
    assert "secret" not in (tmp_path / "observed.json").read_text()
    assert "secret" not in repr((notes, upserts.findings))


def test_an_upsert_that_no_parser_reads_is_counted(sqlite_url: str) -> None:
    """With its beginning, up to where a value could be."""
    with observe(root=ROOT) as upserts, engine_of(sqlite_url).connect() as connection:
        for _ in range(2):
            with pytest.raises(DBAPIError):
                connection.exec_driver_sql(
                    "INSERT INTO accounts (id) VALUES (1) ON CONFLICT (email) DO UPDATE SET name = 'secret"
                )

    assert list(upserts) == []
    (unread,) = upserts.unread
    assert (unread.dialect, unread.beginning, unread.count) == (
        "sqlite",
        "INSERT INTO accounts",
        2,
    )


def test_an_upsert_on_mysql_names_no_target(mysql_server: MySQLServer) -> None:
    """Any unique key can take ``ON DUPLICATE KEY UPDATE``, from the construct and from text."""
    ddl = accounts.DDL.partition("CREATE UNIQUE INDEX uq_lower")[0]
    engine = engine_of(mysql_server.database("observed"))
    sql = "INSERT INTO accounts (id, email) VALUES (%s, %s) ON DUPLICATE KEY UPDATE name = 'x'"
    with observe(root=ROOT) as upserts, engine.begin() as connection:
        accounts.prepared(connection, ddl)
        connection.execute(mysql.insert(Account).values(row(1)).on_duplicate_key_update(name="x"))
        connection.exec_driver_sql(sql, (2, "it's"))

    (upsert,) = upserts
    assert upsert.upsert == SentUpsert(schema=None, table="accounts")
    assert (upsert.dialect, upsert.outcome, upsert.count) == (engine.dialect.name, "ok", 2)


# -- the block


def test_after_the_block_sqlalchemy_is_as_it_was(sqlite_url: str) -> None:
    """Its functions are its own again, and nothing is recorded any more."""
    before = dict(vars(Connection))
    with observe() as upserts:
        assert dict(vars(Connection)) != before
    assert dict(vars(Connection)) == before

    with engine_of(sqlite_url).begin() as connection:
        accounts.by_core(connection)
    assert list(upserts) == []


def test_blocks_nest(sqlite_url: str) -> None:
    """The outer one has what the inner one has, and what came before and after it."""
    engine = engine_of(sqlite_url)
    with observe() as outer:
        with engine.begin() as connection:
            accounts.by_core(connection)
        with observe() as inner, engine.begin() as connection:
            accounts.on_expression(connection)
        with engine.begin() as connection:
            accounts.by_core(connection)

    assert [each.elements for each in sent(inner)] == [("lower(name)",)]
    assert [(each.upsert.elements, each.count) for each in outer] == [
        (("email",), 2),
        (("lower(name)",), 1),
    ]


def test_a_block_that_raises_is_left_all_the_same() -> None:
    """As any other context manager."""
    before = dict(vars(Connection))
    with pytest.raises(ZeroDivisionError), observe():
        raise ZeroDivisionError

    assert dict(vars(Connection)) == before


def test_blocks_come_and_go_under_running_statements(sqlite_url: str) -> None:
    """No statement of another thread fails for it, and a block that outlasts them has them all."""
    done, failed = threading.Event(), []

    def work() -> None:
        engine = engine_of(sqlite_url)
        try:
            while not done.is_set():
                with engine.connect() as connection:
                    accounts.by_core(connection)
        except Exception as error:  # noqa: BLE001 - the thread's
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        with observe():
            pass
    with observe() as upserts:
        while not len(upserts):
            pass
    done.set()
    for thread in threads:
        thread.join()

    assert failed == []
    assert sent(upserts) == [ON_EMAIL]


def test_tasks_are_recorded_at_their_own_lines(postgresql_url: str) -> None:
    """Each behind a greenlet of its own, all at the same time."""
    url = postgresql_url.replace("psycopg2", "asyncpg")

    async def one(engine: Any, number: int) -> None:
        sql = (
            f"INSERT INTO accounts (id, email) VALUES ({number}, '') ON CONFLICT (email) DO NOTHING"
        )
        async with engine.begin() as connection:
            await connection.execute(text(sql))

    async def another(engine: Any, number: int) -> None:
        async with engine.begin() as connection:
            await connection.run_sync(accounts.on_row, number)

    async def all_of_them() -> None:
        engine = async_engine_of(url)
        await asyncio.gather(*(one(engine, n) for n in range(5)))
        await asyncio.gather(*(another(engine, n) for n in range(5, 10)))
        await engine.dispose()

    with observe(root=ROOT) as upserts:
        asyncio.run(all_of_them())

    (upsert,) = upserts
    assert upsert.count == 10
    assert [place.path for place in upsert.places] == [HERE, "tests/observed/test_observe.py"]


def test_what_is_written_is_read_back(postgresql_url: str, tmp_path: Path) -> None:
    """The values of a block, one by one, bound ones among them."""
    with observe(root=ROOT) as upserts, engine_of(postgresql_url).begin() as connection:
        for work in (accounts.on_nothing, accounts.on_expression, accounts.on_bound_predicate):
            connection.execute(text("TRUNCATE accounts"))
            work(connection)
    upserts.write(tmp_path / "a folder" / "observed.json")

    assert read_observed(tmp_path / "a folder" / "observed.json") == list(upserts)
    assert [each.upsert.binds for each in upserts] == [False, False, True]


def test_what_was_recorded_is_a_source_of_upserts(postgresql_url: str) -> None:
    """One for each line that ran it; what was bound is unread there."""
    with observe(root=ROOT) as upserts, engine_of(postgresql_url).begin() as connection:
        line = accounts.by_core(connection)
        connection.execute(text("TRUNCATE accounts"))
        accounts.by_text(connection)
        accounts.on_bound_predicate(connection)

    first, second, bound = (upsert for each in upserts for upsert in as_upserts(each))
    assert {first.source, second.source, bound.source} == {Source.OBSERVED}
    assert (first.place, first.table_name, first.elements) == (
        Place(path=HERE, line=line),
        "accounts",
        ("email",),
    )
    assert second.place != first.place
    assert (bound.binds, bound.elements) == (True, ("name",))
    assert isinstance(bound.target.predicate, Unread)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "No such file"),
        ("{", "cannot be read"),
        ("[]", "version 1"),
        ('{"version": 2}', "version 1"),
        ('{"version": 1, "upserts": [{}]}', "KeyError: 'elements'"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, written: str | None, said: str) -> None:
    """With its name and the reason."""
    file = tmp_path / "observed.json"
    if written is not None:
        file.write_text(written)

    with pytest.raises(ObservedFileError, match=said) as raised:
        read_observed(file)
    assert str(file) in str(raised.value)


@pytest.mark.parametrize(
    "element",
    [
        Element(column="email"),
        Element(column="e mail$1"),
        Element(column="price (usd)"),
        Element(column='a "quoted" one'),
        Element(column="email", collation='"C"'),
        Element(column="E mail", opclass='"text_pattern_ops"'),
        Element(expression="lower(email)"),
        Element(expression="(a || b)", collation='"C"'),
    ],
    ids=str,
)
def test_an_element_is_read_back_as_it_was(element: Element) -> None:
    """Columns stay columns, whatever their names look like."""
    assert element_of_label(element_label(element)) == element
