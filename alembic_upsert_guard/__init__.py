"""Declare the keys that upserts match rows by; Alembic then keeps the unique constraint that ON CONFLICT needs.

Importing this package imports nothing, and a name of it SQLAlchemy and nothing else: application code imports it in
production, and pytest its plugin wherever it is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import check_keys as check_keys
    from .declaration import (
        DeclarationError,
        DeclaredUpsertKey,
        UpsertKey,
        conflict_target,
        declare_upsert_key,
        declared_upsert_keys,
    )
    from .errors import (
        UndeclaredUpsertKeyError,
        UnsupportedUpsertKeyError,
        UpsertGuardError,
    )
    from .findings import Finding as Finding
    from .migration.violation import UpsertKeyViolation as UpsertKeyViolation
    from .upserts.observed import observe

_HOMES = {
    "DeclarationError": ".declaration",
    "DeclaredUpsertKey": ".declaration",
    "Finding": ".findings",
    "UndeclaredUpsertKeyError": ".errors",
    "UnsupportedUpsertKeyError": ".errors",
    "UpsertGuardError": ".errors",
    "UpsertKey": ".declaration",
    "UpsertKeyViolation": ".migration.violation",
    "check_keys": ".api",
    "conflict_target": ".declaration",
    "declare_upsert_key": ".declaration",
    "declared_upsert_keys": ".declaration",
    "observe": ".upserts.observed",
}
"""Where each public name is defined; only ``UpsertKeyViolation`` imports Alembic."""

# UpsertKeyViolation is left out: a star import would import Alembic
__all__ = [
    "DeclarationError",
    "DeclaredUpsertKey",
    "Finding",
    "UndeclaredUpsertKeyError",
    "UnsupportedUpsertKeyError",
    "UpsertGuardError",
    "UpsertKey",
    "check_keys",
    "conflict_target",
    "declare_upsert_key",
    "declared_upsert_keys",
    "observe",
]


def __getattr__(name: str) -> Any:
    """Return a public name, imported on first use; ``__version__`` is that of the installed package."""
    if name == "__version__":
        return import_module("importlib.metadata").version("alembic-upsert-guard")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names too that were not used yet."""
    return sorted({*globals(), *_HOMES})
