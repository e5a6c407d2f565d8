"""Unique constraints and indexes made and dropped while the table is written to (PostgreSQL).

:mod:`.catalog` reads what is there, :mod:`.plan` returns the steps that are left, and :mod:`.runner` runs them and
reads again, until none is left. So a run that was killed anywhere is resumed by the next one.
"""

from __future__ import annotations

from .arbiter import OnlineArbiter
from .interruption import execute_interruptibly
from .new_rows import create_on_new_rows, superseded_by
from .progress import drawer_for
from .progress_watch import Drawer, Observation
from .reporter import Reporter, Throttle
from .retries import Retries
from .runner import create, drop
from .script import Script, script_creation, script_drop
from .step_runner import RowsInTheWay
from .upgrade_lock import UpgradeLock

__all__ = [
    "Drawer",
    "Observation",
    "OnlineArbiter",
    "Reporter",
    "Retries",
    "RowsInTheWay",
    "Script",
    "Throttle",
    "UpgradeLock",
    "create",
    "create_on_new_rows",
    "drawer_for",
    "drop",
    "execute_interruptibly",
    "script_creation",
    "script_drop",
    "superseded_by",
]
