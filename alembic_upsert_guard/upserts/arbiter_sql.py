"""The SQL that gives a conflict target the arbiter that it lacks, ready to run in the database's own shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..databases import POSTGRESQL, database_for
from ..findings import is_tenant_schema
from ..inference import Code, Kind
from ..names import short_hash, truncated_identifier
from ..sqltext import element_sql, named, where_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Dialect

    from ..catalog import Offered, TableName
    from ..inference import Candidate, ConflictTarget, Shortfall

__all__ = ["ArbiterOrder", "arbiter_sql", "constraint_from_index", "default_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterOrder:
    """What is to be made, and where."""

    table: TableName
    """As the upsert names it."""
    offered: Offered
    target: ConflictTarget
    shortfall: Shortfall
    has_rows: bool
    """Whether writers would wait for the build: True makes it concurrent where the database can."""


def arbiter_sql(dialect: Dialect, order: ArbiterOrder) -> tuple[str, ...]:
    """Return the statements, each with its semicolon, after which the upsert finds its arbiter.

    Empty: no statement can do it. Rows that share a key have to go first. ``CONCURRENTLY`` runs outside of transactions
    only.

    ====================== ================================================================
    the shortfall          on PostgreSQL
    ====================== ================================================================
    nothing, other rows    ``ADD CONSTRAINT``; an index for an expression or a predicate
    DEFERRABLE             the constraint again without it; dropped only, where another serves
    INVALID                ``REINDEX``; of a partitioned table the index anew
    a partition column     none
    a rule                 none: it refuses every upsert
    a view                 none: the table behind it has to have it
    ====================== ================================================================
    """
    code, relation = order.shortfall.code, order.offered.traits.relation
    short = order.shortfall
    if code is Code.PARTITION_KEY_MISSING or short.columns or short.rules or short.folded:
        return ()
    if relation not in ("table", "partitioned table"):
        return ()
    if database_for(dialect) is not POSTGRESQL:
        return _anywhere(dialect, order)
    if code is Code.DEFERRABLE_ARBITER:
        return _without_deferrable(dialect, order)
    if code is Code.INVALID_ARBITER and order.shortfall.candidate is not None:
        return _of_invalid(dialect, order, order.shortfall.candidate)
    return _on_postgresql(dialect, order)


def default_name(order: ArbiterOrder) -> str:
    """Return the name of what is made: ``uq_<table>_<columns>``, as a declared key's; free among the table's own."""
    labels = [e.column for e in order.target.elements if e.column is not None]
    parts = ["uq", order.table.name, *labels]
    if not _is_constraint(order.target):
        parts.append(short_hash("\x00".join((*order.target.labels, order.target.predicate or ""))))
    name = truncated_identifier("_".join(parts))
    taken = {candidate.name for candidate in order.offered.candidates}
    return truncated_identifier(f"{name}_{short_hash('the upsert')}") if name in taken else name


def constraint_from_index(
    dialect: Dialect, table: TableName, offered: Offered, index: Candidate
) -> str | None:
    """Return the statement that makes a constraint of a unique index, under its name; None: PostgreSQL makes none.

    It takes whole columns in their default order (index_create.c, ``USING INDEX``).
    """
    descends = " DESC" in (index.definition or "") or " NULLS FIRST" in (index.definition or "")
    plain = index.unique and index.valid and index.is_plain and not descends
    if database_for(dialect) is not POSTGRESQL or not plain or offered.traits.relation != "table":
        return None
    name = named(dialect, index.name)
    return f"ALTER TABLE {_relation(dialect, table, offered)} ADD CONSTRAINT {name} UNIQUE USING INDEX {name};"


def _on_postgresql(dialect: Dialect, order: ArbiterOrder) -> tuple[str, ...]:
    relation, name = (
        _relation(dialect, order.table, order.offered),
        named(dialect, default_name(order)),
    )
    elements = _elements(dialect, order.target)
    concurrently = "CONCURRENTLY " if _is_concurrent(order) else ""
    index = f"CREATE UNIQUE INDEX {concurrently}{name} ON {relation} ({elements}){where_sql(order.target.predicate)};"
    if not _is_constraint(order.target):
        return (index,)
    if concurrently:
        return (index, f"ALTER TABLE {relation} ADD CONSTRAINT {name} UNIQUE USING INDEX {name};")
    return (f"ALTER TABLE {relation} ADD CONSTRAINT {name} UNIQUE ({elements});",)


def _without_deferrable(dialect: Dialect, order: ArbiterOrder) -> tuple[str, ...]:
    relation = _relation(dialect, order.table, order.offered)
    wanted = frozenset(order.target.elements)
    fitting = [c for c in order.offered.candidates if frozenset(c.elements) == wanted and c.valid]
    late = [c for c in fitting if not c.immediate]
    drops = [f"DROP CONSTRAINT {named(dialect, c.name)}" for c in late]
    if any(c.unique and c.immediate and not c.partial for c in fitting) or not late:
        return (f"ALTER TABLE {relation} {', '.join(drops)};",) if drops else ()
    return _immediate_again(dialect, order, late[0], drops)


def _immediate_again(
    dialect: Dialect, order: ArbiterOrder, deferrable: Candidate, drops: Sequence[str]
) -> tuple[str, ...]:
    """The constraint once more, under its name and not DEFERRABLE."""
    relation, name = _relation(dialect, order.table, order.offered), named(dialect, deferrable.name)
    kind = "PRIMARY KEY" if deferrable.kind is Kind.PRIMARY_KEY else "UNIQUE"
    distinct = " NULLS NOT DISTINCT" if deferrable.nulls_not_distinct else ""
    carried = ", ".join(named(dialect, column) for column in deferrable.include)
    body = f"({_elements_of(dialect, deferrable)})" + (f" INCLUDE ({carried})" if carried else "")
    if not _is_concurrent(order):
        actions = ", ".join([*drops, f"ADD CONSTRAINT {name} {kind}{distinct} {body}"])
        return (f"ALTER TABLE {relation} {actions};",)
    built = named(dialect, truncated_identifier(f"{deferrable.name}_immediate"))
    actions = ", ".join([*drops, f"ADD CONSTRAINT {name} {kind} USING INDEX {built}"])
    return (
        f"CREATE UNIQUE INDEX CONCURRENTLY {built} ON {relation} {body}{distinct};",
        f"ALTER TABLE {relation} {actions};",
    )


def _of_invalid(dialect: Dialect, order: ArbiterOrder, invalid: Candidate) -> tuple[str, ...]:
    index = named(dialect, _schema(order.table, order.offered), invalid.name)
    if order.offered.traits.relation == "table":
        return (f"REINDEX INDEX CONCURRENTLY {index};",)
    # one of a partitioned table is INVALID until each partition has its part
    relation = _relation(dialect, order.table, order.offered)
    drop = f"DROP INDEX {index};"
    if invalid.kind is not Kind.INDEX:
        drop = f"ALTER TABLE {relation} DROP CONSTRAINT {named(dialect, invalid.name)};"
    return (drop, *_on_postgresql(dialect, order))


def _anywhere(dialect: Dialect, order: ArbiterOrder) -> tuple[str, ...]:
    relation = named(dialect, *order.table)
    name, elements = named(dialect, default_name(order)), _elements(dialect, order.target)
    if not database_for(dialect).predicate_options:
        if order.target.predicate is not None:
            return ()
        return (f"ALTER TABLE {relation} ADD CONSTRAINT {name} UNIQUE ({elements});",)
    # the index of an attached database is named with it, and its table is not
    index = named(dialect, order.table.schema, default_name(order))
    bare = named(dialect, order.table.name)
    return (
        f"CREATE UNIQUE INDEX {index} ON {bare} ({elements}){where_sql(order.target.predicate)};",
    )


def _is_concurrent(order: ArbiterOrder) -> bool:
    return order.has_rows and order.offered.traits.relation == "table"


def _is_constraint(target: ConflictTarget) -> bool:
    """Whether a constraint can serve it: it holds whole columns, with nothing named beside them."""
    return target.predicate is None and all(
        e.column is not None and e.collation is None and e.opclass is None for e in target.elements
    )


def _schema(table: TableName, offered: Offered) -> str | None:
    if table.schema is not None:
        return table.schema
    return offered.home if is_tenant_schema(offered.home) else None


def _relation(dialect: Dialect, table: TableName, offered: Offered) -> str:
    return named(dialect, _schema(table, offered), table.name)


def _elements_of(dialect: Dialect, candidate: Candidate) -> str:
    return ", ".join(named(dialect, e.column) for e in candidate.elements)


def _elements(dialect: Dialect, target: ConflictTarget) -> str:
    # columns as a person writes them; everything else as it is in an index
    plain: Sequence[str] = [
        named(dialect, e.column)
        if e.column is not None and e.collation is None and e.opclass is None
        else element_sql(dialect, e)
        for e in target.elements
    ]
    return ", ".join(plain)
