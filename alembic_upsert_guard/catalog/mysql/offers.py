"""Rows of information_schema, read once for all tables, as candidates of the inference core.

Manual: https://dev.mysql.com/doc/refman/8.4/en/information-schema-statistics-table.html,
https://mariadb.com/kb/en/information-schema-statistics-table/
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ...databases import database_for
from ...inference import Candidate, Element, Kind, Traits
from ..contract import Offered, RelationKind, TableName
from .statement import catalog_statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection, Dialect, Row

__all__ = ["offered_from", "read"]

_PRIMARY = "PRIMARY"
"""The name of every primary key, which no other index may have."""


def read(connection: Connection, tables: Sequence[TableName]) -> dict[TableName, Offered]:
    """Return what each of `tables` offers; one statement, a row a fact."""
    rows = connection.execute(*catalog_statement(connection.dialect, tables)).all()
    return offered_from(rows, tables, _traits(connection.dialect))


def _traits(dialect: Dialect) -> Traits:
    version = tuple(part for part in dialect.server_version_info or () if isinstance(part, int))
    return Traits(database=database_for(dialect), version=version)


@dataclass
class _Facts:
    """The rows of one table."""

    relation: str = ""
    elements: list[Row[Any]] = field(default_factory=list)
    auto_increment: set[str] = field(default_factory=set)
    partition: str = ""


def offered_from(
    rows: Iterable[Row[Any]], tables: Sequence[TableName], traits: Traits
) -> dict[TableName, Offered]:
    """Return the rows of the statement as values, by the names that were asked for."""
    facts: dict[tuple[str, str], _Facts] = {}
    current, folds = "", False
    for row in rows:
        name = (str(row.schema_name), str(row.table_name))
        its = facts.setdefault(name, _Facts())
        if row.part == "table":
            its.relation, current = str(row.name), row.current_schema or current
            folds = bool(int(row.folds_names))
        elif row.part == "element":
            its.elements.append(row)
        elif row.part == "auto_increment":
            its.auto_increment.add(row.column_name)
        else:
            its.partition = row.expression or ""
    if folds:
        facts = {(schema.lower(), name.lower()): its for (schema, name), its in facts.items()}
    found: dict[TableName, Offered] = {}
    for table in tables:
        schema = current if table.schema is None else table.schema
        name = (schema.lower(), table.name.lower()) if folds else (schema, table.name)
        if name in facts and facts[name].relation:
            found[table] = _offered(table, facts[name], traits)
    return found


def _offered(table: TableName, facts: _Facts, traits: Traits) -> Offered:
    candidates = tuple(
        _candidate(table, list(rows)) for _, rows in groupby(facts.elements, lambda row: row.name)
    )
    kind = RelationKind.PARTITIONED_TABLE if facts.partition else RelationKind.TABLE
    if facts.relation.endswith("VIEW"):
        kind = RelationKind.VIEW
    return Offered(
        candidates=candidates,
        nullable=frozenset(
            row.column_name for row in facts.elements if row.column_name and row.is_nullable
        ),
        traits=replace(
            traits,
            relation=kind.value,
            partition_columns=_quoted_names(facts.partition),
            auto_increment=frozenset(facts.auto_increment),
        ),
    )


def _quoted_names(sql: str) -> tuple[str, ...]:
    """The names in backquotes, each once: the server prints every column of a partition's expression so."""
    # a backquote in a name is written twice
    parts = sql.replace("``", "\0").split("`")
    names = [part.replace("\0", "`") for number, part in enumerate(parts) if number % 2]
    return tuple(dict.fromkeys(names))


def _candidate(table: TableName, rows: Sequence[Row[Any]]) -> Candidate:
    index = rows[0]
    is_primary = index.name == _PRIMARY
    return Candidate(
        name=index.name,
        elements=tuple(
            Element(
                column=row.column_name,
                expression=None if row.expression is None else _unescaped(row.expression),
                prefix=None if row.prefix is None else int(row.prefix),
            )
            for row in rows
        ),
        kind=Kind.PRIMARY_KEY if is_primary else Kind.INDEX,
        unique=bool(int(index.is_unique)),
        definition=None if is_primary else _definition(table, rows),
    )


def _unescaped(expression: str) -> str:
    """The expression as ``SHOW INDEX`` prints it: the view has a backslash before quotes and backslashes."""
    return "\\".join(part.replace("\\", "") for part in expression.split("\\\\"))


def _definition(table: TableName, rows: Sequence[Row[Any]]) -> str:
    """The statement that makes the index again."""
    elements = ", ".join(
        (
            f"({_unescaped(row.expression)})"
            if row.column_name is None
            else f"{_backquoted(row.column_name)}{'' if row.prefix is None else f'({int(row.prefix)})'}"
        )
        + (" DESC" if row.direction == "D" else "")
        for row in rows
    )
    unique = "UNIQUE " if int(rows[0].is_unique) else ""
    relation = ".".join(_backquoted(part) for part in table if part is not None)
    return f"CREATE {unique}INDEX {_backquoted(rows[0].name)} ON {relation} ({elements})"


def _backquoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
