"""The upserts of files that a recording wrote, as a source: held against a database, and against what a scan reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...findings import FindingCode
from ...findings.statements import unknown_table, unresolved_record_hint
from ..judge import judge_upserts
from ..target_case import subject_of
from ..upsert import JudgedUpsert, Resolution
from .document import read_observed
from .source import as_upserts
from .suppression import is_suppressed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from ..declared import DeclaredTables
    from ..upsert import Upsert
    from .observed_upsert import ObservedUpsert

__all__ = ["judge_observed", "read_observed_files", "upserts_of_observed"]


def read_observed_files(paths: Iterable[str]) -> list[ObservedUpsert]:
    """Return the upserts of all files, in their order.

    :raises ObservedFileError: one cannot be read.
    """
    return [upsert for path in paths for upsert in read_observed(path)]


def upserts_of_observed(observed: Iterable[ObservedUpsert]) -> list[Upsert]:
    """Return one upsert for each table, target and line that ran it, by path and line."""
    found = dict.fromkeys(upsert for each in observed for upsert in as_upserts(each))
    return sorted(found, key=lambda upsert: (upsert.place.path or "", upsert.place.line or 0))


def judge_observed(
    connection: Connection, upserts: Iterable[Upsert], models: DeclaredTables | None
) -> dict[Upsert, JudgedUpsert]:
    """Return what a database makes of each upsert, without the findings that a comment at its line suppresses.

    A table that is neither there nor in the models is one that a test made.

    :param models: as for :func:`..judge.judge_upserts`.
    :raises KeyError: for a dialect without a catalog.
    """
    answers = judge_upserts(connection, upserts, models)
    return {upsert: _reported(judged, models) for upsert, judged in answers.items()}


def _reported(judged: JudgedUpsert, models: DeclaredTables | None) -> JudgedUpsert:
    upsert, findings = judged.upsert, judged.findings
    resolution, table = judged.resolution, str(judged.upsert.table_name)
    is_missing = any(finding.code is FindingCode.MISSING_TABLE for finding in findings)
    if is_missing and (models is None or models.table(upsert.schema, table) is None):
        resolution = Resolution.UNRESOLVED
        findings = (
            subject_of(upsert).finding(
                FindingCode.UNRESOLVED_UPSERT, unknown_table(table), unresolved_record_hint()
            ),
        )
    return JudgedUpsert(
        upsert=upsert,
        resolution=resolution,
        arbiters=judged.arbiters,
        findings=tuple(f for f in findings if not is_suppressed(f, Path())),
    )
