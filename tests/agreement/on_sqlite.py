"""Tables of SQLite, as far as it can express them: values of any type in any column, three collations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from alembic_upsert_guard.catalog import TableName

from .kinds import CONSTANTS, Kind, words
from .tables import GUARDED, Case, Column, Table, Vocabulary, cases_of, insert, named, rows

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["sqlite_cases"]

_TEXT = words(
    "lower({c})",
    "coalesce({c}, '')",
    "({c} || 'x')",
    "({c} || {d})",
    "length({c})",
    "({c} = 'a')",
    "json_extract({c}, '$.a')",  # fails on most rows
    "date({c})",  # not deterministic for 'now'
    "date('now')",
)
_NUMBERS = words(
    "abs({c})",  # fails on the smallest
    "({c} + {d})",
    "(1 / {c})",  # NULL for 0
    "coalesce({c}, {d})",
    "({c} > 1)",
    "random()",
    "CAST({c} AS TEXT)",
)
_COLLATIONS = ("NOCASE", "RTRIM", "BINARY")

KINDS = (
    Kind(
        "INTEGER",
        ("0 == -0 == '0' == 0.0", "1 == '1' == 1.0", "2", "1.5", "'a'", "-9223372036854775808"),
        _NUMBERS,
        "number",
        weight=2,
    ),
    Kind("REAL", ("0 == -0.0", "1 == 1.0", "9e999", "-9e999", "'a'"), _NUMBERS, "number"),
    Kind("NUMERIC", ("0 == 0.0", "1 == '1.0'", "'a'", "x'00'"), _NUMBERS, "number"),
    Kind(
        "TEXT",
        ("'a'", "'A'", "'a '", "1 == '1'", "1.0", "''", "'é'", "'it''s :x 100%'"),
        _TEXT,
        "text",
        _COLLATIONS,
        weight=2,
    ),
    Kind("TEXT COLLATE NOCASE", ("'a' == 'A'", "'a '", "'é'", "'É'"), _TEXT, "text", _COLLATIONS),
    Kind("TEXT COLLATE RTRIM", ("'a' == 'a '", "'A'"), _TEXT, "text", _COLLATIONS),
    Kind("BLOB", ("x'00'", "x'01'", "'a'", "1", "1.0", "x'61'"), words("hex({c})", "typeof({c})")),
    Kind("", ("1 == 1.0", "'1'", "x'31'", "'a'", "'A'"), _NUMBERS, "number", ("NOCASE",)),
)

PREDICATES = (
    "{c} IS NOT NULL",
    "{c} IS NULL",
    "id > 2",
    "id % 2 = 0",
    "id = 1",
    "id < 0",
    "id <> 2 OR ':x' = '100%'",
    "{t}.id > 1",
    "abs({c}) > 0",
    "random() > 0",
    "id > (SELECT 1)",
    "NULL",
    "true",
    "{c} > 'a'",
)

_TABLES = ("t", "t", "order", 'Odd ":x" 100%', "it's %s")
_COLUMNS = ("a", "b", "c", "key_2", "select", 'C: 5%s "q"', "it's")
_FORMS = {
    "({columns}, id INTEGER)": "rowid",
    "({columns}, id INTEGER PRIMARY KEY)": "rowid",
    "({columns}, id INT PRIMARY KEY)": "rowid",
    "({columns}, id INTEGER PRIMARY KEY) WITHOUT ROWID": "id",
}


@st.composite
def _tables(draw: Callable[..., Any]) -> tuple[Table, list[Column]]:
    names = draw(st.lists(st.sampled_from(_COLUMNS), min_size=1, max_size=4, unique=True))
    columns = [Column(name, draw(st.sampled_from(KINDS))) for name in names]
    name = TableName(None, draw(st.sampled_from(_TABLES)))
    form = draw(st.sampled_from(list(_FORMS)))
    listed = form.replace("{columns}", ", ".join(f"{c.sql} {c.kind.type}" for c in columns))
    statements = (
        f"CREATE TABLE {named(name)} {listed}",
        *insert(named(name), columns, draw(rows(columns)), overriding=""),
    )
    return Table(statements, name, place=_FORMS[form]), columns


def sqlite_cases() -> st.SearchStrategy[Case]:
    """Return tables of SQLite, each with keys."""
    identity = Kind("INTEGER", ("1",), words("abs({c})", "({c} % 2)"))
    vocabulary = Vocabulary(
        PREDICATES, GUARDED[1][:2], CONSTANTS[:3], ("warn", "distinct", "forbid"), identity
    )
    return cases_of(_tables(), vocabulary)
