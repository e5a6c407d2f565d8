"""Where the preflight is known to disagree with the index, and why.

Such cases are generated and counted, each under its cause; ``--known`` (`Tally.known` empty) makes them disagreements
like all others. An entry goes when the package is mended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .kinds import COMPOSITES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .tables import Key, Table

__all__ = ["KNOWN", "Known", "cause_of"]


@dataclass(frozen=True)
class Known:
    """One cause."""

    cause: str
    """Where in the package, and why."""

    claims: tuple[str, ...]
    """What stands in the claims that come of it, one of these."""

    has: Callable[[Table, Key], bool] = lambda *_: True
    """Which tables and keys it may meet."""


def _holds_composite(_: Table, key: Key) -> bool:
    # a field of one stands in parentheses
    return any(term.kind in COMPOSITES and not term.sql.startswith("(") for term in key.terms)


def _names_whole_row(_: Table, key: Key) -> bool:
    return ".*)" in str(key)


def _is_no_sql_of_the_likeness(table: Table, key: Key) -> bool:
    names_schema = table.name.schema is not None and f"{table.sql}." in str(key.predicate)
    return names_schema or "of_row(" in str(key)


def _is_unasked_composite(table: Table, key: Key) -> bool:
    return _holds_composite(table, key) and _is_no_sql_of_the_likeness(table, key)


def _stores_otherwise(table: Table, _: Key) -> bool:
    return any("part 1" in sql and "SET STORAGE" in sql for sql in table.statements)


def _is_by_path(_: Table, key: Key) -> bool:
    return "by_path(" in str(key)


def _is_partial(_: Table, key: Key) -> bool:
    return key.predicate is not None


KNOWN = (
    Known(
        "postgresql.py index_on_empty_copy: what names the table with its schema, or takes its rows, is no SQL of the "
        "empty copy in pg_temp; the rows are then read without knowing what the index would refuse",
        (
            "says accepted, the index",
            "for duplicates, the index for",
            "raises 42601",
            "could not identify",
        ),
        _is_no_sql_of_the_likeness,
    ),
    Known(
        "preflight.py _read_postgresql: where the empty copy could not be asked, no element is known as composite",
        ("another number of", "the sample is not of the largest groups", "NULL"),
        _is_unasked_composite,
    ),
    Known(
        "postgresql.py index_on_empty_copy: the copy has no partitions, for which a whole row cannot be converted",
        ("0A000", "XX000"),
        _names_whole_row,
    ),
    Known(
        "postgresql.py width_obstacle: the empty copy stores as the parent does, and a partition may store otherwise",
        ("the index 54000", "the index for 54000"),
        _stores_otherwise,
    ),
    Known(
        "postgresql.py prove_absence, statements.py: an index takes an array or a composite of what has no equality as "
        "long as nothing is compared with it; GROUP BY refuses it beforehand, also where there is one row or none",
        ("could not identify an equality operator",),
    ),
    Known(
        "postgresql.py index_on_empty_copy: from 17 on an index is built with a search_path of its own, and the rows "
        "are read with that of the session",
        ("the index 42883", "the index for 42883"),
        _is_by_path,
    ),
    Known(
        "sqlite.py index_obstacle: an index on date('now') can be made as long as no row is in it, and takes none then",
        ("says obstacle (non-deterministic use of",),
    ),
)
"""All files are in ``alembic_upsert_guard/rows``."""


def cause_of(known: Sequence[Known], table: Table, key: Key, claim: str) -> Known | None:
    """Return the first of the known causes that the claim may come of."""
    return next(
        (one for one in known if any(part in claim for part in one.claims) and one.has(table, key)),
        None,
    )
