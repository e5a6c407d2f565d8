"""An application with one table, and its upserts in every form that SQLAlchemy has."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from sqlalchemy import NullPool, create_engine, func, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from alembic_upsert_guard.catalog.reading import execute

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine

DDL = """
CREATE TABLE accounts (id integer PRIMARY KEY, email varchar(50) NOT NULL, name varchar(50), status varchar(50));
CREATE UNIQUE INDEX uq_email ON accounts (email);
CREATE UNIQUE INDEX uq_lower ON accounts (lower(name));
CREATE UNIQUE INDEX uq_active ON accounts (name) WHERE status = 'active';
"""


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str | None]
    status: Mapped[str | None]


def row(number: int) -> dict[str, Any]:
    """A row whose every value says that it is secret."""
    return {
        "id": number,
        "email": f"secret-{number}@example.org",
        "name": f"secret-{number}",
        "status": "secret",
    }


def insert_for(connection: Connection) -> Any:
    """The dialect's own ``insert()`` of the table."""
    dialects: dict[str, Any] = {"postgresql": postgresql, "sqlite": sqlite}
    return dialects.get(connection.dialect.name, mysql).insert(Account)


def prepared(connection: Connection, ddl: str = DDL) -> None:
    """Make the table."""
    for statement in ddl.split(";"):
        if statement.strip():
            execute(connection, statement)


# -- the forms; each upserts on (email), on one line


def by_core(connection: Connection) -> int:
    statement = insert_for(connection).values(row(1))
    connection.execute(statement.on_conflict_do_nothing(index_elements=["email"]))
    return line_above()


def by_many_rows(connection: Connection) -> int:
    statement = insert_for(connection).on_conflict_do_nothing(index_elements=[Account.email])
    connection.execute(statement, [row(n) for n in range(1, 40)])
    return line_above()


def by_insertmanyvalues(connection: Connection) -> int:
    statement = (
        insert_for(connection)
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(Account.id)
    )
    connection.execute(statement, [row(n) for n in range(1, 3000)])
    return line_above()


def by_orm(connection: Connection) -> int:
    statement = insert_for(connection).on_conflict_do_nothing(index_elements=["email"])
    with Session(connection) as session:
        session.execute(statement, [row(1), row(2)])
        return line_above()


def by_text(connection: Connection) -> int:
    sql = "INSERT INTO accounts (id, email) VALUES (:id, 'secret') ON CONFLICT (email) DO UPDATE SET name = 'secret'"
    connection.execute(text(sql), {"id": 7})
    return line_above()


def by_driver_sql(connection: Connection) -> int:
    sql = "INSERT INTO accounts (id, email) VALUES (7, 'secret') ON CONFLICT (email) DO NOTHING"
    connection.exec_driver_sql(sql)
    return line_above()


def by_cte(connection: Connection) -> int:
    inserted = (
        insert_for(connection).values(row(1)).on_conflict_do_nothing(index_elements=["email"])
    )
    saved = inserted.returning(Account.id).cte("saved")
    connection.execute(postgresql.insert(Account).values(row(2)).add_cte(saved))
    return line_above()


FORMS = (by_core, by_many_rows, by_insertmanyvalues, by_orm, by_text, by_driver_sql)


def line_above() -> int:
    """The line above the one that calls."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno - 1


# -- targets


def on_expression(connection: Connection) -> None:
    target = [func.lower(Account.name)]
    connection.execute(
        insert_for(connection).values(row(1)).on_conflict_do_nothing(index_elements=target)
    )


def on_predicate(connection: Connection) -> None:
    statement = insert_for(connection).values(row(1))
    connection.execute(
        statement.on_conflict_do_nothing(
            index_elements=["name"], index_where=text("status = 'active'")
        )
    )


def on_bound_predicate(connection: Connection) -> None:
    where = Account.status == "active"
    statement = insert_for(connection).values(row(1))
    connection.execute(statement.on_conflict_do_nothing(index_elements=["name"], index_where=where))


def on_bound_expression(connection: Connection) -> None:
    target = [func.coalesce(Account.name, "secret")]
    connection.execute(
        insert_for(connection).values(row(1)).on_conflict_do_nothing(index_elements=target)
    )


def on_constraint(connection: Connection) -> None:
    statement = insert_for(connection).values(row(1))
    connection.execute(statement.on_conflict_do_nothing(constraint="uq_email"))


def on_name(connection: Connection) -> None:
    connection.execute(
        insert_for(connection).values(row(1)).on_conflict_do_nothing(index_elements=["name"])
    )


def on_nothing(connection: Connection) -> None:
    connection.execute(insert_for(connection).values(row(1)).on_conflict_do_nothing())


def on_row(connection: Connection, number: int) -> None:
    statement = insert_for(connection).values(row(number))
    connection.execute(statement.on_conflict_do_nothing(index_elements=["email"]))


def engine_of(url: str | URL) -> Engine:
    return create_engine(url, poolclass=NullPool)


def async_engine_of(url: str | URL) -> Any:
    return create_async_engine(url, poolclass=NullPool)
