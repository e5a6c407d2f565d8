"""The server's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..reading import first_sentence

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

__all__ = ["errno", "server_message"]


def errno(error: DBAPIError) -> int | None:
    """Return the server's number of the error, as every driver hands it out; None: it is not the server's."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def server_message(error: DBAPIError) -> str:
    """Return the server's message, without its number."""
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return str(arguments[1]) if len(arguments) > 1 else first_sentence(error)
