"""The lines that leave one row of each key, ready to paste into a revision. Offered, never run by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..names import cut_before

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..inference import Nulls

__all__ = [
    "BY_PLACE",
    "ColumnInOrder",
    "RowOrder",
    "SuggestedDirectives",
    "order_of",
    "suggest_directives",
]

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
    is_number: bool = False
    """It holds a number, or another value that grows from row to row: what a random one is not."""


@dataclass(frozen=True, slots=True)
class RowOrder:
    """By which columns the newest of several rows is known."""

    columns: tuple[str, ...] = ()
    """Empty, without `choices`: the rows go by their place in the table."""

    choices: tuple[str, ...] = ()
    """Those among which a person has to choose; empty: `columns` say it."""


BY_PLACE = RowOrder()
"""Nothing orders them but their place in the table."""


@dataclass(frozen=True, slots=True)
class SuggestedDirectives:
    """What a person may paste."""

    upgrade: str
    """Goes into ``upgrade()``, above the check."""

    downgrade: str
    """Goes into ``downgrade()``, below the drop."""

    is_open: bool = False
    """Whether a person has to complete the first one, which fails until then."""


def order_of(
    columns: Iterable[ColumnInOrder], primary_key: Sequence[str], key: Iterable[str]
) -> RowOrder:
    """Return the columns that likely order rows by age.

    What a moment is of, only its name says, so this reads names, which nothing that judges does. It may: the order is
    offered in a comment, named in the sentence above it, a person has to take the line over, and the rows that go are
    archived. Without an offer that person would have to make the same guess and write the line. Of several moments, the
    first by name:

    - that of the last change, and that of the making behind it where a row may never have been changed;
    - that of the making;
    - any that every row has, unless it is that of an end;
    - else the primary key, where its values grow from row to row. A random one, such as a UUID's, says nothing of age,
      nor does a text: then a person chooses among the columns that may tell the rows apart.
    """
    columns, of_key = tuple(columns), frozenset(key)
    moments = [c for c in columns if c.is_moment and c.name not in of_key]
    if by_age := _by_age(sorted(moments, key=lambda c: c.name)):
        return RowOrder(tuple(c.name for c in by_age))
    growing = {c.name for c in columns if c.is_moment or c.is_number}
    if growing | of_key >= {*primary_key}:
        return RowOrder(tuple(primary_key))
    said = of_key | {*primary_key}
    others = tuple(c.name for c in columns if c.name not in said)
    return RowOrder(choices=others or tuple(primary_key))


def _by_age(moments: Sequence[ColumnInOrder]) -> Sequence[ColumnInOrder]:
    changed, made, ended = (_named_after(moments, stems) for stems in (_CHANGED, _MADE, _ENDED))
    if changed:
        return [changed[0], *(made[:1] if changed[0].is_nullable else [])]
    certain = [c for c in moments if not c.is_nullable and c not in ended]
    return (made or certain)[:1]


def _named_after(columns: Iterable[ColumnInOrder], stems: Iterable[str]) -> list[ColumnInOrder]:
    return [c for c in columns if any(stem in c.name.casefold() for stem in stems)]


def suggest_directives(
    table: str,
    elements: Sequence[str],
    *,
    schema: str | None,
    where: str | None,
    nulls: Nulls,
    order_by: RowOrder,
    repoint: bool = False,
    prefix: str = "op.",
) -> SuggestedDirectives:
    """Return the two directives for a table.

    :param repoint: whether other rows may refer to the table's by a foreign key.
    :param elements: Python source, as the check in the revision has it; `where` likewise.
    """
    key = f"{table!r}, [{', '.join(elements)}]"
    archive = cut_before(table, "_duplicates")
    options = [f"archive_table={archive!r}"]
    if schema is not None:
        options.append(f"schema={schema!r}")
    if where is not None:
        options.append(f"where={where}")
    is_open = bool(order_by.choices)
    # three dots: the directive refuses them
    order = "..." if is_open else ", ".join(map(repr, order_by.columns))
    choices = ", ".join(map(repr, order_by.choices))
    choose = f"  # instead of the dots, one or more of {choices}" if is_open else ""
    moved = ["repoint=True"] if repoint else []
    not_distinct = ["nulls='not_distinct'"] if nulls == "not_distinct" else []
    return SuggestedDirectives(
        f"{prefix}deduplicate_upsert_key({key}, keep='last', order_by=[{order}], "
        f"{', '.join([*options, *moved, *not_distinct])}){choose}",
        f"{prefix}restore_deduplicated_rows({key}, {', '.join(options)})",
        is_open,
    )
