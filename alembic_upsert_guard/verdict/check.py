"""``upsert-guard check``: every declared key against one database, and on request against its rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError

from ..catalog import TableName, catalog_for
from ..catalog.messages import holds_no_value, message_of
from ..catalog.postgresql import sqlstate
from ..catalog.reading import rolled_back
from ..catalog.tables import table_names
from ..databases import database_for
from ..declaration import declarations_of
from ..errors import HiddenRowsError
from ..findings import (
    KeySubject,
    Severity,
    Unread,
    beside_other_tables,
    missing_table,
    nullable_key,
    nulls_mismatch,
    of_rows,
    rival_unique_key,
    short_key,
    unknown_dialect,
    unread_rows,
)
from ..inference import Code, Shortfall, State, can_be_inferred
from ..rows import RowsOfKey, can_deduplicate, listing_sql, read_rows
from ..sqltext import literal_sql
from .inspected import inspect_keys, verdict_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from ..catalog import Catalog, Inferred
    from ..declaration import Declaration
    from ..findings import Finding
    from ..inference import Candidate, Traits, Verdict
    from .inspected import InspectedKey

__all__ = ["Checked", "CheckedKey", "check_keys", "settled", "together"]

_VERSIONS = "alembic_version"


@dataclass(frozen=True, slots=True)
class CheckedKey:
    """The answer for one declared key in one schema of one database."""

    schema: str | None
    table: str
    elements: tuple[str, ...]
    """In declared order."""
    where: str | None
    verdict: str
    """``satisfied``, ``short`` or ``unknown``."""
    arbiters: tuple[str, ...]
    """By name, every arbiter that the database infers, deferrable ones that spoil the upsert included.

    One without a name is told by its kind, as SQLite's ``primary key``; empty where none is inferred, or no names told.
    """


@dataclass(frozen=True, slots=True)
class Checked:
    """What one database answers."""

    keys: tuple[CheckedKey, ...] = ()
    findings: tuple[Finding, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    """The models' names for tables that the connection looks for in another schema, by ``schema.table`` of there."""
    homes: Mapping[str, str | None] = field(default_factory=dict)
    """The schema that the search path leads to, by the name of each table whose model names none."""


def check_keys(connection: Connection, metadata: Sequence[MetaData], *, rows: bool) -> Checked:
    """Return the verdict on every key that `metadata` declares. Nothing is written to the database.

    Whatever is made there, such as empty temporary copies of tables, is rolled back; rows are read, and the planner is
    asked, in a read-only transaction.

    Tables are looked for in the schema that they name, or where a ``schema_translate_map`` of the connection sends
    them.

    :param rows: whether to read the rows as well, from the heap.
    """
    declaring = [
        table for each in metadata for table in each.tables.values() if declarations_of(table)
    ]
    if not declaring:
        return Checked()
    catalog = catalog_for(connection.dialect)
    if catalog is None:
        return Checked(findings=(unknown_dialect(database_for(connection.dialect).name),))
    living = {_where_it_lives(connection, table): table for table in declaring}
    with rolled_back(connection):
        checked = _check_all(connection, catalog, living, rows=rows)
        if not any(finding.severity is Severity.ERROR for finding in checked.findings):
            return checked
        others = len(_without_model(connection, metadata))
        findings = tuple(beside_other_tables(each, others) for each in checked.findings)
        return replace(checked, findings=findings)


def _without_model(connection: Connection, metadata: Iterable[MetaData]) -> frozenset[str]:
    """The tables of the default schema that autogenerate finds in no model; Alembic's own is none of them."""
    modelled = {table.name for each in metadata for table in each.tables.values()}
    return table_names(connection) - modelled - {_VERSIONS}


def _check_all(
    connection: Connection, catalog: Catalog, living: Mapping[Table, Table], *, rows: bool
) -> Checked:
    """Return the answers for the tables in `living`, each with its model's table behind it."""
    keys: list[CheckedKey] = []
    findings: list[Finding] = []
    homes: dict[str, str | None] = {}
    existing: dict[Table, list[InspectedKey]] = {}
    for tables in _without_namesakes(living):
        existing |= inspect_keys(connection, tables)
    for table in sorted(living, key=lambda t: (t.schema or "", t.name)):
        if table.schema is None:
            found = existing.get(table)
            homes[table.name] = found[0].home if found else catalog.home(connection)
        if table not in existing:
            for subject in sorted((_key_of(table, d) for d in declarations_of(table)), key=_name):
                keys.append(_unserved(subject))
                findings.append(missing_table(subject))
            continue
        for key in sorted(existing[table], key=lambda k: _name(_key_of(k.table, k.declaration))):
            checked, of_key = _check(connection, key)
            keys.append(checked)
            findings += of_key
            if rows:
                findings += _check_rows(connection, key, served=checked.verdict == _SERVED)
    return Checked(
        # once, though two models of one table declare it
        tuple(dict.fromkeys(keys)),
        tuple(dict.fromkeys(findings)),
        {there.fullname: table.fullname for there, table in living.items() if there is not table},
        homes,
    )


def together(answers: Sequence[Checked]) -> Checked:
    """Return the answers of all databases and tenants as one.

    A table whose model names no schema is named with its own where the search path led to several, as in a loop over
    tenants that sets it.
    """
    homes: dict[str, set[str | None]] = {}
    for answer in answers:
        for table, home in answer.homes.items():
            homes.setdefault(table, set()).add(home)
    told = []
    for answer in answers:
        apart: dict[str | None, str] = {
            t: home for t, home in answer.homes.items() if home and len(homes[t]) > 1
        }
        told.append(_with_homes(answer, apart))
    return Checked(
        tuple(key for answer in told for key in answer.keys),
        # once, though several databases say it
        tuple(dict.fromkeys(finding for answer in told for finding in answer.findings)),
        {there: table for answer in told for there, table in answer.models.items()},
    )


def _with_homes(answer: Checked, homes: Mapping[str | None, str]) -> Checked:
    return Checked(
        tuple(replace(key, schema=key.schema or homes.get(key.table)) for key in answer.keys),
        tuple(
            replace(each, schema=each.schema or homes.get(each.table)) for each in answer.findings
        ),
        {**answer.models, **{f"{home}.{table}": str(table) for table, home in homes.items()}},
    )


_SERVED = State.SATISFIED.value


def _without_namesakes(tables: Iterable[Table]) -> Iterator[list[Table]]:
    """`tables` in groups, no two of one name in one: several MetaData may hold the same table. One group, as a rule."""
    left = list(tables)
    while left:
        group = {TableName(table.schema, table.name): table for table in reversed(left)}
        yield list(group.values())
        left = [table for table in left if table not in group.values()]


def _where_it_lives(connection: Connection, table: Table) -> Table:
    """The table under the schema that the connection translates its own to."""
    translated = connection.get_execution_options().get("schema_translate_map") or {}
    if table.schema not in translated:
        return table
    return table.to_metadata(MetaData(), schema=translated[table.schema])


def _key_of(table: Table, declaration: Declaration) -> KeySubject:
    where = declaration.where
    return KeySubject(
        schema=table.schema,
        table=table.name,
        elements=declaration.target.labels,
        where=None if where is None else literal_sql(where),
        nulls=declaration.nulls,
    )


def _name(key: KeySubject) -> tuple[tuple[str, ...], str]:
    return key.elements, key.where or ""


def _unserved(key: KeySubject) -> CheckedKey:
    return CheckedKey(key.schema, key.table, key.elements, key.where, State.SHORT.value, ())


def _check(connection: Connection, key: InspectedKey) -> tuple[CheckedKey, list[Finding]]:
    subject = _key_of(key.table, key.declaration)
    verdict = verdict_on(key)
    state, shortfall = verdict.state, verdict.shortfall
    arbiters = _names(verdict.arbiters)
    if key.inferred is None and (state is State.UNKNOWN or _may_have_more(key, verdict)):
        state, arbiters, shortfall = _ask(connection, key, verdict)
    findings: list[Finding] = []
    if shortfall is not None:
        findings.append(short_key(subject, key.target, shortfall))
    other = None if shortfall is not None else _of_other_nulls(key, verdict.arbiters, arbiters)
    nullable = _nullable_elements(connection, key) if subject.nulls == "warn" else ()
    doubles = bool(nullable)
    if (other is not None or doubles) and _keeps_null_out(connection, key):
        other, doubles = None, False
    if other is not None:
        findings.append(nulls_mismatch(subject, key.target, other))
        state = State.SHORT
    elif doubles:
        findings.append(nullable_key(subject, nullable))
    if verdict.rivals:
        findings.append(rival_unique_key(subject, verdict.rivals))
    checked = CheckedKey(
        subject.schema, subject.table, subject.elements, subject.where, state.value, arbiters
    )
    return checked, findings


def _nullable_elements(connection: Connection, key: InspectedKey) -> tuple[str, ...]:
    """The key's elements that may be NULL in the database, by label: columns, and expressions that it can tell of."""
    if all(each.column is not None for each in key.declared.elements):
        return key.nullable_columns
    catalog = catalog_for(connection.dialect)
    assert catalog is not None  # noqa: S101 - the caller has asked
    table = TableName(key.table.schema, key.table.name)
    return (*key.nullable_columns, *catalog.null_makes_null(connection, table, key.declared))


def _keeps_null_out(connection: Connection, key: InspectedKey) -> bool:
    """Whether the key's predicate lets no NULL in, so that it does not matter how an index takes it."""
    catalog = catalog_for(connection.dialect)
    assert catalog is not None  # noqa: S101 - the caller has asked
    table = TableName(key.table.schema, key.table.name)
    return catalog.keeps_null_out(connection, table, key.declared)


def _of_other_nulls(
    key: InspectedKey, judged: Sequence[Candidate], named: Sequence[str]
) -> Candidate | None:
    """An arbiter that takes NULLs otherwise than the key, where none takes them as the key does.

    :param named: the arbiters that the database told by name, where it was asked.
    """
    serving = judged or [c for c in key.offered if c.name in named]
    fitting = {c.nulls_not_distinct == key.wanted.nulls_not_distinct for c in serving}
    return serving[0] if key.nullable and fitting == {False} else None


def _ask(
    connection: Connection, key: InspectedKey, verdict: Verdict
) -> tuple[State, tuple[str, ...], Shortfall | None]:
    """The database's own answer, where text cannot tell; what text tells, where it has none."""
    inferred = _infer(connection, key)
    state, shortfall = settled(inferred, key.offered, verdict, key.traits)
    arbiters = _names(verdict.arbiters) if inferred.doubt is not None else inferred.arbiters
    return state, () if inferred.refusal is not None else arbiters, shortfall


def settled(
    inferred: Inferred, offered: Sequence[Candidate], verdict: Verdict, traits: Traits
) -> tuple[State, Shortfall | None]:
    """Return what the database's answer makes of a target; what text tells, where it has none.

    :param offered: what the table has.
    :param verdict: the judge's; its candidate is the one to name.
    """
    shortfall = verdict.shortfall
    candidate = None if shortfall is None else shortfall.candidate
    if inferred.is_refused_by_rules and inferred.doubt is not None and traits.relation == "view":
        return State.SHORT, Shortfall(Code.MISSING_ARBITER, relation=traits.relation)
    if inferred.unread:
        return State.SHORT, Shortfall(Code.MISSING_ARBITER, unread=inferred.doubt)
    if inferred.doubt is not None:
        return verdict.state, shortfall
    if inferred.refusal is not None and verdict.state is State.SHORT:
        return State.SHORT, shortfall
    if inferred.refusal is not None:
        partial = candidate is not None and candidate.partial
        code = Code.PREDICATE_MISMATCH if partial else Code.MISSING_ARBITER
        return State.SHORT, Shortfall(code, candidate)
    if inferred.deferrable:
        spoiler = next((c for c in offered if c.name in inferred.deferrable), candidate)
        return State.SHORT, Shortfall(Code.DEFERRABLE_ARBITER, spoiler)
    return State.SATISFIED, None


def _infer(connection: Connection, key: InspectedKey) -> Inferred:
    catalog = catalog_for(connection.dialect)
    assert catalog is not None  # noqa: S101 - the caller has asked
    return catalog.infer(connection, TableName(key.table.schema, key.table.name), key.declared)


def _names(arbiters: Iterable[Candidate]) -> tuple[str, ...]:
    return tuple(str(c.name or c.kind.value) for c in arbiters)


def _may_have_more(key: InspectedKey, verdict: Verdict) -> bool:
    """Whether a partial index may be an arbiter, too, of a key of plain columns: where its predicate folds to true."""
    if not key.traits.database.simplifies_sql or key.traits.refusing_rules:
        return False
    return any(
        can_be_inferred(key.target, replace(c, partial=False, predicate=None), key.traits)
        for c in key.offered
        if c.partial and c.valid and c not in verdict.arbiters
    )


def _check_rows(connection: Connection, key: InspectedKey, *, served: bool) -> list[Finding]:
    subject = _key_of(key.table, key.declaration)
    table = TableName(key.table.schema, key.table.name)
    rows = RowsOfKey(table=table, target=key.declared, nulls=key.declaration.nulls)
    try:
        # a statement that fails takes its transaction along, and the other keys are asked in the same one
        with rolled_back(connection):
            report = read_rows(connection, rows, sample=0, reveal=False)
    except DBAPIError as error:
        message = message_of(error, reveal=False, see="")
        listing = listing_sql(connection.dialect, rows)
        return [unread_rows(subject, _why_unread(error), message, listing)]
    except HiddenRowsError as error:
        return [unread_rows(subject, Unread.HIDDEN, error.fact)]
    fixable = can_deduplicate(connection.dialect)
    return of_rows(subject, report, served=served, fixable=fixable)


def _why_unread(error: DBAPIError) -> Unread:
    state = sqlstate(error) or ""
    if state == "42501":  # insufficient_privilege
        return Unread.HIDDEN
    if state[:2] == "22" or not holds_no_value(error):
        return Unread.FAILING
    # transactions, resources, locks, cancelled by a timeout
    return Unread.BUSY if state[:2] in ("40", "53", "55", "57") else Unread.UNKNOWN
