"""One finding, as every command reports it: in a line of text, in JSON, on a pull request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .codes import Circumstance, FindingCode, Severity

__all__ = ["Finding", "Location", "sentences"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file."""

    path: str
    """As it was asked for: relative where the command was given a relative path."""

    line: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause, one finding."""

    code: FindingCode

    schema: str | None = None
    """None: the table's model names none, or the table is not known."""
    table: str | None = None
    """None: it cannot be read from the source, or the finding is about none."""
    elements: tuple[str, ...] = ()
    """Columns by their bare names, expressions as SQL, in the order they were written; empty: none, or not known."""
    where: str | None = None
    """The predicate's SQL; None: there is none, or it is not known."""

    fact: str
    """What is so: present tense, names in it, without the code and without a full stop."""
    hint: str
    """What to do, starting with a verb; ready to paste where it can be."""

    location: Location | None = None
    """None: the finding is about a database and not about a file."""

    circumstance: Circumstance | None = None
    """What makes it better or worse than its code is as a rule; None: nothing."""

    offer: str | None = field(default=None, compare=False)
    """The part of the hint that declares a key, which findings at other places may share; None: it declares none."""

    @property
    def severity(self) -> Severity:
        """How bad it is, as the table of codes has it."""
        return self.code.severity_in(self.circumstance)


def sentences(fact: str, hint: str) -> str:
    """Return the two as people read them: ``The fact. The hint``, without the last full stop."""
    return f"{fact}. {hint[:1].upper()}{hint[1:]}"
