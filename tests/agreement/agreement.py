"""What the preflight says of a key, held against the real ``CREATE UNIQUE INDEX`` and a look at every row."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from sqlalchemy.exc import DBAPIError, SAWarning

from alembic_upsert_guard.errors import HiddenRowsError
from alembic_upsert_guard.rows import read_rows
from alembic_upsert_guard.rows.postgresql import preflight
from alembic_upsert_guard.rows.statements import IDENTITIES
from tests.generated import (
    WrongClaimError,
    WrongClaims,
    counted,
    executed,
    for_each,
    made,
    pasted,
    undone,
)

from .known import KNOWN, Known, cause_of
from .tables import KEYS_OF_A_TABLE, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypothesis.strategies import SearchStrategy
    from sqlalchemy.engine import Connection

    from alembic_upsert_guard.findings import RowsReport

    from .tables import Case, Key, Table

__all__ = ["ACCEPTED", "Tally", "check"]

ACCEPTED = "accepted"
DUPLICATES = "duplicates"
DOUBT = "doubt"

SAMPLE = 5
"""Groups in a report."""

_FRESH = 10
"""Tables that hypothesis draws one by one."""

_DUPLICATE_CODES = ("23505", "UNIQUE constraint failed")


class Said(NamedTuple):
    """What the preflight says."""

    kind: str
    """ACCEPTED, DOUBT (the build of the index is left to decide), or in a word why it refuses."""

    words: str = ""
    report: RowsReport | None = None

    @property
    def refuses(self) -> bool:
        """Whether a revision would stop here."""
        return self.kind not in (ACCEPTED, DOUBT)

    def __str__(self) -> str:
        # neither numbers nor names: one claim, however many rows
        words = re.sub(r'"[^"]*"+|\d+', "", self.words.strip().partition("\n")[0])
        return f"{self.kind} ({words})" if words else self.kind


class Row(NamedTuple):
    """One row that the key is about, as the test itself looks at it."""

    place: str
    id: int
    leader: int
    """The number of the first row that has the same key, where two NULLs are equal."""

    has_null: bool


@dataclass
class Tally:
    """What a run has found."""

    known: Sequence[Known] = KNOWN
    """Causes that are told of, and are no disagreements."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By what the preflight says, and what the index says."""

    counted: int = 0
    """Keys whose groups were counted by comparing every row with every other, and whose listing was run."""

    sampled: int = 0
    """Groups of samples that were looked at row by row."""

    claims: WrongClaims = field(default_factory=WrongClaims)
    causes: Counter[str] = field(default_factory=Counter)
    """How many claims come of each known cause."""

    @property
    def cases(self) -> int:
        """How many keys were asked for."""
        return self.outcomes.total()

    @property
    def refused(self) -> int:
        """How many keys the index refused."""
        return sum(n for (_, index), n in self.outcomes.items() if index != ACCEPTED)

    @property
    def doubtful(self) -> int:
        """How many keys the preflight leaves open."""
        return sum(n for (said, _), n in self.outcomes.items() if said == DOUBT)

    def add(self, table: Table, key: Key, claim: str, told: str) -> bool:
        """Count a wrong claim; False: its cause is known."""
        known = cause_of(self.known, table, key, claim)
        if known is not None:
            self.causes[known.cause] += 1
            return False
        self.claims.add(claim, told)
        return True

    @property
    def wrong(self) -> int:
        return self.claims.times.total()

    def lines(self, seconds: float) -> Iterator[str]:
        yield from self.claims.lines()
        yield f"{self.cases} cases in {seconds:.0f} s; what the preflight and what the index says:"
        yield from counted(Counter({f"{s}; {index}": n for (s, index), n in self.outcomes.items()}))
        yield f"{self.refused} refused by the index, {self.doubtful} left in doubt"
        yield f"{self.counted} counted row by row, {self.sampled} groups of samples looked at"
        yield from counted(Counter({f"known: {cause}": n for cause, n in self.causes.items()}))
        yield f"{self.wrong} disagreements"


def check(
    connection: Connection,
    cases: SearchStrategy[Case],
    tally: Tally,
    *,
    size: int,
    seed: int = 0,
    keep_going: bool = False,
) -> None:
    """Compare the answers for about `size` keys, always the same ones for the same seed.

    :raises WrongClaimError: for the smallest table that hypothesis finds; with `keep_going` all are only counted.
    """

    def agree(case: Case) -> None:
        with connection.begin() as transaction:
            compare(connection, case, tally, keep_going=keep_going)
            transaction.rollback()

    tables = max(size // KEYS_OF_A_TABLE, 1)
    # from the eleventh on, hypothesis mostly makes tables out of those that it had: it begins anew
    for batch in range(0, tables, _FRESH):
        for_each(cases, agree, size=min(_FRESH, tables - batch), seed=f"{seed} {batch}")


def compare(connection: Connection, case: Case, tally: Tally, *, keep_going: bool = False) -> None:
    """Ask both for every key of the case.

    :raises WrongClaimError: they do not say the same; with `keep_going` it is only counted.
    """
    with made(connection, case.table.statements):
        for key in case.keys:
            for claim in dict.fromkeys(_wrong_claims(connection, case.table, key, tally)):
                told = _told(case.table, key, claim)
                if tally.add(case.table, key, claim, told) and not keep_going:
                    raise WrongClaimError(told)


def _wrong_claims(connection: Connection, table: Table, key: Key, tally: Tally) -> Iterator[str]:
    """Everything said that the index, or a look at every row, contradicts."""
    before = _state(connection, table)
    with undone(connection):
        said = _asked(connection, table, key)
        after = _state(connection, table)
    if after != before:
        yield f"nothing is changed, but {_difference(before, after)}"
    index = _built(connection, table, key)
    tally.outcomes[said.kind, index] += 1
    # another look would see other rows
    seen = None if "random()" in str(key) else _looked_at(connection, table, key)
    yield from _of_the_refusal(table, said, index, key, seen)
    if said.report is None or said.report.obstacle is not None or seen is None:
        return
    yield from _of_the_nulls(said.report, key, seen)
    if said.kind == DOUBT:
        return
    tally.counted += 1
    tally.sampled += len(said.report.sample)
    groups = _groups(seen, key)
    yield from _of_the_numbers(said.report, groups)
    yield from _of_the_sample(connection, table, key, said.report, groups)
    yield from _of_the_listing(connection, key, said.report, seen)


# -- the two answers


def _asked(connection: Connection, table: Table, key: Key) -> Said:
    try:
        # few surplus rows take the way that many take otherwise
        with patch.object(preflight, "FEW", key.few), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Did not recognize type", SAWarning)
            report = read_rows(connection, table.rows_of(key), sample=SAMPLE, reveal=True)
    except HiddenRowsError as error:
        return Said("hidden rows", str(error))
    except DBAPIError as error:
        return Said(f"raises {_code(error)}", str(error.orig))
    except Exception as error:  # noqa: BLE001 - it is not documented, whatever it is
        return Said(f"breaks with {type(error).__name__}", str(error))
    if report.obstacle is not None:
        return Said("obstacle", report.obstacle, report)
    if report.refuses:
        return Said(DUPLICATES if report.groups else "NULL", report=report)
    return Said(ACCEPTED if report.doubt is None else DOUBT, report=report)


def _built(connection: Connection, table: Table, key: Key) -> str:
    """ACCEPTED, or what the index refuses with."""
    try:
        with undone(connection):
            executed(connection, _index_sql(table, key))
    except DBAPIError as error:
        return _code(error)
    return ACCEPTED


def _index_sql(table: Table, key: Key) -> str:
    return f"CREATE UNIQUE INDEX agreed ON {table.sql} {key}"


def _code(error: DBAPIError) -> str:
    """The SQLSTATE; SQLite has words alone."""
    return str(getattr(error.orig, "pgcode", None) or str(error.orig).partition(":")[0])


def _of_the_refusal(
    table: Table, said: Said, index: str, key: Key, seen: Sequence[Row] | None
) -> Iterator[str]:
    # our own refusal, beyond the index
    forbidden = key.nulls == "forbid" and any(row.has_null for row in seen or ())
    refused = index != ACCEPTED or forbidden
    if said.kind.startswith("breaks"):
        yield f"the preflight {said}"
    elif said.kind == DOUBT:
        if forbidden:
            yield "rows with NULL are forbidden, and stand in doubt"
        if all(term.equals == "=" for term in key.terms):
            yield "the preflight doubts an equality which is that of GROUP BY"
    elif said.refuses != refused:
        yield f"the preflight says {said}, the index {index}{', NULL forbidden' * forbidden}"
    elif (said.kind == DUPLICATES) != (index in _DUPLICATE_CODES) and not _are_both(
        table, said, index
    ):
        yield f"the preflight refuses for {said}, the index for {index}"


def _are_both(table: Table, said: Said, index: str) -> bool:
    """Whether both may be right: the build compares before it writes, and ends a partition before it reads the next."""
    too_wide = "index row size" in said.words or "index row requires" in said.words
    return index in _DUPLICATE_CODES and (too_wide or (bool(table.by) and "raises 22" in said.kind))


# -- what is left behind


def _state(connection: Connection, table: Table) -> tuple[Any, ...]:
    """Rows by version, relations, settings: what a reader must leave alone; or why that cannot be told any more."""
    if connection.dialect.name == "sqlite":
        rows = tuple(map(tuple, executed(connection, f"SELECT * FROM {table.sql}")))
        relations = executed(
            connection,
            "SELECT name FROM sqlite_master UNION ALL SELECT name FROM sqlite_temp_master",
        )
        return rows, tuple(relations.scalars())
    statement = f"""
        SELECT (SELECT string_agg(concat_ws(' ', tableoid, ctid, xmin, xmax), ', ' ORDER BY tableoid, ctid)
                FROM {table.sql}),
               (SELECT concat_ws(' ', count(*), max(oid)) FROM pg_class),
               (SELECT md5(string_agg(concat_ws(' ', name, setting), ', ' ORDER BY name)) FROM pg_settings)
    """
    try:
        return tuple(executed(connection, statement).one())
    except DBAPIError as error:
        return (_code(error),)


def _difference(before: tuple[Any, ...], after: tuple[Any, ...]) -> str:
    if len(after) != len(before):
        return f"the transaction is spoilt: {after}"
    parts = ("the rows", "the relations", "the settings")
    return " and ".join(p for p, b, a in zip(parts, before, after, strict=False) if a != b)


# -- the rows, looked at one by one


def _looked_at(connection: Connection, table: Table, key: Key) -> list[Row] | None:
    """Every row that the key is about, compared with every other; None: they cannot be compared."""
    sqlite = connection.dialect.name == "sqlite"
    # not IS NULL: it is true of a composite whose fields are NULL, which is no NULL to an index
    is_null = "({0} IS NULL)" if sqlite else "(num_nulls({0}) = 1)"
    numbers = range(len(key.terms))
    values = ", ".join(f"{term.value} AS k{n}" for n, term in zip(numbers, key.terms, strict=True))
    where = "" if key.predicate is None else f" WHERE {key.predicate}"
    same = " AND ".join(
        f"((a.k{n} {term.equals} b.k{n}) IS TRUE"
        f" OR {is_null.format(f'a.k{n}')} AND {is_null.format(f'b.k{n}')})"
        for n, term in zip(numbers, key.terms, strict=True)
    )
    has_null = " OR ".join(is_null.format(f"a.k{n}") for n in numbers)
    sql = (
        f"WITH k AS MATERIALIZED (SELECT CAST({table.place} AS text) AS place, id, "
        f"row_number() OVER () AS number, {values} FROM {table.source}{where}) "
        f"SELECT a.place, a.id, (SELECT min(b.number) FROM k b WHERE {same}), {has_null} FROM k a"
    )
    try:
        with undone(connection):
            return [Row(*row) for row in executed(connection, sql)]
    except DBAPIError:
        return None


def _groups(seen: Sequence[Row], key: Key) -> list[list[Row]]:
    """Rows that share a key, the largest groups first."""
    groups: dict[int, list[Row]] = {}
    for row in seen:
        if key.nulls == "not_distinct" or not row.has_null:
            groups.setdefault(row.leader, []).append(row)
    return sorted((group for group in groups.values() if len(group) > 1), key=len, reverse=True)


def _of_the_nulls(report: RowsReport, key: Key, seen: Sequence[Row]) -> Iterator[str]:
    null_rows = 0 if key.nulls == "not_distinct" else sum(row.has_null for row in seen)
    if report.null_rows != null_rows:
        doubt = "" if report.doubt is None else ", in doubt"
        yield f"another number of rows with NULL{doubt}"


def _of_the_numbers(report: RowsReport, groups: Sequence[Sequence[Row]]) -> Iterator[str]:
    if report.groups != len(groups):
        yield "another number of groups"
    if report.surplus != sum(len(group) - 1 for group in groups):
        yield "another number of surplus rows"


def _of_the_sample(
    connection: Connection,
    table: Table,
    key: Key,
    report: RowsReport,
    groups: Sequence[Sequence[Row]],
) -> Iterator[str]:
    if not report.sample and not _has_form(connection, table, key, report, groups):
        return
    if [shown.rows for shown in report.sample] != [len(group) for group in groups[:SAMPLE]]:
        yield "the sample is not of the largest groups"
        return
    has_id = "id" in report.identity
    for shown in report.sample:
        place = report.identity.index("id") if has_id else 0
        told = [str(identity[place]) for identity in shown.identities]
        if len(told) != min(shown.rows, IDENTITIES):
            yield "the sample names another number of rows"
        # a ctid stands in every partition: then any group that has these will do
        fitting = [
            group
            for group in groups
            if len(group) == shown.rows
            and set(told) <= {str(row.id) if has_id else row.place for row in group}
        ]
        if not fitting:
            yield f"the sample names rows of another key, by {', '.join(report.identity)}"
        elif not any(_is_of(connection, table, key, shown.values, group) for group in fitting):
            yield "the sample shows values of another key"


def _has_form(
    connection: Connection,
    table: Table,
    key: Key,
    report: RowsReport,
    groups: Sequence[Sequence[Row]],
) -> bool:
    """Whether Python has a form for what a sample would hold: none has it for a year before Christ."""
    columns = ", ".join([*(term.value for term in key.terms), *map(quoted, report.identity)])
    listed = ", ".join(str(row.id) for group in groups for row in group)
    try:
        executed(
            connection, f"SELECT {columns} FROM {table.source} WHERE id IN ({listed or 0})"
        ).all()
    except (ValueError, OverflowError):
        return False
    return True


def _is_of(
    connection: Connection, table: Table, key: Key, values: Sequence[Any], group: Sequence[Row]
) -> bool:
    """Whether one of the rows has these very values, as the driver hands them out."""
    terms = ", ".join(term.value for term in key.terms)
    listed = ", ".join(str(row.id) for row in group)
    found = executed(connection, f"SELECT {terms} FROM {table.source} WHERE id IN ({listed})")
    return _shown(values) in {_shown(row) for row in found}


def _shown(values: Sequence[Any]) -> str:
    return repr([bytes(v) if isinstance(v, memoryview) else v for v in values])


def _of_the_listing(
    connection: Connection, key: Key, report: RowsReport, seen: Sequence[Row]
) -> Iterator[str]:
    listing = report.listing.rstrip(";")
    expected = report.groups
    if (
        key.nulls == "forbid"
    ):  # what is refused is listed: keys with NULL too, equal ones in one line
        expected += len({row.leader for row in seen if row.has_null})
    try:
        with undone(connection):
            # counted there: not every value has a form in Python
            sql = f"SELECT count(*) FROM ({listing}) AS listing"
            listed = executed(connection, sql).scalar_one()
    except DBAPIError as error:
        yield f"the listing {Said('fails', str(error.orig))}"
        return
    if listed != expected:
        yield f"the listing holds {'more' if listed > expected else 'fewer'} keys"


# -- how it is told


def _told(table: Table, key: Key, claim: str) -> str:
    way = "" if key.few else ", with preflight.FEW = 0"
    return f"-- {claim}\n{pasted(table.statements)}\n{_index_sql(table, key)};  -- nulls={key.nulls!r}{way}"
