"""The rows of a declared key, read from the heap, as findings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ..catalog import TableName
from ..catalog.messages import holds_no_value, message_of
from ..catalog.postgresql import sqlstate
from ..catalog.postgresql.sqlstates import INSUFFICIENT_PRIVILEGE
from ..catalog.reading import rolled_back
from ..errors import HiddenRowsError
from ..findings import Unread, of_rows, unread_rows
from ..rows import RowsOfKey, is_referred_to, listing_sql, offer_for, read_rows

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..findings import Finding, KeySubject
    from .inspected import InspectedKey

__all__ = ["rows_findings"]


def rows_findings(
    connection: Connection, key: InspectedKey, subject: KeySubject, *, served: bool
) -> list[Finding]:
    """Return what is found in the rows, or why they could not be read."""
    table = TableName(key.table.schema, key.table.name)
    rows = RowsOfKey(table=table, target=key.declared, nulls=key.declaration.nulls)
    try:
        # a statement that fails takes its transaction along, and the other keys are asked in the same one
        with rolled_back(connection):
            report = read_rows(connection, rows, sample=0, reveal=False)
    except DBAPIError as error:
        message = message_of(error, reveal=False, see="")
        listing = listing_sql(connection.dialect, rows)
        return [unread_rows(subject, _why_unread(error), message, listing)]
    except HiddenRowsError as error:
        return [unread_rows(subject, Unread.HIDDEN, error.fact)]
    repoint = is_referred_to([key.table.metadata], key.table.schema, key.table.name)
    offer = offer_for(connection.dialect, rows, report, repoint=repoint)
    return of_rows(subject, replace(report, suggested=offer), served=served)


def _why_unread(error: DBAPIError) -> Unread:
    state = sqlstate(error) or ""
    if state == INSUFFICIENT_PRIVILEGE:
        return Unread.HIDDEN
    if state[:2] == "22" or not holds_no_value(error):
        return Unread.FAILING
    # transactions, resources, locks, cancelled by a timeout
    return Unread.BUSY if state[:2] in ("40", "53", "55", "57") else Unread.UNKNOWN
