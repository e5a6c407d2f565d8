"""What is reported of files whose upserts are not known."""

from __future__ import annotations

from .codes import FindingCode
from .finding import Finding, Location

__all__ = ["unread_file"]


def unread_file(path: str, reason: str, line: int | None = None) -> Finding:
    """Return the finding of a file or folder that could not be read.

    :param reason: without a full stop.
    :param line: where the parser gave up, counted from 1; None: it is about the whole file, which is said at line 1.
    """
    return Finding(
        code=FindingCode.UNREAD_FILE,
        fact=f"what this file holds is not known: {reason}",
        hint="correct it, run the command with a Python that reads it, or leave it out: exclude in [tool.upsert_guard]",
        location=Location(path, line or 1),
    )
