"""One PostgreSQL database for all rules; each rule in a transaction that is rolled back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from tests.rules.answers import PostgreSQLRules, SQLiteRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Engine

    from tests.conftest import Server


@pytest.fixture(scope="package")
def shared_engine(server: Server) -> Iterator[Engine]:
    """A database that every rule leaves as it was."""
    name = f"guard_rules_{os.getpid()}"

    def connecting_to(database: str) -> Engine:
        where = {"host": server.host, "port": str(server.port)}
        url = URL.create(
            "postgresql+psycopg2",
            server.user,
            server.password or None,
            database=database,
            query=where,
        )
        return create_engine(url, poolclass=NullPool)

    maintenance = connecting_to(server.maintenance_dbname)
    with maintenance.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield connecting_to(name)
        connection.exec_driver_sql(f"DROP DATABASE {name}")


@pytest.fixture
def pg(shared_engine: Engine) -> Iterator[PostgreSQLRules]:
    """PostgreSQL, asked for real."""
    with shared_engine.connect() as connection, connection.begin() as transaction:
        yield PostgreSQLRules(connection)
        transaction.rollback()


@pytest.fixture
def sqlite() -> Iterator[SQLiteRules]:
    """SQLite, asked for real."""
    rules = SQLiteRules()
    yield rules
    rules.close()
