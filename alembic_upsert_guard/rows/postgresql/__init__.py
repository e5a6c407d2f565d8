"""PostgreSQL's part in the preflight: what an index on the key would be, and proof that no two rows share a key."""

from __future__ import annotations

from .indexed_key import index_obstacle_on
from .width import is_wide, width_of

__all__ = ["index_obstacle_on", "is_wide", "width_of"]
