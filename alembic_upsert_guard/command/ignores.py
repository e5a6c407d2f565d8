"""``[[tool.upsert_guard.ignore]]`` in a project's ``pyproject.toml``: findings that it suppresses, with reasons."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..findings import CODES, FindingCode, Location, qualified
from .pyproject import PyprojectError, read_pyproject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..findings import Finding

__all__ = ["HEADER", "IgnoreEntry", "path_speller", "read_entries", "table_of"]

HEADER = "[[tool.upsert_guard.ignore]]"

_MEMBERS = frozenset({"code", "table", "elements", "where", "path", "reason", "until"})
_NO_TABLE = "*"
"""What an entry names where a finding has no table: an unknown dialect, an upsert whose table cannot be read."""

_NOT_OURS = frozenset({"autogenerate", "upgrade"})
"""Commands of Alembic's, which read no entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreEntry:
    """One entry."""

    code: FindingCode
    table: str
    """``table`` or ``schema.table``; ``*`` for findings without a table."""
    reason: str
    until: date | None = None
    """The last day on which it suppresses; None: it has no end."""
    location: Location | None = None
    """Where it is written; None: the file spells its entries otherwise than under a header each."""
    elements: tuple[str, ...] | None = None
    """Of the target, in any order; empty: the upsert names none, or they cannot be read. None: whatever they are."""
    where: str | None = None
    """The target's predicate; None: it has none. Counts where `elements` are stated."""
    path: str | None = None
    """Of the file, from the folder of ``pyproject.toml`` on, or of the function; None: wherever it is."""

    @property
    def table_name(self) -> tuple[str | None, str | None]:
        """Schema and table, as a finding has them."""
        if self.table == _NO_TABLE:
            return None, None
        schema, _, table = self.table.rpartition(".")
        return schema or None, table


def table_of(finding: Finding) -> str:
    """Return how an entry names the table of a finding."""
    if finding.table is None:
        return _NO_TABLE
    return qualified(finding.schema, finding.table)


def path_speller(pyproject: Path) -> Callable[[str], str]:
    """Return how the entries of a file spell a path: from its folder on, wherever a command is run.

    A function of the database is no path, and stays as it is.
    """
    folder = pyproject.absolute().parent

    def spell(path: str) -> str:
        try:
            return (
                os.path.relpath(path, folder).replace(os.sep, "/") if Path(path).exists() else path
            )
        except ValueError:  # on another drive
            return path

    return spell


def read_entries(pyproject: Path) -> tuple[IgnoreEntry, ...]:
    """Return the entries of a file, none where there is no file.

    :raises PyprojectError: the file is no TOML, or an entry lacks its reason, names no code that can be suppressed, or
     has a date that is none.
    """
    text, table = read_pyproject(pyproject)
    listed = table.get("ignore", [])
    if not isinstance(listed, list):
        raise PyprojectError(f"{pyproject}: write {HEADER}, in two brackets")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if _is_header(line)]
    places: list[Location | None] = [None] * len(listed)
    if len(lines) == len(listed):
        places = [Location(str(pyproject), line) for line in lines]
    return tuple(
        _entry(f"{pyproject}: entry {number} of {HEADER}", each, place)
        for number, (each, place) in enumerate(zip(listed, places, strict=True), 1)
    )


def _is_header(line: str) -> bool:
    return "".join(line.partition("#")[0].split()) == HEADER


def _entry(place: str, written: Any, location: Location | None) -> IgnoreEntry:
    if not isinstance(written, dict):
        raise PyprojectError(f"{place} is no table")
    unknown = sorted(set(written) - _MEMBERS)
    if unknown:
        raise PyprojectError(
            f"{place} has the unknown member {unknown[0]}: there are {', '.join(sorted(_MEMBERS))}"
        )
    for member in ("code", "table", "reason"):
        if not isinstance(written.get(member), str) or not written[member].strip():
            raise PyprojectError(f'{place} lacks {member} = "..."')
    until = written.get("until")
    if until is not None and (not isinstance(until, date) or isinstance(until, datetime)):
        raise PyprojectError(f"{place}: until is a date without quotes, such as 2027-01-31")
    _check_target(place, written)
    return IgnoreEntry(
        code=_code(place, written["code"]),
        table=written["table"],
        reason=written["reason"],
        until=until,
        location=location,
        elements=None if "elements" not in written else tuple(written["elements"]),
        where=written.get("where"),
        path=written.get("path"),
    )


def _code(place: str, name: str) -> FindingCode:
    if name not in CODES:
        raise PyprojectError(f"{place}: {name} is no finding code; there are {', '.join(CODES)}")
    code = CODES[name]
    if code is FindingCode.STALE_IGNORE:
        raise PyprojectError(f"{place}: {name} cannot be suppressed: change the stale entry")
    if _NOT_OURS.issuperset(code.commands):
        raise PyprojectError(f"{place}: {name} cannot be suppressed: it is a log line of Alembic's")
    return code


def _check_target(place: str, written: Mapping[str, Any]) -> None:
    elements = written.get("elements", [])
    if not isinstance(elements, list) or not all(isinstance(e, str) for e in elements):
        raise PyprojectError(f"{place}: elements is a list of strings")
    for member in ("where", "path"):
        if not isinstance(written.get(member, ""), str):
            raise PyprojectError(f"{place}: {member} is a string")
    if "where" in written and "elements" not in written:
        raise PyprojectError(f"{place}: where counts with elements: write both")
