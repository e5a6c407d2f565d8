"""The names of arbiters that keys attach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, Table, UniqueConstraint
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.elements import conv

from ..names import short_hash, truncated_identifier
from .elements import column_names, label_of, table_column
from .errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Constraint, Index
    from sqlalchemy.sql.elements import ClauseElement

    from ..inference import ConflictTarget

__all__ = ["free_name"]


def free_name(
    table: Table, elements: Sequence[ClauseElement], target: ConflictTarget
) -> str | conv:
    """Return the default name, or one beside it where another constraint or index of the table has it."""
    name = _default_name(table, elements, target)
    items: list[Constraint | Index] = [*table.constraints, *table.indexes]
    taken = {str(item.name) for item in items}
    return truncated_identifier(f"{name}_{short_hash('the key')}") if str(name) in taken else name


def _default_name(
    table: Table, elements: Sequence[ClauseElement], target: ConflictTarget
) -> str | conv:
    """The arbiter's name where none is stated: by the naming convention, else ``uq_<table>_<columns>``.

    Partial and expression keys end in eight hex digits of their SQL: two of them can have the same columns.
    """
    columns = list(dict.fromkeys(name for e in elements for name in column_names(e)))
    plain = all(e.column is not None for e in target.elements) and target.predicate is None
    if not plain:
        sql = "\x00".join((*target.labels, target.predicate or ""))
        return truncated_identifier("_".join(["uq", table.name, *columns, short_hash(sql)]))
    convention = table.metadata.naming_convention
    if "uq" in convention or UniqueConstraint in convention:
        # SQLAlchemy applies it, on a table of the same name that nobody sees
        namesake = Table(
            table.name,
            MetaData(naming_convention=convention),
            *(Column(c.name, c.type, key=c.key) for c in table.columns),
            schema=table.schema,
        )
        columns_of_key = [
            table_column(namesake, e.column) for e in target.elements if e.column is not None
        ]
        try:
            constraint = UniqueConstraint(*columns_of_key)  # attached by its columns
        except InvalidRequestError as error:
            raise DeclarationError(
                f"{label_of(table, target)} needs a name: the metadata's naming convention builds on one that is "
                "stated; write UpsertKey(..., name=...)"
            ) from error
        if constraint.name is not None:
            name = str(constraint.name)
            # SQLAlchemy cuts by characters, PostgreSQL by bytes
            return conv(name if name.isascii() else truncated_identifier(name))
    return truncated_identifier("_".join(["uq", table.name, *columns]))
