"""The one table of finding codes: how bad each is, what it means, and who tells it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .finding import Severity

__all__ = ["CODES", "CodeEntry", "Command", "UnknownCodeError", "entry_of", "severity_of"]

Command: TypeAlias = Literal[
    "check",
    "check --rows",
    "check --code",
    "check --functions",
    "scan",
    "functions",
    "autogenerate",
    "upgrade",
]
"""``check`` is the command without ``--rows``: what it reports, ``check --rows`` reports too.

``check --code`` and ``check --functions`` are its other sources of upserts. The first six are ``upsert-guard``'s,
``autogenerate`` is ``alembic revision --autogenerate`` and ``alembic check``, ``upgrade`` is ``alembic upgrade``.
"""


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What is so of a code, whatever it is found on."""

    code: str

    severity: Severity
    """What a finding has unless its key states otherwise (``null-rows``)."""

    meaning: str
    """In one line, without a full stop."""

    commands: tuple[Command, ...]
    """Who can tell it; nobody else does."""


class UnknownCodeError(LookupError):
    """There is no such finding code; the message names near ones and lists all."""

    def __init__(self, code: str) -> None:
        near = get_close_matches(code, CODES)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"{code!r} is no finding code{meant}\nThe codes: {', '.join(CODES)}")


_CHECK: tuple[Command, ...] = ("check", "check --rows")
_FUNCTIONS: tuple[Command, ...] = ("functions", "check --functions")
_MODELS_AND_DATABASE: tuple[Command, ...] = (*_CHECK, "autogenerate")

_ENTRIES = (
    CodeEntry(
        "missing-arbiter",
        "error",
        "nothing unique on exactly these elements (near misses are named)",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry(
        "predicate-mismatch",
        "error",
        "the candidate is partial and the key's predicate does not imply it",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry(
        "deferrable-arbiter",
        "error",
        "a deferrable constraint on the same elements: the upsert fails with 55000",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry(
        "invalid-arbiter",
        "error",
        "the index is INVALID: a concurrent build failed or is running",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry(
        "collation-mismatch",
        "error",
        "named collation or operator class differs",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry(
        "unproven-arbiter",
        "warning",
        "the core cannot prove it and the database could not be asked",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry(
        "nulls-mismatch",
        "error",
        "a key column is nullable and the arbiter treats NULLs otherwise than the key states",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry(
        "nullable-key",
        "warning",
        "a key column is nullable and `nulls` was not stated",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry(
        "missing-table",
        "error",
        "the key's table is not in the database",
        (*_CHECK, "check --code"),
    ),
    CodeEntry(
        "partition-key-missing",
        "error",
        "the table is partitioned and the key lacks a partition column",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry(
        "rival-unique-key",
        "warning",
        "MySQL, MariaDB: another unique key can take the upsert",
        _MODELS_AND_DATABASE,
    ),
    CodeEntry("duplicate-rows", "error", "rows that break the key", ("check --rows", "upgrade")),
    CodeEntry(
        "null-rows",
        "warning",
        'rows with NULL in the key (error under nulls="forbid")',
        ("check --rows", "upgrade"),
    ),
    CodeEntry(
        "unread-rows",
        "error",
        "the rows could not be read, and nothing is known of them",
        ("check --rows",),
    ),
    CodeEntry(
        "arbiter-removed",
        "warning",
        "a revision drops a declared key's last arbiter",
        ("autogenerate",),
    ),
    CodeEntry(
        "undeclared-upsert",
        "error",
        "a call site's target is declared by no model (a warning where the models serve it all the same)",
        ("scan",),
    ),
    CodeEntry(
        "unserved-upsert",
        "error",
        "a call site's target has no arbiter in the database, declared or not",
        ("check --code",),
    ),
    CodeEntry(
        "missing-constraint",
        "error",
        "`ON CONFLICT ON CONSTRAINT` names no constraint of the table; an index of that name is none",
        ("scan", "check --code", *_FUNCTIONS),
    ),
    CodeEntry(
        "unresolved-upsert",
        "warning",
        "a call site whose table or target cannot be read from the source",
        ("scan", "check --code", *_FUNCTIONS),
    ),
    CodeEntry(
        "bound-predicate",
        "warning",
        "a conflict target with bound values: fails once the plan turns generic (an error on asyncpg and psycopg)",
        ("scan",),
    ),
    CodeEntry(
        "unserved-function",
        "error",
        "a database function upserts on a target with no arbiter",
        _FUNCTIONS,
    ),
    CodeEntry(
        "unknown-dialect",
        "error",
        "not a database we can judge: nothing was checked",
        (*_CHECK, "check --code", *_FUNCTIONS, "autogenerate"),
    ),
    CodeEntry(
        "stale-ignore",
        "error",
        "an ignore entry that matches nothing or has run out",
        (*_CHECK, "check --code", "scan", *_FUNCTIONS),
    ),
)

CODES: Mapping[str, CodeEntry] = MappingProxyType({entry.code: entry for entry in _ENTRIES})
"""Every code, in the order in which people are told of them."""


def entry_of(code: str) -> CodeEntry:
    """Return what is so of `code`.

    :raises UnknownCodeError: there is no such code.
    """
    try:
        return CODES[code]
    except KeyError:
        raise UnknownCodeError(code) from None


def severity_of(code: str) -> Severity:
    """Return how bad a finding of `code` is, unless its key states otherwise.

    :raises UnknownCodeError: there is no such code.
    """
    return entry_of(code).severity
