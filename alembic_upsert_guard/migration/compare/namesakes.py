"""A new arbiter under the name of an old one: until that is dropped the new one has a temporary name."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from alembic.operations.ops import CreateIndexOp, CreateUniqueConstraintOp, DropIndexOp
from sqlalchemy.sql.elements import conv

from ...databases import POSTGRESQL, database_for
from ...names import temporary_names
from ...sqltext import escape_colons
from ..operations import RenameArbiterOp
from .arbiter_ops import name_created_by, name_dropped_by

if TYPE_CHECKING:
    from collections.abc import Container

    from alembic.operations.ops import MigrateOperation
    from sqlalchemy import Table
    from sqlalchemy.engine import Dialect

__all__ = ["created_beside", "is_namesake", "is_replaced_at_once", "takes_the_name"]


def is_namesake(dialect: Dialect, creation: MigrateOperation, drop: MigrateOperation) -> bool:
    """Return whether `creation` needs the name that `drop` makes free."""
    name = name_created_by(creation)
    if name is None or name != name_dropped_by(drop):
        return False
    return database_for(dialect).alters_constraints or _are_alike(creation, drop)


def _are_alike(creation: MigrateOperation, drop: MigrateOperation) -> bool:
    return isinstance(creation, CreateIndexOp) is isinstance(drop, DropIndexOp)


def is_replaced_at_once(dialect: Dialect, creation: MigrateOperation) -> bool:
    """Return whether the creation and a drop beside it are one statement: a table of SQLite is copied once for both."""
    is_constraint = isinstance(creation, CreateUniqueConstraintOp)
    return is_constraint and not database_for(dialect).alters_constraints


def created_beside(creation: MigrateOperation, *, taken: Container[str | None]) -> MigrateOperation:
    """Return the same creation under a temporary name.

    :param taken: names that something else on the table has.
    """
    name = str(name_created_by(creation))
    names = temporary_names(name)
    temporary = next((each for each in names if each not in taken), names[-1])
    beside = copy(creation)
    if isinstance(beside, CreateUniqueConstraintOp):
        beside.constraint_name = conv(temporary)
    elif isinstance(beside, CreateIndexOp):
        beside.index_name = conv(temporary)
    return beside


def takes_the_name(
    dialect: Dialect, table: Table, beside: MigrateOperation, creation: MigrateOperation
) -> list[MigrateOperation]:
    """Return what gives the name to what `beside` created, now that it is free.

    Where nothing can be renamed it is created a second time, before the first is dropped.
    """
    if not database_for(dialect).renames_indexes:
        return [creation, beside.reverse()]
    temporary, name = str(name_created_by(beside)), str(name_created_by(creation))
    return [
        RenameArbiterOp(
            _renaming(dialect, table, creation, temporary, name),
            _renaming(dialect, table, creation, name, temporary),
            old_name=temporary,
            new_name=name,
        )
    ]


def _renaming(
    dialect: Dialect, table: Table, creation: MigrateOperation, old: str, new: str
) -> str:
    prepared = dialect.identifier_preparer
    quoted, to = prepared.quote(old), prepared.quote(new)
    of_table = f"ALTER TABLE {prepared.format_table(table)} RENAME"
    if database_for(dialect) is not POSTGRESQL:
        sql = f"{of_table} INDEX {quoted} TO {to}"
    elif isinstance(creation, CreateUniqueConstraintOp):
        sql = f"{of_table} CONSTRAINT {quoted} TO {to}"
    else:
        schema = "" if table.schema is None else f"{prepared.quote_schema(table.schema)}."
        sql = f"ALTER INDEX {schema}{quoted} RENAME TO {to}"
    return escape_colons(sql)
