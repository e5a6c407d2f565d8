"""One table as migrations have made it so far, with what is unique on it, as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ....inference import Element
from ..matching import columns_of
from ..sql import may_be_made_on_a_column

if TYPE_CHECKING:
    from ....inference import Candidate

__all__ = ["HistoricName", "HistoricTable"]

_DEFAULT_SCHEMA = "public"
_OTHERS = ("_fkey", "_check", "_not_null", "_excl")
"""How the names end that PostgreSQL gives to constraints which are not unique."""


class HistoricName(NamedTuple):
    """The name of a table, an index or a schema's other object."""

    schema: str | None
    """None: the default one, whether it is named or not."""
    name: str

    @classmethod
    def of(cls, schema: str | None, name: str) -> HistoricName:
        """Return the name as it is written somewhere."""
        return cls(None if schema in (None, "", _DEFAULT_SCHEMA) else schema, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricTable:
    """One table, as it is after some migrations; its methods return it as it is after one more change."""

    candidates: tuple[Candidate, ...] = ()
    unnamed: frozenset[str] = frozenset()
    """The names of candidates that no statement gives: they are what PostgreSQL would call them, and may be others."""
    guessed: frozenset[str] = frozenset()
    """Those of them that may be others: by a naming convention, or where what is not known has the name."""
    others: frozenset[str] = frozenset()
    """The names of its constraints that are not unique."""
    is_partitioned: bool = False
    doubt: str | None = None
    """Why it is not known what is unique on it, in words; None: it is."""

    @property
    def has_expressions(self) -> bool:
        """Whether an index on it is on an expression, or has a predicate."""
        return any(each.partial or not each.is_plain for each in self.candidates)

    def without_constraint(self, constraint: str) -> HistoricTable:
        """One of whatever kind is dropped; one that is not known may go by a name that nothing states."""
        if any(each.name == constraint for each in self.candidates):
            return self.without_candidate(constraint)
        if self.unnamed and constraint not in self.others and not constraint.endswith(_OTHERS):
            reason = f"{constraint} is dropped, and may be a constraint without a name of its own"
            return HistoricTable(doubt=reason)
        return self

    def without_candidate(self, name: str) -> HistoricTable:
        """A constraint or an index of that name is dropped."""
        return replace(self, candidates=tuple(c for c in self.candidates if c.name != name))

    def with_index_used(self, index: str, constraint: Candidate) -> HistoricTable:
        """An index becomes a constraint."""
        found = next((each for each in self.candidates if each.name == index), None)
        if found is None:
            return HistoricTable(doubt=f"which index {index} is, is not known")
        made = replace(
            constraint,
            name=constraint.name or index,
            elements=found.elements,
            nulls_not_distinct=found.nulls_not_distinct,
            include=found.include,
        )
        others = (each for each in self.candidates if each is not found)
        return replace(self, candidates=(*others, made))

    def with_other_name(self, name: str, new: str) -> HistoricTable:
        """A constraint or an index is renamed."""
        renamed = (replace(c, name=new) if c.name == name else c for c in self.candidates)
        return replace(self, candidates=tuple(renamed), others=self.others | {new})

    def without_column(self, column: str) -> HistoricTable:
        """A column is dropped, and with it every constraint and index that it is in."""
        kept = (each for each in self.candidates if column not in _columns(each))
        return replace(self, candidates=tuple(kept))

    def with_column_renamed(self, column: str, new: str) -> HistoricTable:
        """What has the column in an expression or a predicate is in doubt."""
        if any(column in _columns(each) - _plain_columns(each) for each in self.candidates):
            reason = f"{column} is renamed, and an expression or a predicate has it"
            return HistoricTable(doubt=reason)
        renamed = (replace(c, elements=_renamed(c, column, new)) for c in self.candidates)
        return replace(self, candidates=tuple(renamed))

    def with_type_changed(self) -> HistoricTable:
        """A column gets another type: a cast to the old one was the column itself, and is none any more."""
        expressions = [e.expression for c in self.candidates for e in c.elements]
        if any(each and may_be_made_on_a_column(each) for each in expressions):
            return HistoricTable(doubt="the type of a column is changed, and an index has a cast")
        return self


def _columns(candidate: Candidate) -> frozenset[str]:
    """Every column that goes only with the candidate, those of expression, predicate and INCLUDE among them."""
    predicate = () if candidate.predicate is None else (Element(expression=candidate.predicate),)
    return columns_of((*candidate.elements, *predicate)) | frozenset(candidate.include)


def _plain_columns(candidate: Candidate) -> frozenset[str]:
    """The columns that are elements by themselves."""
    return frozenset(each.column for each in candidate.elements if each.column is not None)


def _renamed(candidate: Candidate, column: str, new: str) -> tuple[Element, ...]:
    return tuple(
        replace(each, column=new) if each.column == column else each for each in candidate.elements
    )
