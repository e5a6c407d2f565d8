"""What the planner's answer to an upsert comes to, whichever source the upsert is from.

=========================================  ===========================================
the upsert, as the planner takes it        verdict
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

__all__ = ["NO_TABLE", "PlannerVerdict", "verdict_of"]

NO_TABLE = "42P01"
"""undefined_table."""

_REFUSED = ("42", "0A000", "3F000", "55000")
"""How the SQLSTATEs begin by which every execution will be refused as the plan is."""

_PERMISSION = "42501"


@dataclass(frozen=True, slots=True)
class PlannerVerdict:
    """What is said of one upsert."""

    resolution: Resolution
    sqlstate: str = ""
    """Empty: it is not refused."""
    reason: str = ""
    """Empty: it is served."""


def verdict_of(answer: Answer) -> PlannerVerdict:
    """Return what the planner's answer comes to."""
    if answer.asked and answer.sqlstate is None and not answer.deferrable:
        return PlannerVerdict(Resolution.SERVED)
    if answer.asked and answer.sqlstate is None:
        reason = f"{', '.join(answer.deferrable)} is DEFERRABLE, and no such arbiter is taken"
        return PlannerVerdict(Resolution.UNSERVED, "55000", reason)
    state = answer.sqlstate or ""
    if answer.asked and state != _PERMISSION and state.startswith(_REFUSED):
        return PlannerVerdict(Resolution.UNSERVED, state, answer.message)
    unasked = f"the planner could not be asked: {answer.sqlstate}: {answer.message}"
    return PlannerVerdict(Resolution.UNRESOLVED, reason=unasked)
