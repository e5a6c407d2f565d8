"""The lines that mend the rows of a key, ready to paste into a revision. Offered, never run by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ColumnInOrder", "Mend", "mend_of", "order_of"]

_NAME_LIMIT = 63
"""Bytes that PostgreSQL keeps of a name; others keep as many or more."""


@dataclass(frozen=True, slots=True)
class ColumnInOrder:
    """A column that rows could be ordered by."""

    name: str
    is_moment: bool
    """It holds a date or a point in time."""


@dataclass(frozen=True, slots=True)
class Mend:
    """What a person may paste."""

    upgrade: str
    """Goes into ``upgrade()``, above the check."""

    downgrade: str
    """Goes into ``downgrade()``, below the drop."""


def order_of(
    columns: Iterable[ColumnInOrder], primary_key: Sequence[str], key: Iterable[str]
) -> tuple[str, ...]:
    """Return what tells the newest row best: the time of the last change, any time, the primary key; () where none.

    An offer that a person looks over: which time it is, only its name tells.
    """
    of_key = frozenset(key)
    moments = [c.name for c in columns if c.is_moment and c.name not in of_key]
    changed = [
        name
        for name in moments
        if any(word in name.casefold() for word in ("updat", "modif", "chang"))
    ]
    return tuple((changed or moments)[:1]) or tuple(primary_key)


def mend_of(
    table: str,
    elements: Sequence[str],
    *,
    schema: str | None,
    where: str | None,
    nulls: str,
    order_by: Sequence[str],
    prefix: str = "op.",
) -> Mend:
    """Return the two directives for a table.

    :param elements: Python source, as the check in the revision has it; `where` likewise.
    :param order_by: column names.
    """
    key = f"{table!r}, [{', '.join(elements)}]"
    options = [f"archive_table={_archive_name(table)!r}"]
    if schema is not None:
        options.append(f"schema={schema!r}")
    if where is not None:
        options.append(f"where={where}")
    order = ", ".join(map(repr, order_by))
    not_distinct = ["nulls='not_distinct'"] if nulls == "not_distinct" else []
    return Mend(
        f"{prefix}deduplicate_upsert_key({key}, keep='last', order_by=[{order}], "
        f"{', '.join([*options, *not_distinct])})",
        f"{prefix}restore_deduplicated_rows({key}, {', '.join(options)})",
    )


def _archive_name(table: str) -> str:
    ending = "_duplicates"
    stem = table.encode()[: _NAME_LIMIT - len(ending)].decode(errors="ignore")
    return f"{stem}{ending}"
