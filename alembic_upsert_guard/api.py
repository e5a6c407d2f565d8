"""The check of a database, for a program of one's own: findings as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import MetaData

from .verdict.check import check_keys as verdicts_on_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from .findings import Finding

__all__ = ["check_keys"]


def check_keys(
    connection: Connection, metadata: MetaData | Iterable[MetaData], *, rows: bool = False
) -> tuple[Finding, ...]:
    """Return what ``upsert-guard check`` reports of every declared key, errors and warnings; empty: all are served.

    Nothing is written: what is asked runs under a savepoint or in a read-only transaction, and is rolled back. Tables
    are looked for in the schema that they name, or where a ``schema_translate_map`` of the connection sends them.

    :param metadata: the ``target_metadata`` of ``env.py``, one or several.
    :param rows: whether to read the rows as well, which takes as long as it takes.
    """
    several = (metadata,) if isinstance(metadata, MetaData) else tuple(metadata)
    return verdicts_on_keys(connection, several, rows=rows).findings
