"""PostgreSQL's deduplication: one program, an anonymous block online and a procedure in a script.

A program, since what has to be done depends on what the database holds (foreign keys, the primary key, columns), which
a script cannot know when it is written. It is one statement, so it is done as a whole or not at all.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ..online import Retries, Script
from ..programs import call, program
from ..sqltext import named, quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from ..catalog import TableName
    from ..programs import Call
    from .batches import Batches
    from .statements import RowsOfKey
    from .surplus import Surplus

__all__ = [
    "OUR_STATE",
    "RESULT",
    "ROUNDS",
    "batch_block",
    "batches_script",
    "deduplication_block",
    "deduplication_call",
    "parsed",
    "plan_block",
    "planned",
    "restoration_block",
    "restoration_call",
]

OUR_STATE = "UG001"
"""The SQLSTATE of what the blocks themselves refuse: the message is whole."""

ROUNDS = 5
"""Times that all rows are read for duplicates, those that arrive meanwhile included."""

RESULT = "upsert_guard.result"
"""The setting, local to the transaction, that holds what the block has done."""


def deduplication_block(dialect: Dialect, surplus: Surplus) -> str:
    """Return the block that moves or deletes the surplus rows."""
    return program("deduplicate", dialect, _deduplication(dialect, surplus))


def deduplication_call(dialect: Dialect, surplus: Surplus) -> Call:
    """Return what does the same in a script."""
    return call("deduplicate", dialect, _deduplication(dialect, surplus))


def plan_block(dialect: Dialect, surplus: Surplus, batch_size: int, relation: str) -> str:
    """Return the block that lists the surplus rows for the session, in batches, and refuses as the whole one does.

    :param relation: the table with its schema: the session's list may hide it by its name.
    """
    parameters = _deduplication(dialect, surplus, "plan", batch_size=batch_size)
    return program("deduplicate", dialect, {**parameters, "relation_name": relation})


def batch_block(
    dialect: Dialect, surplus: Surplus, batch_size: int, number: int, relation: str
) -> str:
    """Return the block that moves or deletes the surplus rows of one batch of the session's list, from 1.

    :param relation: as for :func:`plan_block`.
    """
    parameters = _deduplication(dialect, surplus, "batch", batch_size=batch_size, number=number)
    return program("deduplicate", dialect, {**parameters, "relation_name": relation})


def _deduplication(
    dialect: Dialect, surplus: Surplus, form: str = "whole", *, batch_size: int = 0, number: int = 0
) -> dict[str, str | bool | int | None]:
    key = surplus.key
    elements = key.elements(dialect)
    has_key = (
        "true"
        if key.nulls == "not_distinct"
        else " AND ".join(f"{e} IS NOT NULL" for e in elements)
    )
    direction = "DESC" if surplus.keep == "last" else "ASC"
    # a row without a value is never preferred, whichever end is kept
    ordering = [f"({sql}) IS NULL, ({sql}) {direction}" for sql in surplus.order_by]
    archive = None if surplus.archive is None else named(dialect, *surplus.archive)
    return {
        "key_label": key.label(dialect),
        "relation_name": quoted(dialect, *key.table),
        "elements": ", ".join(elements),
        "condition": f"({key.target.predicate or 'true'}) AND ({has_key})",
        "ordering": "".join(f"{part}, " for part in ordering),
        "direction": direction,
        "archive": archive,
        "repoint": surplus.repoint,
        "form": form,
        "batch_size": batch_size,
        "batch_number": number,
    }


def restoration_block(dialect: Dialect, key: RowsOfKey, archive: TableName) -> str:
    """Return the block that brings back the rows which were moved to `archive` for the sake of `key`."""
    return program("restore", dialect, _restoration(dialect, key, archive))


def restoration_call(dialect: Dialect, key: RowsOfKey, archive: TableName) -> Call:
    """Return what does the same in a script."""
    return call("restore", dialect, _restoration(dialect, key, archive))


def _restoration(dialect: Dialect, key: RowsOfKey, archive: TableName) -> dict[str, str]:
    return {
        "key_label": key.label(dialect),
        "relation_name": quoted(dialect, *key.table),
        "archive": named(dialect, *archive),
    }


def batches_script(dialect: Dialect, surplus: Surplus, batches: Batches) -> Script:
    """Return what does the same in batches, outside a transaction, and what fails where it did not come to its end."""
    retries = Retries()
    parameters = _deduplication(dialect, surplus, batch_size=batches.size)
    shared = {
        name: value for name, value in parameters.items() if name not in ("form", "batch_number")
    }
    called = call(
        "deduplicate_in_batches",
        dialect,
        {
            **shared,
            "pause": float(batches.pause),
            "max_lag": None if batches.max_lag is None else float(batches.max_lag),
            "rounds": ROUNDS,
            "lock_timeout": retries.lock_timeout,
            "attempts": retries.attempts,
        },
    )
    called = replace(called, needs=(deduplication_call(dialect, surplus),))
    proof = call("prove_deduplication", dialect, {"key_label": surplus.key.label(dialect)})
    return Script([called], [proof])


def planned(result: str) -> tuple[int, int]:
    """Return what a plan wrote into `RESULT`: surplus rows, and batches."""
    written = json.loads(result)
    return int(written["rows"]), int(written["batches"])


def parsed(result: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Return what a block wrote into `RESULT`: rows, and references moved by foreign key."""
    written = json.loads(result)
    return int(written["rows"]), tuple(
        (str(name), int(count)) for name, count in sorted(written["repointed"].items())
    )
