"""Names that every supported database keeps whole. Imports the standard library only."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from .databases import Database

__all__ = [
    "cut_before",
    "is_temporary",
    "name_of_unnamed",
    "short_hash",
    "temporary_names",
    "truncated_identifier",
]

_LIMIT = 63
"""Bytes: PostgreSQL's NAMEDATALEN - 1, below MySQL's 64 characters.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS"""


def truncated_identifier(name: str) -> str:
    """Return the name, cut to what every database keeps: a hash then replaces what was cut."""
    if len(name.encode()) <= _LIMIT:
        return name
    return cut_before(name, f"_{short_hash(name)}")


def cut_before(stem: str, ending: str) -> str:
    """Return `stem`, cut where it must be, with `ending` behind it."""
    room = _LIMIT - len(ending.encode())
    return stem.encode()[:room].decode(errors="ignore") + ending


def short_hash(text: str) -> str:
    """Return eight hex digits of a hash of `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def temporary_names(name: str) -> tuple[str, ...]:
    """Return the names of a replacement while the old one still has `name`; the first that is free is taken."""
    return cut_before(name, "_new"), cut_before(name, f"_{short_hash(name)}")


def is_temporary(name: str) -> bool:
    """Return whether it may be one of :func:`temporary_names`; of a name that was cut only the ending is known."""
    return name.endswith("_new") or name in temporary_names(name.rpartition("_")[0])


def name_of_unnamed(
    table: str, columns: Sequence[str], *, database: Database, taken: Container[str | None]
) -> str:
    """Return a name for a unique constraint that the models leave unnamed, so that a downgrade can drop it.

    On PostgreSQL the name that the server itself gives it (``indexcmds.c: ChooseIndexName``), where that is short
    enough and free; elsewhere ``uq_<table>_<columns>``.

    :param taken: names that something else on the table has.
    """
    servers = "_".join([table, *columns, "key"])
    if (
        database.names_constraints_itself
        and servers not in taken
        and truncated_identifier(servers) == servers
    ):
        return servers
    ours = truncated_identifier("_".join(["uq", table, *columns]))
    return ours if ours not in taken else truncated_identifier(f"{ours}_{short_hash('the key')}")
