"""Whether the parsers are installed; they are imported only where something is to be read."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..errors import MissingParsersError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_parsers", "without_parsers"]

_OF_SQL = ("postgast", "sqlglot")


def check_parsers(purpose: str, others: Iterable[str] = ()) -> None:
    """Return where those of SQL are installed.

    :param purpose: what needs them, as the message begins: "reading functions".
    :param others: the modules of others that are needed.
    :raises MissingParsersError: the extra ``scan`` is not installed.
    """
    missing = [name for name in (*others, *_OF_SQL) if find_spec(name) is None]
    if missing:
        raise without_parsers(purpose, missing)


def without_parsers(purpose: str, missing: Iterable[str]) -> MissingParsersError:
    """Return the error that names the parsers that are missing, and what installs them."""
    return MissingParsersError(
        f"{purpose} needs parsers that are not installed ({', '.join(missing)}): "
        "pip install 'alembic-upsert-guard[scan]'"
    )
