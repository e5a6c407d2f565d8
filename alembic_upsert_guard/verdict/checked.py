"""What ``upsert-guard check`` answers of keys, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..findings import Finding
    from ..inference import State

__all__ = ["Checked", "CheckedKey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedKey:
    """The answer for one declared key in one schema of one database."""

    schema: str | None
    table: str
    elements: tuple[str, ...]
    """In declared order."""
    where: str | None
    verdict: State
    arbiters: tuple[str, ...]
    """By name, every arbiter that the database infers, deferrable ones that spoil the upsert included.

    One without a name is there by its kind, as SQLite's ``primary key``; empty where none is inferred or none is named.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one database answers for all keys."""

    keys: tuple[CheckedKey, ...] = ()
    findings: tuple[Finding, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    """The models' names for tables that the connection looks for in another schema, by ``schema.table`` of there."""
    homes: Mapping[str, str | None] = field(default_factory=dict)
    """The schema that the search path leads to, by the name of each table whose model names none."""
