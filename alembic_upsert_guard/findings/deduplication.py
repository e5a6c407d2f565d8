"""The lines that leave one row of each key, ready to paste into a revision. Offered, never run by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..names import cut_before

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..inference import Nulls

__all__ = ["ColumnInOrder", "SuggestedDirectives", "order_of", "suggest_directives"]

_CHANGED = ("updat", "modif", "chang")
_MADE = ("creat", "insert", "record", "added")
_ENDED = ("delet", "expir", "archiv", "cancel")


@dataclass(frozen=True, slots=True)
class ColumnInOrder:
    """A column that rows could be ordered by."""

    name: str
    is_moment: bool
    """It holds a date or a point in time."""
    is_nullable: bool


@dataclass(frozen=True, slots=True)
class SuggestedDirectives:
    """What a person may paste."""

    upgrade: str
    """Goes into ``upgrade()``, above the check."""

    downgrade: str
    """Goes into ``downgrade()``, below the drop."""


def order_of(
    columns: Iterable[ColumnInOrder], primary_key: Sequence[str], key: Iterable[str]
) -> tuple[str, ...]:
    """Return the columns that likely order rows by age, () where there is no such column.

    What a moment is of, only its name says, so this reads names, which nothing that judges does. It may: the order is
    offered in a comment, named in the sentence above it, a person has to take the line over, and the rows that go are
    archived. Without an offer that person would have to make the same guess and write the line. Of several moments, the
    first by name:

    - that of the last change, and that of the making behind it where a row may never have been changed;
    - that of the making;
    - any that every row has, unless it is that of an end;
    - else the primary key.
    """
    of_key = frozenset(key)
    moments = sorted(
        (c for c in columns if c.is_moment and c.name not in of_key), key=lambda c: c.name
    )
    changed, made, ended = (_named_after(moments, stems) for stems in (_CHANGED, _MADE, _ENDED))
    if changed:
        order = [changed[0], *(made[:1] if changed[0].is_nullable else [])]
    else:
        certain = [c for c in moments if not c.is_nullable and c not in ended]
        order = (made or certain)[:1]
    return tuple(c.name for c in order) or tuple(primary_key)


def _named_after(columns: Iterable[ColumnInOrder], stems: Iterable[str]) -> list[ColumnInOrder]:
    return [c for c in columns if any(stem in c.name.casefold() for stem in stems)]


def suggest_directives(
    table: str,
    elements: Sequence[str],
    *,
    schema: str | None,
    where: str | None,
    nulls: Nulls,
    order_by: Sequence[str],
    prefix: str = "op.",
) -> SuggestedDirectives:
    """Return the two directives for a table.

    :param elements: Python source, as the check in the revision has it; `where` likewise.
    :param order_by: column names.
    """
    key = f"{table!r}, [{', '.join(elements)}]"
    archive = cut_before(table, "_duplicates")
    options = [f"archive_table={archive!r}"]
    if schema is not None:
        options.append(f"schema={schema!r}")
    if where is not None:
        options.append(f"where={where}")
    order = ", ".join(map(repr, order_by))
    not_distinct = ["nulls='not_distinct'"] if nulls == "not_distinct" else []
    return SuggestedDirectives(
        f"{prefix}deduplicate_upsert_key({key}, keep='last', order_by=[{order}], "
        f"{', '.join([*options, *not_distinct])})",
        f"{prefix}restore_deduplicated_rows({key}, {', '.join(options)})",
    )
