"""What a database offers: one read for all tables asked for, as values of the inference core.

Each module has two halves, the statement and rows -> candidates; neither decides anything.
"""

from __future__ import annotations

from . import mysql, postgresql, spelling, sqlite
from .contract import Catalog, Inferred, KeyQuestion, NormalizedSql, Offered, TableName

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

_MYSQL = Catalog(mysql.read, mysql.normalize, mysql.inferred_arbiters)

CATALOGS: dict[str, Catalog] = {
    "mariadb": _MYSQL,
    "mysql": _MYSQL,
    "postgresql": Catalog(
        postgresql.read,
        spelling.normalize,
        postgresql.inferred_arbiters,
        home=postgresql.default_schema,
        keeps_null_out=postgresql.keeps_null_out,
        null_makes_null=postgresql.null_makes_null,
        settle_all=spelling.settle,
    ),
    "sqlite": Catalog(sqlite.read, sqlite.normalize, sqlite.inferred_arbiters),
}
"""How to read a database, by SQLAlchemy's dialect name. A dialect that is not here is not judged at all."""


def catalog_for(dialect_name: str) -> Catalog | None:
    """Return how to read that kind of database; None: we cannot judge it."""
    return CATALOGS.get(dialect_name)
