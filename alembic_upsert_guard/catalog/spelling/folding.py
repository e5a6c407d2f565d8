"""SQL that the planner reads as something else, so that it refuses the index that was made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...inference import Folded
from ...sqltext import EQ, GT, element_sql, named, quoted, string_literal
from ..batch import Statement, run
from ..postgresql import NO_ARBITER

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ...inference import Candidate, Element
    from ..batch import Answered
    from .copied_key import CopiedKey

__all__ = ["folded_in", "is_refused"]


def is_refused(key: CopiedKey, on_copy: Answered) -> bool:
    """Return whether the planner refuses the key's target even with the index made for it."""
    others_only = on_copy.arbiters is not None and key.index not in on_copy.arbiters
    return on_copy.state == NO_ARBITER or others_only


def folded_in(connection: Connection, key: CopiedKey, probe: Candidate) -> Folded:
    """Return what is to blame in a key for which :func:`is_refused` is true.

    :param probe: the key's index on its copy, as the server prints it.
    """
    question = key.question
    for place, (declared, made) in enumerate(
        zip(question.arbiter.elements, probe.elements, strict=True)
    ):
        if declared.column is None:
            folded = _folded_element(connection, key, f"{key.index}_{place}", declared, made)
            if folded is not None:
                return folded
    if question.target.predicate is not None:
        return Folded(question.target.predicate)
    return Folded(", ".join(question.target.labels))


def _folded_element(
    connection: Connection, key: CopiedKey, prefix: str, declared: Element, made: Element
) -> Folded | None:
    """What the planner reads the element as; None: as it is.

    It is asked with an index on the element itself, and with one on each column.
    """
    dialect = connection.dialect
    sql = element_sql(dialect, declared)
    bare = made.expression if made.column is None else named(dialect, made.column)
    unwrapped = f"{bare} COLLATE {made.actual_collation}"
    columns = {f"{prefix}_{n}": c for n, c in enumerate(_columns_of(connection, key))}
    itself = f"{prefix}_itself"
    asked, asked_unwrapped = key.asked([sql]), key.asked([unwrapped])
    indexes = [key.made(name, [quoted(dialect, column)]) for name, column in columns.items()]
    answers = run(connection, [key.made(itself, [sql]), *indexes, asked, asked_unwrapped])
    taken = answers[asked].arbiters or ()
    if itself in taken:
        return None
    column = next((columns[name] for name in taken if name in columns), None)
    taken_unwrapped = answers[asked_unwrapped].arbiters or ()
    if column is None and itself in taken_unwrapped and made.actual_collation is not None:
        return Folded(sql, unwrapped=unwrapped)
    return Folded(sql, column)


def _columns_of(connection: Connection, key: CopiedKey) -> list[str]:
    query = Statement(
        f"""
        SELECT pg_catalog.json_agg(attname ORDER BY attnum) FROM pg_catalog.pg_attribute
        WHERE attrelid {EQ} CAST({string_literal(connection.dialect, key.copy)} AS pg_catalog.regclass)
              AND attnum {GT} 0 AND NOT attisdropped
        """,
        is_read=True,
    )
    return list(run(connection, [query])[query].value or ())
