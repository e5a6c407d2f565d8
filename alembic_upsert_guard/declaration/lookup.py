"""Declared keys, read back: as values, and as the conflict target of an upsert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData

from ..errors import UndeclaredUpsertKeyError
from ..sqltext import literal_sql
from .declaration import declarations_of
from .elements import bound_to, checked_target, element_on, label_of, sql_expression, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table

    from .declaration import Declaration, DeclaredUpsertKey

__all__ = ["conflict_target", "declared_upsert_keys"]


def declared_upsert_keys(metadata_or_table: Any) -> tuple[DeclaredUpsertKey, ...]:
    """Return every declared key, sorted by schema, table, elements and predicate.

    :param metadata_or_table: a ``MetaData``, a ``Table`` or a mapped class.
    """
    tables: Iterable[Table] = (
        metadata_or_table.tables.values()
        if isinstance(metadata_or_table, MetaData)
        else (table_of(metadata_or_table),)
    )
    keys = [declaration.on(table) for table in tables for declaration in declarations_of(table)]
    keys.sort(key=lambda key: (key.schema or "", key.table, key.elements, key.where or ""))
    return tuple(keys)


def conflict_target(table_or_class: Any, *elements: Any, where: Any = None) -> dict[str, Any]:
    """Return the conflict target of a declared key as keyword arguments.

    They are those of ``on_conflict_do_update`` and ``on_conflict_do_nothing`` on PostgreSQL and SQLite:
    ``index_elements``, with plain columns as ``str`` in declared order, and ``index_where`` for a partial key.
    MySQL's ``on_duplicate_key_update`` takes no target, and none of these.
    No value in them is bound: PostgreSQL infers a partial index only from literals once the plan of a
    prepared statement turns generic (42P10, with asyncpg from the sixth execution on).

    :param elements: which key, in any order; none: the only one that the table declares.
    :param where: the predicate, where keys differ in nothing else.
    :raises UndeclaredUpsertKeyError: when no declared key fits, or several do.
    """
    table = table_of(table_or_class)
    found = declarations_of(table)
    fitting = found
    if elements:
        wanted = checked_target(table, tuple(element_on(table, e) for e in elements), None)
        fitting = [d for d in found if frozenset(d.target.elements) == frozenset(wanted.elements)]
    if where is not None:
        predicate = literal_sql(bound_to(table, sql_expression(where)))
        fitting = [d for d in fitting if d.target.predicate == predicate]
    elif elements and len(fitting) > 1:
        fitting = [d for d in fitting if d.target.predicate is None]
    if len(fitting) != 1:
        raise UndeclaredUpsertKeyError(_no_single_key(table, elements, found))
    return fitting[0].conflict_arguments()


def _no_single_key(table: Table, elements: Sequence[Any], found: Sequence[Declaration]) -> str:
    wanted = f" on ({', '.join(map(str, elements))})" if elements else ""
    if not found:
        columns = ", ".join(f'"{e}"' for e in elements) or "..."
        return f"table {table.fullname!r} declares no upsert key: add UpsertKey({columns}) to its __table_args__"
    listed = "; ".join(label_of(table, d.target) for d in found)
    return (
        f"no single upsert key of table {table.fullname!r} fits{wanted}: name the elements, and where= for a partial "
        f"key, of one of these: {listed}"
    )
