"""Whether the parsers of SQL are installed; they are read in only where SQL is to be read."""

from __future__ import annotations

from importlib.util import find_spec

from ...errors import MissingParsersError

__all__ = ["check_parsers"]


def check_parsers() -> None:
    """Return where they are.

    :raises MissingParsersError: the extra ``scan`` is not installed.
    """
    missing = [name for name in ("postgast", "sqlglot") if find_spec(name) is None]
    if missing:
        raise MissingParsersError(
            f"recording upserts needs parsers that are not installed ({', '.join(missing)}): "
            "pip install 'alembic-upsert-guard[scan]'"
        )
