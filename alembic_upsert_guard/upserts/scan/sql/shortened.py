"""An upsert without its rows: what says its table and its target, however much is between them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tokens import ConflictClause, SqlToken

__all__ = ["shortened"]

_BEFORE_INTO = 4
"""``INSERT OR REPLACE INTO``, ``INSERT LOW_PRIORITY IGNORE INTO``: where the name begins at the latest."""

_BEHIND_THE_TABLE = frozenset(
    {
        *("ASCII_40", "DEFAULT", "OVERRIDING", "PARTITION", "SELECT"),
        *("SET", "TABLE", "VALUES", "VALUE_P", "WITH"),
    }
)
"""The tokens that end the table's name and alias."""


def shortened(
    sql: str, tokens: Sequence[SqlToken], clause: ConflictClause, target: str
) -> str | None:
    """Return the INSERT of a conflict clause with one row of NULL, and then `target`.

    Columns, rows or the query, and the action, are left out: none of them says the table or the target. None: the
    clause has no INSERT at its depth of parentheses, or no row follows the name.

    :param tokens: of `sql`.
    """
    if clause.insert is None:
        return None
    first = clause.insert + 1
    kinds = [token.kind for token in tokens[first : first + _BEFORE_INTO]]
    name = first + (kinds.index("INTO") + 1 if "INTO" in kinds else 0)
    while [token.kind for token in tokens[name + 1 : name + 2]] == ["ASCII_46"]:
        name += 2  # the next part of a name with dots, whatever word it is
    for token in islice(tokens, name + 1, None):
        if token.start >= clause.start:
            return None
        if token.kind in _BEHIND_THE_TABLE:
            head = sql[tokens[clause.insert].start : token.start]
            return f"{head} VALUES (NULL) {target}"
    return None
