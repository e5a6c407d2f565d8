"""MySQL and MariaDB: information_schema read once for all tables. Nobody can be asked about a conflict target there.

``ON DUPLICATE KEY UPDATE`` names none, and ``EXPLAIN`` says nothing about keys: the catalog decides, by our own rules.

Manual: https://dev.mysql.com/doc/refman/8.4/en/information-schema-statistics-table.html,
https://mariadb.com/kb/en/information-schema-statistics-table/
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, text
from sqlalchemy.exc import DBAPIError

from ..findings import shortfall_fact
from ..inference import Candidate, Element, Kind, State, Traits, judge
from ..sqltext import named, quoted, string_literal
from .reading import (
    Inferred,
    NormalizedSql,
    Offered,
    RelationKind,
    TableName,
    as_it_is,
    execute,
    first_sentence,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect, Row

    from ..inference import ConflictTarget

__all__ = [
    "empty_copy",
    "errno",
    "failing_statements",
    "inferred_arbiters",
    "is_mariadb",
    "normalize",
    "offered_from",
    "read",
    "server_message",
    "text_literal",
    "verification_script",
]

_PRIMARY = "PRIMARY"
"""The name of every primary key, which no other index may bear."""

_LIKENESS = "upsert_guard_likeness"


def is_mariadb(dialect: Dialect) -> bool:
    """Return whether the server is MariaDB, which a ``mysql://`` URL may lead to as well."""
    return bool(getattr(dialect, "is_mariadb", False))


def errno(error: DBAPIError) -> int | None:
    """Return the server's number of the error, as every driver hands it out; None: it is not the server's."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def read(connection: Connection, tables: Sequence[TableName]) -> dict[TableName, Offered]:
    """Return what each of `tables` offers; one statement, a row a fact."""
    rows = connection.execute(*_statement(connection.dialect, tables)).all()
    return offered_from(rows, tables, _traits(connection.dialect))


def _traits(dialect: Dialect) -> Traits:
    version = tuple(part for part in dialect.server_version_info or () if isinstance(part, int))
    return Traits(dialect="mariadb" if is_mariadb(dialect) else "mysql", version=version)


def _statement(dialect: Dialect, tables: Sequence[TableName]) -> tuple[Any, dict[str, Any]]:
    values: dict[str, Any] = {}
    conditions: list[str] = []
    for number, schema in enumerate(dict.fromkeys(table.schema for table in tables)):
        values[f"names_{number}"] = [table.name for table in tables if table.schema == schema]
        if schema is not None:
            values[f"schema_{number}"] = schema
        its_schema = "DATABASE()" if schema is None else f":schema_{number}"
        conditions.append(f"i.TABLE_SCHEMA = {its_schema} AND i.TABLE_NAME IN :names_{number}")
    asked = f"({' OR '.join(f'({condition})' for condition in conditions)})"
    # one SELECT a view and no join: MariaDB fills each view anew for every row that it is joined to
    statement = f"""
        SELECT 'table' AS part,
               i.TABLE_SCHEMA AS schema_name,
               i.TABLE_NAME AS table_name,
               i.TABLE_TYPE AS name, -- BASE TABLE, SYSTEM VERSIONED, VIEW, SEQUENCE
               0 AS position,
               NULL AS column_name,
               NULL AS expression,
               NULL AS prefix,
               NULL AS is_unique,
               NULL AS is_nullable,
               NULL AS direction,
               NULL AS is_hidden,
               DATABASE() AS current_schema,
               @@lower_case_table_names AS folds_names -- 0: names of tables are told apart by their case
        FROM information_schema.TABLES i WHERE {asked}
        UNION ALL
        SELECT 'element', i.TABLE_SCHEMA, i.TABLE_NAME,
               i.INDEX_NAME,
               i.SEQ_IN_INDEX,
               i.COLUMN_NAME, -- NULL: an expression
               {_expression(dialect)},
               i.SUB_PART, -- NULL: the whole column; UNIQUE over a long column of MariaDB (INDEX_TYPE HASH) too
               1 - i.NON_UNIQUE,
               i.NULLABLE = 'YES',
               i.COLLATION, -- A, D for descending, NULL for neither
               {_hidden(dialect)},
               NULL, NULL
        FROM information_schema.STATISTICS i WHERE {asked}
        UNION ALL
        SELECT 'auto_increment', i.TABLE_SCHEMA, i.TABLE_NAME, NULL, 0, i.COLUMN_NAME,
               NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM information_schema.COLUMNS i WHERE i.EXTRA LIKE '%auto_increment%' AND {asked}
        UNION ALL
        SELECT 'partition', i.TABLE_SCHEMA, i.TABLE_NAME, NULL, 0, NULL,
               i.PARTITION_EXPRESSION, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM information_schema.PARTITIONS i WHERE i.PARTITION_ORDINAL_POSITION = 1 AND {asked}
        ORDER BY schema_name, table_name, part, name, position
    """
    expanding: list[Any] = [bindparam(n, expanding=True) for n in values if n.startswith("names_")]
    return text(statement).bindparams(*expanding), values


def _expression(dialect: Dialect) -> str:
    """MySQL has functional key parts, and this column, from 8.0.13 on; MariaDB has neither."""
    version = dialect.server_version_info or ()
    return "NULL" if is_mariadb(dialect) or version < (8, 0, 13) else "i.EXPRESSION"


def _hidden(dialect: Dialect) -> str:
    """Whether no query uses the index: each of the two has a word of its own for it, and enforces it all the same."""
    return "i.IGNORED = 'YES'" if is_mariadb(dialect) else "i.IS_VISIBLE = 'NO'"


@dataclass
class _Facts:
    """What the rows say of one table."""

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
        its_name = (str(row.schema_name), str(row.table_name))
        its = facts.setdefault(its_name, _Facts())
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
    # a backquote in a name stands twice
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


def normalize(
    connection: Connection, table: TableName, arbiter: Candidate, offered: Sequence[Candidate]
) -> NormalizedSql:
    """Return the arbiter in the server's spelling: as it prints the expressions of a temporary table without rows.

    MariaDB has no expressions in indexes: there, and where all are columns, nothing is asked.
    """
    if all(e.column is not None for e in arbiter.elements) or is_mariadb(connection.dialect):
        return as_it_is(arbiter, offered)
    printed = _printed_expressions(connection, table, arbiter.elements)
    if printed is None:
        return as_it_is(arbiter, offered, compared=False)
    left = iter(printed)
    elements = tuple(
        e if e.column is not None else replace(e, expression=next(left)) for e in arbiter.elements
    )
    return as_it_is(replace(arbiter, elements=elements), offered)


def _printed_expressions(
    connection: Connection, table: TableName, elements: Sequence[Element]
) -> list[str] | None:
    """The expressions among the elements as the server prints them; None: it does not take them, or says nothing."""
    listed = ", ".join(f"({element.expression})" for element in elements if element.column is None)
    try:
        with empty_copy(connection, table, f"KEY its_own ({listed})") as name:
            rows = execute(connection, f"SHOW INDEX FROM {name}").mappings().all()
    except DBAPIError:
        return None
    return [str(row["Expression"]) for row in sorted(rows, key=lambda row: row["Seq_in_index"])]


@contextmanager
def empty_copy(connection: Connection, table: TableName, index: str) -> Iterator[str]:
    """Have an empty temporary copy of the table with this index, by its name; the caller's transaction goes on.

    Other DDL would commit it: https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html

    :param index: as it stands in CREATE TABLE.
    :raises sqlalchemy.exc.DBAPIError: the server does not make the index, or no temporary table for this user.
    """
    relation = quoted(connection.dialect, *table)
    execute(
        connection,
        f"CREATE TEMPORARY TABLE {_LIKENESS} ({index}) SELECT * FROM {relation} LIMIT 0",
    )
    try:
        yield _LIKENESS
    finally:
        execute(connection, f"DROP TEMPORARY TABLE {_LIKENESS}")


def server_message(error: DBAPIError) -> str:
    """Return what the server says, without its number."""
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return str(arguments[1]) if len(arguments) > 1 else first_sentence(error)


def inferred_arbiters(connection: Connection, table: TableName, target: ConflictTarget) -> Inferred:
    """Return what the catalog says by our own rules: the server has no answer of its own."""
    offered = read(connection, [table]).get(table)
    if offered is None:
        return Inferred(refusal="there is no such table", by_catalog=True)
    wanted = Candidate(name=None, elements=target.elements, predicate=target.predicate)
    spelling = normalize(connection, table, wanted, offered.candidates)
    verdict = judge(spelling.target, spelling.candidates, offered.traits)
    if verdict.state is State.SATISFIED:
        return Inferred(arbiters=tuple(str(c.name) for c in verdict.arbiters), by_catalog=True)
    assert verdict.shortfall is not None  # noqa: S101 - whatever is not satisfied has a reason
    words = shortfall_fact(spelling.target, verdict.shortfall)
    if verdict.state is State.UNKNOWN or not spelling.compared:
        return Inferred(doubt=words, by_catalog=True)
    return Inferred(refusal=words, by_catalog=True)


def verification_script(
    dialect: Dialect, table: TableName, target: ConflictTarget
) -> list[str] | None:
    """Return the statements that fail where nothing is unique on exactly `target`; None: it has an expression.

    Only the server knows how it would print that.
    """
    columns = [str(element.column) for element in target.elements if element.column is not None]
    if len(columns) < len(target.elements):
        return None
    schema = "DATABASE()" if table.schema is None else text_literal(dialect, table.schema)
    listed = ", ".join(text_literal(dialect, column) for column in columns)
    arbiters = (
        "SELECT INDEX_NAME FROM information_schema.STATISTICS "
        f"WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {text_literal(dialect, table.name)} AND NON_UNIQUE = 0 "
        f"GROUP BY INDEX_NAME HAVING count(*) = {len(columns)} "
        f"AND sum(COLUMN_NAME IN ({listed}) AND SUB_PART IS NULL) = {len(columns)}"
    )
    told = f"nothing is unique on exactly {named(dialect, *table)} ({', '.join(columns)})"
    query = f"SELECT count(*) = 0 AS fails FROM ({arbiters}) AS arbiters"
    return failing_statements(dialect, query, text_literal(dialect, told))


def failing_statements(dialect: Dialect, query: str, message: str) -> list[str]:
    """Return statements, without terminator, that fail with `message` where `query` says so; they change nothing.

    MariaDB prepares SIGNAL. MySQL does not, and has it in stored programs alone: there the message is the name of a
    column that nobody has. That works on MariaDB too, where a ``mysql://`` URL may lead without a connection to ask.

    :param query: a SELECT of one row with the column ``fails``, and whatever `message` names.
    :param message: SQL over the columns of `query`; the servers show 128 characters of it at least.
    """
    if is_mariadb(dialect):
        failing = f"concat('SIGNAL SQLSTATE ''45000'' SET MESSAGE_TEXT = ', quote({message}))"
        run = ["EXECUTE IMMEDIATE @upsert_guard"]
    else:
        failing = f"concat('SELECT `', replace({message}, '`', ''''), '`')"
        run = [
            "PREPARE upsert_guard FROM @upsert_guard",
            "EXECUTE upsert_guard",
            "DEALLOCATE PREPARE upsert_guard",
        ]
    chosen = f"SELECT if(fails, {failing}, 'DO 0') FROM ({query}) AS checked"
    return [f"SET @upsert_guard = ({chosen})", *run]


def text_literal(dialect: Dialect, value: str) -> str:
    """Return a string constant for the shell, in which a backslash escapes unless the session says otherwise."""
    return string_literal(dialect, value).replace("\\", "\\\\")
