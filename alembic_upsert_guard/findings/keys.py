"""How people are told of a key, everywhere alike, and of many schemas in which the same is so."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

__all__ = ["alike", "describe_key", "describe_schemas", "describe_target", "is_tenant_schema"]

_Told = TypeVar("_Told")

_FEW = 3
"""As many schemas are told of one by one; of more, as where each tenant has one, together."""


def describe_key(table: str, elements: Sequence[str], where: str | None) -> str:
    """Return the subject of a sentence about the key: ``upsert key accounts (tenant, email) WHERE live``."""
    return f"upsert key {describe_target(table, elements, where)}"


def describe_target(table: str, elements: Sequence[str], where: str | None) -> str:
    """Return what an upsert names, declared or not: ``accounts (tenant, email) WHERE live``."""
    predicate = "" if where is None else f" WHERE {where.rstrip()}"
    return f"{table} ({', '.join(each.rstrip() for each in elements)}){predicate}"


def is_tenant_schema(schema: str | None) -> bool:
    """Return whether a message names a schema that the search path led to: a tenant's, and not ``public``."""
    return schema is not None and schema != "public" and not schema.startswith("pg_temp")


def alike(told: Sequence[_Told], same: Callable[[_Told], Hashable]) -> Iterator[list[_Told]]:
    """Yield `told` in its order, what is the same for more than a few schemas in one list where its first stood.

    :param same: what there is to say, without the schema.
    """
    groups: dict[Hashable, list[_Told]] = {}
    for each in told:
        groups.setdefault(same(each), []).append(each)
    for each in told:
        group = groups[same(each)]
        if len(group) <= _FEW:
            yield [each]
        elif group[0] is each:
            yield group


def describe_schemas(schemas: Sequence[str | None]) -> str:
    """Return what stands behind a subject without a schema; empty for a single one.

    :param schemas: each once; None is the one that the search path finds.
    """
    if len(schemas) == 1:
        return ""
    named = ", ".join("the default one" if each is None else each for each in schemas[:_FEW])
    more = len(schemas) - _FEW
    return f" in {len(schemas)} schemas ({named}{f' and {more} more' if more > 0 else ''})"
