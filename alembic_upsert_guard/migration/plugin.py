"""What Alembic loads: every registration of the package, and nothing else.

Alembic is not imported at the top: it is importing this module while it is itself half-imported.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic.runtime.plugins import Plugin

__all__ = ["plugin", "setup"]


_WATCHED = (
    "AddColumnOp",
    "AddConstraintOp",
    "AlterColumnOp",
    "CreateIndexOp",
    "CreateTableOp",
    "DropColumnOp",
    "DropConstraintOp",
    "DropIndexOp",
    "DropTableOp",
    "ExecuteSQLOp",
    "RenameTableOp",
)
"""Alembic's operations that make something unique, or may take what is: by name, which every version has."""


def setup(plugin: Plugin) -> None:
    """Register the directives, how they run, how they are rendered, and the comparators."""
    from alembic.autogenerate.render import renderers  # noqa: PLC0415
    from alembic.operations import BatchOperations, Operations  # noqa: PLC0415
    from alembic.operations import ops as alembic_ops  # noqa: PLC0415
    from alembic.util import DispatchPriority  # noqa: PLC0415

    from . import operations as ops  # noqa: PLC0415
    from .compare import comparators  # noqa: PLC0415
    from .operations.directive import method_signature  # noqa: PLC0415
    from .render import arbiters as render_arbiters  # noqa: PLC0415
    from .render import keys as render  # noqa: PLC0415
    from .toimpl import concurrent, keys, rows  # noqa: PLC0415
    from .toimpl.stock_operations import watched  # noqa: PLC0415

    create = concurrent.create_concurrently, render_arbiters.render_create_concurrently
    drop = concurrent.drop_concurrently, render_arbiters.render_drop_concurrently
    directives: list[tuple[Any, Any, Any]] = [
        (ops.ValidateUpsertKeyOp, keys.validate_upsert_key, render.render_validate),
        (ops.VerifyUpsertKeyOp, keys.verify_upsert_key, render.render_verify),
        (ops.DeduplicateUpsertKeyOp, rows.deduplicate_upsert_key, render.render_deduplicate),
        (ops.RestoreDeduplicatedRowsOp, rows.restore_deduplicated_rows, render.render_restore),
        (ops.CreateUniqueConstraintConcurrentlyOp, *create),
        (ops.CreateUniqueIndexConcurrentlyOp, *create),
        (ops.DropUniqueConstraintConcurrentlyOp, *drop),
        (ops.DropUniqueIndexConcurrentlyOp, *drop),
    ]
    for operation, implementation, renderer in directives:
        name = operation.directive
        for kind, form in ((Operations, name), (BatchOperations, f"batch_{name}")):
            kind.register_operation(name, form)(operation)
            # Alembic goes by the code of the form, which takes anything
            stated = method_signature(getattr(operation, form))
            vars(getattr(kind, name))["__signature__"] = stated
        Operations.implementation_for(operation)(implementation)
        renderers.dispatch_for(operation)(renderer)

    Operations.register_operation("sql_as_written")(ops.SqlAsWrittenDirective)

    markers: list[tuple[Any, Any, Any]] = [
        (ops.NoReverseOp, keys.do_nothing, render.render_no_reverse),
        (ops.ArbiterRemovedOp, keys.do_nothing, render.render_arbiter_removed),
        (ops.OnlineOps, concurrent.run_ops, render_arbiters.render_online),
        (ops.ContractOps, concurrent.run_ops, render_arbiters.render_contract),
    ]
    for operation, implementation, renderer in markers:
        Operations.implementation_for(operation)(implementation)
        renderers.dispatch_for(operation)(renderer)
    renderers.dispatch_for(ops.CreateArbiterIndexOp)(render_arbiters.render_arbiter_index)
    including = render_arbiters.render_including_constraint
    renderers.dispatch_for(ops.CreateIncludingConstraintOp)(including)

    for operation in _WATCHED:
        of_others = Operations._to_impl.dispatch(getattr(alembic_ops, operation))  # noqa: SLF001 - no public name
        implementation = watched(of_others)
        Operations.implementation_for(getattr(alembic_ops, operation), replace=True)(implementation)

    plugin.add_autogenerate_comparator(
        comparators.mark_table, "table", "upsert_guard", priority=DispatchPriority.LAST
    )
    plugin.add_autogenerate_comparator(
        comparators.guard_tables, "autogenerate", "upsert_guard", priority=DispatchPriority.LAST
    )


class _PluginModule(ModuleType):
    """A module that can be iterated over.

    Alembic 1.18.0 to 1.20.0 iterates over what an entry point loads, though its documentation asks for a module
    (alembic #1873, fixed in 1.20.1): a plain module would make ``import alembic`` itself raise.
    """

    setup = staticmethod(setup)

    def __iter__(self) -> Iterator[ModuleType]:
        yield self


plugin = _PluginModule(__name__)
"""The object of the entry point ``alembic.autogenerate.upsert_guard``."""
