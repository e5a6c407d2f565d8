"""Which steps are left, from the state that the catalog shows. Pure.

A table that is not partitioned, or a partition of the last level; `same` means the same elements, operator classes,
collations, order, predicate, INCLUDE and NULL mode as the server prints them:

===================================  ==================================================
under the name there is              steps
===================================  ==================================================
nothing                              build, attach
INVALID, and another session builds  wait
INVALID, the same                    drop it, build, attach
INVALID, something else              refuse: another's build failed, and a person looks
valid, something else                refuse; ``replace``: build beside it, then swap
valid, the same, not attached        attach
valid, the same, attached            none
===================================  ==================================================

"Attach" only where a constraint is wanted. INVALID ``_ccnew`` and ``_ccold`` of the same, which an interrupted
``REINDEX CONCURRENTLY`` leaves behind, are dropped first.
https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..catalog.contract import RelationKind
from .partition_plan import steps_of_partitioned
from .steps import Attach, Build, Refusal
from .table_plan import steps_of_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .arbiter import OnlineArbiter
    from .state import TableState
    from .steps import Step

__all__ = ["is_from_nothing", "plan"]


def plan(wanted: OnlineArbiter, tables: Sequence[TableState]) -> tuple[Step, ...]:
    """Return the steps that are left, in order; none: it is there, valid and attached.

    :param tables: the table, then its partitions, each after its parent.
    :raises Refusal: something else is in the way.
    """
    table, *partitions = tables
    if table.relation is RelationKind.PARTITIONED_TABLE:
        return tuple(steps_of_partitioned(wanted, table, partitions))
    if table.relation is not RelationKind.TABLE:
        raise Refusal(f"{table.name.name} is a {table.kind}: it takes no unique index")
    return tuple(steps_of_table(wanted, table))


def is_from_nothing(wanted: OnlineArbiter, tables: Sequence[TableState]) -> bool:
    """Return whether all of `wanted` is left to be made, and nothing else is to be done for it.

    So an empty table can have it at once (:mod:`.runner`). A partitioned one gets it part by part all the same.

    :param tables: as :func:`plan` takes it.
    """
    table = tables[0]
    whole: list[Step] = [Build(table.name, wanted.name)]
    if wanted.constraint:
        whole.append(Attach(table.name, wanted.name))
    return table.relation is RelationKind.TABLE and plan(wanted, tables) == tuple(whole)
