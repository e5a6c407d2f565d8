"""The refusal of rows that break a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.util import CommandError

from ..errors import UpsertGuardError
from ..findings import violation_text

if TYPE_CHECKING:
    from ..findings import RowsReport

__all__ = ["UpsertKeyViolation"]


class UpsertKeyViolation(CommandError, UpsertGuardError):  # noqa: N818 - the name is the contract
    """Rows in the database break an upsert key; nothing was changed.

    As an Alembic ``CommandError`` its text, the whole report, is what the ``alembic`` command prints.
    """

    def __init__(self, report: RowsReport) -> None:
        super().__init__(violation_text(report))
        self.report = report
        """What was found, as values."""
