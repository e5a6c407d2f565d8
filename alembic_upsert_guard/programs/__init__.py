"""PL/pgSQL, a file a program: each is sent, or written into a script, as an anonymous block.

Only what users wrote, and what runs their triggers and functions, sees their search path. Everything else runs where
other roles cannot make anything: each program sets the path to ``pg_catalog, pg_temp`` first, sets it to ``users_path``
around a statement of the user's, and leaves it so.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from ..sqltext import string_literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Dialect

__all__ = ["program"]

_HEAD = """\
#variable_conflict error
DECLARE
    users_path CONSTANT pg_catalog.text := pg_catalog.current_setting('search_path');
"""


def program(
    name: str, dialect: Dialect, parameters: Mapping[str, str | bool | float | None]
) -> str:
    """Return the statement that runs a file of this folder, with its parameters declared above it as constants.

    :param name: without ``.sql``.
    """
    declared = "".join(
        f"    {parameter} CONSTANT {_typed(dialect, value)};\n"
        for parameter, value in parameters.items()
    )
    body = files(__package__).joinpath(f"{name}.sql").read_text("utf-8")
    block = f"{_HEAD}{declared}{body}"
    tag = "$upsert_guard$"
    while tag in block:
        tag = f"{tag[:-1]}_$"
    return f"DO {tag}\n{block}{tag}"


def _typed(dialect: Dialect, value: str | bool | float | None) -> str:
    if isinstance(value, bool):
        return f"boolean := {'true' if value else 'false'}"
    if isinstance(value, int | float):
        return f"{'bigint' if isinstance(value, int) else 'pg_catalog.float8'} := {value}"
    return f"pg_catalog.text := {'NULL' if value is None else string_literal(dialect, value)}"
