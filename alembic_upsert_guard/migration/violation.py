"""The refusal of rows that break a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy.exc import IntegrityError

from ..errors import UpsertGuardError
from ..findings import first_line, violation_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..findings import RowsReport

__all__ = ["UniqueBuildViolation", "UpsertKeyViolation"]


class UpsertKeyViolation(CommandError, UpsertGuardError):  # noqa: N818 - the name is the contract
    """Rows in the database break an upsert key; nothing was changed.

    As an Alembic ``CommandError`` its text, the whole report, is what the ``alembic`` command prints.
    """

    def __init__(
        self,
        report: RowsReport,
        *,
        others: Sequence[RowsReport] = (),
        shown_already: bool = False,
    ) -> None:
        """Hold the report.

        :param others: of declared keys that have no arbiter yet, and that the rows break as well.
        :param shown_already: the text is only the first line, for a reader who has seen the rest.
        """
        text = f"{first_line(report)}; the report is above" if shown_already else None
        # not super(): SQLAlchemy's error, the other base of what is below, takes other arguments
        Exception.__init__(self, text or violation_text(report, others))
        self.report = report
        """What was found, as values."""
        self.others = tuple(others)
        """What other declared keys will be refused for, in this upgrade or a later one."""


class UniqueBuildViolation(UpsertKeyViolation, IntegrityError):  # noqa: N818 - as its base
    """Rows of the database break what an operation of Alembic's own, or SQL of a revision, was to make unique.

    It is SQLAlchemy's error as well, which the operation raises without this package: a revision that catches that one
    catches this.
    """

    def __init__(
        self,
        report: RowsReport,
        error: IntegrityError,
        *,
        others: Sequence[RowsReport] = (),
        shown_already: bool = False,
    ) -> None:
        """Hold the report, and what SQLAlchemy's error holds."""
        UpsertKeyViolation.__init__(self, report, others=others, shown_already=shown_already)
        vars(self).update(vars(error))

    def __str__(self) -> str:
        """Return the report, as the ``alembic`` command prints it."""
        return str(self.args[0])
