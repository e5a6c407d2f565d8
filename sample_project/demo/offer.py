"""What the guard offers to paste where rows stand in the way of a key."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Offer:
    """The last row of each key stays, by that column; the others go to an archive, and come back."""

    table: str
    columns: list[str]
    order_by: str

    @property
    def archive(self) -> str:
        return f"{self.table}_duplicates"

    @property
    def key(self) -> str:
        return f"{self.table} ({', '.join(self.columns)})"

    @property
    def deduplication(self) -> str:
        """The line for `upgrade()`, above the check of the rows."""
        return (
            f"op.deduplicate_upsert_key({self.table!r}, {self.columns!r}, keep='last', "
            f"order_by=[{self.order_by!r}], archive_table={self.archive!r})"
        )

    @property
    def restoration(self) -> str:
        """The line for `downgrade()`, below the drop."""
        return (
            f"op.restore_deduplicated_rows({self.table!r}, {self.columns!r}, "
            f"archive_table={self.archive!r})"
        )
