"""Foreign keys that refer to a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from ...catalog import TableName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

__all__ = ["MAKES_EQUAL", "NOT_UNIQUE", "Reference", "references_to"]

NOT_UNIQUE = "UNIQUE constraint failed"
"""The beginning of SQLite's message (build.c: sqlite3UniqueConstraint); Python 3.10 gives no extended code."""

MAKES_EQUAL = (
    "the foreign key {} is in a key of its table, and moving its references makes rows equal that this keeps apart; "
    "nothing was changed. Merge these rows or delete one of them first"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A foreign key."""

    child: TableName
    own: tuple[str, ...]
    referred: tuple[str, ...]
    on_update: str
    """What follows a change of what it refers to: ``CASCADE``, ``SET NULL`` ...; empty: nothing."""


def references_to(connection: Connection, table: TableName) -> Iterator[Reference]:
    """Every foreign key of the schema that refers to the table; SQLite takes names in any case."""
    inspector = inspect(connection)
    for (schema, child), keys in inspector.get_multi_foreign_keys(schema=table.schema).items():
        for key in keys:
            if key["referred_table"].casefold() != table.name.casefold():
                continue
            same = child.casefold() == table.name.casefold()
            yield Reference(
                child=table if same else TableName(schema, child),
                own=tuple(key["constrained_columns"]),
                referred=tuple(key["referred_columns"]),
                on_update=str(key.get("options", {}).get("onupdate", "")).upper(),
            )
