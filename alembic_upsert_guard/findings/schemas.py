"""What is reported of upserts whose table is named, and whose schema only a run knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "no_schema_with_table",
    "no_table_of_name",
    "only_schema_with_table",
    "only_table_of_name",
    "several_schemas_with_table",
    "several_tables_of_name",
    "similar_tables",
]

_OF_RUN_TIME = "the schema is a value of run time"
_SHOWN = 3


def only_table_of_name(table: str) -> str:
    """Return which table is taken for the one that is meant, as the end of a fact."""
    return f"{_OF_RUN_TIME}, and {table} is the only table of that name in the models"


def several_tables_of_name(tables: Sequence[str]) -> str:
    """Return that several tables of the models may be meant."""
    return f"{_OF_RUN_TIME}, and the models have several tables of that name: {_listed(tables)}"


def no_table_of_name(name: str) -> str:
    """Return that no table of the models has the name, in whichever schema."""
    return f"{_OF_RUN_TIME}, and no model has a table {name}"


def similar_tables(table: str, similar: Sequence[str]) -> str:
    """Return that a table is none of the models', and may be one of them all the same."""
    of = "the declared table" if len(similar) == 1 else "one of the declared tables"
    return f"whether {table} is {of} {_listed(similar)} is not known"


# -- databases


def only_schema_with_table(schema: str) -> str:
    """Return which schema is taken for the one that is meant, as the end of a fact."""
    return f"{_OF_RUN_TIME}, and {schema} is the only one that has such a table"


def several_schemas_with_table(name: str, schemas: Sequence[str]) -> str:
    """Return that tables of several schemas may be meant."""
    return f"{_OF_RUN_TIME}, and {len(schemas)} schemas have a table {name}: {_listed(schemas)}"


def no_schema_with_table(name: str, *, is_looked_for: bool) -> str:
    """Return that no schema of the database is known to have the table.

    :param is_looked_for: whether all schemas of the database were asked.
    """
    if not is_looked_for:
        return f"{_OF_RUN_TIME}, so which table {name} is meant is not known"
    return f"{_OF_RUN_TIME}, and no schema of the database that it may be has a table {name}"


def _listed(names: Sequence[str]) -> str:
    shown, rest = names[:_SHOWN], len(names) - _SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return f"{', '.join(shown)}{more}"
