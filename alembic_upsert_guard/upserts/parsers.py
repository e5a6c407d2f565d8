"""Whether the parsers of SQL are installed; they are imported only where SQL is to be read."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import MissingParsersError

__all__ = ["check_parsers"]


def check_parsers(purpose: str) -> None:
    """Return where they are installed.

    :param purpose: what needs them, as the message begins: "reading functions".
    :raises MissingParsersError: the extra ``scan`` is not installed.
    """
    missing = [name for name in ("postgast", "sqlglot") if find_spec(name) is None]
    if missing:
        raise MissingParsersError(
            f"{purpose} needs parsers that are not installed ({', '.join(missing)}): "
            "pip install 'alembic-upsert-guard[scan]'"
        )
