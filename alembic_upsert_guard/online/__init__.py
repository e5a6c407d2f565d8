"""Unique constraints and indexes made and dropped while the table is written to (PostgreSQL).

:mod:`.catalog` reads what is there, :mod:`.plan` returns the steps that are left, and :mod:`.runner` runs them and
reads again, until none is left. So a run that was killed anywhere is resumed by the next one.
"""

from __future__ import annotations

from .arbiter import OnlineArbiter
from .new_rows import create_on_new_rows, superseded_by
from .progress import drawer_for
from .reporter import Reporter
from .retries import Retries
from .runner import create, drop
from .script import Script, script_creation, script_drop
from .step_runner import RowsInTheWay
from .upgrade_lock import UpgradeLock

__all__ = [
    "OnlineArbiter",
    "Reporter",
    "Retries",
    "RowsInTheWay",
    "Script",
    "UpgradeLock",
    "create",
    "create_on_new_rows",
    "drawer_for",
    "drop",
    "script_creation",
    "script_drop",
    "superseded_by",
]
