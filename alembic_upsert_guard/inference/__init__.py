"""The pure core: what a database infers for a conflict target. Standard library only.

Facts come in as frozen values (:mod:`.candidate`), the judge answers (:mod:`.judge`); nothing here
knows a connection, a dialect object or a model.
"""

from __future__ import annotations

from .candidate import Candidate, ConflictTarget, Element, Kind, Nulls, Traits
from .implication import can_be_inferred, holds_the_rowid
from .judge import judge
from .near_misses import refused_candidate
from .uniqueness import enforce_same_uniqueness
from .verdict import Code, Folded, MissingRight, Shortfall, State, Verdict

__all__ = [
    "Candidate",
    "Code",
    "ConflictTarget",
    "Element",
    "Folded",
    "Kind",
    "MissingRight",
    "Nulls",
    "Shortfall",
    "State",
    "Traits",
    "Verdict",
    "can_be_inferred",
    "enforce_same_uniqueness",
    "holds_the_rowid",
    "judge",
    "refused_candidate",
]
