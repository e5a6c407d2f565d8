"""What goes into a script (``--sql``): statements of ours, and Alembic's own creations as they have to be.

SQLAlchemy doubles every per cent sign for the drivers of paramstyle "pyformat", which halve it again. A script meets no
driver: an index ``WHERE c = 'a%b'`` would be made on ``'a%%b'`` without an error, and serve no upsert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Index

from ...databases import database_for
from ...programs import Call
from ...sqltext import doubles_per_cent, script_dialect
from ..context import log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alembic.runtime.migration import MigrationContext

    from ...online import Script

__all__ = ["write", "write_as_written", "write_or_warn", "write_outside"]

_GUARDED = "_upsert_guard_tables"
_DEFINED = "_upsert_guard_programs"

_IN_SESSION = "-- Defined once for the calls below, and gone with the session. A part that runs by itself needs it too."


def write(context: MigrationContext, statement: str | Call) -> None:
    """Write a statement, or a comment, into the script; a program is defined above its first call.

    Where the script ends is not known to a directive, so the session drops what is defined.
    """
    if isinstance(statement, Call):
        for program in (*statement.needs, statement):
            _define(context, program.definition)
        statement = statement.statement
    # past text(), in which colons and per cent signs of names and SQL would have to be escaped
    comment = statement.startswith("--")
    terminator = "" if comment else context.impl.command_terminator
    context.impl.static_output(statement + terminator)


def _define(context: MigrationContext, definition: str) -> None:
    """Once in this script: its ``impl`` lives as long as the script does."""
    defined: set[str] = vars(context.impl).setdefault(_DEFINED, set())
    if definition not in defined:
        defined.add(definition)
        context.impl.static_output(f"{_IN_SESSION}\n{definition}{context.impl.command_terminator}")


def write_outside(context: MigrationContext, script: Script) -> None:
    """Write what runs outside a transaction, and what then begins the one that writes the version."""
    with context.autocommit_block():
        for statement in script.outside:
            write(context, statement)
    for statement in script.inside:
        write(context, statement)


def write_or_warn(
    context: MigrationContext,
    statements: Sequence[str | Call] | None,
    *,
    label: str,
    directive: str,
) -> None:
    """Write what a directive does into the script, or a warning and a comment where `statements` is None.

    :param label: the key, as messages name it.
    """
    if statements is None:
        dialect = database_for(context.dialect).name
        log.warning(
            "%s: a script for %s cannot do what op.%s does; run it online",
            label,
            dialect,
            directive,
        )
        statements = [
            f"-- {label}: op.{directive} is left out, a script for {dialect} cannot do it"
        ]
    for statement in statements:
        write(context, statement)


def write_as_written(context: MigrationContext, table: str, schema: str | None) -> None:
    """Write unique indexes and constraints of the table into the script as they are, from here to its end.

    Of this context only: its ``impl`` lives as long as the script does.
    """
    impl: Any = context.impl
    if not context.as_sql or not doubles_per_cent(impl.dialect):
        return
    guarded: set[tuple[str | None, str]] | None = getattr(impl, _GUARDED, None)
    if guarded is None:
        guarded = set()
        setattr(impl, _GUARDED, guarded)
        impl.create_index = _as_written(impl, impl.create_index, guarded)
        impl.add_constraint = _as_written(impl, impl.add_constraint, guarded)
    guarded.add((schema, table))


def _as_written(
    impl: Any, write: Callable[..., None], guarded: set[tuple[str | None, str]]
) -> Callable[..., None]:
    def write_unchanged(item: Any, **options: Any) -> None:
        table = item.table
        is_guarded = (table.schema, table.name) in guarded and (
            not isinstance(item, Index) or bool(item.unique)
        )
        if not is_guarded:
            write(item, **options)
            return
        of_driver = impl.dialect
        impl.dialect = script_dialect(of_driver)
        try:
            write(item, **options)
        finally:
            impl.dialect = of_driver

    return write_unchanged
