"""From what a scan found to edits, and from edits to what is left to report."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..findings.declarations import declaration_written, declare_by_hand
from ..upserts.upsert import Resolution
from .files import NotWrittenError, read_writable, write
from .missing import missing_keys
from .origins import origin_of
from .plan import Edits, Refused, TableKeys, plan_edits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import MetaData

    from ..findings import Finding
    from ..upserts.declared import DeclaredTables
    from ..upserts.scan.report import ScanReport
    from .missing import Missing
    from .plan import ChangedFile
    from .spelling import KeyToWrite

__all__ = ["described", "left_after", "plan_declarations", "write_edits"]


def plan_declarations(
    findings: Iterable[Finding],
    report: ScanReport,
    models: DeclaredTables,
    metadata: Sequence[MetaData],
    *,
    primary_keys: bool = False,
) -> Edits:
    """Return what writes the missing declarations into the files that were scanned; nothing is written yet.

    :param findings: those of the report that nobody suppressed.
    :param metadata: what `models` was taken from.
    :param primary_keys: whether upserts on the whole primary key get a declaration too.
    """
    paths = {os.path.realpath(path): path for path in report.paths if path.endswith(".py")}
    tables: dict[tuple[str | None, str], list[Missing]] = {}
    for missing in missing_keys(findings, report.upserts, models, primary_keys=primary_keys):
        table = missing.table
        tables.setdefault((table.schema, table.name), []).append(missing)
    wanted = [
        TableKeys(
            schema=schema,
            table=name,
            keys=tuple(each.key for each in group),
            place=origin_of(schema, name, metadata, paths),
            findings=tuple(f for each in group for f in each.findings),
        )
        for (schema, name), group in tables.items()
    ]
    return plan_edits(wanted, paths, read_writable)


def write_edits(edits: Edits) -> Edits:
    """Write the files, and return what was written; what could not be is refused."""
    reasons = {file.path: _reason_of(file) for file in edits.files}
    failed = {path: reason for path, reason in reasons.items() if reason is not None}
    return Edits(
        files=tuple(file for file in edits.files if file.path not in failed),
        written=tuple(each for each in edits.written if each.path not in failed),
        refused=(
            *edits.refused,
            *(
                Refused(each.of, failed[each.path], each.path)
                for each in edits.written
                if each.path in failed
            ),
        ),
    )


def _reason_of(file: ChangedFile) -> str | None:
    """Write the file, and return why it is not written; None: it is."""
    try:
        write(file)
    except NotWrittenError as error:
        return str(error)
    return None


def left_after(edits: Edits, report: ScanReport) -> ScanReport:
    """Return the report as the next scan would have it once the edits are written.

    A finding whose declaration is refused has the line to paste, and the reason.
    """
    settled = {finding for each in edits.written for finding in each.of.findings}
    hints = {finding: _hint(each) for each in edits.refused for finding in each.of.findings}
    upserts = [
        judged
        if settled.isdisjoint(judged.findings)
        else replace(judged, resolution=Resolution.DECLARED, findings=())
        for judged in report.upserts
    ]
    return replace(
        report,
        upserts=tuple(upserts),
        findings=tuple(
            replace(finding, hint=hints.get(finding, finding.hint))
            for finding in report.findings
            if finding not in settled
        ),
    )


def _hint(refused: Refused) -> str:
    place = refused.of.place
    lines = "; ".join(_to_paste(place.subject, key) for key in refused.of.keys)
    path = refused.path
    if path is not None and Path(path).is_relative_to(Path.cwd()):
        path = os.path.relpath(path)
    return declare_by_hand(lines, place.label, path, refused.reason)


def _to_paste(subject: str, key: KeyToWrite) -> str:
    return f"declare_upsert_key({', '.join([subject, *key.arguments('sa.text')])})"


def described(edits: Edits) -> Iterator[str]:
    """Return a line for each declaration that was written."""
    for each in edits.written:
        keys = [f"UpsertKey({', '.join(key.arguments('text'))})" for key in each.of.keys]
        yield declaration_written(each.path, each.line, keys, each.of.place.label)
