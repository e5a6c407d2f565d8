"""What the directives are. How they run is in :mod:`.toimpl`, how they are written in :mod:`.render`."""

from __future__ import annotations

from .arbiters import (
    INCLUDE,
    CreateArbiterIndexOp,
    CreateIncludingConstraintOp,
    DropByDefinitionOp,
    DropIncludingConstraintOp,
    DropIndexByDefinitionOp,
    DropInvalidConstraintOp,
    DropInvalidIndexOp,
    RenameArbiterOp,
)
from .concurrent import (
    ConcurrentOp,
    CreateConcurrentlyOp,
    CreateUniqueConstraintConcurrentlyOp,
    CreateUniqueIndexConcurrentlyOp,
    DropConcurrentlyOp,
    DropUniqueConstraintConcurrentlyOp,
    DropUniqueIndexConcurrentlyOp,
)
from .keys import UpsertKeyOp, ValidateUpsertKeyOp, VerifyUpsertKeyOp, source_of
from .markers import ArbiterRemovedOp, ContractOps, NoReverseOp, OnlineOps, TableMarkerOp
from .rows import DeduplicateUpsertKeyOp, RestoreDeduplicatedRowsOp
from .sql import SqlAsWrittenDirective

__all__ = [
    "INCLUDE",
    "ArbiterRemovedOp",
    "ConcurrentOp",
    "ContractOps",
    "CreateArbiterIndexOp",
    "CreateConcurrentlyOp",
    "CreateIncludingConstraintOp",
    "CreateUniqueConstraintConcurrentlyOp",
    "CreateUniqueIndexConcurrentlyOp",
    "DeduplicateUpsertKeyOp",
    "DropByDefinitionOp",
    "DropConcurrentlyOp",
    "DropIncludingConstraintOp",
    "DropIndexByDefinitionOp",
    "DropInvalidConstraintOp",
    "DropInvalidIndexOp",
    "DropUniqueConstraintConcurrentlyOp",
    "DropUniqueIndexConcurrentlyOp",
    "NoReverseOp",
    "OnlineOps",
    "RenameArbiterOp",
    "RestoreDeduplicatedRowsOp",
    "SqlAsWrittenDirective",
    "TableMarkerOp",
    "UpsertKeyOp",
    "ValidateUpsertKeyOp",
    "VerifyUpsertKeyOp",
    "source_of",
]
