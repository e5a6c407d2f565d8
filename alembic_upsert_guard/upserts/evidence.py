"""What a database says of one upsert, and what PostgreSQL's plan of it comes to.

=========================================  ===========================================
the upsert, as the planner takes it        evidence
=========================================  ===========================================
a plan                                     served
a plan whose arbiter is deferrable         unserved: 55000
refused: target, table, column, name, view unserved, in the server's own sentence
refused: privileges, or anything else      unresolved, in the server's own sentence
=========================================  ===========================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .upsert import Resolution

if TYPE_CHECKING:
    from ..catalog.functions import Answer
    from ..inference import Shortfall

__all__ = ["NO_COLUMN", "NO_CONSTRAINT", "NO_TABLE", "SERVED", "Evidence", "evidence_of_plan"]

NO_COLUMN = "42703"
"""undefined_column."""
NO_CONSTRAINT = "42704"
"""undefined_object."""
NO_TABLE = "42P01"
"""undefined_table."""

_REFUSED = ("42", "0A000", "3F000", "55000")
"""How the SQLSTATEs begin by which every execution will be refused as the plan is."""

_PERMISSION = "42501"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the database says."""

    resolution: Resolution
    """``served``, ``unserved`` or ``unresolved``."""
    shortfall: Shortfall | None = None
    """Why there is no arbiter, where that is the cause."""
    sqlstate: str = ""
    """Of the refusal, PostgreSQL's for the same cause elsewhere; empty: there is none, or none is known."""
    reason: str = ""
    """Why it is refused or not known, where `shortfall` does not say it."""
    arbiters: tuple[str, ...] = ()
    """By name, of an upsert that is served; empty: it has no target, or the database does not name them."""


SERVED = Evidence(resolution=Resolution.SERVED)


def evidence_of_plan(answer: Answer) -> Evidence:
    """Return what the planner's answer comes to."""
    if answer.asked and answer.sqlstate is None and not answer.deferrable:
        return Evidence(resolution=Resolution.SERVED, arbiters=answer.arbiters)
    if answer.asked and answer.sqlstate is None:
        reason = f"{', '.join(answer.deferrable)} is DEFERRABLE, and no such arbiter is taken"
        return Evidence(resolution=Resolution.UNSERVED, sqlstate="55000", reason=reason)
    state = answer.sqlstate or ""
    if answer.asked and state != _PERMISSION and state.startswith(_REFUSED):
        return Evidence(resolution=Resolution.UNSERVED, sqlstate=state, reason=answer.message)
    reason = f"the planner could not be asked: {answer.sqlstate}: {answer.message}"
    return Evidence(resolution=Resolution.UNRESOLVED, reason=reason)
