"""The same as a script (``--sql``): what runs outside a transaction, and what holds the version back if it failed.

A shell continues after an error unless it is asked not to (``psql -v ON_ERROR_STOP=1``), and outside a transaction
every statement is one of its own. So the version is written behind a check that the work was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..programs import call
from ..sqltext import named, quoted
from .statements import attachment_sql, creation_sql

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from ..catalog import TableName
    from ..programs import Call
    from .arbiter import OnlineArbiter
    from .retries import Retries

__all__ = ["Script", "script_creation", "script_drop"]


class Script(NamedTuple):
    """Statements without terminator."""

    outside: list[str | Call]
    """Each by itself, outside a transaction."""
    inside: list[str | Call]
    """At the beginning of the transaction that writes the version."""


def script_creation(dialect: Dialect, wanted: OnlineArbiter, retries: Retries) -> Script:
    """Return what makes `wanted`, refuses where its name is taken, and where it was not made in the end."""
    table, name = wanted.table, wanted.name
    outside: list[str | Call] = [
        _refusal_of_leftovers(dialect, wanted),
        # lock_timeout would count the wait for old snapshots as well, and leave an INVALID index
        "SET lock_timeout = 0",
        creation_sql(dialect, table, name, wanted, concurrently=True),
        "RESET lock_timeout",
    ]
    if wanted.constraint:
        outside.append(
            _retried(dialect, attachment_sql(dialect, table, name, name, wanted), retries)
        )
    return Script(outside, [_proof(dialect, table, name, is_wanted=True)])


def script_drop(
    dialect: Dialect, table: TableName, name: str, retries: Retries, *, constraint: bool
) -> Script:
    """Return what drops a unique constraint or index, and refuses where it is still there."""
    if constraint:
        statement = f"ALTER TABLE {quoted(dialect, *table)} DROP CONSTRAINT IF EXISTS {quoted(dialect, name)}"
        outside: list[str | Call] = [_retried(dialect, statement, retries)]
    else:
        outside = [f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(dialect, table.schema, name)}"]
    return Script(outside, [_proof(dialect, table, name, is_wanted=False)])


def _refusal_of_leftovers(dialect: Dialect, wanted: OnlineArbiter) -> Call:
    parameters = {
        "index_label": f"{wanted.name} on {named(dialect, *wanted.table)}",
        "relation_name": quoted(dialect, *wanted.table),
        "index_name": wanted.name,
    }
    return call("refuse_leftovers", dialect, parameters)


def _retried(dialect: Dialect, statement: str, retries: Retries) -> Call:
    parameters: dict[str, str | float] = {
        "statement": statement,
        "lock_timeout": retries.lock_timeout,
        "attempts": retries.attempts,
        "first_pause": float(retries.first_pause),
        "longest_pause": float(retries.longest_pause),
    }
    return call("retry", dialect, parameters)


def _proof(dialect: Dialect, table: TableName, name: str, *, is_wanted: bool) -> Call:
    """A refusal in the transaction that writes the version, which then writes none."""
    state = "is not there, or INVALID" if is_wanted else "is still there"
    parameters: dict[str, str | bool] = {
        "relation_name": quoted(dialect, *table),
        "index_name": name,
        "is_wanted": is_wanted,
        "refusal": f"{name} on {named(dialect, *table)} {state}: the version was not written",
    }
    return call("prove_index", dialect, parameters)
