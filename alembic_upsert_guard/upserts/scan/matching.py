"""Whether a declared key has a conflict target, and whether the models serve one; text is compared for equality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from ...inference import Code, ConflictTarget, Element, State, judge
from ..target import Unread
from .sql import (
    columns_in,
    is_proven_by_text,
    may_be_made_on_a_column,
    normal_element,
    normal_predicate,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...inference import Candidate, Verdict
    from ..declared import DeclaredKey

__all__ = [
    "Match",
    "ModelAnswer",
    "columns_of",
    "judge_target",
    "match_elements",
    "match_key",
    "normalized",
    "normalized_elements",
]


class Match(Enum):
    """How a target compares with a key."""

    SAME = "same"
    DOUBT = "doubt"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What the models offer for a target."""

    state: State
    candidate: Candidate | None = None
    """What serves it, or spoils it, or may serve it, as the model spells it; None: nothing does."""
    deferrable: bool = False
    """Whether the candidate spoils it: a deferrable constraint on exactly these elements (55000)."""
    simplified: bool = False
    """Whether the doubt is what the planner makes of an expression, and not what its text says."""


_UNREAD = "upsert_guard_unread"
"""A predicate that is not known: no index has it."""


def judge_target(
    arbiters: Iterable[Candidate], elements: Sequence[Element], predicate: str | Unread | None
) -> ModelAnswer:
    """Return whether PostgreSQL would find an arbiter among those of a model, by equal text.

    The judge of :mod:`..inference` decides; where it has compared expressions, equal text counts only where the planner
    leaves them as they are (:func:`.sql.is_proven_by_text`), and other text only where it cannot become the same.

    :param arbiters: as the model spells them.
    :param elements: in the spelling of the SQL parser, as is `predicate`.
    """
    pairs = [(normalized(each), each) for each in arbiters]
    written = {id(normal): each for normal, each in pairs}
    offered = [normal for normal, _ in pairs]
    text = _UNREAD if isinstance(predicate, Unread) else predicate
    bare = _without_collations(elements)
    # what the planner may make of SQL is looked at below, by what the SQL is
    verdict = judge(ConflictTarget(bare, text, proven=True), offered)
    if verdict.shortfall is not None and verdict.shortfall.code is Code.DEFERRABLE_ARBITER:
        spoiler = verdict.shortfall.candidate
        if bare != tuple(elements):  # a collation that it names may leave the deferrable one out
            return ModelAnswer(State.UNKNOWN, written.get(id(spoiler), spoiler))
        return ModelAnswer(State.SHORT, written.get(id(spoiler), spoiler), deferrable=True)
    fitting = [each for each in offered if _fits(each, elements, text)]
    proven = _proven(fitting)
    late = [each for each in offered if not each.immediate and _may_be_alike(each, bare)]
    if proven is not None and not late:
        return ModelAnswer(State.SATISFIED, written[id(proven)])
    if fitting:
        return ModelAnswer(State.UNKNOWN, written[id((late or fitting)[0])], simplified=True)
    if verdict.state is not State.SHORT:
        return ModelAnswer(State.UNKNOWN, written.get(id(_doubtful(verdict, elements))))
    disguised = next((each for each in offered if _may_be_alike(each, bare)), None)
    if disguised is not None:
        return ModelAnswer(State.UNKNOWN, written[id(disguised)], simplified=True)
    return ModelAnswer(State.SHORT)


def _without_collations(elements: Iterable[Element]) -> tuple[Element, ...]:
    return tuple(replace(element, collation=None, opclass=None) for element in elements)


def _doubtful(verdict: Verdict, elements: Sequence[Element]) -> Candidate | None:
    """What may serve a target, as far as the judge says without the collations that it names; None: nothing."""
    is_named = any(element.collation or element.opclass for element in elements)
    if verdict.state is State.SATISFIED and is_named:
        return verdict.arbiters[0]
    return None if verdict.shortfall is None else verdict.shortfall.candidate


def _fits(candidate: Candidate, elements: Sequence[Element], predicate: str | None) -> bool:
    """Whether text says that the candidate serves the target."""
    if not (candidate.unique and candidate.is_whole and candidate.immediate):
        return False
    if match_elements(candidate.elements, elements) is not Match.SAME:
        return False
    full = not candidate.partial or candidate.predicate == "true"
    return full or (candidate.predicate is not None and candidate.predicate == predicate)


def _proven(candidates: Iterable[Candidate]) -> Candidate | None:
    """The first that equal text proves to serve a target; None: the planner may change the expressions of all."""
    for candidate in candidates:
        expressions = [e.expression for e in candidate.elements if e.expression is not None]
        if all(is_proven_by_text(expression) for expression in expressions):
            return candidate
    return None


def _may_be_alike(candidate: Candidate, elements: Sequence[Element]) -> bool:
    """Whether the planner, or CREATE INDEX, may make columns of expressions so that the two become the same."""
    if not candidate.unique or columns_of(candidate.elements) != columns_of(elements):
        return False
    ours = [e.expression for e in elements if e.expression is not None]
    theirs = [e.expression for e in candidate.elements if e.expression is not None]
    return any(map(may_be_made_on_a_column, theirs)) or not all(map(_stays_itself, ours))


def _stays_itself(expression: str) -> bool:
    return is_proven_by_text(expression) and not may_be_made_on_a_column(expression)


def columns_of(elements: Iterable[Element]) -> frozenset[str]:
    """Return the columns that elements name, those inside expressions included."""
    named: set[str] = set()
    for element in elements:
        named |= {element.column} if element.column is not None else columns_in(element.label)
    return frozenset(named)


@lru_cache(maxsize=4096)
def normalized(candidate: Candidate) -> Candidate:
    """Return a model's constraint or index in the spelling of what was read from SQL."""
    predicate = None if candidate.predicate is None else normal_predicate(candidate.predicate)
    return replace(
        candidate,
        elements=normalized_elements(candidate.elements),
        predicate=predicate,
        constant_predicate=predicate is not None and not columns_in(predicate),
    )


def match_key(
    key: DeclaredKey, elements: Sequence[Element], predicate: str | Unread | None
) -> Match:
    """Return whether the key's arbiter serves the target.

    ===========  =================  ==========================
    key          target             answer, elements the same
    ===========  =================  ==========================
    no WHERE     any or no WHERE    same: a full index serves every predicate
    WHERE        no WHERE           other
    WHERE        the same text      same
    WHERE        other text         doubt: it may imply the key's
    WHERE        not read           doubt
    ===========  =================  ==========================
    """
    matched = match_elements(normalized_elements(key.elements), elements)
    if matched is Match.OTHER or key.where is None:
        return matched
    if predicate is None:
        return Match.OTHER
    if not isinstance(predicate, Unread) and predicate == normal_predicate(key.where):
        return matched
    return Match.DOUBT


def normalized_elements(elements: Sequence[Element]) -> tuple[Element, ...]:
    """Return declared elements in the spelling of those that were read from SQL."""
    return tuple(e if e.expression is None else normal_element(e.expression) or e for e in elements)


def match_elements(declared: Sequence[Element], found: Sequence[Element]) -> Match:
    """Return how two sets of elements compare: each of one side needs an equal on the other."""
    either = [[_match(one, other) for other in declared] for one in found]
    mirrored = [[row[n] for row in either] for n in range(len(declared))]
    best = [_best(row) for row in (*either, *mirrored)]
    if not found or Match.OTHER in best:
        return Match.OTHER
    return Match.DOUBT if Match.DOUBT in best else Match.SAME


def _best(matches: Sequence[Match]) -> Match:
    return next((m for m in (Match.SAME, Match.DOUBT) if m in matches), Match.OTHER)


def _match(found: Element, declared: Element) -> Match:
    # found              | declared                 | answer
    # column             | the column, any COLLATE  | same: inference looks only at what the target names
    # column COLLATE     | the same                 | same
    # column COLLATE     | the column, otherwise    | doubt: it may be the column's own
    # column             | expression               | other
    # expression         | the same text            | same
    # expression         | other text               | doubt
    if found == declared:
        return Match.SAME
    if (found.column is None) != (declared.column is None):
        return Match.OTHER
    if found.column is None:
        return Match.DOUBT
    if found.column != declared.column:
        return Match.OTHER
    return Match.SAME if not (found.collation or found.opclass) else Match.DOUBT
