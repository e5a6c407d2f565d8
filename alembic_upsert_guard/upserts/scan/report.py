"""What a scan returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...findings import Finding
    from ..upsert import JudgedUpsert, Upsert
    from .files import Problem
    from .ignoring import IgnoreComment

__all__ = ["ScanReport", "by_place"]


@dataclass(frozen=True, slots=True)
class ScanReport:
    """Everything that a scan found, each group by path and line."""

    upserts: tuple[JudgedUpsert, ...]
    """Every upsert, whether a comment suppresses its findings or not."""
    findings: tuple[Finding, ...]
    """Those that no comment suppresses, the files that could not be read among them."""
    problems: tuple[Problem, ...]
    """Files and folders that were not scanned: findings too, but for those that a rule leaves out."""
    stale_ignores: tuple[IgnoreComment, ...]
    """Codes in comments that suppress nothing."""
    comments: tuple[IgnoreComment, ...]
    """Every code of a comment, whether it suppresses something here or not."""
    files: int
    """How many files were looked at."""
    paths: tuple[str, ...] = ()
    """Those files, as they were asked for."""
    idle: int | None = None
    """How many upserts are not among those that ran; None: nothing was recorded."""
    in_migrations: int = 0
    """How many upserts of migrations were left out, by :mod:`.migration_upserts`."""
    history: frozenset[Upsert] = frozenset()
    """Those of migrations that were not left out: they are held against the schema of their day, and no other."""


def by_place(finding: Finding) -> tuple[str, int, str, str]:
    """Return what findings of files are sorted by: path, line, code and fact; those without a place come first."""
    at = finding.location
    path, line = ("", 0) if at is None else (at.path, at.line)
    return path, line, finding.code, finding.fact
