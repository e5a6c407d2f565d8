"""The drop of what the database has, with a way back that makes exactly the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.operations.ops import CreateUniqueConstraintOp, DropConstraintOp

from ...inference import Kind
from ..operations import (
    INCLUDE,
    DropByDefinitionOp,
    DropIncludingConstraintOp,
    DropIndexByDefinitionOp,
    DropInvalidConstraintOp,
    DropInvalidIndexOp,
)

if TYPE_CHECKING:
    from alembic.operations.ops import MigrateOperation

    from ...inference import Candidate
    from ...verdict.inspected import InspectedKey

__all__ = ["drop_of"]


def drop_of(key: InspectedKey, candidate: Candidate) -> MigrateOperation:
    """Return the drop of a candidate of the key's table."""
    table, schema = key.table.name, key.table.schema
    name = str(candidate.name)
    if candidate.kind is Kind.INDEX and not candidate.valid:
        # databases that share the history need not share the accident, and a downgrade does not repeat it
        return DropInvalidIndexOp(name, table, schema=schema, if_exists=True)
    if candidate.kind is Kind.INDEX:
        definition = str(candidate.definition)
        return DropIndexByDefinitionOp(name, table, schema=schema, definition=definition)
    if not candidate.unique:
        definition = str(candidate.definition)
        return DropByDefinitionOp(name, table, schema=schema, definition=definition)
    options: dict[str, Any] = {}
    if not candidate.immediate:
        options["deferrable"] = True
        if candidate.initially_deferred:
            options["initially"] = "DEFERRED"
    if candidate.nulls_not_distinct:
        options["postgresql_nulls_not_distinct"] = True
    if candidate.include:
        options[INCLUDE] = list(candidate.include)
    again = CreateUniqueConstraintOp(name, table, list(candidate.labels), schema=schema, **options)
    if not candidate.valid:
        return DropInvalidConstraintOp(
            name, table, type_="unique", schema=schema, if_exists=True, _reverse=again
        )
    kind = DropIncludingConstraintOp if candidate.include else DropConstraintOp
    return kind(name, table, type_="unique", schema=schema, _reverse=again)
