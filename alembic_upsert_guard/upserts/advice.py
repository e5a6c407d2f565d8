"""The SQL that fixes an upsert, where no models could declare its key: what to run, and which rows are in the way."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ..catalog.reading import commits_each_statement, execute, rolled_back
from ..databases import database_for
from ..errors import UpsertGuardError
from ..findings.calls import Form
from ..findings.constraints import constraint_hint
from ..findings.django import django_hint
from ..findings.rows_in_the_way import RowsInTheWay
from ..findings.unserved import by_hand_hint, sql_hint
from ..inference import Code, Kind, judge
from ..rows import RowsOfKey, listing_sql, read_rows
from ..sqltext import quoted
from .arbiter_sql import ArbiterOrder, arbiter_sql, constraint_from_index, default_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from ..catalog import Offered, TableName
    from ..findings.calls import Call
    from ..inference import ConflictTarget, Shortfall

__all__ = ["SqlAdvice"]

_PATIENCE = "SET LOCAL statement_timeout = '10s'"
"""How long the rows are looked at on PostgreSQL; the query that lists them is then shown without an answer."""


@dataclass(frozen=True, slots=True)
class _Repair:
    """What gives a target its arbiter, whatever the upsert is written in."""

    name: str
    """Of what is made."""
    statements: tuple[str, ...]
    """Empty: no statement does."""
    rows: RowsInTheWay | None
    """None: the table has none, or no statement is one."""


class SqlAdvice:
    """What to run in one database. The rows of a table are looked at once for each target that lacks its arbiter."""

    def __init__(self, connection: Connection, offered: Mapping[TableName, Offered]) -> None:
        """No rows are read yet.

        :param offered: what the tables offer, as the catalog was read.
        """
        self._connection = connection
        self._offered = offered
        self._known: dict[tuple[TableName, ConflictTarget, Shortfall], _Repair] = {}

    def hint(
        self,
        table: TableName,
        target: ConflictTarget,
        shortfall: Shortfall | None = None,
        call: Call | None = None,
    ) -> str | None:
        """Return the hint for a target without an arbiter; None: the table is not there.

        :param shortfall: None: the judge's.
        :param call: the upsert as its source writes it; None: it is SQL.
        """
        offered = self._offered.get(table)
        if offered is None:
            return None
        if shortfall is None:
            shortfall = judge(target, offered.candidates, offered.traits).shortfall
        if shortfall is None:
            return None
        known = (table, target, shortfall)
        if known not in self._known:
            self._known[known] = self._repair(table, offered, target, shortfall)
        repair = self._known[known]
        if not repair.statements:
            return by_hand_hint(shortfall, offered.traits)
        if call is not None and call.form is Form.DJANGO and _is_of_models(shortfall):
            return django_hint(call, target, shortfall, repair.name, repair.rows)
        return sql_hint(repair.statements, shortfall, target, repair.rows, call)

    def for_constraint(self, table: TableName, name: str) -> str:
        """Return the hint for a name in ``ON CONSTRAINT`` that no constraint of the table has."""
        offered = self._offered[table]
        index = next((c for c in offered.candidates if c.name == name), None)
        made = None
        if index is not None:
            made = constraint_from_index(self._connection.dialect, table, offered, index)
        return constraint_hint(offered.candidates, index, made)

    def _repair(
        self, table: TableName, offered: Offered, target: ConflictTarget, shortfall: Shortfall
    ) -> _Repair:
        order = ArbiterOrder(
            table=table,
            offered=offered,
            target=target,
            shortfall=shortfall,
            has_rows=self._has_rows(table),
        )
        statements = arbiter_sql(self._connection.dialect, order)
        rows = self._rows(table, target) if statements and order.has_rows else None
        return _Repair(default_name(order), statements, rows)

    def _has_rows(self, table: TableName) -> bool:
        """Whether the table has a row; True where it may not be read."""
        statement = f"SELECT 1 FROM {quoted(self._connection.dialect, *table)} LIMIT 1"
        try:
            with rolled_back(self._connection):
                return execute(self._connection, statement).first() is not None
        except DBAPIError:
            return True

    def _rows(self, table: TableName, target: ConflictTarget) -> RowsInTheWay:
        rows = RowsOfKey(table=table, target=target, nulls="distinct")
        connection = self._connection
        itself = commits_each_statement(connection)
        try:
            # a statement that fails takes its transaction along
            with nullcontext() if itself else rolled_back(connection):
                if database_for(connection.dialect).errors_end_transactions and not itself:
                    execute(connection, _PATIENCE)
                report = read_rows(connection, rows, sample=0, reveal=False)
        except (DBAPIError, UpsertGuardError):
            return RowsInTheWay(listing_sql(connection.dialect, rows), None)
        known = report.doubt is None and report.obstacle is None
        return RowsInTheWay(report.listing, report.groups if known else None)


def _is_of_models(shortfall: Shortfall) -> bool:
    """Whether a model's constraints are what is to be changed: not an index whose build failed, nor a primary key."""
    spoiler = shortfall.candidate
    is_key = spoiler is not None and spoiler.kind is Kind.PRIMARY_KEY
    return shortfall.code is not Code.INVALID_ARBITER and not (
        shortfall.code is Code.DEFERRABLE_ARBITER and is_key
    )
