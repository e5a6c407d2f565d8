"""What runs outside a transaction, and what is dropped after the deploy, each get a revision of their own.

A revision that commits in its middle leaves half of itself behind where the other half fails, and then neither runs
again nor is undone; one that drops what running code upserts on breaks that code.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from alembic.operations.ops import DowngradeOps, MigrationScript, UpgradeOps
from alembic.util import rev_id

from ...findings import FindingCode
from ..context import log
from ..operations import ContractOps, OnlineOps
from ..options import CONTRACT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from alembic.operations.ops import MigrateOperation
    from alembic.runtime.migration import MigrationContext

__all__ = ["split_when_written"]

_SLOT = "process_revision_directives"

_ONE_DATABASE = "upgrades"
"""What Alembic calls the operations of a project with one database; the multidb template names others."""


def split_when_written(context: MigrationContext) -> None:
    """Have what is to run apart taken into revisions of its own, after the project's own hook has run.

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
        is_separate = contract_is_separate(context)
        for script in list(directives):
            for own in _own_revisions(script, is_separate=is_separate):
                # below whatever the hook turned the one revision into
                own.head = str(directives[-1].rev_id)
                directives.append(own)


def contract_is_separate(context: MigrationContext) -> bool:
    """Return whether what is dropped after the deploy gets a revision of its own, which is the default."""
    return context.opts.get(CONTRACT) != "same"


class _Part(Enum):
    """What has a revision of its own, in order; the value ends its message."""

    REST = "the rest"
    ONLINE = "concurrently"
    CONTRACT = "after the deploy"


def _own_revisions(script: MigrationScript, *, is_separate: bool) -> Iterator[MigrationScript]:
    """Take out of the script what comes in revisions after it, and return these in order."""
    if len(script.upgrade_ops_list) != 1 or script.upgrade_ops is None:
        return
    downgrade_ops = script.downgrade_ops or DowngradeOps([])
    upgrade, downgrade = _parts(script.upgrade_ops.ops), _parts(downgrade_ops.ops)
    if not is_separate:
        home = _Part.ONLINE if upgrade[_Part.ONLINE] else _Part.REST
        upgrade[home] = (*upgrade[home], *upgrade.pop(_Part.CONTRACT))
        downgrade[home] = (*downgrade.pop(_Part.CONTRACT), *downgrade[home])
    others = [part for part in upgrade if upgrade[part]][1:]
    script.upgrade_ops.ops = [op for part in upgrade if part not in others for op in upgrade[part]]
    downgrade_ops.ops = [
        op for part in reversed(upgrade) if part not in others for op in downgrade[part]
    ]
    before, reported = script, script.upgrade_ops
    for part in others:
        reported = _AfterTheRest([_after(op, before) for op in upgrade[part]], reported)
        before = MigrationScript(
            rev_id=rev_id(),
            message=f"{script.message or 'upsert keys'}, {part.value}",
            upgrade_ops=reported,
            downgrade_ops=DowngradeOps([*downgrade[part]]),
            version_path=script.version_path,
        )
        yield before


def _parts(ops: Sequence[MigrateOperation]) -> dict[_Part, tuple[MigrateOperation, ...]]:
    return {
        _Part.REST: tuple(op for op in ops if not isinstance(op, OnlineOps | ContractOps)),
        _Part.ONLINE: tuple(each for op in ops if isinstance(op, OnlineOps) for each in op.ops),
        _Part.CONTRACT: tuple(op for op in ops if isinstance(op, ContractOps)),
    }


def _after(op: MigrateOperation, before: MigrationScript) -> MigrateOperation:
    """The operation, which knows what revision comes before the deploy."""
    if not isinstance(op, ContractOps):
        return op
    log.info(
        "%s: what the code before the change upserts on is dropped in a revision of its own: deploy between the two",
        FindingCode.ARBITER_REMOVED,
    )
    return ContractOps(op.ops, after=str(before.rev_id))


class _AfterTheRest(UpgradeOps):
    """The operations of a later revision, which report those before it: ``alembic check`` asks only the last."""

    def __init__(self, ops: list[MigrateOperation], rest: UpgradeOps) -> None:
        super().__init__(ops)
        self._rest = rest

    def as_diffs(self) -> Any:
        """Return every difference that was found."""
        return [*self._rest.as_diffs(), *super().as_diffs()]
