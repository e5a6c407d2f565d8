"""A stretch of a program in which upserts are recorded."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from ..parsers import check_parsers
from .document import as_document, sorted_upserts, write_document
from .observed_upsert import ObservedPlace, ObservedUpsert, UnreadStatement
from .on_drivers import driver_instrument
from .on_sqlalchemy import SQLALCHEMY
from .recorder import Recorder

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from ...findings import Finding
    from .instruments import Instrument
    from .observed_upsert import SentUpsert

__all__ = ["ObservedUpserts", "instruments_of", "observe"]


class ObservedUpserts:
    """The upserts recorded so far, as values; iterating again sees those that came meanwhile."""

    def __init__(self, recorder: Recorder) -> None:
        """Read from a recorder, which may still record."""
        self._recorder = recorder

    def __iter__(self) -> Iterator[ObservedUpsert]:
        """Return the upserts in the file's order: by schema, table, target, kind of database and outcome."""
        counts: dict[tuple[SentUpsert, str, str], int] = defaultdict(int)
        places: dict[tuple[SentUpsert, str, str], set[ObservedPlace]] = defaultdict(set)
        for run, count in self._recorder.runs().items():
            key = (run.upsert, run.dialect, run.outcome)
            counts[key] += count
            places[key].add(ObservedPlace(path=run.path, line=run.line, test=run.test))
        upserts = (
            ObservedUpsert(
                upsert=upsert,
                dialect=dialect,
                outcome=outcome,
                count=count,
                places=tuple(sorted(places[upsert, dialect, outcome], key=_order)),
            )
            for (upsert, dialect, outcome), count in counts.items()
        )
        return iter(sorted_upserts(upserts))

    def __len__(self) -> int:
        """Return how many upserts there are: one on two outcomes is two, one at two places is one."""
        return len({(run.upsert, run.dialect, run.outcome) for run in self._recorder.runs()})

    @property
    def unread(self) -> tuple[UnreadStatement, ...]:
        """The statements that upsert as far as their words show, and that no parser reads."""
        return tuple(
            UnreadStatement(dialect=dialect, beginning=beginning, count=count)
            for (dialect, beginning), count in sorted(self._recorder.unread().items())
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The targets that a server refused, and those with bound values, sorted by place."""
        runs = [run for run in self._recorder.runs() if run.refusal is not None or run.upsert.binds]
        if not runs:
            return ()
        from .findings import findings_of  # noqa: PLC0415 - the catalogs, which recording does not need

        return findings_of(runs)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the file that ``upsert-guard check --observed`` reads; its folder is made where there is none.

        :raises OSError: it cannot be written; what was there before is still there.
        """
        write_document(path, as_document(self, self.unread))


@contextmanager
def observe(
    *, root: str | os.PathLike[str] = ".", drivers: Iterable[str] = ()
) -> Iterator[ObservedUpserts]:
    """Record every upsert that this process sends, in whatever thread or task, until the block is left.

    Blocks nest and overlap: each has all that was sent while it was open. No query is sent, no value of a row is kept,
    and once the last block is left SQLAlchemy and the drivers are as they were.

    :param root: the folder that paths are relative to.
    :param drivers: ``asyncpg``, ``psycopg`` and ``psycopg2``, where they are used without SQLAlchemy.
    :raises MissingParsersError: the extra ``scan`` is not installed.
    :raises UnknownDriverError: a driver is not installed, or none that can be recorded.
    """
    recorder = Recorder(root)
    instruments = instruments_of(drivers)
    with ExitStack() as recording:
        for instrument in instruments:
            recording.callback(instrument.detach, recorder)
            instrument.attach(recorder)
        yield ObservedUpserts(recorder)


def instruments_of(drivers: Iterable[str]) -> tuple[Instrument, ...]:
    """Return what listens to SQLAlchemy and to the drivers.

    :raises MissingParsersError: the extra ``scan`` is not installed.
    :raises UnknownDriverError: a driver is not installed, or none that can be recorded.
    """
    check_parsers("recording upserts")
    return (SQLALCHEMY, *(driver_instrument(driver) for driver in dict.fromkeys(drivers)))


def _order(place: ObservedPlace) -> tuple[str, int, str]:
    return place.path or "", place.line or 0, place.test or ""
