"""Which database was asked."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from ..databases import database_for
from ..findings import DatabaseFacts

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Dialect

__all__ = ["facts_of"]


def facts_of(connection: Connection) -> DatabaseFacts:
    """Return what a report says of the database that a connection is to; nothing is asked of it.

    Host, user and password are left out; of a file, its folder.
    """
    name = connection.engine.url.database
    return DatabaseFacts(
        database_for(connection.dialect).name,
        _version(connection.dialect),
        PurePath(name).name if name else None,
    )


def _version(dialect: Dialect) -> str | None:
    server = getattr(dialect, "server_version_info", None)
    if server is not None:
        return ".".join(map(str, server))
    # SQLite is in the driver
    return getattr(dialect.dbapi, "sqlite_version", None)
