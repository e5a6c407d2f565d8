"""The same as a script (``--sql``): what runs outside a transaction, and what holds the version back if it failed.

A shell goes on after an error unless it is told not to (``psql -v ON_ERROR_STOP=1``), and outside a transaction every
statement stands for itself. So the version is written behind a check that the work was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..sqltext import AS_THE_USER, PINNED, named, quoted, string_literal, wrapped_in_do

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from ..catalog import TableName
    from .arbiter import OnlineArbiter
    from .retries import Retries

__all__ = ["Script", "script_creation", "script_drop"]


class Script(NamedTuple):
    """Statements without terminator."""

    outside: list[str]
    """Each by itself, outside a transaction."""
    inside: list[str]
    """At the beginning of the transaction that writes the version."""


def script_creation(dialect: Dialect, wanted: OnlineArbiter, patience: Retries) -> Script:
    """Return what makes `wanted`, refuses where something of that name is there, and refuses where it was not made."""
    table = quoted(dialect, *wanted.table)
    name = quoted(dialect, wanted.name)
    outside = [
        _refusal_of_leftovers(dialect, wanted),
        # lock_timeout would count the wait for old snapshots as well, and leave an INVALID index
        "SET lock_timeout = 0",
        f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {wanted.clauses(dialect)}",
        "RESET lock_timeout",
    ]
    if wanted.constraint:
        attach = (
            f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}{wanted.timing()}"
        )
        outside.append(_tried(dialect, attach, patience))
    return Script(outside, [_proof(dialect, wanted.table, wanted.name, there=True)])


def script_drop(
    dialect: Dialect, table: TableName, name: str, patience: Retries, *, constraint: bool
) -> Script:
    """Return what drops a unique constraint or index, and refuses where it is still there."""
    if constraint:
        statement = f"ALTER TABLE {quoted(dialect, *table)} DROP CONSTRAINT IF EXISTS {quoted(dialect, name)}"
        outside = [_tried(dialect, statement, patience)]
    else:
        outside = [f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(dialect, table.schema, name)}"]
    return Script(outside, [_proof(dialect, table, name, there=False)])


def _refusal_of_leftovers(dialect: Dialect, wanted: OnlineArbiter) -> str:
    relation = string_literal(dialect, quoted(dialect, *wanted.table))
    told = string_literal(
        dialect, f"{wanted.name} on {named(dialect, *wanted.table)} was not made: "
    )
    return wrapped_in_do(
        f"    relation CONSTANT pg_catalog.regclass := {relation}::pg_catalog.regclass;\n"
        "    leftover pg_catalog.record;\n",
        "    IF (SELECT relkind FROM pg_class WHERE oid = relation) = 'p' THEN\n"
        f"        RAISE EXCEPTION USING MESSAGE = {told} || 'the table is partitioned',\n"
        "            HINT = 'Its partitions are not known to a script: run the upgrade online.';\n"
        "    END IF;\n"
        "    SELECT c.oid::regclass AS name, i.indisvalid AS valid INTO leftover\n"
        "    FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid\n"
        f"    WHERE c.relname = {string_literal(dialect, wanted.name)} AND c.relnamespace =\n"
        "        (SELECT relnamespace FROM pg_class WHERE oid = relation);\n"
        "    IF FOUND AND leftover.valid IS FALSE THEN\n"
        f"        RAISE EXCEPTION USING MESSAGE = {told} || 'an earlier build left it INVALID',\n"
        "            HINT = format('DROP INDEX CONCURRENTLY %s; then run this again.', leftover.name);\n"
        "    ELSIF FOUND THEN\n"
        f"        RAISE EXCEPTION USING MESSAGE = {told} || 'something of that name is there',\n"
        "            HINT = format('Look at %s. The upgrade, run online, goes on with it.', leftover.name);\n"
        "    END IF;\n",
    )


def _tried(dialect: Dialect, statement: str, patience: Retries) -> str:
    """The statement under a short lock_timeout, again and again. A failed try is rolled back, and holds no lock."""
    timeout = string_literal(dialect, patience.lock_timeout)
    return wrapped_in_do(
        "    tries integer := 0;\n",
        f"    PERFORM set_config('lock_timeout', {timeout}, true);\n"
        "    LOOP\n"
        "        BEGIN\n"
        f"            {AS_THE_USER}\n"
        f"            EXECUTE {string_literal(dialect, statement)};\n"
        f"            {PINNED}\n"
        "            EXIT;\n"
        "        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN\n"
        "            tries := tries + 1;\n"
        f"            IF tries = {patience.attempts} THEN\n"
        "                RAISE;\n"
        "            END IF;\n"
        f"            PERFORM pg_sleep(\n                least({patience.first_pause} * 2 ^ least(tries - 1, 10), "
        f"{patience.longest_pause}));\n"
        "        END;\n"
        "    END LOOP;\n",
    )


def _proof(dialect: Dialect, table: TableName, name: str, *, there: bool) -> str:
    """A refusal in the transaction that writes the version, which then writes none."""
    relation = string_literal(dialect, quoted(dialect, *table))
    state = "is not there, or INVALID" if there else "is still there"
    message = f"{name} on {named(dialect, *table)} {state}: the version was not written"
    condition = "NOT EXISTS" if there else "EXISTS"
    valid = " AND i.indisvalid" if there else ""
    return wrapped_in_do(
        f"    relation CONSTANT pg_catalog.regclass := {relation}::pg_catalog.regclass;\n",
        f"    IF {condition} (\n"
        "        SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid\n"
        f"        WHERE i.indrelid = relation AND c.relname = {string_literal(dialect, name)}{valid}\n"
        "    ) THEN\n"
        f"        RAISE EXCEPTION USING MESSAGE = {string_literal(dialect, message)};\n"
        "    END IF;\n",
    )
