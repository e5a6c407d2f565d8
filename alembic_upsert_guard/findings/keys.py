"""How messages name a key, and many schemas of which the same is to be said."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

__all__ = [
    "FEW_SCHEMAS",
    "alike",
    "describe_key",
    "describe_schemas",
    "describe_target",
    "describe_upsert",
    "is_tenant_schema",
    "qualified",
]

_Item = TypeVar("_Item")

FEW_SCHEMAS = 3
"""As many schemas are reported one by one; more, as where each tenant has one, together."""


def describe_key(table: str, elements: Sequence[str], where: str | None) -> str:
    """Return the subject of a sentence about the key: ``upsert key accounts (tenant, email) WHERE live``."""
    return f"upsert key {describe_target(table, elements, where)}"


def describe_target(table: str, elements: Sequence[str], where: str | None) -> str:
    """Return what an upsert names, declared or not: ``accounts (tenant, email) WHERE live``."""
    predicate = "" if where is None else f" WHERE {where.rstrip()}"
    return f"{table} ({', '.join(each.rstrip() for each in elements)}){predicate}"


def describe_upsert(
    table: str, elements: Sequence[str], where: str | None, constraint: str | None
) -> str:
    """Return the subject of a sentence about an upsert: ``the upsert into accounts (email)``.

    :param elements: empty: it names none.
    :param constraint: of ``ON CONSTRAINT``.
    """
    if constraint is not None:
        return f"the upsert into {table} on constraint {constraint}"
    return f"the upsert into {describe_target(table, elements, where) if elements else table}"


def qualified(schema: str | None, table: str) -> str:
    """Return the name of a table with its schema, where one is named."""
    return f"{schema}.{table}" if schema else table


def is_tenant_schema(schema: str | None) -> bool:
    """Return whether a message names a schema that the search path led to: a tenant's, and not ``public``."""
    return schema is not None and schema != "public" and not schema.startswith("pg_temp")


def alike(items: Sequence[_Item], same: Callable[[_Item], Hashable]) -> Iterator[list[_Item]]:
    """Yield `items` in their order, those that are the same for more than a few schemas as one list.

    :param same: what there is to say of an item, without the schema.
    """
    groups: dict[Hashable, list[_Item]] = {}
    for item in items:
        groups.setdefault(same(item), []).append(item)
    for item in items:
        group = groups[same(item)]
        if len(group) <= FEW_SCHEMAS:
            yield [item]
        elif group[0] is item:
            yield group


def describe_schemas(schemas: Sequence[str | None]) -> str:
    """Return what follows a subject without a schema; empty for a single one.

    :param schemas: each once; None is the one that the search path finds.
    """
    if len(schemas) == 1:
        return ""
    named = ", ".join("the default one" if each is None else each for each in schemas[:FEW_SCHEMAS])
    more = len(schemas) - FEW_SCHEMAS
    return f" in {len(schemas)} schemas ({named}{f' and {more} more' if more > 0 else ''})"
