"""One database of each server for all rules."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.mysql.rules import MySQLRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Engine

    from tests.mysql.servers import MySQLServer


@pytest.fixture(scope="session")
def shared_mysql(mysql_server: MySQLServer) -> Engine:
    """A database whose tables each rule makes anew."""
    return create_engine(mysql_server.database(f"guard_rules_{os.getpid()}"), poolclass=NullPool)


@pytest.fixture
def my(shared_mysql: Engine) -> Iterator[MySQLRules]:
    """MariaDB and MySQL, asked for real."""
    with shared_mysql.connect() as connection:
        yield MySQLRules(connection)
