"""What is wrong with a declaration."""

from __future__ import annotations

from sqlalchemy.exc import ArgumentError

from ..errors import UpsertGuardError

__all__ = ["DeclarationError"]


class DeclarationError(UpsertGuardError, ArgumentError):
    """An upsert key is declared in a way that no database could keep; the message says how to fix it."""
