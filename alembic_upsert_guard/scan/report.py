"""What a scan returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..findings import Finding
    from .callsite import CallSite
    from .files import Problem
    from .ignoring import IgnoreComment

__all__ = ["ScanReport"]


@dataclass(frozen=True, slots=True)
class ScanReport:
    """Everything that a scan found, each group by path and line."""

    call_sites: tuple[CallSite, ...]
    """Every upsert that was seen, whether a comment accepts its finding or not."""
    findings: tuple[Finding, ...]
    """Those that no comment accepts."""
    problems: tuple[Problem, ...]
    """Files and folders that were not scanned."""
    stale_ignores: tuple[IgnoreComment, ...]
    """Codes in comments that accept nothing."""
    comments: tuple[IgnoreComment, ...]
    """Every code of a comment, whether it suppresses something here or not."""
    files: int
    """How many files were looked at."""
    paths: tuple[str, ...] = ()
    """Those files, as they were asked for."""
