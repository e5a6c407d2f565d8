"""What servers and tests recorded, held against databases: ``check --statements``, ``--log`` and ``--observed``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..catalog import catalog_for
from ..catalog.names import database_name
from ..databases import database_for
from ..errors import CannotRunError
from ..findings import counted, unknown_dialect
from ..upserts.judge import merge_answers
from ..upserts.parsers import check_parsers
from .database_url import connect_to, run_on
from .used_arbiters import used_arbiters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import URL, Connection

    from ..findings import Finding
    from ..upserts.declared import DeclaredTables
    from ..upserts.statements.recorded import Recorded
    from ..upserts.upsert import JudgedUpsert

__all__ = ["CheckedRecord", "RecordOptions", "Records"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """Which records are held against the databases."""

    statements: bool = False
    """Whether each database's own statistics are."""
    statements_from: str | None = None
    """The URL of the database whose statistics are; None: none's."""
    logs: tuple[str, ...] = ()
    """Log files of PostgreSQL."""
    log_database: str | None = None
    """The database in the logs that counts; None: the one of the same name as the one at hand."""
    observed: tuple[str, ...] = ()
    """Files that pytest or ``observe()`` wrote."""

    @property
    def has_any(self) -> bool:
        """Whether there is anything to hold."""
        return bool(self.statements or self.statements_from or self.logs or self.observed)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRecord:
    """One kind of record, and what the databases say of its upserts."""

    command: str
    """As the table of codes names it."""
    subject: str
    """For the summary: ``12 upserts in statistics``."""
    upserts: tuple[JudgedUpsert, ...]
    table: tuple[str, ...] = ()
    """Which arbiters production uses, in lines for people; empty: the record does not tell."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that there is to report of them."""
        return tuple(finding for judged in self.upserts for finding in judged.findings)


class Records:
    """The records, and what each database answers. One is asked once, however many tenants are checked in it."""

    def __init__(self, options: RecordOptions) -> None:
        """Read the files that were named, and the statistics of the other database.

        :raises MissingParsersError: the extra ``scan`` is not installed.
        :raises UpsertGuardError: a record cannot be read.
        """
        self._options = options
        self._asked: set[URL] = set()
        self._statements = _Answers()
        self._log = _Answers()
        self._observed = _Answers()
        self._unknown: list[Finding] = []
        self._has_statistics = False
        self._without_statistics: dict[str, None] = {}
        """That a database keeps none, in words, each kind of database once."""
        self._notes: dict[str, None] = {}
        if not options.has_any:
            return
        check_parsers("reading recorded upserts")
        from ..upserts.observed.recorded_files import read_observed_files, upserts_of_observed  # noqa: PLC0415 - parsers
        from ..upserts.statements.log import read_server_log  # noqa: PLC0415 - as above

        self._ran = upserts_of_observed(read_observed_files(options.observed))
        self._failed = [failed for path in options.logs for failed in read_server_log(path)]
        self._elsewhere = (
            None if options.statements_from is None else _read_from(options.statements_from)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the records lack, for standard error."""
        lacking = (f"{each}: what ran there is not known" for each in self._without_statistics)
        return (*self._notes, *lacking)

    @property
    def unknown(self) -> tuple[Finding, ...]:
        """The databases that cannot be judged."""
        return tuple(self._unknown)

    def ask(self, connection: Connection, models: DeclaredTables | None) -> None:
        """Hold every record against one database. Nothing is written to it.

        :param models: as for :func:`..upserts.judge.judge_upserts`.
        :raises UnreadableStatisticsError: its statistics are asked for, and cannot be read.
        """
        if connection.engine.url in self._asked:
            return
        self._asked.add(connection.engine.url)
        if catalog_for(connection.dialect) is None:
            self._unknown.append(unknown_dialect(database_for(connection.dialect).name))
            return
        from ..upserts.observed.recorded_files import judge_observed  # noqa: PLC0415 - the parsers are an extra
        from ..upserts.statements.judge import judge_recorded  # noqa: PLC0415 - as above

        for answers, recorded in self._recorded(connection):
            self._notes.update(dict.fromkeys(_notes_of(recorded)))
            answers.append(judge_recorded(connection, recorded.upserts, models))
        if self._options.observed:
            self._observed.append(judge_observed(connection, self._ran, models))

    def _recorded(self, connection: Connection) -> Iterator[tuple[_Answers, Recorded]]:
        """What servers recorded that is held against the database, and where the answers go."""
        from ..upserts.statements.log import upserts_of_log  # noqa: PLC0415 - the parsers are an extra
        from ..upserts.statements.statistics import (  # noqa: PLC0415 - as above
            upserts_of_statistics,
            without_statistics,
        )

        if self._options.statements:
            kind = database_for(connection.dialect)
            if kind.has_statement_statistics:
                self._has_statistics = True
                yield self._statements, upserts_of_statistics(connection)
            else:
                self._without_statistics[without_statistics(kind.name)] = None
        if self._elsewhere is not None:
            yield self._statements, self._elsewhere
        if self._options.logs:
            database = self._options.log_database or database_name(connection) or ""
            yield self._log, upserts_of_log(self._failed, database)

    def checked(self) -> Iterator[CheckedRecord]:
        """Return what came of each kind of record that was asked for.

        :raises CannotRunError: statistics are asked for, and no database keeps any.
        """
        if self._without_statistics and not self._has_statistics:
            raise CannotRunError("; ".join(self._without_statistics))
        if self._options.statements or self._options.statements_from:
            upserts = self._statements.merged
            calls = sum(judged.upsert.calls or 0 for judged in upserts)
            yield CheckedRecord(
                command="check --statements",
                subject=f"{counted(len(upserts), 'upsert')} in statistics of {counted(calls, 'call')}",
                upserts=upserts,
                table=used_arbiters(upserts),
            )
        if self._options.logs:
            upserts = self._log.merged
            yield CheckedRecord(
                command="check --log",
                subject=f"{counted(len(upserts), 'failed upsert')} in the log",
                upserts=upserts,
            )
        if self._options.observed:
            upserts = self._observed.merged
            yield CheckedRecord(
                command="check --observed",
                subject=f"{counted(len(upserts), 'observed upsert')}",
                upserts=upserts,
            )


class _Answers(list["Mapping[Any, JudgedUpsert]"]):
    """What databases say of one kind of record."""

    @property
    def merged(self) -> tuple[JudgedUpsert, ...]:
        return tuple(merge_answers(self))


def _read_from(url: str) -> Recorded:
    """The statistics of the database at a URL."""
    from ..upserts.statements.statistics import upserts_of_statistics  # noqa: PLC0415 - the parsers are an extra

    read: list[Recorded] = []
    run_on(connect_to(url), lambda connection: read.append(upserts_of_statistics(connection)))
    return read[0]


def _notes_of(recorded: Recorded) -> Iterator[str]:
    yield from recorded.notes
    if recorded.unread:
        yield f"{counted(recorded.unread, 'recorded statement')} with ON CONFLICT cannot be read"
