"""The one table of finding codes: how bad each is, what it means, and which commands report it."""

from __future__ import annotations

from difflib import get_close_matches
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..errors import UpsertGuardError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CODES",
    "Circumstance",
    "Command",
    "FindingCode",
    "Severity",
    "UnknownCodeError",
    "code_of",
]

Command: TypeAlias = Literal[
    "check",
    "check --rows",
    "check --code",
    "check --functions",
    "check --statements",
    "check --log",
    "check --observed",
    "scan",
    "functions",
    "autogenerate",
    "upgrade",
    "pytest",
]
"""``check`` is the command without ``--rows``: what it reports, ``check --rows`` reports too.

``check --code`` and those behind it are its other sources of upserts. All up to ``functions`` are ``upsert-guard``'s,
``autogenerate`` is ``alembic revision --autogenerate`` and ``alembic check``, ``upgrade`` is ``alembic upgrade``, and
``pytest`` is ``pytest --upsert-guard``.
"""


class Severity(str, Enum):
    """How bad a finding is. The values are those of the command's JSON."""

    ERROR = "error"
    WARNING = "warning"

    def __str__(self) -> str:
        return self.value


class Circumstance(Enum):
    """What makes a finding better or worse than its code is as a rule."""

    MODELLED = "the models serve the target all the same"
    LOOKED_UP = "the statement looks the row up by itself, and runs without anything unique"
    NULLS_FORBIDDEN = 'the key states nulls="forbid"'
    PREPARED = "the driver prepares statements by itself, so that plans turn generic"
    NOT_COMPARED = "the rows could not be compared as the index does"


class UnknownCodeError(UpsertGuardError, LookupError):
    """There is no such finding code; the message names near ones and lists all."""

    def __init__(self, code: str) -> None:
        near = get_close_matches(code, CODES)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"{code!r} is no finding code{meant}\nThe codes: {', '.join(CODES)}")


_CHECK: tuple[Command, ...] = ("check", "check --rows")
_UPSERTS: tuple[Command, ...] = (
    "check --code",
    "check --statements",
    "check --log",
    "check --observed",
)
_FUNCTIONS: tuple[Command, ...] = ("functions", "check --functions")
_MODELS_AND_DATABASE: tuple[Command, ...] = (*_CHECK, "autogenerate")
_ALWAYS: Mapping[Circumstance, Severity] = MappingProxyType({})
_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


class FindingCode(str, Enum):
    """Every code, in the order of the manual. A finding has its severity from here and from nowhere else."""

    severity: Severity
    """What a finding has but in the circumstances that `severity_in` knows."""
    meaning: str
    """In one line, without a full stop."""
    commands: tuple[Command, ...]
    """Those that can report it; no other does."""
    exceptions: Mapping[Circumstance, Severity]
    """The circumstances in which it is better or worse."""

    def __new__(  # noqa: PYI034 - Self takes a later Python
        cls,
        code: str,
        severity: Severity,
        meaning: str,
        commands: tuple[Command, ...],
        exceptions: Mapping[Circumstance, Severity] = _ALWAYS,
    ) -> FindingCode:
        """Return the member whose value is `code`."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.severity = severity
        member.meaning = meaning
        member.commands = commands
        member.exceptions = exceptions
        return member

    def __str__(self) -> str:
        return str(self.value)

    def severity_in(self, circumstance: Circumstance | None) -> Severity:
        """Return how bad a finding of the code is.

        :param circumstance: None: none that matters.
        """
        return self.severity if circumstance is None else self.exceptions[circumstance]

    MISSING_ARBITER = (
        "missing-arbiter",
        _ERROR,
        "nothing unique on exactly these elements (near misses are named)",
        _MODELS_AND_DATABASE,
    )
    PREDICATE_MISMATCH = (
        "predicate-mismatch",
        _ERROR,
        "the candidate is partial and the key's predicate does not imply it",
        _MODELS_AND_DATABASE,
    )
    DEFERRABLE_ARBITER = (
        "deferrable-arbiter",
        _ERROR,
        "a deferrable constraint on the same elements: the upsert fails with 55000",
        _MODELS_AND_DATABASE,
    )
    INVALID_ARBITER = (
        "invalid-arbiter",
        _ERROR,
        "the index is INVALID: a concurrent build failed or is running",
        _MODELS_AND_DATABASE,
    )
    COLLATION_MISMATCH = (
        "collation-mismatch",
        _ERROR,
        "named collation or operator class differs",
        _MODELS_AND_DATABASE,
    )
    UNPROVEN_ARBITER = (
        "unproven-arbiter",
        _WARNING,
        "the core cannot prove it and the database could not be asked",
        _MODELS_AND_DATABASE,
    )
    NULLS_MISMATCH = (
        "nulls-mismatch",
        _ERROR,
        "a key column is nullable and the arbiter treats NULLs otherwise than the key states",
        _MODELS_AND_DATABASE,
    )
    NULLABLE_KEY = (
        "nullable-key",
        _WARNING,
        "a key column is nullable and `nulls` was not stated",
        _MODELS_AND_DATABASE,
    )
    MISSING_TABLE = (
        "missing-table",
        _ERROR,
        "the key's table is not in the database",
        (*_CHECK, *_UPSERTS),
    )
    PARTITION_KEY_MISSING = (
        "partition-key-missing",
        _ERROR,
        "the table is partitioned and the key lacks a partition column",
        _MODELS_AND_DATABASE,
    )
    RIVAL_UNIQUE_KEY = (
        "rival-unique-key",
        _WARNING,
        "MySQL, MariaDB: another unique key can take the upsert",
        _MODELS_AND_DATABASE,
    )
    DUPLICATE_ROWS = (
        "duplicate-rows",
        _ERROR,
        "rows that break the key",
        ("check --rows", "upgrade"),
        {Circumstance.NOT_COMPARED: _WARNING},
    )
    NULL_ROWS = (
        "null-rows",
        _WARNING,
        'rows with NULL in the key (error under nulls="forbid")',
        ("check --rows", "upgrade"),
        {Circumstance.NULLS_FORBIDDEN: _ERROR},
    )
    UNREAD_ROWS = (
        "unread-rows",
        _ERROR,
        "the rows could not be read, and nothing is known of them",
        ("check --rows",),
    )
    ARBITER_REMOVED = (
        "arbiter-removed",
        _WARNING,
        "a revision drops a declared key's last arbiter",
        ("autogenerate", "upgrade"),
    )
    UNDECLARED_UPSERT = (
        "undeclared-upsert",
        _ERROR,
        "a call site's target is declared by no model (a warning where the models serve it all the same)",
        ("scan",),
        {Circumstance.MODELLED: _WARNING, Circumstance.LOOKED_UP: _WARNING},
    )
    UNSERVED_UPSERT = (
        "unserved-upsert",
        _ERROR,
        "a call site's target has no arbiter in the database, declared or not (a warning where it runs without one)",
        (*_UPSERTS, "pytest"),
        {Circumstance.LOOKED_UP: _WARNING},
    )
    MISSING_CONSTRAINT = (
        "missing-constraint",
        _ERROR,
        "`ON CONFLICT ON CONSTRAINT` names no constraint of the table; an index of that name is none",
        ("scan", *_UPSERTS, *_FUNCTIONS, "pytest"),
    )
    UNREAD_FILE = (
        "unread-file",
        _ERROR,
        "a file that could not be parsed or read: what it holds is not known",
        ("scan", "check --code"),
    )
    UNRESOLVED_UPSERT = (
        "unresolved-upsert",
        _WARNING,
        "a call site whose table or target cannot be read from the source",
        ("scan", *_UPSERTS, *_FUNCTIONS),
    )
    BOUND_PREDICATE = (
        "bound-predicate",
        _WARNING,
        "a conflict target with bound values: fails once the plan turns generic (an error on asyncpg and psycopg)",
        ("scan", "check --log", "pytest"),
        {Circumstance.PREPARED: _ERROR},
    )
    UNSERVED_FUNCTION = (
        "unserved-function",
        _ERROR,
        "a database function upserts on a target with no arbiter (a warning where it runs without one)",
        _FUNCTIONS,
        {Circumstance.LOOKED_UP: _WARNING},
    )
    UNKNOWN_DIALECT = (
        "unknown-dialect",
        _ERROR,
        "not a database we can judge: nothing was checked",
        (*_CHECK, *_UPSERTS, *_FUNCTIONS, "autogenerate"),
    )
    STALE_IGNORE = (
        "stale-ignore",
        _ERROR,
        "an ignore entry that matches nothing or has run out",
        (*_CHECK, *_UPSERTS, "scan", *_FUNCTIONS),
    )


CODES: Mapping[str, FindingCode] = MappingProxyType({code.value: code for code in FindingCode})
"""Every code by its name, in the order in which the manual lists them."""


def code_of(name: str) -> FindingCode:
    """Return the code of that name.

    :raises UnknownCodeError: there is no such code.
    """
    try:
        return CODES[name]
    except KeyError:
        raise UnknownCodeError(name) from None
