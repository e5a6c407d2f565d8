"""Faults put into a project's env.py, and writers that go on meanwhile."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg2
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.project import Begun, Project, Ran

_INJECTED = """
import itertools, signal
from sqlalchemy import event

def inject(connection):
    kind, _, number = os.environ.get("FAULT", "").partition(":")
    numbers = itertools.count(1)

    @event.listens_for(connection, "before_cursor_execute")
    def before(conn, cursor, statement, *rest):
        at = next(numbers)
        if kind == "count":
            with open(os.environ["COUNTED"], "a") as file:
                file.write(statement.strip().splitlines()[0] + "\\n")
        if str(at) != number:
            return
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "terminate":
            pid = conn.connection.dbapi_connection.info.backend_pid
            with create_engine(url, poolclass=pool.NullPool).connect() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
                there = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"
                while other.exec_driver_sql(there).scalar_one():
                    other.rollback()  # what it has seen of its transaction's sessions stays seen in it

"""


def inject_faults(project: Project) -> None:
    """Have ``FAULT=kill:7`` kill the process before its seventh statement, ``terminate:7`` its session."""
    project.edit("migrations/env.py", "fileConfig(", f"{_INJECTED}fileConfig(")
    project.edit(
        "migrations/env.py",
        "        context.configure(connection=",
        "        inject(connection)\n        context.configure(connection=",
    )


def upgrade_with(project: Project, fault: str, *arguments: str, counted: str = "") -> Ran:
    """``alembic upgrade head`` with a fault in it."""
    return upgrade_begun_with(project, fault, *arguments, counted=counted).result()


def upgrade_begun_with(project: Project, fault: str, *arguments: str, counted: str = "") -> Begun:
    """The same, to be looked at while it runs."""
    faulty = {"FAULT": fault, "COUNTED": counted}
    project.environment.update(faulty)
    try:
        return project.begin(*(arguments or ("upgrade", "head")))
    finally:
        for name in faulty:
            del project.environment[name]


class Writer:
    """Inserts rows with keys of their own, one transaction each, and remembers which were acknowledged."""

    def __init__(self, url: str, table: str) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._table = table
        self._over = threading.Event()
        self.acknowledged = 0
        self.failed: list[str] = []

    def write(self) -> None:
        connection = psycopg2.connect(self._dsn)
        connection.autocommit = True
        insert = f"INSERT INTO {self._table} (user_id, question_id) VALUES (%s, %s)"
        with connection.cursor() as cursor:
            number = 0
            while not self._over.wait(0.002):
                number += 1
                try:
                    cursor.execute(insert, (1000 + number % 4, number))
                    self.acknowledged += 1
                except psycopg2.Error as error:
                    self.failed.append(str(error))
        connection.close()

    def stop(self) -> None:
        self._over.set()


@contextmanager
def written_to(project: Project, table: str = "answers") -> Iterator[Writer]:
    """A writer at work for the block."""
    writer = Writer(project.url, table)
    thread = threading.Thread(target=writer.write)
    thread.start()
    try:
        yield writer
    finally:
        writer.stop()
        thread.join()


@contextmanager
def another_session(project: Project, *statements: str) -> Iterator[int]:
    """A session that holds what `statements` take until the block ends; its pid."""
    engine = create_engine(project.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        pid = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        for statement in statements:
            connection.exec_driver_sql(statement)
        yield pid
