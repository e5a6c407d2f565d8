"""One finding, as every command reports it: in a line of text, in JSON, on a pull request."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .codes import Circumstance, FindingCode, Severity

__all__ = ["Finding", "Location", "OfferedLines", "as_sentence", "sentences"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file."""

    path: str
    """As it was asked for: relative where the command was given a relative path."""

    line: int
    """Counted from 1."""

    is_file: bool = True
    """False: the path names a function of the database, and the line is one of its body."""

    @property
    def shown_path(self) -> str:
        """The path with slashes, whichever the system takes."""
        return self.path.replace(os.sep, "/") if self.is_file else self.path

    @property
    def repository_path(self) -> str:
        """The path as services that show a repository's files take it: without a leading ``./``."""
        return self.shown_path.removeprefix("./")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLines:
    """The directives that a person may paste into a revision."""

    upgrade: str
    downgrade: str
    place: int = 1
    """The line of ``upgrade()`` that it is among those of one report, counted from 1: their order matters."""
    of: int = 1


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

    is_of_database: bool = field(default=False, compare=False)
    """Whether the fact is about the whole database: people read it once, whatever the keys."""

    declared_at: Location | None = field(default=None, compare=False)
    """Where the key is declared; None: the finding is about no declared key, or its place is not known."""

    helper: Location | None = None
    """Where the upsert is written, by a function that the location calls; None: at the location."""

    offer: str | None = field(default=None, compare=False)
    """The part of the hint that declares a key, which findings at other places may share; None: it declares none."""

    deduplication: OfferedLines | None = field(default=None, compare=False)
    """What leaves one row of each key; None: the finding is about no duplicate rows, or nothing is offered."""

    @property
    def severity(self) -> Severity:
        """How bad it is, as the table of codes has it."""
        return self.code.severity_in(self.circumstance)

    @property
    def file_location(self) -> Location | None:
        """The line of a file to show it at: its own, or that of the declared key; None: there is none."""
        if self.location is not None:
            return self.location if self.location.is_file else None
        return self.declared_at

    @property
    def fact_with_helper(self) -> str:
        """The fact, and where the upsert is written that a call at the location leads to."""
        if self.helper is None:
            return self.fact
        return f"{self.fact}; written in {self.helper.shown_path}:{self.helper.line}"


def as_sentence(text: str) -> str:
    """Return the text with a capital letter at its beginning."""
    return f"{text[:1].upper()}{text[1:]}"


def sentences(fact: str, hint: str) -> str:
    """Return the two as people read them: ``The fact. The hint``, without the last full stop."""
    return f"{fact}. {as_sentence(hint)}"
