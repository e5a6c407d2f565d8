"""What is said of upserts that ran: which the server refused, and which bound values in their conflict target."""

from __future__ import annotations

from dataclasses import dataclass

from .call_sites import bound_predicate, upsert_key_line
from .calls import Call, Form
from .codes import Circumstance, FindingCode
from .finding import Finding, Location, as_sentence
from .keys import describe_upsert, qualified

__all__ = [
    "ObservedSubject",
    "RefusedTarget",
    "bound_upsert",
    "bound_upsert_note",
    "refused_upsert",
    "refused_upsert_note",
]

_FEW = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedSubject:
    """One upsert at one place, as a finding is about it."""

    schema: str | None
    table: str
    elements: tuple[tuple[str, bool], ...]
    """Each with whether it is SQL and not a column's name; empty: the upsert names none."""
    where: str | None
    constraint: str | None
    """Of ``ON CONSTRAINT``."""
    location: Location | None
    """None: no line of the application was on the stack."""
    tests: tuple[str, ...]
    """The tests that ran it, sorted; empty: none, or not known."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The elements, as messages name them."""
        return tuple(label for label, _ in self.elements)

    @property
    def name(self) -> str:
        """The table with its schema, where one is named."""
        return qualified(self.schema, self.table)

    def __str__(self) -> str:
        """Return what a sentence about it begins with: ``the upsert into accounts (email)``."""
        return describe_upsert(self.name, self.labels, self.where, self.constraint)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedTarget:
    """Why the server refused the target, and what would serve it."""

    code: FindingCode
    """``unserved-upsert``, or ``missing-constraint``."""
    sqlstate: str | None
    """The server's own; None: the database has none."""
    deferrable: str | None = None
    """The deferrable constraint in the way; None: it is not deferrable, or the server names none."""
    is_deferrable: bool = False
    one_of_several: bool = False
    """Whether its statement has other upserts, so that the refusal may be another's."""
    statements: tuple[str, ...] = ()
    """The SQL that serves it; empty: it is not known without asking the database."""


def refused_upsert(subject: ObservedSubject, refused: RefusedTarget) -> Finding:
    """Return the finding that a server refused an upsert's conflict target."""
    return _finding(
        refused.code,
        subject,
        f"{_fact(subject, refused)}{_tests(subject)}",
        _hint(subject, refused),
    )


def refused_upsert_note(subject: ObservedSubject, refused: RefusedTarget) -> str:
    """Return what is put on the exception: the reason, and on lines of their own what to run."""
    return _note(_fact(subject, refused), _hint(subject, refused))


def _note(fact: str, hint: str) -> str:
    return f"upsert-guard: {fact}.\n{as_sentence(hint)}"


def bound_upsert(subject: ObservedSubject, *, prepares: bool) -> Finding:
    """Return the finding that values were bound in an upsert's conflict target.

    :param prepares: whether the driver prepares statements by itself, or the database always does.
    """
    wording = bound_predicate(Call(Form.OTHER, subject.name, None), None, None)
    return _finding(
        FindingCode.BOUND_PREDICATE,
        subject,
        f"{wording.fact}{_tests(subject)}",
        "write the target with literals: **conflict_target() does, and sa.text() with the values in it",
        Circumstance.PREPARED if prepares else None,
    )


def bound_upsert_note(subject: ObservedSubject, *, prepares: bool) -> str:
    """Return what is put on the exception of an upsert whose bound values no index serves."""
    finding = bound_upsert(subject, prepares=prepares)
    return _note(finding.fact, finding.hint)


def _finding(
    code: FindingCode,
    subject: ObservedSubject,
    fact: str,
    hint: str,
    circumstance: Circumstance | None = None,
) -> Finding:
    return Finding(
        code=code,
        schema=subject.schema,
        table=subject.table,
        elements=subject.labels,
        where=subject.where,
        fact=fact,
        hint=hint,
        location=subject.location,
        circumstance=circumstance,
    )


def _fact(subject: ObservedSubject, refused: RefusedTarget) -> str:
    fails = "fails" if refused.sqlstate is None else f"fails with {refused.sqlstate}"
    several = ", or another upsert of the same statement" if refused.one_of_several else ""
    return f"{subject}{several} {fails}: {_reason(refused)}"


def _reason(refused: RefusedTarget) -> str:
    if refused.code is FindingCode.MISSING_CONSTRAINT:
        return "the table has no constraint of that name, and ON CONSTRAINT takes no index"
    if refused.is_deferrable:
        name = f" {refused.deferrable}" if refused.deferrable else ""
        return f"the constraint{name} is DEFERRABLE"
    return "nothing unique in the database serves it"


def _hint(subject: ObservedSubject, refused: RefusedTarget) -> str:
    if refused.code is FindingCode.MISSING_CONSTRAINT:
        return "name a constraint that the table has, or the columns that rows are matched by"
    run = "\n".join(["run:", *refused.statements]) if refused.statements else ""
    if refused.is_deferrable:
        declare = "declare the constraint without deferrable= and initially="
    elif subject.elements:
        declare = (
            f"add {upsert_key_line(subject.elements, subject.where)} to the model of {subject.name} and run "
            "alembic revision --autogenerate"
        )
    else:
        declare = "name the columns that rows are matched by, and make them unique"
    return f"{declare}, or {run}" if run else declare


def _tests(subject: ObservedSubject) -> str:
    if not subject.tests:
        return ""
    more = len(subject.tests) - _FEW
    return f" (in {', '.join(subject.tests[:_FEW])}{f' and {more} more' if more > 0 else ''})"
