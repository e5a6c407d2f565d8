"""The upserts of a tree of files against databases: ``upsert-guard check --code``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..catalog import catalog_for
from ..databases import database_for
from ..findings import CODES, Finding, FindingCode, unknown_dialect
from .judge import judge_upserts, merge_answers
from .scan.ignoring import IgnoreComments
from .scan.report import by_place

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from .declared import DeclaredTables
    from .scan.ignoring import IgnoreComment
    from .scan.report import ScanReport
    from .upsert import JudgedUpsert, Upsert

__all__ = ["CheckedCode"]


class CheckedCode:
    """What was found in files, and what each database makes of it."""

    def __init__(self, scanned: ScanReport, models: DeclaredTables | None) -> None:
        """No database is asked yet.

        :param models: what the files were scanned with; None: there are none.
        """
        self._scanned = scanned
        self._models = models
        self._by_models = {judged.upsert: judged for judged in scanned.upserts}
        self._answers: list[dict[Upsert, JudgedUpsert]] = []
        self._unknown: list[Finding] = []

    @property
    def files(self) -> int:
        """How many files were looked at."""
        return self._scanned.files

    def judge(self, connection: Connection) -> None:
        """Hold every upsert against one database, or one tenant of it. Nothing is written."""
        if catalog_for(connection.dialect) is None:
            self._unknown.append(unknown_dialect(database_for(connection.dialect).name))
            return
        history = self._scanned.history
        upserts = {upsert: j for upsert, j in self._by_models.items() if upsert not in history}
        answers = judge_upserts(connection, upserts, self._models, scanned=upserts)
        # what ran in a migration met the schema of its day, and no database has that
        answers |= {u: _of_history(j) for u, j in self._by_models.items() if u in history}
        self._answers.append(answers)

    @property
    def upserts(self) -> list[JudgedUpsert]:
        """Every upsert, by path and line, with what all databases say of it; none where none was asked."""
        return merge_answers(self._answers)

    def findings(self) -> list[Finding]:
        """Return the findings that no comment suppresses, by path and line, and the comments that suppress nothing."""
        comments = IgnoreComments(self._scanned.comments)
        found = [each for each in self._scanned.findings if each.code is FindingCode.UNREAD_FILE]
        for judged in self.upserts:
            place = judged.upsert.place
            found += [f for f in judged.findings if not comments.suppress(f, place)]
        stale = [
            comment.stale() for comment in comments.unused() if self._answers and _is_ours(comment)
        ]
        return [*self._unknown, *sorted([*dict.fromkeys(found), *stale], key=by_place)]


def _of_history(judged: JudgedUpsert) -> JudgedUpsert:
    """What a migration met, with the code that a check has for what is not served."""
    findings = (
        replace(f, code=FindingCode.UNSERVED_UPSERT)
        if f.code is FindingCode.UNDECLARED_UPSERT
        else f
        for f in judged.findings
    )
    return replace(judged, findings=tuple(findings))


def _is_ours(comment: IgnoreComment) -> bool:
    """Whether nothing but a check of the code against a database can say that the comment suppresses nothing."""
    entry = CODES.get(comment.code)
    return entry is not None and "check --code" in entry.commands and "scan" not in entry.commands
