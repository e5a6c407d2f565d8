"""What the server answered to an upsert: its SQLSTATE, and whether it refused the conflict target."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Failure", "Refusal", "failure_of"]


class Refusal(str, Enum):
    """Why a server refuses a conflict target. The values are those of SQLSTATE."""

    NO_ARBITER = "42P10"
    """Nothing unique serves it."""
    DEFERRABLE = "55000"
    """What serves it is DEFERRABLE."""
    NO_CONSTRAINT = "42704"
    """The table has no constraint of the name."""

    def __str__(self) -> str:
        return self.value


_RAISED_IN = {
    "infer_arbiter_indexes": Refusal.NO_ARBITER,
    "ExecCheckIndexConstraints": Refusal.DEFERRABLE,
    "get_relation_constraint_attnos": Refusal.NO_CONSTRAINT,
}
"""PostgreSQL's functions that refuse a target (plancat.c, execIndexing.c, pg_constraint.c).

42P10 has other causes (``ORDER BY 7``), 55000 and 42704 many; the error names the function that raised it.
"""

_GENERAL = "HY000"
_STATES = (
    ("IntegrityError", "23000"),
    ("DataError", "22000"),
    ("NotSupportedError", "0A000"),
    ("ProgrammingError", "42000"),
)
"""The class of SQLSTATE by that of the DB-API's exception, for drivers that have no SQLSTATE."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One answer that is an error."""

    sqlstate: str
    """The server's; where it has none, the nearest: of SQLite's missing arbiter PostgreSQL's."""
    refusal: Refusal | None = None
    """None: it failed for another reason than its conflict target."""
    constraint: str | None = None
    """The constraint that the server names; None: it names none."""


class _Diagnosis(NamedTuple):
    sqlstate: str | None
    function: str | None
    context: str | None
    constraint: str | None


def failure_of(error: BaseException) -> Failure:
    """Return what a driver's exception says."""
    for each in _chain(error):
        diagnosis = _diagnosis(each)
        if diagnosis is not None and diagnosis.sqlstate is not None:
            return Failure(diagnosis.sqlstate, _refusal(diagnosis), diagnosis.constraint)
    from ...catalog.sqlite import NO_ARBITER  # noqa: PLC0415 - the catalogs are read in where an upsert fails

    if str(error).startswith(NO_ARBITER):
        return Failure(str(Refusal.NO_ARBITER), Refusal.NO_ARBITER)
    names = {kind.__name__ for kind in type(error).__mro__}
    return Failure(next((state for name, state in _STATES if name in names), _GENERAL))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and its cause: SQLAlchemy's adapter of asyncpg has one of its own around the driver's."""
    yield error
    if error.__cause__ is not None:
        yield error.__cause__


def _diagnosis(error: Any) -> _Diagnosis | None:
    diag = getattr(error, "diag", None)
    if diag is not None and hasattr(diag, "source_function"):  # psycopg2, psycopg
        return _Diagnosis(diag.sqlstate, diag.source_function, diag.context, diag.constraint_name)
    if hasattr(error, "server_source_function"):  # asyncpg
        return _Diagnosis(
            error.sqlstate,
            error.server_source_function,
            getattr(error, "context", None),
            getattr(error, "constraint_name", None),
        )
    fields = error.args[0] if error.args else None
    if isinstance(fields, dict) and "C" in fields:  # pg8000: the letters of the protocol
        return _Diagnosis(fields["C"], fields.get("R"), fields.get("W"), fields.get("n"))
    return None


def _refusal(diagnosis: _Diagnosis) -> Refusal | None:
    """The refusal of this very statement's target: with a context it is one inside a trigger or a function."""
    if diagnosis.context is not None:
        return None
    refusal = _RAISED_IN.get(diagnosis.function or "")
    return refusal if refusal is not None and refusal.value == diagnosis.sqlstate else None
