"""The comparators: a mark on each table that declares a key, and one pass over the marks at the end.

One pass, because only then is every operation there (Alembic compares constraints, then dropped columns) and
because the catalog is then read once for all tables.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    DropIndexOp,
    DropTableOp,
    MigrateOperation,
    ModifyTableOps,
    UpgradeOps,
)
from alembic.util import CommandError, PriorityDispatchResult
from sqlalchemy import Index
from sqlalchemy.sql.elements import ClauseElement

from ..catalog import TableName, catalog_for
from ..catalog.postgresql import server_version
from ..declaration import arbiter_as_candidate, declarations_of, told
from ..findings import (
    CORRECT_THE_SQL,
    NULLABLE_HINT,
    FindingCode,
    folded_fact,
    nullable_fact,
    rival_fact,
    sentences,
    shortfall_fact,
    unknown_dialect,
    unread_fact,
    without_arbiter,
    written_instead,
)
from ..inference import MYSQL_FAMILY, Candidate, Code, State, enforce_same_uniqueness, judge
from ..rows import ARCHIVE_COLUMNS
from ..sqltext import literal_sql
from ..verdict.inspected import InspectedKey, inspect_keys, verdict_on
from .concurrently import as_online
from .effects import drops, made_by, taken_by
from .lists import settle, splice
from .obstacles import obstacle_of
from .operations import (
    ArbiterRemovedOp,
    CreateArbiterIndexOp,
    DropIndexByDefinitionOp,
    DropInvalidIndexOp,
    GuardedTableOp,
    UpsertKeyOp,
    ValidateUpsertKeyOp,
)
from .repair import Action, KeyState, leaves_no_arbiter, plan_repair
from .splitting import split_when_written
from .steps import is_hidden, operations_of
from .telling import Lines
from .toimpl import LOGGER

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Table


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
    _keep_archives(upgrade_ops)
    marked = dict(_take_marks(upgrade_ops))
    if not marked:
        return PriorityDispatchResult.CONTINUE
    lines = Lines()
    for mark in marked.values():
        _note_declarations(context, mark.metadata_table, lines)
    existing = {
        mark.metadata_table: ops for ops, mark in marked.items() if mark.conn_table is not None
    }
    if catalog_for(context.dialect.name) is None:
        finding = unknown_dialect(context.dialect.name)
        log.warning("%s: %s", finding.code, finding.fact)
    elif existing and context.connection is not None:
        for table, keys in inspect_keys(context.connection, existing).items():
            lines.lives_in(table, keys[0].home)
            moved = [
                op
                for key in keys
                for op in _guard(context, upgrade_ops, existing[table], key, lines)
            ]
            _note_removals(context, existing[table], keys[0], moved, lines)
    for table_ops, mark in marked.items():
        if mark.conn_table is None:
            _create_what_alembic_skips(context, table_ops, mark.metadata_table)
        _keep_sql(context, table_ops, mark.metadata_table)
    lines.log()
    _offer_once(upgrade_ops)
    settle(context, upgrade_ops)
    return PriorityDispatchResult.CONTINUE


def _take_marks(upgrade_ops: UpgradeOps) -> Iterator[tuple[ModifyTableOps, GuardedTableOp]]:
    for ops in upgrade_ops.ops:
        if isinstance(ops, ModifyTableOps):
            marks = [op for op in ops.ops if isinstance(op, GuardedTableOp)]
            if marks:
                ops.ops = [op for op in ops.ops if op not in marks]
                yield ops, marks[0]


def _keep_archives(upgrade_ops: UpgradeOps) -> None:
    """Take out the drops of tables that hold what a deduplication moved: no model knows them, and they are data."""
    for op in [op for op in upgrade_ops.ops if isinstance(op, DropTableOp)]:
        columns = op.to_table().columns
        if all(name in columns for name in ARCHIVE_COLUMNS):
            upgrade_ops.ops.remove(op)
            log.info(
                "Kept the archive %s: drop it by hand when nobody needs its rows", op.table_name
            )


def _note_declarations(context: AutogenContext, table: Table, lines: Lines) -> None:
    for declaration in declarations_of(table):
        reason = declaration.unsupported_by(context.dialect, table)
        reason = reason or declaration.never_served_on(context.dialect, table)
        if reason is not None:
            raise CommandError(f"{told(table, declaration.target)} {reason}")
        nullable = declaration.nullable_columns(table)
        if declaration.nulls == "warn" and nullable:
            lines.warning(
                f"{FindingCode.NULLABLE_KEY}: ",
                table,
                declaration.target,
                f": {sentences(nullable_fact(nullable), NULLABLE_HINT)}",
            )


def _offer_once(upgrade_ops: UpgradeOps) -> None:
    """Leave the line that would mend the rows in front of the first schema's check alone."""
    offered = set()
    for table_ops in upgrade_ops.ops:
        for op in table_ops.ops if isinstance(table_ops, ModifyTableOps) else ():
            if isinstance(op, ValidateUpsertKeyOp):
                key = (
                    op.table_name,
                    tuple(map(str, op.elements)),
                    str(op.where),
                    op.suggested_order,
                )
                if key in offered:
                    op.suggested_order = ()
                offered.add(key)


# -- one key


def _guard(
    context: AutogenContext,
    upgrade_ops: UpgradeOps,
    table_ops: ModifyTableOps,
    key: InspectedKey,
    lines: Lines,
) -> list[MigrateOperation]:
    """Put into `table_ops` what the key needs; return what was moved to be done online, after everything else."""
    creation = _creation(context, table_ops, key)
    dropping = {c: op for op in table_ops.ops for c in key.offered if drops(op, c)}
    repair = plan_repair(
        KeyState(
            key.target,
            key.wanted,
            owned=key.declaration.owns(key.table),
            offered=key.offered,
            dropped=frozenset(dropping),
            created=creation is not None,
            compared=key.compared,
            nullable=key.nullable,
            traits=key.traits,
            attached=key.declaration.attached_its_own(key.table),
            named=key.named,
        )
    )
    _refuse_what_is_never_served(key, dropping.keys() - set(repair.adopted))
    _refuse_what_is_not_read(key, table_ops)
    if repair.adopted:
        _adopt(table_ops, key, repair.adopted, creation, dropping, lines)
        creation = None
    _note_rivals(key, dropping.keys() - set(repair.adopted))
    _note_what_no_revision_changes(key, lines, is_repaired=repair.shortfall is not None)
    if repair.shortfall is None:
        return []
    subject = (key.table, key.declaration.target)
    fact = shortfall_fact(key.target, repair.shortfall)
    refusal = obstacle_of(context, key, table_ops, repair)
    if refusal is not None:
        raise CommandError(f"{told(*subject)} {refusal}")
    if not repair.steps:
        if repair.shortfall.code is Code.UNPROVEN_ARBITER and _is_inferred(context, key):
            return []
        lines.warning(f"{repair.shortfall.code}: ", *subject, f": {fact}")
        return []
    sequence, verification = operations_of(context.dialect, key, repair, creation)
    if any(op is not creation and is_hidden(context, key, op) for op in sequence):
        lines.info(
            "Left ",
            *subject,
            f" alone ({repair.shortfall.code}: {fact}): include_object or include_name hides what would be changed",
        )
        if creation is None:
            return []
        # what Alembic creates all the same is created on checked rows
        sequence = [op for op in sequence if op is creation or isinstance(op, UpsertKeyOp)]
    else:
        caveat = _caveat(context, sequence)
        lines.info(f"Detected {repair.shortfall.code} on ", *subject, f": {fact}{caveat}")
    # Alembic's own drops of what we drop, and its creation, stand in our sequence now
    dropped = {step.candidate for step in repair.steps if step.action is Action.DROP}
    needless = [op for candidate, op in dropping.items() if candidate in dropped]
    alembics = [*needless, *filter(None, [creation])]
    # what Alembic drops of the key's own elements goes after the creation, too
    late = {op: c for c, op in dropping.items() if op not in needless and _has_elements_of(c, key)}
    ours = [op for op in sequence if isinstance(op, DropIndexOp | DropConstraintOp)]
    gone = [step.candidate for step in repair.steps if step.candidate is not None] if ours else []
    online = as_online(context, key, sequence, {**dict(zip(ours, gone, strict=True)), **late})
    moved: list[MigrateOperation] = []
    if online is None:
        splice(table_ops, sequence, alembics)
    else:
        splice(table_ops, [], [*alembics, *late])
        upgrade_ops.ops.append(online)
        split_when_written(context.migration_context)
        moved = [op for op in sequence if op not in ours]
    if verification is not None:
        position = upgrade_ops.ops.index(table_ops)
        upgrade_ops.ops.insert(position + 1, verification)
    return moved


def _has_elements_of(candidate: Candidate, key: InspectedKey) -> bool:
    return candidate.unique and set(candidate.elements) == set(key.wanted.elements)


def _note_rivals(key: InspectedKey, dropping: Container[Candidate]) -> None:
    if key.traits.dialect not in MYSQL_FAMILY:
        return
    staying = [candidate for candidate in key.offered if candidate not in dropping]
    rivals = judge(key.target, staying, key.traits).rivals
    if rivals:
        subject = told(key.table, key.declaration.target)
        log.warning("%s: %s: %s", FindingCode.RIVAL_UNIQUE_KEY, subject, rival_fact(rivals))


def _refuse_what_is_never_served(key: InspectedKey, going: Container[Candidate]) -> None:
    """Refuse a key that the database refuses even on the arbiter made for it, unless an index that stays serves it.

    :raises CommandError: no revision can ever serve the key; the shape to declare instead is in it.
    """
    if key.folded is None or key.named is None:
        return
    staying = [c for c in key.offered if c not in going]
    verdict = judge(key.target, staying, replace(key.traits, refusing_rules=()), named=key.named)
    if verdict.state is State.SHORT:
        raise CommandError(
            f"{told(key.table, key.declaration.target)} can never be served: {folded_fact(key.folded)}. Every upsert "
            f"on it fails with 42P10, whatever the revision makes; {written_instead(key.folded)}"
        )


def _refuse_what_is_not_read(key: InspectedKey, table_ops: ModifyTableOps) -> None:
    """Refuse a key whose SQL the database cannot read, unless the revision brings columns that it may be about.

    :raises CommandError: every upsert on it would fail, whatever the revision makes.
    """
    changes = any(isinstance(op, AddColumnOp | AlterColumnOp) for op in table_ops.ops)
    if key.unread is not None and not changes:
        subject = told(key.table, key.declaration.target)
        raise CommandError(
            f"{subject} can never be served: {unread_fact(key.unread)}; {CORRECT_THE_SQL}"
        )


def _note_what_no_revision_changes(key: InspectedKey, lines: Lines, *, is_repaired: bool) -> None:
    """Say of a key what no operation puts right: rules, what takes no INSERT, and doubt where all looks well."""
    found = verdict_on(key).shortfall
    if found is None or key.traits.dialect != "postgresql":
        return
    of_relation = bool(found.rules or found.relation)
    if of_relation or (key.inferred is not None and not is_repaired):
        fact = shortfall_fact(key.target, found)
        lines.warning(f"{found.code}: ", key.table, key.declaration.target, f": {fact}")


def _is_inferred(context: AutogenContext, key: InspectedKey) -> bool:
    """Whether the database itself finds an arbiter, where text could not tell."""
    if key.inferred is not None:
        return not (key.inferred.refusal or key.inferred.doubt or key.inferred.deferrable)
    catalog = catalog_for(context.dialect.name)
    if catalog is None or context.connection is None:
        return False
    table = TableName(key.table.schema, key.table.name)
    inferred = catalog.infer(context.connection, table, key.declared)
    return not (inferred.refusal or inferred.doubt or inferred.deferrable)


def _creation(
    context: AutogenContext, table_ops: ModifyTableOps, key: InspectedKey
) -> MigrateOperation | None:
    """The operation that creates the key's arbiter, whoever produced it."""
    made = [(op, candidate) for op in table_ops.ops for candidate in made_by(context, op)]
    if not made:
        return None
    wanted = arbiter_as_candidate(key.arbiter, context.dialect)
    for op, candidate in made:
        same = enforce_same_uniqueness(candidate, wanted, nullable=key.nullable)
        if same and candidate.immediate:
            return op
    return None


def _adopt(
    table_ops: ModifyTableOps,
    key: InspectedKey,
    adopted: Sequence[Candidate],
    creation: MigrateOperation | None,
    dropping: dict[Candidate, MigrateOperation],
    lines: Lines,
) -> None:
    """Take out what Alembic would do to arbiters that serve as they are, and its creation of another."""
    needless = [op for candidate, op in dropping.items() if candidate in adopted]
    if creation is not None:
        needless.append(creation)
    if needless:
        table_ops.ops = [op for op in table_ops.ops if op not in needless]
        names = ", ".join(str(candidate.name) for candidate in adopted)
        lines.info(f"Kept {names}: it serves ", key.table, key.declaration.target)


def _note_removals(
    context: AutogenContext,
    table_ops: ModifyTableOps,
    key: InspectedKey,
    moved: Sequence[MigrateOperation],
    lines: Lines,
) -> None:
    """Say above each drop what it leaves without an arbiter, and keep the SQL of dropped indexes for the way back."""
    if not table_ops.ops:
        return
    gone = {op: taken_by(op, key.offered) for op in table_ops.ops}
    lost = {candidate for taken in gone.values() for candidate in taken}
    remaining = [c for c in key.offered if c not in lost]
    makers = [*table_ops.ops, *moved]
    made = [candidate for op in makers for candidate in made_by(context, op)]
    # an expression in the model's spelling cannot be compared with the database's: in doubt it serves
    in_doubt = any(element.column is None for c in made for element in c.elements)
    remaining += made
    table_ops.ops = [
        noted
        for op in table_ops.ops
        for noted in (
            *(
                []
                if in_doubt
                else _removal_notes(context.dialect.name, key.table, gone[op], remaining, lines)
            ),
            _with_definition(op, key.table, gone[op]),
        )
    ]
    for op in table_ops.ops:
        _spare_old_servers(context, op)


def _removal_notes(
    dialect: str,
    table: Table,
    taken: Sequence[Candidate],
    remaining: Sequence[Candidate],
    lines: Lines,
) -> Iterator[MigrateOperation]:
    for candidate in taken:
        if leaves_no_arbiter(candidate, remaining):
            lines.removal(
                f"{FindingCode.ARBITER_REMOVED}: ",
                table,
                candidate,
                f" loses its last arbiter, {candidate.name}: code that still upserts on it {without_arbiter(dialect)}",
            )
            yield ArbiterRemovedOp(table.name, candidate.labels, schema=table.schema)


def _with_definition(
    op: MigrateOperation, table: Table, taken: Sequence[Candidate]
) -> MigrateOperation:
    if not isinstance(op, DropIndexOp) or isinstance(op, DropInvalidIndexOp) or len(taken) != 1:
        return op
    (gone,) = taken
    if gone.definition is None or not _is_lost_on_alembic(gone):
        return op
    definition = gone.definition
    name = str(op.index_name)
    return DropIndexByDefinitionOp(name, table.name, schema=table.schema, definition=definition)


def _spare_old_servers(context: AutogenContext, op: MigrateOperation) -> None:
    """Keep NULLS DISTINCT out of a drop's way back: SQLAlchemy reflects it on servers that cannot parse it, too."""
    if context.dialect.name != "postgresql" or server_version(context.dialect) >= (15,):
        return
    again = getattr(op, "_reverse", None)
    if isinstance(again, CreateUniqueConstraintOp | CreateIndexOp):
        again.kw.pop("postgresql_nulls_not_distinct", None)


def _is_lost_on_alembic(candidate: Candidate) -> bool:
    """Whether Alembic's own way back would make another index than the one it drops."""
    if any(e.collation is not None or e.opclass is not None for e in candidate.elements):
        return True  # it reflects neither
    # what it reflected has lost a colon by now, and its renderer doubles a per cent sign
    sql = str(candidate.definition).replace("::", "")
    return "%" in sql or ":" in sql


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


def _create_what_alembic_skips(
    context: AutogenContext, table_ops: ModifyTableOps, table: Table
) -> None:
    """Create the expression indexes of a new table, which Alembic leaves out on SQLite: it cannot reflect them."""
    created = {op.index_name for op in table_ops.ops if isinstance(op, CreateIndexOp)}
    for declaration in declarations_of(table):
        arbiter = declaration.arbiter(table)
        if (
            isinstance(arbiter, Index)
            and arbiter.name not in created
            and context.run_object_filters(arbiter, arbiter.name, "index", False, None)
        ):
            table_ops.ops.append(CreateIndexOp.from_index(arbiter))


def _keep_sql(context: AutogenContext, table_ops: ModifyTableOps, table: Table) -> None:
    """Render arbiters whose SQL Alembic would garble ourselves."""
    garbled = [op for op in table_ops.ops if _is_garbled(context, op)]
    if garbled:
        names = {str(d.arbiter(table).name) for d in declarations_of(table)}
        table_ops.ops = [
            _with_own_renderer(cast("CreateIndexOp", op))
            if op in garbled and str(cast("CreateIndexOp", op).index_name) in names
            else op
            for op in table_ops.ops
        ]


def _is_garbled(context: AutogenContext, op: MigrateOperation) -> bool:
    """Whether Alembic's renderer would double a per cent sign, or let a colon start a parameter."""
    if not isinstance(op, CreateIndexOp) or not op.unique:
        return False
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
