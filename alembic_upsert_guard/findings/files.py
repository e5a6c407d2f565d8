"""What is reported of files whose upserts are not known."""

from __future__ import annotations

from .codes import FindingCode
from .finding import Finding, Location

__all__ = ["unread_file"]


_NEWER = (
    "name the Python that the file is written for with --python, or run it with that one "
    "(uvx --python 3.14 --from 'alembic-upsert-guard[scan]' upsert-guard scan)"
)
_LEFT_OUT = "leave it out: exclude in [tool.upsert_guard]"


def unread_file(
    path: str, reason: str, line: int | None = None, *, may_be_newer: bool = False
) -> Finding:
    """Return the finding of a file or folder that could not be read.

    :param reason: without a full stop.
    :param line: where the parser gave up, counted from 1; None: it is about the whole file, which is said at line 1.
    :param may_be_newer: whether it is Python, and of a later version maybe than the one that runs this.
    """
    return Finding(
        code=FindingCode.UNREAD_FILE,
        fact=f"what this file holds is not known: {reason}",
        hint=f"correct it, {_NEWER}, or {_LEFT_OUT}"
        if may_be_newer
        else f"correct it, or {_LEFT_OUT}",
        location=Location(path, line or 1),
    )
