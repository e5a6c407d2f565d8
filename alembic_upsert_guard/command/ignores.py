"""Findings that a project has accepted, with reasons: ``[[tool.upsert_guard.ignore]]`` in its ``pyproject.toml``."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..errors import UpsertGuardError
from ..findings import CODES, Finding, FindingCode, Location

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # Alembic brings it where Python does not

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "Accepted",
    "Entry",
    "IgnoresError",
    "accept",
    "baseline",
    "paths_from",
    "read_entries",
    "read_table",
    "write_entries",
]

_TABLE = "[[tool.upsert_guard.ignore]]"
_KNOWN = ("exclude", "ignore", "metadata", "paths", "strict")
_MEMBERS = {"code", "table", "elements", "where", "path", "reason", "until"}
_NO_TABLE = "*"
"""What an entry names where a finding has no table: an unknown dialect, an upsert whose table cannot be read."""

_COMMANDS = {
    *("check", "check --rows", "check --code", "check --functions", "scan", "functions", "pytest")
}
"""Those that read the entries."""

_AS_THEY_ARE: Mapping[str, str] = MappingProxyType({})


class IgnoresError(UpsertGuardError, ValueError):
    """An entry that cannot be used, or not be written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted finding."""

    code: str
    table: str
    """``table`` or ``schema.table``; ``*`` for findings without a table."""
    reason: str
    until: date | None = None
    """The last day it holds; None: for good."""
    location: Location | None = None
    """Where it stands; None: the file spells its entries otherwise than under a header each."""
    elements: tuple[str, ...] | None = None
    """Of the target, in any order; empty: the upsert names none, or they cannot be read. None: whatever they are."""
    where: str | None = None
    """The target's predicate; None: it has none. Counts where `elements` are stated."""
    path: str | None = None
    """Of the file, from the folder of ``pyproject.toml`` on, or of the function; None: wherever it is."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Findings, sorted by whether an entry accepts them."""

    left: tuple[Finding, ...]
    """Those that none accepts, and then one for each entry that accepts nothing or has run out."""
    accepted: tuple[Finding, ...]


def read_entries(pyproject: Path) -> tuple[Entry, ...]:
    """Return the entries of a file, none where there is no file.

    :raises IgnoresError: the file is no TOML, or an entry lacks its reason, names no code that can be accepted, or
     has a date that is none.
    """
    text, ours = _read(pyproject)
    listed = ours.get("ignore", [])
    if not isinstance(listed, list):
        raise IgnoresError(f"{pyproject}: write {_TABLE}, in two brackets")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if _is_header(line)]
    places: list[Location | None] = [None] * len(listed)
    if len(lines) == len(listed):
        places = [Location(str(pyproject), line) for line in lines]
    return tuple(
        _entry(f"{pyproject}: entry {number} of {_TABLE}", each, place)
        for number, (each, place) in enumerate(zip(listed, places, strict=True), 1)
    )


def read_table(pyproject: Path) -> dict[str, Any]:
    """Return ``[tool.upsert_guard]`` of a file, empty where there is none.

    :raises IgnoresError: the file is no TOML, or the table has a key that is not known.
    """
    return _read(pyproject)[1]


def _read(pyproject: Path) -> tuple[str, dict[str, Any]]:
    if not pyproject.is_file():
        return "", {}
    try:
        # as TOML has it: UTF-8, and a byte order mark is an error
        text = pyproject.read_bytes().decode("utf-8")
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise IgnoresError(f"{pyproject} cannot be read: {error}") from error
    tool = document.get("tool", {})
    ours = tool.get("upsert_guard", {}) if isinstance(tool, dict) else {}
    if not isinstance(ours, dict):
        raise IgnoresError(f"{pyproject}: tool.upsert_guard is no table")
    unknown = sorted(set(ours) - set(_KNOWN))
    if unknown:
        raise IgnoresError(
            f"{pyproject}: [tool.upsert_guard] has the unknown key {unknown[0]}: there are {', '.join(_KNOWN)}"
        )
    return text, ours


def _is_header(line: str) -> bool:
    return "".join(line.partition("#")[0].split()) == _TABLE


def _entry(place: str, written: Any, location: Location | None) -> Entry:
    if not isinstance(written, dict):
        raise IgnoresError(f"{place} is no table")
    unknown = sorted(set(written) - _MEMBERS)
    if unknown:
        raise IgnoresError(
            f"{place} has the unknown member {unknown[0]}: there are {', '.join(sorted(_MEMBERS))}"
        )
    for member in ("code", "table", "reason"):
        if not isinstance(written.get(member), str) or not written[member].strip():
            raise IgnoresError(f'{place} lacks {member} = "..."')
    code = written["code"]
    if code not in CODES:
        raise IgnoresError(f"{place}: {code} is no finding code; there are {', '.join(CODES)}")
    if code == FindingCode.STALE_IGNORE:
        raise IgnoresError(f"{place}: stale-ignore cannot be accepted: change the stale entry")
    if _COMMANDS.isdisjoint(CODES[code].commands):
        raise IgnoresError(f"{place}: {code} cannot be accepted: it is a log line of Alembic's")
    until = written.get("until")
    if until is not None and (not isinstance(until, date) or isinstance(until, datetime)):
        raise IgnoresError(f"{place}: until is a date without quotes, such as 2027-01-31")
    _check_target(place, written)
    return Entry(
        code=code,
        table=written["table"],
        reason=written["reason"],
        until=until,
        location=location,
        elements=None if "elements" not in written else tuple(written["elements"]),
        where=written.get("where"),
        path=written.get("path"),
    )


def _check_target(place: str, written: Mapping[str, Any]) -> None:
    elements = written.get("elements", [])
    if not isinstance(elements, list) or not all(isinstance(e, str) for e in elements):
        raise IgnoresError(f"{place}: elements is a list of strings")
    for member in ("where", "path"):
        if not isinstance(written.get(member, ""), str):
            raise IgnoresError(f"{place}: {member} is a string")
    if "where" in written and "elements" not in written:
        raise IgnoresError(f"{place}: where counts with elements: write both")


def accept(
    findings: Sequence[Finding],
    entries: Iterable[Entry],
    commands: Iterable[str],
    today: date,
    models: Mapping[str, str] = _AS_THEY_ARE,
    relative: Callable[[str], str] = str,
) -> Accepted:
    """Return the findings that entries accept and those that none does, with the entries that accept nothing.

    :param commands: an entry whose code none of them can produce is left for the others.
    :param models: the names that the models give to tables which live under another schema, by ``schema.table``; an
     entry may use either.
    :param relative: the path of a finding as entries spell it; an entry may spell it as the finding does, too.
    """
    accepted: set[int] = set()
    stale = []
    able = frozenset(commands)
    for entry in entries:
        if able.isdisjoint(CODES[entry.code].commands):
            continue
        if entry.until is not None and entry.until < today:
            stale.append(_stale(entry, f"ran out on {entry.until.isoformat()}"))
            continue
        matched = {n for n, f in enumerate(findings) if _matches(entry, f, models, relative)}
        if not matched:
            stale.append(_stale(entry, "matches nothing"))
        accepted |= matched
    return Accepted(
        left=(*(f for n, f in enumerate(findings) if n not in accepted), *stale),
        accepted=tuple(f for n, f in enumerate(findings) if n in accepted),
    )


def _matches(
    entry: Entry, finding: Finding, models: Mapping[str, str], relative: Callable[[str], str]
) -> bool:
    table = _table_of(finding)
    if finding.code != entry.code or entry.table not in (table, models.get(table, table)):
        return False
    if entry.elements is not None and (
        sorted(entry.elements) != sorted(finding.elements) or entry.where != finding.where
    ):
        return False
    if entry.path is None:
        return True
    at = finding.location
    return at is not None and entry.path in (at.path, relative(at.path))


def _table_of(finding: Finding) -> str:
    if finding.table is None:
        return _NO_TABLE
    return f"{finding.schema}.{finding.table}" if finding.schema else finding.table


def _stale(entry: Entry, what: str) -> Finding:
    schema, _, table = entry.table.rpartition(".")
    return Finding(
        code=FindingCode.STALE_IGNORE,
        schema=schema or None,
        table=None if entry.table == _NO_TABLE else table,
        fact=f"the entry that ignores {entry.code} of {entry.table} {what}",
        hint="take it out of pyproject.toml, or renew it where the finding is still there and still meant",
        location=entry.location,
    )


def baseline(
    findings: Iterable[Finding], today: date, relative: Callable[[str], str] = str
) -> list[Entry]:
    """Return entries that accept these findings and no others, but for stale entries, which have to go.

    One for each code, table, target and file, or function: another upsert on the same target in the same file is the
    same decision, and one elsewhere or on another target is a new one.

    :param relative: the path of a finding as entries spell it.
    """
    reason = f"found when the guard was introduced, {today.isoformat()}"
    entries = {
        Entry(
            code=finding.code.value,
            table=_table_of(finding),
            reason=reason,
            elements=finding.elements,
            where=finding.where,
            path=None if finding.location is None else relative(finding.location.path),
        )
        for finding in findings
        if finding.code is not FindingCode.STALE_IGNORE
    }
    return sorted(entries, key=_order)


def _order(entry: Entry) -> tuple[str, ...]:
    return (
        entry.code,
        entry.table,
        entry.path or "",
        entry.where or "",
        *(entry.elements or ()),
    )


def paths_from(pyproject: Path) -> Callable[[str], str]:
    """Return how an entry spells the path of a file: from the folder of `pyproject` on, wherever a command is run."""
    folder = pyproject.absolute().parent

    def spell(path: str) -> str:
        try:
            return os.path.relpath(path, folder).replace(os.sep, "/")
        except ValueError:  # on another drive
            return path

    return spell


def write_entries(pyproject: Path, entries: Sequence[Entry]) -> None:
    """Put entries at the end of a file, which is made where there is none; the rest of it stays byte by byte.

    :raises IgnoresError: the file cannot take them; nothing was written.
    """
    if not entries:
        return
    try:
        written = pyproject.read_bytes() if pyproject.exists() else b""
        newline = "\r\n" if b"\r\n" in written else "\n"
        lines: list[str] = []
        for entry in entries:
            lines += [] if not written and not lines else [""]
            lines += [_TABLE]
            lines += _members(entry)
        added = "".join(f"{line}{newline}" for line in lines).encode()
        if written and not written.endswith(b"\n"):
            added = newline.encode() + added
        tomllib.loads((written + added).decode())
        with pyproject.open("ab") as file:
            file.write(added)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise IgnoresError(
            f"{pyproject} cannot take {_TABLE} at its end: {error}; nothing was written"
        ) from error


def _members(entry: Entry) -> Iterator[str]:
    yield f"code = {_toml(entry.code)}"
    yield f"table = {_toml(entry.table)}"
    if entry.elements is not None:
        yield f"elements = [{', '.join(map(_toml, entry.elements))}]"
    if entry.where is not None:
        yield f"where = {_toml(entry.where)}"
    if entry.path is not None:
        yield f"path = {_toml(entry.path)}"
    yield f"reason = {_toml(entry.reason)}"


def _toml(text: str) -> str:
    # a string of JSON is one of TOML, but for surrogate pairs and the one control character that JSON lets stand
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
