"""The witness in a script (``--sql``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..inference import MYSQL_FAMILY
from ..sqltext import AS_THE_USER, PINNED, quoted, string_literal, wrapped_in_do
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
        return [_do_block(dialect, table, target)]
    if dialect.name in MYSQL_FAMILY:
        return mysql.verification_script(dialect, table, target)
    return [sqlite.explain_upsert(dialect, table, None, target)]


def _do_block(dialect: Dialect, table: TableName, target: ConflictTarget) -> str:
    explain = string_literal(dialect, postgresql.explain_upsert(dialect, table, target))
    relation = string_literal(dialect, quoted(dialect, *table))
    subject = string_literal(
        dialect, f"upsert key {quoted(dialect, *table)} ({', '.join(target.labels)})"
    )
    return wrapped_in_do(
        f"    relation CONSTANT pg_catalog.regclass := {relation}::pg_catalog.regclass;\n"
        "    plan pg_catalog.json;\n",
        # no arbiter at all: the EXPLAIN itself fails with 42P10
        f"    {AS_THE_USER}\n"
        f"    EXECUTE {explain} INTO plan;\n"
        f"    {PINNED}\n"
        "    IF EXISTS (\n"
        "        SELECT FROM json_array_elements_text(plan -> 0 -> 'Plan' -> 'Conflict Arbiter Indexes')\n"
        "            AS arbiter(name)\n"
        "        JOIN pg_class c ON c.relname = arbiter.name\n"
        "        JOIN pg_index i ON i.indexrelid = c.oid AND i.indrelid = relation\n"
        "        WHERE NOT i.indimmediate\n"
        "    ) THEN\n"
        "        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',\n"
        f"            MESSAGE = {subject} || ' has a deferrable arbiter: ON CONFLICT fails on it';\n"
        "    END IF;\n",
    )
