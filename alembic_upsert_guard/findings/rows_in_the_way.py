"""What is said of rows that share a key, which go before anything is made unique."""

from __future__ import annotations

from dataclasses import dataclass

from ..wording import counted

__all__ = ["RowsInTheWay", "behind_rows"]


@dataclass(frozen=True, slots=True)
class RowsInTheWay:
    """The rows of a table that has some, against what is to be unique."""

    listing: str
    """The query that lists the keys that several rows share."""
    groups: int | None
    """How many keys are shared; None: not known, for the rows could not be read, or not soon enough."""


def behind_rows(step: str, rows: RowsInTheWay | None) -> str:
    """Return a step that makes something unique, behind the one that deals with rows that share a key.

    :param rows: None: the table has none.
    """
    if rows is not None and rows.groups is None:
        return (
            f"look for rows that share a key, which have to go first:\n{rows.listing}\nThen {step}"
        )
    if rows is None or not rows.groups:
        return step
    groups = counted(rows.groups, "key")
    share = "is" if rows.groups == 1 else "are"
    return (
        f"merge or delete the duplicate rows first: {groups} {share} in several rows, list them:\n{rows.listing}\n"
        f"Then {step}"
    )
