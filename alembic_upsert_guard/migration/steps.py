"""From the steps of a repair to Alembic's operations, each with a reverse that loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.operations.ops import (
    AddConstraintOp,
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    DropIndexOp,
    MigrateOperation,
)
from sqlalchemy import Index

from ..databases import database_for
from ..declaration import as_index_element
from ..inference import Candidate, Kind
from ..names import name_of_unnamed
from ..rows import can_deduplicate, newest_by
from ..sqltext import literal_sql, sql_as_text
from .operations import (
    DropByDefinitionOp,
    DropIndexByDefinitionOp,
    DropInvalidConstraintOp,
    DropInvalidIndexOp,
    ValidateUpsertKeyOp,
    VerifyUpsertKeyOp,
)
from .repair import Action

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.elements import TextClause

    from ..declaration import Arbiter, Declaration
    from ..inference import Code
    from ..verdict.inspected import InspectedKey
    from .repair import Repair

__all__ = ["is_hidden", "operations_of"]


def operations_of(
    dialect: Dialect, key: InspectedKey, repair: Repair, creation: MigrateOperation | None
) -> tuple[list[MigrateOperation], VerifyUpsertKeyOp | None]:
    """Return the repair as Alembic's operations, and the verification that comes after all of the table's."""
    assert repair.shortfall is not None  # noqa: S101 - a repair with steps has a reason
    sequence: list[MigrateOperation] = []
    verification: VerifyUpsertKeyOp | None = None
    for step in repair.steps:
        if step.action is Action.VALIDATE:
            sequence.append(_validation(dialect, key, repair.shortfall.code))
        elif step.action is Action.CREATE:
            sequence.append(_named(dialect, key, repair, creation or _creation_of(key.arbiter)))
        elif step.action is Action.VERIFY:
            verification = _verification(dialect, key, repair.shortfall.code)
        elif step.candidate is not None:
            sequence.append(_drop_of(key, step.candidate))
    return sequence, verification


def _validation(dialect: Dialect, key: InspectedKey, code: Code) -> ValidateUpsertKeyOp:
    elements, where = _as_directive(dialect, key.declaration)
    if key.declaration.attached_its_own(key.table):
        # rows are compared and no index is named: an operator class would be a syntax error
        elements = [
            made.column or sql_as_text(str(made.expression))
            if made.opclass is not None
            else element
            for element, made in zip(elements, key.wanted.elements, strict=True)
        ]
    return ValidateUpsertKeyOp(
        key.table.name,
        elements,
        schema=key.table.schema,
        where=where,
        nulls=key.declaration.nulls,
        code=str(code),
        suggested_order=()
        if not can_deduplicate(dialect)
        else newest_by(
            [(c.name, c.type, bool(c.nullable)) for c in key.table.columns],
            [column.name for column in key.table.primary_key],
            key.target,
        ),
        foreign_keys=_foreign_keys_served(dialect, key),
    )


def _foreign_keys_served(dialect: Dialect, key: InspectedKey) -> list[tuple[str, ...]]:
    """The columns of foreign keys that the key's index begins with, where the database needs an index for each."""
    if not database_for(dialect).keeps_foreign_keys_indexed or key.wanted.kind is Kind.PRIMARY_KEY:
        return []
    begins = {key.wanted.labels[:width] for width in range(1, len(key.wanted.labels) + 1)}
    columns = [tuple(f.column_keys) for f in key.table.foreign_key_constraints]
    return sorted({each for each in columns if each in begins})


def _verification(dialect: Dialect, key: InspectedKey, code: Code) -> VerifyUpsertKeyOp:
    elements, where = _as_directive(dialect, key.declaration)
    columns = ", ".join(key.target.labels)
    return VerifyUpsertKeyOp(
        key.table.name,
        elements,
        schema=key.table.schema,
        where=where,
        code=str(code),
        comment=(
            f"put the primary key change here: upserts on ({columns}) need it, and Alembic does not",
            "compare primary keys. The next line fails until the database has an arbiter for them.",
        ),
    )


def _as_directive(
    dialect: Dialect, declaration: Declaration
) -> tuple[list[str | TextClause], TextClause | None]:
    elements: list[str | TextClause] = [
        element.column
        if element.column is not None
        else sql_as_text(literal_sql(as_index_element(clause), dialect))
        for element, clause in zip(declaration.target.elements, declaration.elements, strict=True)
    ]
    where = declaration.where
    return elements, None if where is None else sql_as_text(literal_sql(where, dialect))


def _creation_of(arbiter: Arbiter) -> MigrateOperation:
    if isinstance(arbiter, Index):
        return CreateIndexOp.from_index(arbiter)
    return AddConstraintOp.from_constraint(arbiter)


def _named(
    dialect: Dialect, key: InspectedKey, repair: Repair, creation: MigrateOperation
) -> MigrateOperation:
    """The creation, under a name where the model states none: Alembic cannot drop it again otherwise."""
    if isinstance(creation, CreateUniqueConstraintOp) and creation.constraint_name is None:
        gone = {step.candidate for step in repair.steps}
        creation.constraint_name = name_of_unnamed(
            key.table.name,
            key.wanted.labels,
            database=database_for(dialect),
            taken={candidate.name for candidate in key.offered if candidate not in gone},
        )
    return creation


def _drop_of(key: InspectedKey, candidate: Candidate) -> MigrateOperation:
    """The drop of what the database has, with a reverse that makes exactly the same again."""
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
        options["postgresql_include"] = list(candidate.include)
    again = CreateUniqueConstraintOp(name, table, list(candidate.labels), schema=schema, **options)
    if not candidate.valid:
        return DropInvalidConstraintOp(
            name, table, type_="unique", schema=schema, if_exists=True, _reverse=again
        )
    return DropConstraintOp(name, table, type_="unique", schema=schema, _reverse=again)


def is_hidden(context: AutogenContext, key: InspectedKey, op: MigrateOperation) -> bool:
    """Return whether the user's filters keep autogenerate from touching what `op`, one of ours, touches."""
    item: Any
    name: Any
    if isinstance(op, DropByDefinitionOp):
        return False  # Alembic knows no exclusion constraints, and no filter is asked about one
    if isinstance(op, DropIndexOp):
        item, name, kind, reflected = op.to_index(), op.index_name, "index", True
    elif isinstance(op, DropConstraintOp):
        item, name, kind, reflected = (
            op.to_constraint(),
            op.constraint_name,
            "unique_constraint",
            True,
        )
    elif isinstance(op, CreateIndexOp | CreateUniqueConstraintOp):
        kind = "index" if isinstance(key.arbiter, Index) else "unique_constraint"
        item, name, reflected = key.arbiter, key.arbiter.name, False
    else:
        return False
    parents: Any = {"table_name": key.table.name, "schema_name": key.table.schema}
    kind_: Any = kind
    if reflected and not context.run_name_filters(name, kind_, parents):
        return True
    return not context.run_object_filters(item, name, kind_, reflected, None)
