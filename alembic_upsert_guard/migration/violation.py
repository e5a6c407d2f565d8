"""The refusal of rows that break a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.util import CommandError

from ..errors import UpsertGuardError
from ..findings import first_line, violation_text

if TYPE_CHECKING:
    from ..findings import RowsReport

__all__ = ["UpsertKeyViolation"]


class UpsertKeyViolation(CommandError, UpsertGuardError):  # noqa: N818 - the name is the contract
    """Rows in the database break an upsert key; nothing was changed.

    As an Alembic ``CommandError`` its text, the whole report, is what the ``alembic`` command prints.
    """

    def __init__(self, report: RowsReport, *, shown_already: bool = False) -> None:
        """Hold the report.

        :param shown_already: the text is only the first line, for a reader who has seen the rest.
        """
        super().__init__(
            f"{first_line(report)}; the report is above"
            if shown_already
            else violation_text(report)
        )
        self.report = report
        """What was found, as values."""
