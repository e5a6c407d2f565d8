"""Declare the keys that upserts match rows by; Alembic then keeps the unique constraint that ON CONFLICT needs.

Importing this package imports nothing, and a name of it SQLAlchemy and nothing else: application code imports it in
production, and pytest its plugin wherever it is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .declaration import DeclaredUpsertKey as DeclaredUpsertKey
    from .declaration import UpsertKey as UpsertKey
    from .declaration import conflict_target as conflict_target
    from .declaration import declare_upsert_key as declare_upsert_key
    from .declaration import declared_upsert_keys as declared_upsert_keys
    from .errors import DeclarationError as DeclarationError
    from .errors import UndeclaredUpsertKeyError as UndeclaredUpsertKeyError
    from .errors import UnsupportedUpsertKeyError as UnsupportedUpsertKeyError
    from .errors import UpsertGuardError as UpsertGuardError
    from .migration.violation import UpsertKeyViolation as UpsertKeyViolation
    from .upserts.observed import observe as observe

_HOMES = {
    "DeclarationError": ".errors",
    "DeclaredUpsertKey": ".declaration",
    "UndeclaredUpsertKeyError": ".errors",
    "UnsupportedUpsertKeyError": ".errors",
    "UpsertGuardError": ".errors",
    "UpsertKey": ".declaration",
    "UpsertKeyViolation": ".migration.violation",
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
    "UndeclaredUpsertKeyError",
    "UnsupportedUpsertKeyError",
    "UpsertGuardError",
    "UpsertKey",
    "conflict_target",
    "declare_upsert_key",
    "declared_upsert_keys",
    "observe",
]


def __getattr__(name: str) -> Any:
    """Return a public name, imported on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names too that were not used yet."""
    return sorted({*globals(), *_HOMES})
