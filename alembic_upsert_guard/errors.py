"""The exceptions that need no Alembic. One root, so that one ``except`` catches them all.

``DeclarationError``, SQLAlchemy's as well, is with the declarations: a scan without models imports no SQLAlchemy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "CannotRunError",
    "DeduplicationError",
    "HiddenRowsError",
    "MissingParsersError",
    "OnlineError",
    "UndeclaredUpsertKeyError",
    "UnsupportedUpsertKeyError",
    "UpsertGuardError",
]


class UpsertGuardError(Exception):
    """The root of every exception that this package raises."""


class CannotRunError(UpsertGuardError):
    """The command cannot run as it was called, or on what the project configures; the message says what to do."""


class UndeclaredUpsertKeyError(UpsertGuardError, LookupError):
    """No declared upsert key, or more than one, fits what was asked for; the message lists them."""


class UnsupportedUpsertKeyError(UpsertGuardError, NotImplementedError):
    """The database cannot keep the key as declared: part of it would be dropped silently, or it can have no arbiter."""


class DeduplicationError(UpsertGuardError):
    """The rows cannot be deduplicated, or not be restored, without a loss; nothing was changed."""

    def __init__(self, message: str, detail: str | None = None) -> None:
        """Hold both; the message has no value of a row.

        :param detail: the rows, by their primary key, which are values; None: there are none to name.
        """
        super().__init__(message)
        self.detail = detail


class HiddenRowsError(UpsertGuardError, PermissionError):
    """Row level security hides rows from the role that is asked about all of them."""

    def __init__(self, fact: str, hint: str) -> None:
        """Hold both, without full stops; the message is both.

        :param hint: the role that an upgrade has to run as, starting with a verb.
        """
        super().__init__(f"{fact}. {hint[:1].upper()}{hint[1:]}")
        self.fact = fact

    @classmethod
    def of(cls, table: str, role: str) -> HiddenRowsError:
        """Return the error of a table whose index is to be made."""
        return cls(
            f"row level security hides rows of {table} from the role {role}, and an index would hold them all",
            "run the upgrade as a role with BYPASSRLS, or as the table's owner without FORCE ROW LEVEL SECURITY",
        )


class MissingParsersError(UpsertGuardError, ImportError):
    """The parsers that scanning needs are not installed; the message names the extra that brings them."""


class OnlineError(UpsertGuardError):
    """Something cannot be made or dropped while the table is written to; the message says what is there now."""


def __getattr__(name: str) -> Any:
    """Return ``DeclarationError``, imported when it is asked for."""
    if name != "DeclarationError":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(".declaration", __package__).DeclarationError
