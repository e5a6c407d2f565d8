"""The witness in a script (``--sql``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases import MARIADB, MYSQL, POSTGRESQL, SQLITE, Database, database_for
from ..findings import describe_key
from ..programs import Call, call
from ..sqltext import quoted
from . import mysql, postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Dialect

    from ..inference import ConflictTarget
    from .contract import TableName

__all__ = ["script_verification"]


def script_verification(
    dialect: Dialect, table: TableName, target: ConflictTarget
) -> Sequence[str | Call] | None:
    """Return the statements, without terminator, that fail where the database infers no arbiter for `target`.

    None: no script can find out.
    """
    verification = _VERIFICATIONS.get(database_for(dialect))
    return None if verification is None else verification(dialect, table, target)


def _explained(dialect: Dialect, table: TableName, target: ConflictTarget) -> list[str]:
    return [sqlite.explain_upsert(dialect, table, None, target)]


def _refusal(dialect: Dialect, table: TableName, target: ConflictTarget) -> list[Call]:
    relation = quoted(dialect, *table)
    parameters = {
        "key_label": describe_key(relation, target.labels, None),
        "relation_name": relation,
        "upsert": postgresql.explain_upsert(dialect, table, target),
    }
    return [call("verify_arbiters", dialect, parameters)]


_VERIFICATIONS: dict[
    Database, Callable[[Dialect, TableName, ConflictTarget], Sequence[str | Call] | None]
] = {
    POSTGRESQL: _refusal,
    SQLITE: _explained,
    MYSQL: mysql.verification_script,
    MARIADB: mysql.verification_script,
}
