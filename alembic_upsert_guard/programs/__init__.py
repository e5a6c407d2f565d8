"""PL/pgSQL, a file a program: sent as an anonymous block, or made a procedure of a script and called there.

Only what users wrote, and what runs their triggers and functions, sees their search path. Everything else runs where
other roles cannot make anything: each program sets the path to ``pg_catalog, pg_temp`` first, sets it to ``users_path``
around a statement of the user's, and leaves it so.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

from ..sqltext import string_literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from sqlalchemy.engine import Dialect

    Parameter: TypeAlias = "str | bool | int | float | Sequence[str] | None"

__all__ = ["Call", "call", "program"]

_HEAD = """\
#variable_conflict error
DECLARE
    users_path CONSTANT pg_catalog.text := pg_catalog.current_setting('search_path');
"""

_LONG = 80


@dataclass(frozen=True, slots=True)
class Call:
    """A program in a script, as statements without terminator."""

    definition: str
    """What makes the procedure, of every call whose parameters have the same names and types."""
    statement: str
    """What calls it; fails where it is not defined."""
    needs: tuple[Call, ...] = ()
    """Programs that it calls itself."""


def program(name: str, dialect: Dialect, parameters: Mapping[str, Parameter]) -> str:
    """Return the statement that runs a file of this folder, with its parameters declared above it as constants.

    :param name: without ``.sql``.
    """
    declared = "".join(
        f"    {parameter} CONSTANT {_type(value)} := {_literal(dialect, value)};\n"
        for parameter, value in parameters.items()
    )
    block = f"{_HEAD}{declared}{_body(name)}"
    tag = "$upsert_guard$"
    while tag in block:
        tag = f"{tag[:-1]}_$"
    return f"DO {tag}\n{block}{tag}"


def call(name: str, dialect: Dialect, parameters: Mapping[str, Parameter]) -> Call:
    """Return the same as a procedure of the session, which no other role can make or replace, and a call of it.

    A call by exact types never finds an overload that code of another role has left in the session's pg_temp: a string
    constant is text before it is anything else.
    https://www.postgresql.org/docs/current/typeconv-func.html

    :param name: without ``.sql``.
    """
    procedure = f"pg_temp.upsert_guard_{name}"
    declared = ",".join(
        f"\n    {parameter} {_type(value)}" for parameter, value in parameters.items()
    )
    given = [f"{parameter} => {_exact(dialect, value)}" for parameter, value in parameters.items()]
    return Call(
        f"CREATE OR REPLACE PROCEDURE {procedure}({declared})\n"
        f"LANGUAGE plpgsql AS $upsert_guard$\n{_HEAD}{_body(name)}$upsert_guard$",
        f"CALL {procedure}({_in_lines(given)})",
    )


def _body(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text("utf-8")


def _in_lines(arguments: Sequence[str]) -> str:
    """Names and settings in a line, and what is long, as a query is, in one of its own."""
    listed = arguments[0]
    for before, argument in pairwise(arguments):
        is_long = max(len(before), len(argument)) > _LONG
        listed += f",\n    {argument}" if is_long else f", {argument}"
    return listed


def _type(value: Parameter) -> str:
    if value is None or isinstance(value, str):
        return "pg_catalog.text"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "bigint"
    return "pg_catalog.float8" if isinstance(value, float) else "pg_catalog.text[]"


def _literal(dialect: Dialect, value: Parameter) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return string_literal(dialect, value)
    return f"ARRAY[{', '.join(string_literal(dialect, each) for each in value)}]"


def _exact(dialect: Dialect, value: Parameter) -> str:
    literal = _literal(dialect, value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"CAST({literal} AS {_type(value)})" if is_number else literal
