"""The upserts in the text of a statement that was sent: its rows are cut away before anything is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import postgast

from ...errors import UpsertGuardError
from ..scan.sql import read_sql
from ..scan.sql.executed import sent_statements
from ..target import AnyArbiter, Constraint, Elements, Unread
from .observed_upsert import SentUpsert, element_label

if TYPE_CHECKING:
    from ..scan.sql import SqlUpsert

__all__ = ["UnreadableError", "upserts_of_text"]


class UnreadableError(UpsertGuardError):
    """The statement upserts as far as its words show, and no parser reads it. Its text is no part of the message."""


def upserts_of_text(sql: str) -> tuple[SentUpsert, ...]:
    """Return the upserts that a text runs, with a driver's placeholders in it or none.

    :raises UnreadableError: it holds one that cannot be read.
    """
    try:
        statements = sent_statements(sql)
    except postgast.PgQueryError:
        return tuple(map(_sent, read_sql(sql)))
    # MySQL's and SQLite's own grammars read what PostgreSQL's does not
    return tuple(
        _sent(upsert)
        for each in statements
        for upsert in (each.upserts if each.is_read else read_sql(each.sql))
    )


def _sent(upsert: SqlUpsert) -> SentUpsert:
    table = upsert.table
    if isinstance(table, Unread):
        raise UnreadableError(table.reason)
    schema = table.schema
    if isinstance(schema, Unread):
        raise UnreadableError(schema.reason)
    match upsert.target:
        case AnyArbiter():
            return SentUpsert(schema=schema, table=table.name)
        case Constraint(name):
            return SentUpsert(schema=schema, table=table.name, constraint=name)
        case Elements(elements, where):
            return SentUpsert(
                schema=schema,
                table=table.name,
                elements=tuple(map(element_label, elements)),
                where="$1" if isinstance(where, Unread) else where,
                binds=upsert.binds,
            )
    raise UnreadableError
