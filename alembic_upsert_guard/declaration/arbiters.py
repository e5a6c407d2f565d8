"""The one arbiter that a table holds for a key: found, or attached under a name that lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from sqlalchemy import (
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from ..findings import NOT_DEFERRABLE_HINT, deferrable_fact
from ..inference import Candidate, ConflictTarget, Nulls, enforce_same_uniqueness
from .candidates import arbiter_as_candidate
from .default_names import free_name
from .elements import (
    is_nullable,
    label_of,
    table_column,
)
from .errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.sql.elements import ClauseElement


__all__ = [
    "Arbiter",
    "Nulls",
    "arbiter_as_candidate",
    "arbiters_of",
    "attach_arbiter",
    "declared_arbiter",
    "detach",
    "reattach",
]

Arbiter: TypeAlias = "PrimaryKeyConstraint | UniqueConstraint | Index"


def declared_arbiter(table: Table, target: ConflictTarget, nulls: Nulls) -> Arbiter | None:
    """Return the arbiter that the table declares with the key's own uniqueness; None: it declares none.

    :raises DeclarationError: a deferrable one stands there, alone or beside a good one: ON CONFLICT fails on
     it with 55000 either way.
    """
    found: Arbiter | None = None
    for arbiter in arbiters_of(table):
        if not isinstance(arbiter, Index) and len(arbiter.columns) != len(target.elements):
            continue  # a constraint holds no column twice
        candidate = arbiter_as_candidate(arbiter)
        if frozenset(candidate.elements) != frozenset(target.elements):
            continue
        if not candidate.immediate:
            name = f"{candidate.name or 'a unique constraint'} on the same columns"
            raise DeclarationError(
                f"{label_of(table, target)} cannot be upserted on: {deferrable_fact(name)}; {NOT_DEFERRABLE_HINT}"
            )
        if found is None and _serves(candidate, target, nulls, table):
            found = arbiter
    return found


def arbiters_of(table: Table) -> Iterator[Arbiter]:
    """Return every arbiter of the table: primary key, constraints, unique indexes; each group by name."""
    if table.primary_key.columns:
        yield table.primary_key
    constraints = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    yield from sorted(constraints, key=_by_name)
    yield from sorted((i for i in table.indexes if i.unique), key=_by_name)


def _by_name(arbiter: Arbiter) -> str:
    return str(arbiter.name or "")


def _serves(candidate: Candidate, target: ConflictTarget, nulls: Nulls, table: Table) -> bool:
    # nulls          | the arbiter's NULL mode that fits, where a key column is nullable
    # warn, forbid   | either: the key does not say, or lets no NULL in
    # distinct       | the default one
    # not_distinct   | NULLS NOT DISTINCT
    modes = {"distinct": (False,), "not_distinct": (True,)}.get(nulls, (False, True))
    nullable = is_nullable(table, target)
    return any(
        enforce_same_uniqueness(
            candidate,
            Candidate(
                None,
                target.elements,
                partial=target.predicate is not None,
                predicate=target.predicate,
                nulls_not_distinct=mode,
            ),
            nullable=nullable,
        )
        for mode in modes
    )


def attach_arbiter(
    table: Table,
    elements: Sequence[ClauseElement],
    where: ClauseElement | None,
    target: ConflictTarget,
    *,
    name: str | None,
    nulls_not_distinct: bool,
    as_index: bool,
) -> Arbiter:
    """Attach a real constraint or index for the key, and return it."""
    options: dict[str, Any] = {"postgresql_nulls_not_distinct": True} if nulls_not_distinct else {}
    only_index = where is not None or any(e.column is None for e in target.elements)
    if only_index or as_index:
        if where is not None:
            options |= {"postgresql_where": where, "sqlite_where": where}
        return Index(
            name or free_name(table, elements, target),
            *cast("Sequence[Any]", elements),
            unique=True,
            _table=table,
            **options,
        )
    columns = [table_column(table, e.column) for e in target.elements if e.column is not None]
    # columns that have a table attach the constraint to it
    return UniqueConstraint(*columns, name=name or free_name(table, elements, target), **options)


def detach(table: Table, arbiter: Arbiter) -> None:
    """Take the arbiter off the table."""
    if isinstance(arbiter, Index):
        table.indexes.discard(arbiter)
    else:
        table.constraints.discard(arbiter)


def reattach(table: Table, arbiter: Arbiter) -> None:
    """Put back what :func:`detach` took off; no event is fired."""
    if isinstance(arbiter, Index):
        table.indexes.add(arbiter)
    else:
        table.constraints.add(arbiter)
