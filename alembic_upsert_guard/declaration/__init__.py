"""Upsert keys, declared on models: what they own, what they point at, and how they are read back.

A declared key hangs on its table as a ``before_create`` listener: it has work to do there (``create_all()``
must not drop half of a key silently), and listeners with ``propagate=True`` are what SQLAlchemy carries along
in ``Table.to_metadata()`` for every kind of key. ``info`` is no such carrier: it is copied with a
``UniqueConstraint`` and lost with an ``Index``, and that of a ``Table`` ends up in revisions.
"""

from __future__ import annotations

from .arbiters import Arbiter, Nulls, arbiters_of
from .candidates import arbiter_as_candidate
from .declaration import Declaration, DeclaredUpsertKey, declarations_of
from .elements import label_of
from .errors import DeclarationError
from .in_place import as_index_element
from .key import UpsertKey, declare_upsert_key
from .lookup import conflict_target, declared_upsert_keys

__all__ = [
    "Arbiter",
    "Declaration",
    "DeclarationError",
    "DeclaredUpsertKey",
    "Nulls",
    "UpsertKey",
    "arbiter_as_candidate",
    "arbiters_of",
    "as_index_element",
    "conflict_target",
    "declarations_of",
    "declare_upsert_key",
    "declared_upsert_keys",
    "label_of",
]
