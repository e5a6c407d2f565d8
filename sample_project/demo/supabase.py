"""A stand-in for the `supabase` package: its calls, as the SQL that PostgREST makes of them.

PostgREST runs each request in a transaction of its own. Errors come back with the SQLSTATE of the server as their code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, pool, text
from sqlalchemy.exc import DBAPIError

from .database import refusal_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = Mapping[str, Any]


class APIError(Exception):
    """The server refused: its message, and its SQLSTATE as the code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Response:
    data: list[dict[str, Any]]


@dataclass(frozen=True)
class Client:
    database_url: str

    def table(self, name: str) -> Table:
        return Table(self.database_url, name)

    def rpc(self, function: str, arguments: Row) -> Request:
        named = ", ".join(f"{name} := :{name}" for name in arguments)
        return Request(self.database_url, f"SELECT * FROM {function}({named})", arguments)


@dataclass(frozen=True)
class Table:
    database_url: str
    name: str

    def select(self, columns: str) -> Query:
        return Query(self.database_url, self.name, _names_in(columns))

    def insert(self, row: Row) -> Request:
        return self._insert([row], "")

    def upsert(
        self, rows: Row | Sequence[Row], *, on_conflict: str, ignore_duplicates: bool = False
    ) -> Request:
        rows = [rows] if isinstance(rows, Mapping) else rows
        overwritten = ", ".join(f"{name} = EXCLUDED.{name}" for name in rows[0])
        action = "NOTHING" if ignore_duplicates else f"UPDATE SET {overwritten}"
        target = ", ".join(_names_in(on_conflict))
        return self._insert(rows, f" ON CONFLICT ({target}) DO {action}")

    def _insert(self, rows: Sequence[Row], on_conflict: str) -> Request:
        values = ", ".join(
            f"({', '.join(f':{name}_{number}' for name in row)})" for number, row in enumerate(rows)
        )
        return Request(
            self.database_url,
            f"INSERT INTO {self.name} ({', '.join(rows[0])}) VALUES {values}{on_conflict} RETURNING *",
            {f"{name}_{number}": row[name] for number, row in enumerate(rows) for name in row},
        )


@dataclass(frozen=True)
class Query:
    database_url: str
    table: str
    columns: Sequence[str]
    filters: tuple[tuple[str, object], ...] = ()

    def eq(self, column: str, value: object) -> Query:
        return Query(self.database_url, self.table, self.columns, (*self.filters, (column, value)))

    def execute(self) -> Response:
        conditions = " AND ".join(f"{column} = :{column}" for column, _ in self.filters)
        statement = f"SELECT {', '.join(self.columns)} FROM {self.table} WHERE {conditions}"
        return Request(self.database_url, statement, dict(self.filters)).execute()


@dataclass(frozen=True)
class Request:
    database_url: str
    statement: str
    parameters: Row

    def execute(self) -> Response:
        engine = create_engine(self.database_url, poolclass=pool.NullPool)
        # numbers are numbers in JSON, all else is a string
        sent = {
            name: value if isinstance(value, int) else str(value)
            for name, value in self.parameters.items()
        }
        try:
            with engine.begin() as connection:
                rows = connection.execute(text(self.statement), sent).mappings()
                return Response([dict(row) for row in rows])
        except DBAPIError as error:
            refusal = refusal_of(error)
            raise APIError(refusal.code, refusal.message) from error


def _names_in(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",")]
