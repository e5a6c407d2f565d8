"""The checks of a script (``--sql``): those of directives, and with ``upsert_guard_validate="all"`` of every build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.schema import CreateTable

from ...databases import database_for
from ...findings.keys import describe_target
from ...rows import listing_sql, script_check
from ...sqltext import named
from ..context import log
from .script import write
from .subject import subject_of
from .unique_build import builds_of, check_of, unread_sql

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

    from ..operations import ValidateUpsertKeyOp
    from .subject import Subject
    from .unique_build import UniqueBuild

__all__ = ["check_builds", "write_check"]

_CHECKED = "_upsert_guard_checked"
_KNOWN = "_upsert_guard_builds_are_checked"

_UNREAD = (
    "-- what the next statement makes unique, if anything, is the database's to say, and a script has none to ask: no "
    "rows are checked"
)
_COPIED = "-- {}: no rows are checked, which columns the table has before the batch is not known to a script"


def write_check(
    context: MigrationContext, operation: ValidateUpsertKeyOp, subject: Subject, label: str
) -> None:
    """Write the check of a key's rows into the script, or a comment where the dialect has no way to refuse.

    :param label: what has to hold, as messages name it.
    """
    _checked(context).add(_identity(operation))
    statements = script_check(context.dialect, subject.rows, label)
    if statements is None:
        log.warning(
            "%s: a script for %s cannot refuse; run the SELECT in its comment first",
            label,
            database_for(context.dialect).name,
        )
        listing = listing_sql(context.dialect, subject.rows)
        must = f"-- {label} must hold before the next statement; this lists the rows that break it:"
        statements = [f"{must}\n-- {listing}"]
    for statement in statements:
        write(context, statement)


def check_builds(context: MigrationContext) -> None:
    """Write a check above each statement of the script that makes something unique, from here to its end.

    Not of a table that the script itself creates, which has no rows, and not of what a directive above has checked. Of
    this context only: its ``impl`` lives as long as the script does.
    """
    impl: Any = context.impl
    if vars(impl).setdefault(_KNOWN, False):
        return
    setattr(impl, _KNOWN, True)
    write_statement = impl._exec  # noqa: SLF001 - what every operation goes through
    created: set[tuple[str | None, str]] = set()

    def check_and_write(statement: Any, *args: Any, **kwargs: Any) -> Any:
        construct = text(statement) if isinstance(statement, str) else statement
        for build in builds_of(construct, context.dialect):
            if (build.schema, build.table_name) not in created:
                _write_check_of(context, build)
        if isinstance(construct, CreateTable):
            created.add((construct.element.schema, construct.element.name))
        elif unread_sql(construct, context.dialect) is not None:
            write(context, _UNREAD)
        return write_statement(construct, *args, **kwargs)

    impl._exec = check_and_write  # noqa: SLF001


def _write_check_of(context: MigrationContext, build: UniqueBuild) -> None:
    key = check_of(build)
    if _identity(key) in _checked(context):
        return
    subject = subject_of(context, key)
    target, name = subject.target, named(context.dialect, *subject.table)
    label = f"{build.label} on {describe_target(name, target.labels, target.predicate)}"
    if build.copies:
        write(context, _COPIED.format(label))
    else:
        write_check(context, key, subject, label)


def _checked(context: MigrationContext) -> set[object]:
    checked: set[object] = vars(context.impl).setdefault(_CHECKED, set())
    return checked


def _identity(key: ValidateUpsertKeyOp) -> object:
    return key.schema, key.table_name, frozenset(map(str, key.elements)), str(key.where)
