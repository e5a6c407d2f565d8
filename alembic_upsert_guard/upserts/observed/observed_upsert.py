"""An upsert that a program ran: what it names, what the server answered, and where it came from. Values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...inference import Element
    from ..target import Target

__all__ = [
    "OK",
    "ObservedPlace",
    "ObservedUpsert",
    "SentUpsert",
    "UnreadStatement",
    "column_label",
    "element_label",
    "element_of_label",
]

OK = "ok"
"""The outcome of an upsert that the server ran."""

_NO_BARE_NAME = ('"', "(")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedPlace:
    """The line of the application that ran an upsert, and the test that it ran in."""

    path: str | None
    """From the root of the recording on, with slashes; None: no frame of the application was on the stack."""
    line: int | None
    """Counted from 1; None: as `path`."""
    test: str | None = None
    """pytest's node id; None: it ran outside of a test, or in a fixture that several tests share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentUpsert:
    """What one upsert names, as it was sent to the server; values are no part of it."""

    schema: str | None
    """After ``schema_translate_map``; None: the statement names none."""
    table: str
    elements: tuple[str, ...] = ()
    """Columns by their bare names, expressions as SQL (see :func:`element_label`); empty: the upsert names none."""
    where: str | None = None
    """The predicate's SQL, ``$1`` where a value was bound; None: there is none."""
    constraint: str | None = None
    """The name in ``ON CONFLICT ON CONSTRAINT``; None: the upsert names none."""
    binds: bool = False
    """Whether a value was bound in an element or in the predicate."""

    @property
    def target(self) -> Target:
        """The conflict target in values, columns apart from expressions."""
        from ..target import AnyArbiter, Constraint, Elements  # noqa: PLC0415 - not while recording

        if self.constraint is not None:
            return Constraint(self.constraint)
        if not self.elements:
            return AnyArbiter()
        return Elements(tuple(map(element_of_label, self.elements)), self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedUpsert:
    """All runs of one upsert that had one outcome on one kind of database."""

    upsert: SentUpsert
    dialect: str
    """SQLAlchemy's name of the kind of database."""
    outcome: str
    """``ok``, the SQLSTATE, or ``unknown``: the driver sent it in a pipeline, and the answer comes later."""
    count: int
    """How often it was sent; an ``executemany`` counts once."""
    places: tuple[ObservedPlace, ...]
    """Sorted by path, line and test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadStatement:
    """Statements that upsert as far as their words show, and that no parser reads."""

    dialect: str
    beginning: str
    """The words before the first value, name in quotes or parenthesis."""
    count: int


def element_label(element: Element) -> str:
    """Return an inference element as the file has it.

    A column is its bare name where that has neither a quote nor a parenthesis in it, and everything else is SQL that
    has one: so :func:`element_of_label` distinguishes them.
    """
    if element.column is None:
        text = element.expression or ""
    elif element.collation is None and element.opclass is None:
        return column_label(element.column)
    else:
        text = _quoted(element.column)
    collation = "" if element.collation is None else f" COLLATE {element.collation}"
    opclass = "" if element.opclass is None else f" {element.opclass}"
    return f"{text}{collation}{opclass}"


def column_label(name: str) -> str:
    """Return a column as the file has it, see :func:`element_label`."""
    return name if not any(sign in name for sign in _NO_BARE_NAME) else _quoted(name)


def element_of_label(label: str) -> Element:
    """Return the inference element that :func:`element_label` wrote.

    :raises ImportError: it is SQL, and the parsers are not installed.
    """
    from ...inference import Element  # noqa: PLC0415 - not while recording

    if not any(sign in label for sign in _NO_BARE_NAME):
        return Element(column=label)
    from ..scan.sql import normal_element  # noqa: PLC0415 - the parsers are an extra

    return normal_element(label) or Element(expression=label)


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
