"""Unique constraints and indexes made and dropped while the table is written to (PostgreSQL).

What is found decides what is done: :mod:`.plan` takes the shapes that :mod:`.found` reads and returns steps,
:mod:`.acting` takes them and looks again, until nothing is left to do. So a run that was killed anywhere is gone on
with by the next one.
"""

from __future__ import annotations

from .arbiter import OnlineArbiter
from .progress import drawer_for
from .retries import Retries
from .runner import Reporter, RowsInTheWay, UpgradeLock, create, drop
from .script import Script, script_creation, script_drop

__all__ = [
    "OnlineArbiter",
    "Reporter",
    "Retries",
    "RowsInTheWay",
    "Script",
    "UpgradeLock",
    "create",
    "drawer_for",
    "drop",
    "script_creation",
    "script_drop",
]
