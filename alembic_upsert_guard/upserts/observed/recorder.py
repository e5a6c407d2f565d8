"""What was sent, counted: the one place that the instruments of all libraries report to."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from ...databases import database_for
from .frames import ApplicationFrames
from .observed_upsert import OK, SentUpsert
from .outcome import Refusal, failure_of
from .statement import beginning_of, upsert_of_construct

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from types import FrameType

    from sqlalchemy.engine import Compiled, Dialect

__all__ = ["Begun", "Recorder", "Run", "Sent"]

_KEPT = 4096
"""Texts whose upserts are remembered ..."""
_LONGEST_KEPT = 20_000
"""... and how many characters one may have: a longer one holds rows, and does not come again."""

UNKNOWN = "unknown"


class Sent(NamedTuple):
    """One statement, as the library that sent it had it."""

    text: str
    compiled: Compiled | None
    """What SQLAlchemy made the text of; None: it was given the text, or it is another library."""
    schemas: Mapping[str | None, str | None] | None
    """The ``schema_translate_map`` that it was sent under."""
    dialect: Dialect
    driver: str
    """As SQLAlchemy names it."""


class Run(NamedTuple):
    """One upsert of one statement that was sent, and everything that is kept of it."""

    upsert: SentUpsert
    dialect: str
    driver: str
    outcome: str
    refusal: Refusal | None
    """Why the server refuses its conflict target; None: it does not."""
    constraint: str | None
    """The constraint that the server names with its refusal."""
    one_of_several: bool
    """Whether its statement has other upserts, so that a refusal may be another's."""
    path: str | None
    line: int | None
    test: str | None


class Begun(NamedTuple):
    """The upserts of a statement on its way to the server."""

    sent: Sent
    upserts: tuple[SentUpsert, ...]
    path: str | None
    line: int | None


class Recorder:
    """Counts upserts; every method may be called from any thread and task."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Nothing is recorded yet.

        :param root: the folder that paths are relative to.
        """
        self.test: str | None = None
        """The test that runs; None: none does."""
        self._frames = ApplicationFrames(root)
        self._lock = RLock()
        self._runs: Counter[Run] = Counter()
        self._unread: Counter[tuple[str, str]] = Counter()
        self._by_text: dict[str, tuple[SentUpsert, ...] | str] = {}

    def begin(self, sent: Sent, frame: FrameType | None) -> Begun | None:
        """Return the upserts of a statement and where it comes from; None: it has none, or this package sends it.

        :param sent: one whose words may be an upsert's, see :func:`.statement.may_upsert`.
        """
        upserts = self._by_text.get(sent.text)
        if upserts is None:
            with self._lock:
                upserts = self._read(sent)
        if not upserts:
            return None
        place = self._frames.place(frame)
        if place is None:
            return None
        if isinstance(upserts, str):
            with self._lock:
                self._unread[database_for(sent.dialect).name, upserts] += 1
            return None
        return Begun(sent, upserts, *place)

    def end(self, begun: Begun, error: BaseException | None, *, pending: bool = False) -> list[Run]:
        """Count the upserts of a statement that was answered.

        :param error: the driver's; None: the server ran it.
        :param pending: whether the answer is still to come, as in a pipeline.
        :return: a run for each upsert.
        """
        failure = None if error is None else failure_of(error)
        outcome = (UNKNOWN if pending else OK) if failure is None else failure.sqlstate
        refusal = None if failure is None else failure.refusal
        several = len(begun.upserts) > 1 and len(set(begun.upserts)) > 1
        dialect = database_for(begun.sent.dialect).name
        runs = []
        for upsert in begun.upserts:
            refused = refusal if refusal and _can_be_refused(upsert, refusal) else None
            constraint = failure.constraint if failure is not None and refused else None
            runs.append(
                Run(
                    upsert=upsert,
                    dialect=dialect,
                    driver=begun.sent.driver,
                    outcome=outcome,
                    refusal=refused,
                    constraint=constraint,
                    one_of_several=several,
                    path=begun.path,
                    line=begun.line,
                    test=self.test,
                )
            )
        with self._lock:
            self._runs.update(runs)
        return runs

    def runs(self) -> Counter[Run]:
        """Return every run so far, and how often it happened."""
        with self._lock:
            return Counter(self._runs)

    def unread(self) -> Counter[tuple[str, str]]:
        """Return dialect and beginning of the statements that no parser reads, and how often each was sent."""
        with self._lock:
            return Counter(self._unread)

    def as_text(self) -> str:
        """Return all that is recorded, for another process."""
        runs = [[_as_member(run), count] for run, count in self.runs().items()]
        unread = [[list(key), count] for key, count in self.unread().items()]
        return json.dumps([runs, unread])

    def add_text(self, text: str) -> None:
        """Add what another process recorded, see :meth:`as_text`."""
        runs, unread = json.loads(text)
        with self._lock:
            self._runs.update({_run(member): count for member, count in runs})
            self._unread.update({(dialect, said): count for (dialect, said), count in unread})

    def _read(self, sent: Sent) -> tuple[SentUpsert, ...] | str:
        """The upserts of a statement, or how it begins where it cannot be read; what is read once is remembered."""
        upserts: tuple[SentUpsert, ...] | str
        try:
            upserts = _upserts_of(sent)
        except Exception:  # noqa: BLE001 - whatever cannot be read, the application's statement goes on
            upserts = beginning_of(sent.text)
        if len(sent.text) <= _LONGEST_KEPT:
            if len(self._by_text) >= _KEPT:
                self._by_text.clear()
            self._by_text[sent.text] = upserts
        return upserts


def _upserts_of(sent: Sent) -> tuple[SentUpsert, ...]:
    """The upserts of a statement: of a construct without a parser, as far as its target is columns.

    :raises Exception: it cannot be read.
    """
    upsert = None if sent.compiled is None else upsert_of_construct(sent.compiled)
    if upsert is None:
        from .sql_text import upserts_of_text  # noqa: PLC0415 - the parsers are slow to import

        return upserts_of_text(sent.text)
    if sent.schemas and upsert.schema in sent.schemas:
        upsert = replace(upsert, schema=sent.schemas[upsert.schema])
    return (upsert,)


def _can_be_refused(upsert: SentUpsert, refusal: Refusal) -> bool:
    """Whether a refusal can be this upsert's, and not only another's of its statement."""
    if refusal is Refusal.NO_CONSTRAINT:
        return upsert.constraint is not None
    return refusal is Refusal.DEFERRABLE or bool(upsert.elements)


def _as_member(run: Run) -> dict[str, Any]:
    return {**run._asdict(), "upsert": asdict(run.upsert)}


def _run(member: dict[str, Any]) -> Run:
    upsert = member["upsert"]
    sent = SentUpsert(**{**upsert, "elements": tuple(upsert["elements"])})
    refusal = None if member["refusal"] is None else Refusal(member["refusal"])
    return Run(**{**member, "upsert": sent, "refusal": refusal})
