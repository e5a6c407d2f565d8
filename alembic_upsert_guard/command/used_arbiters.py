"""Which arbiters production uses, as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..findings.keys import describe_target, qualified
from ..findings.statements import UsedArbiter, arbiter_table
from ..upserts.upsert import Resolution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..upserts.upsert import JudgedUpsert

__all__ = ["used_arbiters"]


def used_arbiters(upserts: Iterable[JudgedUpsert]) -> tuple[str, ...]:
    """Return a line a recorded upsert: calls, the upsert, and its arbiters; empty: there are none."""
    return tuple(arbiter_table(map(_used, upserts)))


def _used(judged: JudgedUpsert) -> UsedArbiter:
    upsert = judged.upsert
    table = qualified(upsert.schema, str(upsert.table_name))
    target = table
    if upsert.elements:
        target = describe_target(table, upsert.elements, upsert.where)
    elif upsert.constraint is not None:
        target = f"{table} on constraint {upsert.constraint}"
    return UsedArbiter(calls=upsert.calls or 0, upsert=target, arbiter=_arbiter(judged))


def _arbiter(judged: JudgedUpsert) -> str:
    if judged.arbiters:
        return ", ".join(judged.arbiters)
    constraint = judged.upsert.constraint
    match judged.resolution:
        case Resolution.SERVED:
            return "any" if constraint is None else constraint
        case Resolution.UNSERVED:
            return "none"
    return "not known"
