"""What a command reports, as the values that every format is made of."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ..finding import Finding

__all__ = ["DatabaseFacts", "Run", "RunReport", "fingerprinted"]


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A database that was asked. Where it is and as whom it was asked is not in a report."""

    dialect: str
    """SQLAlchemy's name of it, such as ``postgresql``."""
    version: str | None
    """The server's, such as ``18.4``; None: it does not say."""
    name: str | None
    """None: it has none, as SQLite in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the command."""

    version: str
    """Of this package."""
    site: str
    """The address of its pages, with a slash at its end; empty where the package does not say."""
    command: str
    """``check``, ``scan`` or ``functions``."""
    started: datetime
    """With its time zone."""
    databases: tuple[DatabaseFacts, ...] = ()
    """In the order in which they were asked; empty: none was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything that a report holds."""

    run: Run
    findings: Sequence[Finding]
    """Those that the project does not suppress."""
    suppressed: Sequence[Finding] = ()
    keys: Sequence[Mapping[str, Any]] = ()
    call_sites: Sequence[Mapping[str, Any]] | None = None
    """None: the command has none."""
    subject: str = ""
    """What was looked at: ``3 upsert keys``."""


def fingerprinted(findings: Sequence[Finding]) -> list[tuple[Finding, str]]:
    """Return each finding, in their order, with a name that stays the same while lines are added above it.

    The name is made of the code, the file and the target. Findings that are alike in these are numbered.
    """
    counts: dict[str, int] = {}
    named = []
    for finding in findings:
        path = "" if finding.location is None else finding.location.shown_path
        parts = (
            finding.code.value,
            path,
            finding.schema or "",
            finding.table or "",
            *sorted(finding.elements),
            finding.where or "",
        )
        identity = "\0".join(parts)
        counts[identity] = counts.get(identity, 0) + 1
        numbered = f"{identity}\0{counts[identity]}".encode(errors="backslashreplace")
        named.append((finding, sha256(numbered).hexdigest()))
    return named
