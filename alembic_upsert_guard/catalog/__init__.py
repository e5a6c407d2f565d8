"""What a database offers: one read for all tables asked for, as values of the inference core.

Each module has two halves, the statement and rows -> candidates; neither decides anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases import MARIADB, MYSQL, POSTGRESQL, SQLITE, Database, database_for
from . import mysql, postgresql, spelling, sqlite
from .contract import Catalog, Inferred, KeyQuestion, NormalizedSql, Offered, TableName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Dialect

__all__ = [
    "CATALOGS",
    "Catalog",
    "Inferred",
    "KeyQuestion",
    "NormalizedSql",
    "Offered",
    "TableName",
    "catalog_for",
]

_MYSQL = Catalog(mysql.read, mysql.normalize, infer=None)

CATALOGS: Mapping[Database, Catalog] = {
    MARIADB: _MYSQL,
    MYSQL: _MYSQL,
    POSTGRESQL: Catalog(
        postgresql.read,
        spelling.normalize,
        postgresql.inferred_arbiters,
        home=postgresql.default_schema,
        keeps_null_out=postgresql.keeps_null_out,
        null_makes_null=postgresql.null_makes_null,
        settle_all=spelling.settle,
    ),
    SQLITE: Catalog(sqlite.read, sqlite.normalize, sqlite.inferred_arbiters),
}
"""How to read each database. One that is not here is not judged at all."""


def catalog_for(dialect: Dialect) -> Catalog | None:
    """Return how to read the database that the dialect is for; None: we cannot judge it."""
    return CATALOGS.get(database_for(dialect))
