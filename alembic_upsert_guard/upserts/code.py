"""The upserts of a tree of files against databases: ``upsert-guard check --code``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..catalog import catalog_for
from ..findings import CODES, Finding, FindingCode, unknown_dialect
from .scan.declared import DeclaredTables
from .scan.ignoring import IgnoreComments
from .scan.report import by_place
from .served import JudgedSite, judge_call_sites, together
from .upsert import Resolution, call_site_member

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.engine import Connection

    from .scan.ignoring import IgnoreComment
    from .scan.report import ScanReport
    from .upsert import CallSite

__all__ = ["CheckedCode"]


class CheckedCode:
    """What was found in files, and what each database makes of it."""

    def __init__(self, scanned: ScanReport, declared: DeclaredTables | None) -> None:
        """No database is asked yet.

        :param declared: the models that the files were scanned with; None: there are none.
        """
        self._scanned = scanned
        self._declared = declared or DeclaredTables(())
        self._answers: list[list[JudgedSite]] = []
        self._unknown: list[Finding] = []

    @property
    def files(self) -> int:
        """How many files were looked at."""
        return self._scanned.files

    def judge(self, connection: Connection) -> None:
        """Hold every upsert against one database, or one tenant of it. Nothing is written."""
        dialect = connection.dialect.name
        if catalog_for(dialect) is None:
            self._unknown.append(unknown_dialect(dialect))
            return
        sites = self._scanned.call_sites
        self._answers.append(judge_call_sites(connection, sites, self._declared))

    def call_sites(self) -> list[dict[str, Any]]:
        """Return every upsert as the command's JSON has it, by path and line."""
        sites = dict.fromkeys(each.site for each in together(self._answers))
        return [call_site_member(site) for site in sites]

    def findings(self) -> list[Finding]:
        """Return the findings that no comment suppresses, by path and line, and the comments that suppress nothing."""
        found = [each for each in self._scanned.findings if each.code is FindingCode.UNREAD_FILE]
        by_path: dict[str, list[IgnoreComment]] = {}
        for comment in self._scanned.comments:
            by_path.setdefault(comment.path, []).append(comment)
        comments = {path: IgnoreComments(each) for path, each in by_path.items()}
        none = IgnoreComments(())
        for judged in together(self._answers):
            if judged.finding is None:
                found += self._of_scanner(judged.site)
                continue
            if not comments.get(judged.site.path, none).accept(judged.finding, judged.site):
                found.append(judged.finding)
        stale = [
            comment.stale()
            for of_file in comments.values()
            for comment in of_file.unused()
            if self._answers and _is_ours(comment)
        ]
        return [*self._unknown, *sorted([*dict.fromkeys(found), *stale], key=by_place)]

    def _of_scanner(self, site: CallSite) -> list[Finding]:
        """The scanner's own finding of a site that cannot be read; none where a comment suppresses it."""
        if site.resolution is not Resolution.UNRESOLVED:
            return []
        return [
            finding
            for finding in self._scanned.findings
            if finding.code is FindingCode.UNRESOLVED_UPSERT
            and finding.location is not None
            and (finding.location.path, finding.location.line) == (site.path, site.line)
        ]


def _is_ours(comment: IgnoreComment) -> bool:
    """Whether nothing but a check of the code against a database can say that the comment suppresses nothing."""
    entry = CODES.get(comment.code)
    return entry is not None and "check --code" in entry.commands and "scan" not in entry.commands
