"""``--baseline``: ignore entries for what is found today, appended to ``pyproject.toml``.

The entries are written without a TOML library: a file is only ever appended to, strings and lists of them are spelled
as JSON does, and what would come out is parsed before it is written. A style-preserving writer would take a dependency
for a feature that is used once a project, and parse and print the rest of the file, which has to stay byte by byte.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ..findings import FindingCode
from .ignores import HEADER, IgnoreEntry, path_speller, table_of
from .pyproject import PyprojectError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # Alembic brings it where Python does not

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from ..findings import Finding

__all__ = ["append_entries", "entries_for"]


def entries_for(findings: Iterable[Finding], pyproject: Path, today: date) -> list[IgnoreEntry]:
    """Return entries of `pyproject` that suppress these findings and no others; a stale entry has to go.

    One for each code, table, target and file, or function: another upsert on the same target in the same file is the
    same decision, and one elsewhere or on another target is a new one.
    """
    reason = f"found when the guard was introduced, {today.isoformat()}"
    spell = path_speller(pyproject)
    entries = {
        IgnoreEntry(
            code=finding.code,
            table=table_of(finding),
            reason=reason,
            elements=finding.elements,
            where=finding.where,
            path=None if finding.location is None else spell(finding.location.path),
        )
        for finding in findings
        if finding.code is not FindingCode.STALE_IGNORE
    }
    return sorted(entries, key=_order)


def _order(entry: IgnoreEntry) -> tuple[str, ...]:
    return entry.code, entry.table, entry.path or "", entry.where or "", *(entry.elements or ())


def append_entries(pyproject: Path, entries: Sequence[IgnoreEntry]) -> None:
    """Put entries at the end of a file, which is made where there is none; the rest of it stays byte by byte.

    :raises PyprojectError: the file cannot take them; nothing was written.
    """
    if not entries:
        return
    try:
        written = pyproject.read_bytes() if pyproject.exists() else b""
        newline = "\r\n" if b"\r\n" in written else "\n"
        apart = newline if written.endswith(b"\n") else newline * 2
        blocks = [newline.join([*_lines(entry), ""]) for entry in entries]
        added = ((apart if written else "") + newline.join(blocks)).encode()
        tomllib.loads((written + added).decode())
        with pyproject.open("ab") as file:
            file.write(added)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PyprojectError(
            f"{pyproject} cannot take {HEADER} at its end: {error}; nothing was written"
        ) from error


def _lines(entry: IgnoreEntry) -> Iterator[str]:
    yield HEADER
    for member in ("code", "table", "elements", "where", "path", "reason"):
        value = getattr(entry, member)
        if value is not None:
            # JSON is TOML, but for surrogate pairs and the one control character that JSON leaves as it is
            spelled = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
            yield f"{member} = {spelled}"
