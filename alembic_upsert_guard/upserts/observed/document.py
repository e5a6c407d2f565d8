"""The file of observed upserts. Written the same for the same upserts, and in one piece or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UpsertGuardError
from .observed_upsert import (
    ObservedPlace,
    ObservedUpsert,
    SentUpsert,
    UnreadStatement,
    element_of_label,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ObservedFileError", "as_document", "read_observed", "sorted_upserts", "write_document"]

VERSION = 1


class ObservedFileError(UpsertGuardError, ValueError):
    """A file of observed upserts that cannot be read; the message names it and says why."""


def read_observed(path: str | os.PathLike[str]) -> list[ObservedUpsert]:
    """Return the upserts of a file, in its order.

    :raises ObservedFileError: there is none, it is no JSON, of another version, or not as this version writes it.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ObservedFileError(f"{path} cannot be read: {reason}") from error
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSION:
        raise ObservedFileError(
            f"{path} is no file of observed upserts of version {VERSION}: record it again with pytest --upsert-guard"
        )
    try:
        return [_upsert(member) for member in document["upserts"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ObservedFileError(
            f"{path} is not as pytest --upsert-guard writes it ({type(error).__name__}: {error}): record it again"
        ) from error


def as_document(upserts: Iterable[ObservedUpsert], unread: Iterable[UnreadStatement]) -> str:
    """Return the file's text: the same for the same upserts, in whatever order they come."""
    document = {
        "version": VERSION,
        "upserts": [_member(each) for each in sorted_upserts(upserts)],
        "unread": [
            {"dialect": each.dialect, "beginning": each.beginning, "count": each.count}
            for each in sorted(unread, key=lambda each: (each.dialect, each.beginning))
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def sorted_upserts(upserts: Iterable[ObservedUpsert]) -> list[ObservedUpsert]:
    """Return upserts in the file's order: by schema, table, target, kind of database and outcome."""
    return sorted(upserts, key=_order)


def write_document(path: str | os.PathLike[str], text: str) -> None:
    """Write the file, and the folder that it is in; a reader sees the old one or the new one."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    written = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        written.write_text(text, encoding="utf-8", newline="\n")
        written.replace(target)
    finally:
        written.unlink(missing_ok=True)


def _order(each: ObservedUpsert) -> tuple[Any, ...]:
    upsert = each.upsert
    return (
        upsert.schema or "",
        upsert.table,
        upsert.elements,
        upsert.where or "",
        upsert.constraint or "",
        each.dialect,
        each.outcome,
    )


def _member(each: ObservedUpsert) -> dict[str, Any]:
    upsert = each.upsert
    return {
        "schema": upsert.schema,
        "table": upsert.table,
        "elements": list(upsert.elements),
        "where": upsert.where,
        "constraint": upsert.constraint,
        "dialect": each.dialect,
        "outcome": each.outcome,
        "count": each.count,
        "places": [{"path": p.path, "line": p.line, "test": p.test} for p in each.places],
    }


def _upsert(member: dict[str, Any]) -> ObservedUpsert:
    elements, where = tuple(map(str, member["elements"])), member["where"]
    return ObservedUpsert(
        upsert=SentUpsert(
            schema=member["schema"],
            table=member["table"],
            elements=elements,
            where=where,
            constraint=member["constraint"],
            binds=_binds(elements, where),
        ),
        dialect=member["dialect"],
        outcome=member["outcome"],
        count=member["count"],
        places=tuple(
            ObservedPlace(path=p["path"], line=p["line"], test=p["test"]) for p in member["places"]
        ),
    )


def _binds(elements: Sequence[str], where: str | None) -> bool:
    """Whether a parameter is in any of the parts of a target."""
    parts = [each for each in (*elements, where) if each is not None and "$" in each]
    if not parts:
        return False
    from ..scan.sql.shapes import has_parameter  # noqa: PLC0415 - the parsers are an extra

    expressions = [element_of_label(part).expression for part in parts if part != where]
    return any(has_parameter(each) for each in (*expressions, where) if each is not None)
