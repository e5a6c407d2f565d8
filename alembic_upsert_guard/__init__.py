"""Declare the keys that upserts match rows by; Alembic then keeps the unique constraint that ON CONFLICT needs.

Importing this package imports SQLAlchemy and nothing else: application code imports it in production.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .declaration import (
    DeclaredUpsertKey,
    UpsertKey,
    conflict_target,
    declare_upsert_key,
    declared_upsert_keys,
)
from .errors import (
    DeclarationError,
    UndeclaredUpsertKeyError,
    UnsupportedUpsertKeyError,
    UpsertGuardError,
)

if TYPE_CHECKING:
    from .migration.violation import UpsertKeyViolation as UpsertKeyViolation

# UpsertKeyViolation is left out: a star import would import Alembic
__all__ = [
    "DeclarationError",
    "DeclaredUpsertKey",
    "UndeclaredUpsertKeyError",
    "UnsupportedUpsertKeyError",
    "UpsertGuardError",
    "UpsertKey",
    "conflict_target",
    "declare_upsert_key",
    "declared_upsert_keys",
]


def __getattr__(name: str) -> Any:
    """Offer what needs Alembic on first use, so that importing the package needs SQLAlchemy alone."""
    if name == "UpsertKeyViolation":
        from .migration.violation import UpsertKeyViolation  # noqa: PLC0415

        return UpsertKeyViolation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
