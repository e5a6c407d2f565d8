"""``upsert-guard check``: every declared key against one database, and on request against its rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..catalog import catalog_for
from ..catalog.names import database_name
from ..catalog.reading import rolled_back
from ..catalog.tables import table_names
from ..databases import database_for
from ..declaration import declarations_of
from ..findings import (
    KeySubject,
    Location,
    Severity,
    beside_other_tables,
    missing_table,
    missing_tables,
    nullable_key,
    nulls_mismatch,
    rival_unique_key,
    short_key,
    unknown_dialect,
    with_lines_in_order,
)
from ..inference import State
from ..rows import parents_first
from ..sqltext import literal_sql
from .answer import answer_for
from .check_rows import rows_findings
from .checked import Checked, CheckedKey
from .inspected import inspect_keys
from .read_progress import TimedReads
from .tenants import translated, without_namesakes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import MetaData, Table
    from sqlalchemy.engine import Connection

    from ..catalog import Catalog
    from ..declaration import Declaration
    from ..findings import Finding
    from .inspected import InspectedKey
    from .read_progress import ReadRows

__all__ = ["check_keys"]

_VERSIONS = "alembic_version"


def check_keys(
    connection: Connection,
    metadata: Sequence[MetaData],
    *,
    rows: bool,
    progress: Callable[[ReadRows], None] | None = None,
) -> Checked:
    """Return the verdict on every key that `metadata` declares. Nothing is written to the database.

    Whatever is made there, such as empty temporary copies of tables, is rolled back; rows are read, and the planner is
    asked, in a read-only transaction.

    Tables are looked for in the schema that they name, or where a ``schema_translate_map`` of the connection sends
    them.

    :param rows: whether to read the rows as well, from the heap.
    :param progress: is called before the rows of a key are read, and after.
    """
    declaring = [
        table for each in metadata for table in each.tables.values() if declarations_of(table)
    ]
    if not declaring:
        return Checked()
    catalog = catalog_for(connection.dialect)
    if catalog is None:
        return Checked(findings=(unknown_dialect(database_for(connection.dialect).name),))
    living = {translated(connection, table): table for table in declaring}
    with rolled_back(connection):
        checked = _check_all(connection, catalog, living, rows=rows, progress=progress)
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
    connection: Connection,
    catalog: Catalog,
    living: Mapping[Table, Table],
    *,
    rows: bool,
    progress: Callable[[ReadRows], None] | None,
) -> Checked:
    """Return the answers for the tables in `living`, each with its model's table behind it."""
    existing: dict[Table, list[InspectedKey]] = {}
    for tables in without_namesakes(living):
        existing |= inspect_keys(connection, tables)
    absent = missing_table
    if not existing and len(living) > 1:
        absent = partial(missing_tables, tables=len(living), database=database_name(connection))
    reads = TimedReads(connection, sum(map(len, existing.values())), progress) if rows else None
    order = parents_first({t for own in living.values() for t in own.metadata.tables.values()})
    keys: list[CheckedKey] = []
    findings: list[Finding] = []
    places: dict[Finding, int] = {}
    for table in sorted(living, key=lambda t: (t.schema or "", t.name)):
        if table in existing:
            checked, of_table = _check_table(connection, existing[table], reads)
        else:
            subjects = sorted((_key_of(table, d) for d in declarations_of(table)), key=_name)
            checked, of_table = [*map(_unserved, subjects)], [*map(absent, subjects)]
        keys += checked
        findings += of_table
        places |= dict.fromkeys(of_table, order.get(living[table], 0))
    return Checked(
        # once, though two models of one table declare it
        keys=tuple(dict.fromkeys(keys)),
        findings=tuple(with_lines_in_order(list(dict.fromkeys(findings)), places)),
        models={
            there.fullname: table.fullname for there, table in living.items() if there is not table
        },
        homes={
            table.name: existing[table][0].home if existing.get(table) else catalog.home(connection)
            for table in living
            if table.schema is None
        },
    )


def _check_table(
    connection: Connection, keys: Iterable[InspectedKey], reads: TimedReads | None
) -> tuple[list[CheckedKey], list[Finding]]:
    """Return the answers for the keys of one table, by name, and for its rows where they are read."""
    answers: list[CheckedKey] = []
    findings: list[Finding] = []
    for key in sorted(keys, key=lambda k: _name(_key_of(k.table, k.declaration))):
        answer, of_key = _check(connection, key)
        answers.append(answer)
        findings += of_key
        if reads is not None:
            with reads.reading(key.table):
                served = answer.verdict is State.SATISFIED
                findings += rows_findings(
                    connection, key, _key_of(key.table, key.declaration), served=served
                )
    return answers, findings


def _key_of(table: Table, declaration: Declaration) -> KeySubject:
    where = declaration.where
    return KeySubject(
        schema=table.schema,
        table=table.name,
        elements=declaration.target.labels,
        where=None if where is None else literal_sql(where),
        nulls=declaration.nulls,
        declared_at=_declared_at(declaration),
    )


def _declared_at(declaration: Declaration) -> Location | None:
    """The line of the declaration, its path from here on where the file is below."""
    if declaration.declared_at is None or declaration.declared_at[0].startswith("<"):
        return None
    path, line = declaration.declared_at
    here = Path.cwd()
    below = Path(path).is_relative_to(here)
    return Location(str(Path(path).relative_to(here)) if below else path, line)


def _name(key: KeySubject) -> tuple[tuple[str, ...], str]:
    return key.elements, key.where or ""


def _unserved(key: KeySubject) -> CheckedKey:
    return CheckedKey(
        schema=key.schema,
        table=key.table,
        elements=key.elements,
        where=key.where,
        verdict=State.SHORT,
        arbiters=(),
    )


def _check(connection: Connection, key: InspectedKey) -> tuple[CheckedKey, list[Finding]]:
    subject = _key_of(key.table, key.declaration)
    answer = answer_for(connection, key)
    findings: list[Finding] = []
    if answer.shortfall is not None:
        findings.append(short_key(subject, key.target, answer.shortfall))
    if answer.other_nulls is not None:
        findings.append(nulls_mismatch(subject, key.target, answer.other_nulls))
    elif answer.nullable:
        findings.append(nullable_key(subject, answer.nullable))
    if answer.rivals:
        findings.append(rival_unique_key(subject, answer.rivals))
    checked = CheckedKey(
        schema=subject.schema,
        table=subject.table,
        elements=subject.elements,
        where=subject.where,
        verdict=answer.state,
        arbiters=answer.arbiters,
    )
    return checked, findings
