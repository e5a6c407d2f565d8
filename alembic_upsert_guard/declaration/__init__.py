"""Upsert keys, declared on models: what they own, what they point at, and how they are read back.

A declared key hangs on its table as a ``before_create`` listener: it has work to do there (``create_all()``
must not drop half of a key silently), and listeners with ``propagate=True`` are what SQLAlchemy carries along
in ``Table.to_metadata()`` for every kind of key. ``info`` is no such carrier: it is copied with a
``UniqueConstraint`` and lost with an ``Index``, and that of a ``Table`` ends up in revisions.
"""

from __future__ import annotations

from .arbiters import Arbiter, Nulls, arbiter_as_candidate, arbiters_of
from .elements import as_index_element, label_of
from .key import (
    Declaration,
    DeclaredUpsertKey,
    UpsertKey,
    conflict_target,
    declarations_of,
    declare_upsert_key,
    declared_upsert_keys,
)

__all__ = [
    "Arbiter",
    "Declaration",
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
