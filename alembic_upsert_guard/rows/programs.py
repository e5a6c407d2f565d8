"""The PL/pgSQL of the folder, as anonymous blocks: the same online and in scripts."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from ..sqltext import anonymous_block, string_literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Dialect

__all__ = ["program"]


def program(name: str, dialect: Dialect, parameters: Mapping[str, str | bool | None]) -> str:
    """Return the block of a file of this folder, with its parameters declared above it."""
    declared = "".join(
        f"    {parameter} CONSTANT {_typed(dialect, value)};\n"
        for parameter, value in parameters.items()
    )
    return anonymous_block(declared + files(__package__).joinpath(name).read_text("utf-8"))


def _typed(dialect: Dialect, value: str | bool | None) -> str:
    if isinstance(value, bool):
        return f"boolean := {'true' if value else 'false'}"
    return f"pg_catalog.text := {'NULL' if value is None else string_literal(dialect, value)}"
