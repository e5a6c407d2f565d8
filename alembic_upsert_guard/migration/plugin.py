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


def setup(plugin: Plugin) -> None:
    """Register the directives, how they run, how they are rendered, and the comparators."""
    from alembic.autogenerate.render import renderers  # noqa: PLC0415
    from alembic.operations import BatchOperations, Operations  # noqa: PLC0415
    from alembic.util import DispatchPriority  # noqa: PLC0415

    from . import (  # noqa: PLC0415
        compare,
        online,
        online_operations,
        operations,
        render,
        scripts,
        toimpl,
    )

    made = online.create_concurrently, render.render_create_concurrently
    dropped = online.drop_concurrently, render.render_drop_concurrently
    directives: list[tuple[Any, Any, Any]] = [
        (operations.ValidateUpsertKeyOp, toimpl.validate_upsert_key, render.render_validate),
        (operations.VerifyUpsertKeyOp, toimpl.verify_upsert_key, render.render_verify),
        (
            operations.DeduplicateUpsertKeyOp,
            toimpl.deduplicate_upsert_key,
            render.render_deduplicate,
        ),
        (
            operations.RestoreDeduplicatedRowsOp,
            toimpl.restore_deduplicated_rows,
            render.render_restore,
        ),
        (online_operations.CreateUniqueConstraintConcurrentlyOp, *made),
        (online_operations.CreateUniqueIndexConcurrentlyOp, *made),
        (online_operations.DropUniqueConstraintConcurrentlyOp, *dropped),
        (online_operations.DropUniqueIndexConcurrentlyOp, *dropped),
    ]
    for operation, implementation, renderer in directives:
        name = operation.directive
        Operations.register_operation(name)(operation)
        BatchOperations.register_operation(name, f"batch_{name}")(operation)
        Operations.implementation_for(operation)(implementation)
        renderers.dispatch_for(operation)(renderer)

    Operations.register_operation("sql_as_written")(scripts.SqlAsWrittenDirective)

    for silent in (operations.NothingOp, operations.ArbiterRemovedOp):
        Operations.implementation_for(silent)(toimpl.do_nothing)
    renderers.dispatch_for(operations.NothingOp)(render.render_nothing)
    Operations.implementation_for(online_operations.OnlineOps)(online.all_of)
    renderers.dispatch_for(online_operations.OnlineOps)(render.render_online)
    renderers.dispatch_for(operations.ArbiterRemovedOp)(render.render_arbiter_removed)
    renderers.dispatch_for(operations.CreateArbiterIndexOp)(render.render_arbiter_index)

    plugin.add_autogenerate_comparator(
        compare.mark_table, "table", "upsert_guard", priority=DispatchPriority.LAST
    )
    plugin.add_autogenerate_comparator(
        compare.guard_tables, "autogenerate", "upsert_guard", priority=DispatchPriority.LAST
    )


class _PluginModule(ModuleType):
    """A module that can be iterated over.

    Alembic 1.18.0 to 1.20.0 iterates over what an entry point loads, though its documentation asks for a module
    (alembic #1873, mended in 1.20.1): a plain module would make ``import alembic`` itself raise.
    """

    setup = staticmethod(setup)

    def __iter__(self) -> Iterator[ModuleType]:
        yield self


plugin = _PluginModule(__name__)
"""The object of the entry point ``alembic.autogenerate.upsert_guard``."""
