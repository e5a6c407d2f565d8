"""PostgreSQL: many statements in one round trip, each with an answer of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..programs import program
from .reading import execute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

__all__ = ["Answered", "Statement", "run"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a batch."""

    sql: str
    is_read: bool = False
    """Whether it is an EXPLAIN (FORMAT JSON), or a query for one value of JSON: that is then the answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the server answered to one statement."""

    state: str | None
    """SQLSTATE; None: it went through."""
    message: str | None
    """The server's sentence, without details and hints; None: it went through."""
    value: Any
    """What was read, out of JSON; None: nothing was."""

    @property
    def arbiters(self) -> tuple[str, ...] | None:
        """The names of the arbiters in a plan; None: there is no plan."""
        if not self.value:
            return None
        return tuple(self.value[0]["Plan"].get("Conflict Arbiter Indexes", ()))


def run(connection: Connection, statements: Iterable[Statement]) -> dict[Statement, Answered]:
    """Run each statement once, in their order, and return the answers; one that fails is undone, and the next is run.

    What the others did stays: to be called inside :func:`.reading.rolled_back`.

    :raises sqlalchemy.exc.DBAPIError: the batch as a whole cannot be run, as without PL/pgSQL, or takes too long.
    """
    distinct = list(dict.fromkeys(statements))
    if not distinct:
        return {}
    listed = json.dumps([{"sql": each.sql, "is_read": each.is_read} for each in distinct])
    execute(connection, program("answer_statements", connection.dialect, {"statements": listed}))
    document = execute(connection, 'FETCH ALL FROM "upsert_guard_batch"').scalar_one()
    execute(connection, 'CLOSE "upsert_guard_batch"')
    answers = [
        Answered(each["state"], each["message"], each["value"])
        for each in (json.loads(document) or ())
    ]
    return dict(zip(distinct, answers, strict=True))
