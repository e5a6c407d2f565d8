"""What every part of this folder asks of a migration: its log, its tables, and what the user switched on or off."""

from __future__ import annotations

import logging
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError, messaging
from sqlalchemy import MetaData
from sqlalchemy.sql.elements import ClauseElement

from ..catalog import TableName
from ..declaration import declarations_of
from ..inference import ConflictTarget, Element
from ..sqltext import ended, literal_sql
from .options import REVEAL, VALIDATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alembic.operations import MigrateOperation
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection, Dialect
    from sqlalchemy.sql.elements import TextClause

__all__ = [
    "LOGGER",
    "PLUGIN",
    "VALIDATE_SWITCH",
    "connection_of",
    "declaring_metadata",
    "is_plugin_on",
    "log",
    "metadata_of",
    "prints_folded",
    "reveals",
    "reveals_all",
    "table_of",
    "target_of",
    "validates_all",
    "validation_enabled",
    "when_version_is_written",
]

LOGGER = "alembic.autogenerate.upsert_guard"
"""Under ``alembic``: the logging configuration of Alembic's templates silences every other logger."""

log = logging.getLogger(LOGGER)

PLUGIN = "alembic.autogenerate.upsert_guard"
"""The entry point's name, by which ``autogenerate_plugins`` switches it off."""

VALIDATE_SWITCH = VALIDATE
"""The ``-x`` argument that turns the check of the rows off."""


def when_version_is_written(context: MigrationContext, act: Callable[..., None]) -> None:
    """Have `act` called whenever a revision has run and its version is written, in a script too.

    :param act: is given what Alembic's ``on_version_apply`` is, the context as ``ctx``.
    """
    context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, act)


def validation_enabled(context: MigrationContext) -> bool:
    """Return whether the rows are to be checked: ``-x upsert_guard_validate=off`` says no.

    :raises CommandError: the argument is neither on nor off.
    """
    if context.environment_context is None:
        return True
    arguments = context.environment_context.get_x_argument(as_dictionary=True)
    stated = arguments.get(VALIDATE_SWITCH, "on")
    if stated not in ("on", "off"):
        raise CommandError(
            f"-x {VALIDATE_SWITCH}={stated} is not known: write -x {VALIDATE_SWITCH}=off, or leave it out"
        )
    return bool(stated == "on")


def validates_all(context: MigrationContext) -> bool:
    """Return whether every operation that makes something unique has the rows checked before."""
    return context.opts.get(VALIDATE) is not None


def is_plugin_on(context: MigrationContext) -> bool:
    """Return whether ``autogenerate_plugins`` of ``context.configure()`` lets the plugin take part."""
    stated = context.opts.get("autogenerate_plugins") or ["alembic.autogenerate.*"]
    off = [name.removeprefix("~") for name in stated if name.startswith("~")]
    on = [name for name in stated if not name.startswith("~")]
    return _names_plugin(on) and not _names_plugin(off)


def _names_plugin(names: Sequence[str]) -> bool:
    return any(fnmatchcase(PLUGIN, name) for name in names)


def reveals(context: MigrationContext, operation: MigrateOperation) -> bool:
    """Return whether values may be shown: neither the directive nor ``context.configure()`` says otherwise."""
    return bool(getattr(operation, "reveal", True)) and reveals_all(context)


def reveals_all(context: MigrationContext) -> bool:
    """Return whether ``context.configure()`` lets values be shown."""
    return context.opts.get(REVEAL) is not False


def prints_folded(context: MigrationContext) -> bool:
    """Return whether the ``alembic`` command would fold an error into one paragraph, as it does on a terminal."""
    at_the_command_line = getattr(context.config, "cmd_opts", None) is not None
    return at_the_command_line and messaging.TERMWIDTH is not None


def connection_of(context: MigrationContext) -> Connection:
    """Return the connection of a migration that is run, and not written as a script."""
    connection = context.connection
    assert connection is not None  # noqa: S101 - only with --sql there is none
    return connection


def declaring_metadata(context: MigrationContext) -> tuple[MetaData, ...]:
    """Return what of ``target_metadata`` declares keys; empty: nothing does."""
    return tuple(
        each for each in metadata_of(context) if any(map(declarations_of, each.tables.values()))
    )


def metadata_of(context: MigrationContext) -> tuple[MetaData, ...]:
    """Return the ``target_metadata`` of ``context.configure()``, one or several; empty: there is none."""
    stated = context.opts.get("target_metadata")
    several: Sequence[Any] = stated if isinstance(stated, list | tuple) else (stated,)
    return tuple(each for each in several if isinstance(each, MetaData))


def table_of(context: MigrationContext, name: str, schema: str | None) -> TableName:
    """Return the table that Alembic's own directives would touch: SQL of ours does not pass SQLAlchemy's schema map."""
    if not context.as_sql and context.connection is not None:
        translated = context.connection.get_execution_options().get("schema_translate_map") or {}
        schema = translated.get(schema, schema)
    return TableName(schema, name)


def target_of(
    elements: Sequence[str | TextClause], where: str | TextClause | None, dialect: Dialect
) -> ConflictTarget:
    """Return a directive's elements and predicate as SQL."""
    predicate: str | None
    if isinstance(where, ClauseElement):
        predicate = literal_sql(where, dialect)
    else:
        predicate = None if where is None else ended(where)
    return ConflictTarget(
        tuple(
            Element(expression=literal_sql(element, dialect))
            if isinstance(element, ClauseElement)
            else Element(column=element)
            for element in elements
        ),
        predicate,
    )
