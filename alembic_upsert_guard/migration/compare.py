"""The comparators: a mark on each table that declares a key, and one pass over the marks at the end.

One pass, because only then is every operation there (Alembic compares constraints, then dropped columns) and
because the catalog is then read once for all tables.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from alembic.operations.ops import (
    AddColumnOp,
    AddConstraintOp,
    AlterColumnOp,
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
    ExecuteSQLOp,
    MigrateOperation,
    ModifyTableOps,
    UpgradeOps,
)
from alembic.util import CommandError, PriorityDispatchResult
from sqlalchemy import Index
from sqlalchemy.sql.elements import ClauseElement, TextClause

from ..catalog import catalog_for
from ..declaration import Arbiter, arbiter_as_candidate, declarations_of
from ..findings import shortfall_fact
from ..inference import Candidate, Code, Kind, enforce_same_uniqueness
from ..inspection import InspectedKey, inspect_keys
from ..sqltext import escape_colons, literal_sql, sql_as_text
from .operations import (
    CreateArbiterIndexOp,
    DropInvalidIndexOp,
    GuardedTableOp,
    UpsertKeyOp,
    ValidateUpsertKeyOp,
    VerifyUpsertKeyOp,
)
from .repair import Action, KeyState, Repair, plan_repair
from .toimpl import LOGGER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Table

    from ..declaration import Declaration

__all__ = ["guard_tables", "mark_table"]

log = logging.getLogger(LOGGER)


def mark_table(
    _: AutogenContext,
    modify_ops: ModifyTableOps,
    __: str | None,
    ___: str,
    conn_table: Table | None,
    metadata_table: Table | None,
) -> PriorityDispatchResult:
    """Leave a mark among the operations of a table that declares a key (target ``"table"``)."""
    if metadata_table is not None and declarations_of(metadata_table):
        modify_ops.ops.append(GuardedTableOp(conn_table, metadata_table))
    return PriorityDispatchResult.CONTINUE


def guard_tables(context: AutogenContext, upgrade_ops: UpgradeOps) -> PriorityDispatchResult:
    """Put right what the marked tables' keys need (target ``"autogenerate"``, after everything else)."""
    marked = dict(_take_marks(upgrade_ops))
    if not marked:
        return PriorityDispatchResult.CONTINUE
    for mark in marked.values():
        _note_declarations(context, mark.metadata_table)
    _keep_sql(context, marked)
    existing = {
        mark.metadata_table: ops for ops, mark in marked.items() if mark.conn_table is not None
    }
    if catalog_for(context.dialect.name) is None:
        log.warning(
            "unknown-dialect: %s is not a database that upsert keys can be judged on; nothing was checked",
            context.dialect.name,
        )
    elif existing and context.connection is not None:
        for key in inspect_keys(context.connection, existing):
            _guard(context, upgrade_ops, existing[key.table], key)
    _settle(context, upgrade_ops)
    return PriorityDispatchResult.CONTINUE


def _take_marks(upgrade_ops: UpgradeOps) -> Iterator[tuple[ModifyTableOps, GuardedTableOp]]:
    for ops in upgrade_ops.ops:
        if isinstance(ops, ModifyTableOps):
            marks = [op for op in ops.ops if isinstance(op, GuardedTableOp)]
            if marks:
                ops.ops = [op for op in ops.ops if op not in marks]
                yield ops, marks[0]


def _note_declarations(context: AutogenContext, table: Table) -> None:
    for declaration in declarations_of(table):
        told = _told(table, declaration)
        reason = declaration.unsupported_by(context.dialect)
        if reason is not None:
            raise CommandError(f"{told} {reason}")
        nullable = declaration.nullable_columns(table)
        if declaration.nulls == "warn" and nullable:
            log.warning(
                "nullable-key: %s: %s may hold NULL, and NULLs never conflict: such rows double. "
                'Make it NOT NULL, or state nulls="distinct", "forbid" or (PostgreSQL 15) "not_distinct"',
                told,
                ", ".join(nullable),
            )


# -- one key


def _guard(
    context: AutogenContext, upgrade_ops: UpgradeOps, table_ops: ModifyTableOps, key: InspectedKey
) -> None:
    creation = _creation(context, table_ops, key)
    drops = _drops(table_ops, key)
    repair = plan_repair(
        KeyState(
            key.target,
            key.wanted,
            owned=key.declaration.owns(key.arbiter),
            offered=key.offered,
            dropped=frozenset(drops),
            created=creation is not None,
            compared=key.compared,
            nullable=key.nullable,
        )
    )
    if repair.adopted:
        _adopt(table_ops, key, repair.adopted, creation, drops)
        creation = None
    if repair.shortfall is None:
        return
    told = _told(key.table, key.declaration)
    fact = shortfall_fact(key.target, repair.shortfall)
    if not repair.steps:
        log.warning("%s: %s: %s", repair.shortfall.code, told, fact)
        return
    sequence, verification = _operations(context, key, repair, creation)
    hidden = [op for op in sequence if op is not creation and _is_hidden(context, key, op)]
    if hidden:
        log.info(
            "Left %s alone (%s: %s): include_object or include_name hides it",
            told,
            repair.shortfall.code,
            fact,
        )
        return
    log.info(
        "Detected %s on %s: %s%s", repair.shortfall.code, told, fact, _caveat(context, sequence)
    )
    dropped = {step.candidate for step in repair.steps if step.action is Action.DROP}
    replaced = [op for candidate, op in drops.items() if candidate in dropped]
    if creation is not None:
        replaced.append(creation)
    _splice(table_ops, sequence, replaced)
    if verification is not None:
        position = upgrade_ops.ops.index(table_ops)
        upgrade_ops.ops.insert(position + 1, verification)


def _creation(
    context: AutogenContext, table_ops: ModifyTableOps, key: InspectedKey
) -> MigrateOperation | None:
    """The operation that creates the key's arbiter, whoever produced it."""
    wanted = arbiter_as_candidate(key.arbiter, context.dialect)
    for op in table_ops.ops:
        made: Arbiter
        if isinstance(op, CreateUniqueConstraintOp):
            made = op.to_constraint(context.migration_context)
        elif isinstance(op, CreateIndexOp) and op.unique:
            made = op.to_index(context.migration_context)
        else:
            continue
        candidate = arbiter_as_candidate(made, context.dialect)
        if candidate.immediate and enforce_same_uniqueness(
            candidate, wanted, nullable=key.nullable
        ):
            return op
    return None


def _drops(table_ops: ModifyTableOps, key: InspectedKey) -> dict[Candidate, MigrateOperation]:
    """What Alembic's operations drop of what the database offers."""
    found: dict[Candidate, MigrateOperation] = {}
    for op in table_ops.ops:
        name: Any
        columns: frozenset[str] | None = None
        if isinstance(op, DropIndexOp):
            name = op.index_name
        elif isinstance(op, DropConstraintOp) and op.constraint_type == "unique":
            name = op.constraint_name
            constraint = cast("Any", op.to_constraint())
            columns = frozenset(column.name for column in constraint.columns)
        else:
            continue
        for candidate in key.offered:
            # SQLite's catalog does not tell the names of constraints: there they go by their columns
            unnamed = (
                columns is not None
                and candidate.kind is Kind.CONSTRAINT
                and not candidate.definition
            )
            if candidate.name == name or (unnamed and columns == frozenset(candidate.labels)):
                found[candidate] = op
    return found


def _adopt(
    table_ops: ModifyTableOps,
    key: InspectedKey,
    adopted: Sequence[Candidate],
    creation: MigrateOperation | None,
    drops: dict[Candidate, MigrateOperation],
) -> None:
    """Take out what Alembic would do to arbiters that serve as they are, and its creation of another."""
    needless = [op for candidate, op in drops.items() if candidate in adopted]
    if creation is not None:
        needless.append(creation)
    if needless:
        table_ops.ops = [op for op in table_ops.ops if op not in needless]
        names = ", ".join(str(candidate.name) for candidate in adopted)
        log.info("Kept %s: it serves %s", names, _told(key.table, key.declaration))


def _operations(
    context: AutogenContext, key: InspectedKey, repair: Repair, creation: MigrateOperation | None
) -> tuple[list[MigrateOperation], VerifyUpsertKeyOp | None]:
    """The repair as Alembic's operations, and the verification that comes after the table's own."""
    assert repair.shortfall is not None  # noqa: S101 - a repair with steps has a reason
    sequence: list[MigrateOperation] = []
    verification = None
    for step in repair.steps:
        if step.action is Action.VALIDATE:
            sequence.append(_validation(context, key, repair.shortfall.code))
        elif step.action is Action.CREATE:
            sequence.append(creation or _creation_of(key.arbiter))
        elif step.action is Action.VERIFY:
            verification = _verification(context, key, repair.shortfall.code)
        elif step.candidate is not None:
            sequence.append(_drop_of(key, step.candidate))
    return sequence, verification


def _validation(context: AutogenContext, key: InspectedKey, code: Code) -> ValidateUpsertKeyOp:
    elements, where = _as_directive(context, key.declaration)
    return ValidateUpsertKeyOp(
        key.table.name,
        elements,
        schema=key.table.schema,
        where=where,
        nulls=key.declaration.nulls,
        code=str(code),
    )


def _verification(context: AutogenContext, key: InspectedKey, code: Code) -> VerifyUpsertKeyOp:
    elements, where = _as_directive(context, key.declaration)
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
    context: AutogenContext, declaration: Declaration
) -> tuple[list[str | TextClause], TextClause | None]:
    elements: list[str | TextClause] = [
        element.column
        if element.column is not None
        else sql_as_text(literal_sql(clause, context.dialect))
        for element, clause in zip(declaration.target.elements, declaration.elements, strict=True)
    ]
    where = declaration.where
    return elements, None if where is None else sql_as_text(literal_sql(where, context.dialect))


def _creation_of(arbiter: Arbiter) -> MigrateOperation:
    if isinstance(arbiter, Index):
        return CreateIndexOp.from_index(arbiter)
    return AddConstraintOp.from_constraint(arbiter)


def _drop_of(key: InspectedKey, candidate: Candidate) -> MigrateOperation:
    """The drop of what the database has, with a reverse that makes exactly the same again."""
    table, schema = key.table.name, key.table.schema
    name = str(candidate.name)
    if not candidate.valid:
        # databases that share the history need not share the accident, and a downgrade does not repeat it
        return DropInvalidIndexOp(name, table, schema=schema, if_exists=True)
    if candidate.kind is Kind.INDEX:
        return _DropIndexByDefinitionOp(name, table, schema=schema, definition=candidate.definition)
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
    return DropConstraintOp(name, table, type_="unique", schema=schema, _reverse=again)


class _DropIndexByDefinitionOp(DropIndexOp):
    """The drop of an index whose every clause only the database's own statement states."""

    def __init__(
        self, index_name: str, table_name: str, *, schema: str | None, definition: str | None
    ) -> None:
        super().__init__(index_name, table_name, schema=schema)
        self._definition = definition

    def reverse(self) -> Any:
        """Return the execution of the statement that the database printed."""
        return ExecuteSQLOp(escape_colons(self._definition or ""))


def _is_hidden(context: AutogenContext, key: InspectedKey, op: MigrateOperation) -> bool:
    """Whether the user's filters keep autogenerate from touching what `op`, one of ours, touches."""
    item: Any
    name: Any
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


def _caveat(context: AutogenContext, sequence: Sequence[MigrateOperation]) -> str:
    if (
        context.dialect.name == "sqlite"
        and not context.opts.get("render_as_batch")
        and any(isinstance(op, CreateUniqueConstraintOp) for op in sequence)
    ):
        return (
            "; SQLite cannot add a constraint to a table: set render_as_batch=True in env.py, or declare the key "
            "with as_index=True"
        )
    return ""


def _told(table: Table, declaration: Declaration) -> str:
    target = declaration.target
    predicate = "" if target.predicate is None else f" WHERE {target.predicate}"
    return f"upsert key {table.fullname} ({', '.join(target.labels)}){predicate}"


# -- the lists of operations


def _splice(
    table_ops: ModifyTableOps,
    sequence: Sequence[MigrateOperation],
    replaced: Sequence[MigrateOperation],
) -> None:
    """Put `sequence` where the last of `replaced` stood, or else before columns are dropped."""
    before = table_ops.ops
    places = [before.index(op) for op in replaced] or [
        i for i, op in enumerate(before) if isinstance(op, DropColumnOp)
    ][:1]
    at = max(places, default=len(before))
    table_ops.ops = [
        *(op for op in before[:at] if op not in replaced),
        *sequence,
        *(op for op in before[at:] if op not in replaced),
    ]


def _keep_sql(context: AutogenContext, marked: dict[ModifyTableOps, GuardedTableOp]) -> None:
    """Render arbiters whose SQL Alembic would garble ourselves, those of new tables too."""
    for table_ops, mark in marked.items():
        table = mark.metadata_table
        names = {str(d.arbiter(table).name) for d in declarations_of(table)}
        table_ops.ops = [
            _with_own_renderer(op)
            if isinstance(op, CreateIndexOp)
            and str(op.index_name) in names
            and _is_garbled(context, op)
            else op
            for op in table_ops.ops
        ]


def _is_garbled(context: AutogenContext, op: CreateIndexOp) -> bool:
    clauses = [part for part in (*op.columns, *op.kw.values()) if isinstance(part, ClauseElement)]
    sql = "".join(literal_sql(clause, context.dialect) for clause in clauses)
    return "%" in sql or ":" in sql


def _with_own_renderer(op: CreateIndexOp) -> CreateArbiterIndexOp:
    return CreateArbiterIndexOp(
        op.index_name,
        op.table_name,
        op.columns,
        schema=op.schema,
        unique=op.unique,
        if_not_exists=op.if_not_exists,
        **op.kw,
    )


def _settle(context: AutogenContext, upgrade_ops: UpgradeOps) -> None:
    """Leave no empty list behind, and no check inside a batch block."""
    settled: list[MigrateOperation] = []
    for op in upgrade_ops.ops:
        if not isinstance(op, ModifyTableOps):
            settled.append(op)
        elif context.opts.get("render_as_batch"):
            settled += _lifted_out(op)
        elif op.ops:
            settled.append(op)
    upgrade_ops.ops = settled


def _lifted_out(table_ops: ModifyTableOps) -> Iterator[MigrateOperation]:
    """The block with its checks before it, or between two parts of it.

    A batch block is applied when it is left: a check inside it would read the table as it was. Where the key
    needs a column that the block adds or changes, the check stands after that part.
    """
    block: list[MigrateOperation] = []
    for op in table_ops.ops:
        if not isinstance(op, UpsertKeyOp):
            block.append(op)
            continue
        if _prepares(block, op):
            yield ModifyTableOps(table_ops.table_name, block, schema=table_ops.schema)
            block = []
        yield op
    if block:
        yield ModifyTableOps(table_ops.table_name, block, schema=table_ops.schema)


def _prepares(block: Sequence[MigrateOperation], check: UpsertKeyOp) -> bool:
    touched = {op.column.name for op in block if isinstance(op, AddColumnOp)}
    touched |= {op.column_name for op in block if isinstance(op, AlterColumnOp)}
    # SQL may name any of them
    any_sql = check.where is not None or any(not isinstance(e, str) for e in check.elements)
    return bool(touched) if any_sql else not touched.isdisjoint(map(str, check.elements))
