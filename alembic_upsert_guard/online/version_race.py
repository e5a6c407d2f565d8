"""Two upgrades at once: the one that waited finds the version written already, and goes through as well.

Alembic takes a version that is not what it was for an error, and rightly: what the revision did would be done twice.
Here nothing is done twice. The first one's concurrent directives left the second one nothing to do, and where the
rest of its transaction has written nothing either, the very same step was made by somebody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event, literal_column, select, text
from sqlalchemy.sql.dml import UpdateBase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

__all__ = ["settle_version"]


def settle_version(
    connection: Connection,
    versions: Table,
    revisions_before: Callable[[str], Iterable[str | None]],
    told: Callable[[str], None],
) -> None:
    """Let the step to a version go through that another upgrade has written meanwhile, where nothing is done twice.

    The watch lasts until the next step is written, or the connection ends.

    :param versions: Alembic's version table, of one column.
    :param revisions_before: the revisions that a revision follows directly; None stands for the empty database.
    :param told: called with the version when that happens.
    """
    watch = _Watch(versions, revisions_before, told)
    event.listen(connection, "before_execute", watch.before)


class _Watch:
    def __init__(
        self,
        versions: Table,
        revisions_before: Callable[[str], Iterable[str | None]],
        told: Callable[[str], None],
    ) -> None:
        self.versions = versions
        self.revisions_before = revisions_before
        self.told = told
        self.done = False

    def before(self, connection: Connection, statement: Any, *_: Any) -> None:
        is_step = isinstance(statement, UpdateBase) and statement.table is self.versions
        if self.done or not is_step:
            return
        # it cannot be removed from the list that is being gone through
        self.done = True
        column = self.versions.c.version_num
        for version in connection.scalars(select(column)).all():
            for before in self.revisions_before(version):
                if statement.compare(self._step(before, version)) and self._is_unwritten(
                    connection
                ):
                    connection.execute(self._way_back(before, version))
                    self.told(version)
                    return

    def _step(self, before: str | None, version: str) -> UpdateBase:
        """What Alembic's HeadMaintainer executes."""
        made: Any = literal_column(f"'{version}'")
        if before is None:
            return self.versions.insert().values(version_num=made)
        there = self.versions.c.version_num == literal_column(f"'{before}'")
        return self.versions.update().values(version_num=made).where(there)

    def _way_back(self, before: str | None, version: str) -> UpdateBase:
        """The row as Alembic expects it, in the transaction in which Alembic writes it again: nobody sees it."""
        there = self.versions.c.version_num == version
        if before is None:
            return self.versions.delete().where(there)
        return self.versions.update().values(version_num=before).where(there)

    def _is_unwritten(self, connection: Connection) -> bool:
        # a transaction has no number before it writes: https://www.postgresql.org/docs/current/functions-info.html
        return bool(
            connection.scalar(text("SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NULL"))
        )
