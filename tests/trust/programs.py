"""Every PL/pgSQL program of the package, as statements with each of its parameters given."""

from __future__ import annotations

import re
from importlib.resources import files

from alembic_upsert_guard.programs import call, program
from alembic_upsert_guard.sqltext import reference_dialect

PIN = "PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);"
"""The statement behind which a bare name is the system's, whatever other roles have made."""


def blocks() -> dict[str, str]:
    """As anonymous blocks, by name; a program's head names its parameters, a line each."""
    return {
        name: program(name, reference_dialect(), dict.fromkeys(parameters, "x"))
        for name, parameters in _programs().items()
    }


def procedures() -> dict[str, str]:
    """As scripts define them, by name."""
    return {
        name: call(name, reference_dialect(), dict.fromkeys(parameters, "x")).definition
        for name, parameters in _programs().items()
    }


def _programs() -> dict[str, list[str]]:
    return {
        path.name.removesuffix(".sql"): _parameters(path.read_text("utf-8"))
        for path in files("alembic_upsert_guard.programs").iterdir()
        if path.name.endswith(".sql")
    }


def _parameters(source: str) -> list[str]:
    names = re.findall(r"^--   (\w+) ", source, re.MULTILINE)
    return [name for name in names if name != "users_path"]
