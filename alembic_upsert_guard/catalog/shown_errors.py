"""The errors whose messages hold no value of a row, by database: tables for :mod:`.messages`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MYSQL_CONDITIONS",
    "SHOWN",
    "SHOWN_CLASSES",
    "SHOWN_ON_MYSQL",
    "SHOWN_ON_SQLITE",
    "SHOWN_WITH_A_PLACE",
]

SHOWN_CLASSES = frozenset(
    {"08", "0A", "21", "23", "25", "26", "28", "2B", "40", "44", "53", "54", "55", "57"}
)
"""Connections, features, cardinality, constraints by name, transactions, roles, dependencies, limits, locks."""

SHOWN = frozenset(
    {
        "22012",  # division_by_zero: the message is no longer than that
        "42501",  # insufficient_privilege
        "42611",
        "42701",
        "42710",
        "42712",
        "42803",
        "42804",
        "42809",
        "42830",
        "42846",
        "42939",
        "42P07",
        "42P10",
        "42P16",
        "42P17",
        "42P18",
        "42P20",
        "42P21",
        "42P22",
    }
)
"""Of class 42, what is about objects that a statement names and types that it has; of 22, what has one message only."""

SHOWN_WITH_A_PLACE = frozenset(
    {"3F000", "42601", "42602", "42702", "42703", "42704", "42725", "42883", "42P01", "42P02"}
)
"""Raised of a statement's own text and of a value: ``CAST(email AS regclass)`` fails with 42P01 and the value."""

SHOWN_ON_MYSQL = frozenset(
    {
        1040,  # too many connections
        1044,
        1045,
        1046,
        1049,
        1050,
        1051,
        1054,
        1059,
        1061,
        1064,
        1071,
        1072,
        1091,
        1114,
        1142,
        1143,
        1146,
        1167,
        1170,
        1205,
        1213,
        1227,
        1235,
        1290,
        1317,
        1419,
        1553,
        1792,
        1836,
        2002,
        2003,
        2006,
        2013,
        2055,
        3024,
        3152,
        3572,
        3728,
        *range(3753, 3763),
    }
)
"""https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html: names, types and limits."""

MYSQL_CONDITIONS: Mapping[int, str] = MappingProxyType(
    {
        1062: "duplicate entry",
        1264: "value out of range",
        1265: "data truncated",
        1292: "incorrect value",
        1366: "incorrect value of a column",
        1406: "data too long",
        1411: "incorrect value of a function",
        1451: "a row is referred to",
        1452: "a row refers to none",
        1586: "duplicate entry",
        1644: "raised by SIGNAL",
        1690: "value out of range",
        3140: "invalid JSON text",
        3141: "invalid JSON text",
        3819: "check constraint violated",
        4025: "check constraint violated",
    }
)

SHOWN_ON_SQLITE = (
    "no such ",
    "UNIQUE constraint failed",
    "NOT NULL constraint failed",
    "CHECK constraint failed",
    "FOREIGN KEY constraint failed",
    "PRIMARY KEY constraint failed",
    "non-deterministic ",
    'near "',
    "incomplete input",
    "malformed JSON",
    "integer overflow",
    "datatype mismatch",
    "string or blob too big",
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "database schema has changed",
    "database or disk is full",
    "database disk image is malformed",
    "disk I/O error",
    "attempt to write a readonly database",
    "unable to open database file",
    "file is not a database",
    "interrupted",
    "not authorized",
    "there is already ",
    "table ",
    "index ",
    "cannot start a transaction",
    "ambiguous column name",
    "too many ",
)
"""The beginnings of messages of names: https://sqlite.org/src/file/src, ``sqlite3ErrorMsg`` and sqlite3ErrStr."""
