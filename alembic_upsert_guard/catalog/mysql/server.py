"""Which server it is, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..reading import first_sentence

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.exc import DBAPIError

__all__ = ["errno", "is_mariadb", "server_message"]


def is_mariadb(dialect: Dialect) -> bool:
    """Return whether the server is MariaDB, which a ``mysql://`` URL may lead to as well."""
    return bool(getattr(dialect, "is_mariadb", False))


def errno(error: DBAPIError) -> int | None:
    """Return the server's number of the error, as every driver hands it out; None: it is not the server's."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def server_message(error: DBAPIError) -> str:
    """Return the server's message, without its number."""
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return str(arguments[1]) if len(arguments) > 1 else first_sentence(error)
