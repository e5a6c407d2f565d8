"""The witness in a script (``--sql``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..inference import MYSQL_FAMILY
from ..programs import program
from ..sqltext import quoted
from . import mysql, postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from ..inference import ConflictTarget
    from .reading import TableName

__all__ = ["script_verification"]


def script_verification(
    dialect: Dialect, table: TableName, target: ConflictTarget
) -> list[str] | None:
    """Return the statements, without terminator, that fail where the database infers no arbiter for `target`.

    None: no script can tell.
    """
    if dialect.name == "postgresql":
        return [_refusal(dialect, table, target)]
    if dialect.name in MYSQL_FAMILY:
        return mysql.verification_script(dialect, table, target)
    return [sqlite.explain_upsert(dialect, table, None, target)]


def _refusal(dialect: Dialect, table: TableName, target: ConflictTarget) -> str:
    relation = quoted(dialect, *table)
    parameters = {
        "key_label": f"upsert key {relation} ({', '.join(target.labels)})",
        "relation_name": relation,
        "upsert": postgresql.explain_upsert(dialect, table, target),
    }
    return program("verify_arbiters", dialect, parameters)
