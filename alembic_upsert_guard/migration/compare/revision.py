"""What runs outside a transaction gets a revision of its own, after the rest of what was found.

A revision that commits in its middle leaves half of itself behind where the other half fails, and then neither runs
again nor is undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.operations.ops import DowngradeOps, MigrationScript, UpgradeOps
from alembic.util import rev_id

from ..operations import OnlineOps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alembic.operations.ops import MigrateOperation
    from alembic.runtime.migration import MigrationContext

__all__ = ["split_when_written"]

_SLOT = "process_revision_directives"

_ONE_DATABASE = "upgrades"
"""What Alembic calls the operations of a project with one database; the multidb template names others."""


def split_when_written(context: MigrationContext) -> None:
    """Have what is to run online taken into a revision of its own, after the project's own hook has run.

    Alembic reads the hook after the comparators: ``RevisionContext._run_environment``.
    """
    hook = context.opts.get(_SLOT)
    if not isinstance(hook, _SplitHook):
        context.opts[_SLOT] = _SplitHook(hook)


class _SplitHook:
    def __init__(self, hook: Callable[..., Any] | None) -> None:
        self._hook = hook

    def __call__(
        self, context: MigrationContext, revision: Any, directives: list[MigrationScript]
    ) -> None:
        if self._hook is not None:
            self._hook(context, revision, directives)
        if context.opts["upgrade_token"] != _ONE_DATABASE:
            # this may be the first of several that share a revision: there a comment says what it means
            return
        for script in list(directives):
            own = _own_revision(script)
            if own is not None:
                # below whatever the hook turned the one revision into
                own.head = str(directives[-1].rev_id)
                directives.append(own)


def _own_revision(script: MigrationScript) -> MigrationScript | None:
    if len(script.upgrade_ops_list) != 1 or script.upgrade_ops is None:
        return None
    upgrade, upgrade_rest = _partitioned(script.upgrade_ops.ops)
    if not upgrade:
        return None
    downgrade_ops = script.downgrade_ops or DowngradeOps([])
    downgrade, downgrade_rest = _partitioned(downgrade_ops.ops)
    if not upgrade_rest:
        script.upgrade_ops.ops = upgrade
        downgrade_ops.ops = [*downgrade, *downgrade_rest]
        return None
    script.upgrade_ops.ops = upgrade_rest
    downgrade_ops.ops = downgrade_rest
    return MigrationScript(
        rev_id=rev_id(),
        message=f"{script.message or 'upsert keys'}, concurrently",
        upgrade_ops=_AfterTheRest(upgrade, script.upgrade_ops),
        downgrade_ops=DowngradeOps(downgrade),
        version_path=script.version_path,
    )


def _partitioned(
    ops: Iterable[MigrateOperation],
) -> tuple[list[MigrateOperation], list[MigrateOperation]]:
    online: list[MigrateOperation] = []
    rest: list[MigrateOperation] = []
    for op in ops:
        if isinstance(op, OnlineOps):
            online += op.ops
        else:
            rest.append(op)
    return online, rest


class _AfterTheRest(UpgradeOps):
    """The operations of the second revision, which report those of the first: ``alembic check`` asks only the last."""

    def __init__(self, ops: list[MigrateOperation], rest: UpgradeOps) -> None:
        super().__init__(ops)
        self._rest = rest

    def as_diffs(self) -> Any:
        """Return every difference that was found."""
        return [*self._rest.as_diffs(), *super().as_diffs()]
