"""A stand-in for the `supabase` package: its calls, as the SQL that PostgREST makes of them.

PostgREST takes the body of a request as JSON, turns it into rows of the table, and runs each
request in a transaction of its own. Errors come back with the SQLSTATE of the server as their code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extras import RealDictCursor
from psycopg2.sql import SQL, Composable, Identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
        named = SQL(", ").join(SQL("{} := %s").format(Identifier(name)) for name in arguments)
        statement = SQL("SELECT * FROM {}({})").format(Identifier(function), named)
        return Request(self.database_url, statement, [str(value) for value in arguments.values()])


@dataclass(frozen=True)
class Table:
    database_url: str
    name: str

    def select(self, columns: str) -> Query:
        return Query(self.database_url, self.name, _names_in(columns))

    def insert(self, row: Row) -> Request:
        return self._insert([row], SQL(""))

    def upsert(
        self, rows: Row | Sequence[Row], *, on_conflict: str, ignore_duplicates: bool = False
    ) -> Request:
        rows = [rows] if isinstance(rows, Mapping) else rows
        action = (
            SQL("DO NOTHING")
            if ignore_duplicates
            else SQL("DO UPDATE SET {}").format(
                SQL(", ").join(
                    SQL("{0} = EXCLUDED.{0}").format(Identifier(name)) for name in rows[0]
                )
            )
        )
        target = _listed(_names_in(on_conflict))
        return self._insert(rows, SQL(" ON CONFLICT ({}) {}").format(target, action))

    def _insert(self, rows: Sequence[Row], on_conflict: Composable) -> Request:
        statement = SQL(
            "INSERT INTO {table} ({columns}) "
            "SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s)"
            "{on_conflict} RETURNING *"
        ).format(table=Identifier(self.name), columns=_listed(rows[0]), on_conflict=on_conflict)
        return Request(self.database_url, statement, [json.dumps(rows, default=str)])


@dataclass(frozen=True)
class Query:
    database_url: str
    table: str
    columns: Sequence[str]
    filters: tuple[tuple[str, object], ...] = ()

    def eq(self, column: str, value: object) -> Query:
        return Query(self.database_url, self.table, self.columns, (*self.filters, (column, value)))

    def execute(self) -> Response:
        conditions = SQL(" AND ").join(
            SQL("{} = %s").format(Identifier(column)) for column, _ in self.filters
        )
        statement = SQL("SELECT {} FROM {} WHERE {}").format(
            _listed(self.columns), Identifier(self.table), conditions
        )
        parameters = [str(value) for _, value in self.filters]
        return Request(self.database_url, statement, parameters).execute()


@dataclass(frozen=True)
class Request:
    database_url: str
    statement: Composable
    parameters: Sequence[str]

    def execute(self) -> Response:
        with closing(psycopg2.connect(self.database_url)) as connection:
            try:
                with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
                    cursor.execute(self.statement, self.parameters)
                    return Response([dict(row) for row in cursor])
            except psycopg2.Error as error:
                raise APIError(error.pgcode, error.diag.message_primary) from error


def _names_in(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",")]


def _listed(names: Iterable[str]) -> Composable:
    return SQL(", ").join(map(Identifier, names))
