"""Operations that autogenerate needs for itself: no way back, a comment, the mark of a table, a block to run apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.operations.ops import MigrateOperation, OpContainer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.sql.schema import Table


class NoReverseOp(MigrateOperation):
    """The other direction of an operation that nothing takes back. It is rendered as no line at all."""

    def __init__(self, reverses: MigrateOperation | None = None) -> None:
        self.reverses = reverses

    def reverse(self) -> MigrateOperation:
        """Return what this is the reverse of."""
        return self.reverses or NoReverseOp(self)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return a tuple that names no change."""
        return ("nothing",)


class ArbiterRemovedOp(MigrateOperation):
    """A comment above the operation that drops an arbiter and leaves none in its place."""

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str],
        *,
        schema: str | None,
        places: Sequence[str] = (),
        in_doubt: bool = False,
        refuses_new_rows: bool = False,
    ) -> None:
        self.table_name = table_name
        self.elements = tuple(elements)
        self.schema = schema
        self.places = tuple(places)
        """``path:line`` of the upserts on it that tests ran; empty: none is known."""
        self.in_doubt = in_doubt
        """Whether what is left may serve them all the same."""
        self.refuses_new_rows = refuses_new_rows
        """Whether rows that the models now allow break it as long as it is there."""

    def reverse(self) -> MigrateOperation:
        """Return nothing: the way back brings the arbiter back."""
        return NoReverseOp(self)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what ``alembic check`` prints beside the removal."""
        return ("arbiter_removed", self.schema, self.table_name, self.elements, "arbiter-removed")


class TableMarkerOp(MigrateOperation):
    """A mark among a table's operations from its comparison to the end of autogenerate, and no longer.

    It carries the two sides of a comparison that Alembic and the user's filters let through.
    """

    def __init__(self, conn_table: Table | None, metadata_table: Table) -> None:
        self.conn_table = conn_table
        """The table as Alembic reflected it; None: it is new."""
        self.metadata_table = metadata_table

    def reverse(self) -> MigrateOperation:
        """Return nothing."""
        return NoReverseOp()

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return a tuple that names no change."""
        return ("nothing",)


class OnlineOps(OpContainer):
    """What autogenerate found to be done for one key outside a transaction: it gets a revision of its own."""

    def reverse(self) -> OnlineOps:
        """Return the way back, in the opposite order."""
        return OnlineOps([op.reverse() for op in reversed(self.ops)])


class ContractOps(OpContainer):
    """The drops of arbiters that code may still upsert on: a revision of its own, to be run after the deploy."""

    def __init__(
        self,
        ops: Sequence[MigrateOperation] = (),
        *,
        after: str | None = None,
        is_way_back: bool = False,
    ) -> None:
        super().__init__(ops)
        self.after = after
        """The revision that comes before the deploy; None: they share it."""
        self.is_way_back = is_way_back
        """Whether it brings back what the contract drops."""

    def reverse(self) -> ContractOps:
        """Return the way back, in the opposite order."""
        ops = [op.reverse() for op in reversed(self.ops)]
        return ContractOps(ops, is_way_back=not self.is_way_back)
