"""Text that PostgreSQL's scanner cannot cut up, or cuts up wrongly: a string has no end, or MySQL's backslashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import postgast

from ...target import Cause, Unread
from .replacing import may_replace, replacing_in
from .tokens import tokens_of
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cut_at_lines", "is_mysql", "read_without_tokens", "without_backslashes"]


def is_mysql(sql: str) -> bool:
    """Return whether a text is MySQL's, with quotes behind backslashes, of which two are no error to PostgreSQL."""
    if "\\'" not in sql or "`" not in sql:
        return False
    lower = sql.lower()
    return "on duplicate" in lower or may_replace(lower)


def without_backslashes(sql: str) -> str:
    """Return a text with quotes doubled that are behind MySQL's backslashes; every other character keeps its place."""
    return sql.replace("\\\\", "__").replace("\\'", "''")


def cut_at_lines(sql: str) -> Iterator[tuple[int, str]]:
    """Return where each statement begins, and its text: a semicolon that ends a line ends it."""
    first = at = 0
    for line in sql.splitlines(keepends=True):
        at += len(line)
        if line.rstrip().endswith(";"):
            yield first, sql[first:at].rstrip().removesuffix(";")
            first = at
    yield first, sql[first:]


def read_without_tokens(sql: str, said: str) -> list[SqlUpsert]:
    """Return the upsert of a statement that cannot be cut into tokens; empty: it is prose, as far as its words say.

    :param said: why it cannot be.
    """
    lower = sql.lower()
    if may_replace(lower):
        try:  # its table is in front of the string that has no end
            return replacing_in(tokens_of(sql[: sql.find("'")]))
        except postgast.PgQueryError:
            return []
    start = max(lower.find("on conflict"), lower.find("on duplicate key"))
    if start < 0 or "insert into" not in lower[:start]:
        return []
    unread = Unread(f"it does not read as SQL: {said}", Cause.NOT_SQL)
    return [SqlUpsert(start, unread, unread)]
