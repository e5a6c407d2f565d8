"""The judge: which candidates a database takes as arbiters for a conflict target, and why not the others.

The rules are PostgreSQL's ``infer_arbiter_indexes`` (plancat.c) and SQLite's ``sqlite3UpsertAnalyzeTarget``
(upsert.c), where both agree. Text is compared for equality only, and what that cannot prove is unknown; on PostgreSQL
it proves columns, and SQL only where the planner was seen to take an index of that SQL. MySQL and MariaDB infer
nothing: ``ON DUPLICATE KEY UPDATE`` takes whatever unique key the row breaks, so the key must be one of them, and the
others are its rivals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

from .candidate import Candidate, ConflictTarget, Element, Traits

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

__all__ = [
    "Code",
    "Folded",
    "Shortfall",
    "State",
    "Verdict",
    "can_be_inferred",
    "enforce_same_uniqueness",
    "holds_the_rowid",
    "judge",
]


_PLAIN = Traits()

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
"""SQLite folds no other letters."""


class Code(str, Enum):
    """Why a key is short, or not known to be served. The values are the stable finding codes."""

    MISSING_ARBITER = "missing-arbiter"
    PREDICATE_MISMATCH = "predicate-mismatch"
    DEFERRABLE_ARBITER = "deferrable-arbiter"
    INVALID_ARBITER = "invalid-arbiter"
    COLLATION_MISMATCH = "collation-mismatch"
    PARTITION_KEY_MISSING = "partition-key-missing"
    NULLS_MISMATCH = "nulls-mismatch"
    UNPROVEN_ARBITER = "unproven-arbiter"

    def __str__(self) -> str:
        return self.value


class State(Enum):
    """What the judge can say of a target."""

    SATISFIED = "satisfied"
    SHORT = "short"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Folded:
    """SQL of a conflict target that PostgreSQL reads as something else than the index made of the same SQL holds.

    The planner simplifies a target before it compares (eval_const_expressions), and CREATE INDEX takes the parentheses
    off a COLLATE that ON CONFLICT leaves there: no index that can be made of the SQL serves it.
    """

    sql: str
    """The element or the predicate, as declared."""

    column: str | None = None
    """The column that the planner reads it as; None: not known."""

    unwrapped: str | None = None
    """The element without the parentheses around COLLATE, as SQL; None: that is not the reason."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One coded reason."""

    code: Code

    candidate: Candidate | None = None
    """The candidate it is about; for `missing-arbiter` the nearest miss, None where nothing is near."""

    columns: tuple[str, ...] = ()
    """For `partition-key-missing`: the columns of the partition key that the target lacks, in its order.

    For `missing-arbiter`: SQLite's rowid, beside which the target has other elements. Nothing that can be made serves.
    """

    folded: Folded | None = None
    """For `missing-arbiter`: the SQL that no index made of it serves."""

    unread: str | None = None
    """For `missing-arbiter`: the database's own words for why it cannot read the SQL of the key."""

    rules: tuple[str, ...] = ()
    """For `missing-arbiter`: the rules for which PostgreSQL refuses ON CONFLICT on the table, whatever is unique.

    For `unproven-arbiter`: those that turn every INSERT into nothing.
    """

    relation: str | None = None
    """For `missing-arbiter`: what it is that takes no INSERT, as ``view``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one target."""

    state: State

    arbiters: tuple[Candidate, ...] = ()
    """Every candidate that the database infers, spoilers included, in the order they were offered."""

    shortfall: Shortfall | None = None
    """The reason to act on first; None when satisfied."""

    rivals: tuple[Candidate, ...] = ()
    """MySQL, MariaDB: what else is unique, and may make the upsert update another row than the key's; by name.

    Told where the key is satisfied: one that is short has no row of its own that could be missed.
    """


def _without_candidates(traits: Traits) -> Verdict | None:
    """The verdict on a relation whose candidates decide nothing; None: they do."""
    if traits.refusing_rules:
        shortfall = Shortfall(Code.MISSING_ARBITER, rules=traits.refusing_rules)
        return Verdict(State.SHORT, (), shortfall)
    if traits.relation == "materialized view" or not traits.takes_insert:
        shortfall = Shortfall(Code.MISSING_ARBITER, relation=traits.relation)
        return Verdict(State.SHORT, (), shortfall)
    if traits.discarding_rules:
        shortfall = Shortfall(Code.UNPROVEN_ARBITER, rules=traits.discarding_rules)
        return Verdict(State.UNKNOWN, (), shortfall)
    if traits.relation == "view":
        # it stands for the table behind it
        return Verdict(State.UNKNOWN, (), Shortfall(Code.UNPROVEN_ARBITER))
    return None


def judge(
    target: ConflictTarget,
    candidates: Iterable[Candidate],
    traits: Traits = _PLAIN,
    *,
    named: Container[str | None] | None = None,
) -> Verdict:
    """Return whether the database finds an arbiter for `target` among `candidates`, all of one table.

    :param named: the arbiters that the database named when it was asked about the target on this table, none of them
     where it refused; None: it was not asked.

    Per candidate whose key elements are the target's:

    ======  =====  =========  =====================  ==================================
    unique  valid  immediate  predicate              result
    ======  =====  =========  =====================  ==================================
    no                                               near miss of `missing-arbiter`
    yes     no                                       `invalid-arbiter`
    yes     yes               partial, target plain  `predicate-mismatch`
    yes     yes               texts differ           `unproven-arbiter` (unknown)
    yes     yes    no         none, or same text     `deferrable-arbiter`: spoils all
    yes     yes    yes        none, or same text     arbiter
    ======  =====  =========  =====================  ==================================

    On PostgreSQL SQL of a target that is not proven (:attr:`.ConflictTarget.proven`) counts as a text that differs.
    One deferrable arbiter spoils the upsert though a good one is there, too: the planner lists both
    and the executor refuses (execIndexing.c, 55000). A view stands for the table behind it, whose candidates are
    not these: unknown. Inheritance children and partitions have candidates of their own. INSERT and UPDATE rules of a
    table refuse every ON CONFLICT (rewriteHandler.c: RewriteQuery, 0A000).

    On MySQL and MariaDB an index on a prefix of an element is a near miss as well, and what else is unique is told
    beside the arbiters (:func:`_rivals`).
    """
    decided = _without_candidates(traits)
    if decided is not None:
        return decided
    offered = tuple(candidates)
    if traits.database.folds_column_names:
        target = replace(target, elements=_folded(target.elements))
        offered = tuple(replace(c, elements=_folded(c.elements)) for c in offered)
    inferred = tuple(
        c
        for c in offered
        if (c.valid and can_be_inferred(target, c, traits) if named is None else c.name in named)
    )
    spoilers = [c for c in inferred if not c.immediate]
    if spoilers:
        return Verdict(State.SHORT, inferred, Shortfall(Code.DEFERRABLE_ARBITER, spoilers[0]))
    if inferred and named is not None:
        return Verdict(State.SATISFIED, inferred)
    if inferred:
        # from 19 on an index that is ready joins the arbiters as soon as one of them is valid
        joining = [c for c in offered if c.ready and not c.valid and traits.version >= (19,)]
        joined = tuple(c for c in joining if can_be_inferred(target, c, traits))
        rivals = () if traits.database.has_conflict_targets else _rivals(target, offered, traits)
        return Verdict(State.SATISFIED, (*inferred, *joined), rivals=rivals)
    lacking = _missing_partition_columns(target, traits)
    if lacking:
        return Verdict(State.SHORT, (), Shortfall(Code.PARTITION_KEY_MISSING, columns=lacking))
    unservable = holds_the_rowid(target, traits)
    if unservable is not None:
        return Verdict(State.SHORT, (), unservable)
    doubtful = [c for c in offered if c.valid and can_be_inferred(target, c, traits) is None]
    if doubtful and named is None:
        doubtful.sort(key=lambda c: _distance(target, c))
        return Verdict(State.UNKNOWN, (), Shortfall(Code.UNPROVEN_ARBITER, doubtful[0]))
    if doubtful and _is_comparable(target, traits):
        # the database was asked, and it is not the same
        other = doubtful[0]
        code = Code.PREDICATE_MISMATCH if other.partial else Code.MISSING_ARBITER
        return Verdict(State.SHORT, (), Shortfall(code, other))
    return Verdict(State.SHORT, (), _nearest_shortfall(target, offered, traits))


def _is_comparable(target: ConflictTarget, traits: Traits) -> bool:
    """Whether equal text in `target` and in a candidate means that the database takes the one for the other."""
    return not traits.database.simplifies_sql or target.proven or target.is_plain


def _rivals(
    target: ConflictTarget, offered: Sequence[Candidate], traits: Traits
) -> tuple[Candidate, ...]:
    """What else may take the upsert, where one index serves `target`.

    =====================================================  =======  ==============================================
    another unique index                                   rival    why
    =====================================================  =======  ==============================================
    on the key's elements, in whatever order               no       it serves the key as well
    on the key's elements and more, each as a whole        no       the row that breaks it breaks the key, too
    with an AUTO_INCREMENT column that the key lacks       no       upserts leave it out, and each row gets its own
    on a prefix of an element of the key                   yes      'abcX' breaks a key of 3 characters with 'abcd'
    on any other columns, fewer, or an expression          yes      it may meet another row than the key does
    =====================================================  =======  ==============================================

    Whichever index the row breaks, its row is updated; of several one row is, and the manual does not say which
    (MySQL 8.4 manual, 15.2.7.2). An upsert that does give the AUTO_INCREMENT column a value is not known here, and is
    asked of the catalog by nobody: a warning on every table with such a primary key would be read by nobody either.
    """
    key = frozenset((element.column, element.expression) for element in target.elements)
    numbered = frozenset(c.translate(_LOWER) for c in traits.auto_increment) - _columns(
        target.elements
    )
    return tuple(
        sorted(
            (
                candidate
                for candidate in offered
                if candidate.unique
                and _columns(candidate.elements).isdisjoint(numbered)
                and not key
                <= {(e.column, e.expression) for e in candidate.elements if not e.prefix}
            ),
            key=lambda candidate: candidate.name or "",
        )
    )


def _folded(elements: Sequence[Element]) -> tuple[Element, ...]:
    return tuple(replace(e, column=e.column.translate(_LOWER)) if e.column else e for e in elements)


def can_be_inferred(
    target: ConflictTarget, candidate: Candidate, traits: Traits = _PLAIN
) -> bool | None:
    """Return whether `candidate` fits `target` by shape, whatever its state; None: text cannot tell."""
    if not (candidate.unique and candidate.inferable and candidate.is_whole):
        return False
    if _counts_differ(target, candidate, traits):
        return False
    elements = _cover(
        target.elements, candidate.elements, exact=not traits.database.counts_elements
    )
    implied = _is_implied(target, candidate, traits)
    if not _is_comparable(target, traits):
        # the planner may read the target's SQL as a column, or as other SQL; its columns stay what they are
        if any(element.column is None for element in target.elements):
            elements = None if _columns(target.elements) <= _columns(candidate.elements) else False
        if candidate.partial and implied:
            implied = None
    if elements is False or implied is False:
        return False
    return True if elements and implied else None


def _counts_differ(target: ConflictTarget, candidate: Candidate, traits: Traits) -> bool:
    return traits.database.counts_elements and len(target.elements) != len(candidate.elements)


def _is_implied(target: ConflictTarget, candidate: Candidate, traits: Traits) -> bool | None:
    """Whether the target's predicate lets the candidate's rows be all that matter; None: text cannot tell.

    PostgreSQL asks for implication (predicate_implied_by), SQLite for the same structure; equal text is both.
    """
    if not candidate.partial:
        return True
    proves = traits.database.simplifies_sql
    if proves and candidate.predicate in ("true", "false"):
        return candidate.predicate == "true" or target.predicate == "false"
    if target.predicate is not None:
        return True if candidate.predicate == target.predicate else None
    if proves and traits.version >= (19,):
        # NOT NULL columns prove "column IS NOT NULL" (c925ad30b0), and whatever follows from it
        proven = {f"{column} IS NOT NULL" for column in traits.not_null}
        return True if candidate.predicate in proven else None
    return None if candidate.constant_predicate else False


def holds_the_rowid(target: ConflictTarget, traits: Traits) -> Shortfall | None:
    """Return why nothing can serve a target that holds SQLite's rowid beside other elements; None: it does not.

    upsert.c looks for a rowid in a target of one term alone, and an index keeps it under no column's number.
    """
    columns = _columns(_folded(target.elements))
    rowid = traits.rowid
    if rowid is None or len(target.elements) == 1 or rowid.translate(_LOWER) not in columns:
        return None
    return Shortfall(Code.MISSING_ARBITER, columns=(rowid,))


def _missing_partition_columns(target: ConflictTarget, traits: Traits) -> tuple[str, ...]:
    columns = _columns(target.elements)
    return tuple(column for column in traits.partition_columns if column not in columns)


def enforce_same_uniqueness(one: Candidate, other: Candidate, *, nullable: bool) -> bool:
    """Return whether both forbid exactly the same pairs of rows, whatever their name, order or kind.

    :param nullable: whether a key column can be NULL; where none can, the NULL mode makes no difference.
    """
    return (
        one.unique
        and other.unique
        and frozenset(one.elements) == frozenset(other.elements)
        and all(element.is_known for element in one.elements)
        and one.partial == other.partial
        and (not one.partial or (one.predicate is not None and one.predicate == other.predicate))
        and (not nullable or one.nulls_not_distinct == other.nulls_not_distinct)
    )


def _cover(
    wanted: Sequence[Element], found: Sequence[Element], *, exact: bool = True
) -> bool | None:
    """Whether the two element sets are equal; None where an expression's text leaves it open.

    :param exact: False: the numbers of terms are equal, and upsert.c looks up each of the index's alone.
    """
    if not _columns(found) <= _columns(wanted):
        return False
    if exact and _columns(wanted) != _columns(found):
        return False
    # an element without text is one of its own: it may equal any expression, and no other can be told from it
    wanted_expressions = {e.expression or index for index, e in enumerate(wanted) if not e.column}
    found_expressions = {e.expression or index for index, e in enumerate(found) if not e.column}
    if len(wanted_expressions) != len(found_expressions):
        return False
    if not _names_what_is_named(wanted, found):
        return False
    if _may_name_another(wanted, found):
        return None
    known = all(element.is_known for element in (*wanted, *found))
    return True if known and wanted_expressions == found_expressions else None


def _may_name_another(wanted: Sequence[Element], found: Sequence[Element]) -> bool:
    """Whether an element may name what the one found for it does not have."""
    pairs = [
        (element, other)
        for element in wanted
        for other in found
        if (element.column, element.expression) == (other.column, other.expression)
    ]
    return any(
        (element.may_name_collation and element.actual_collation != other.actual_collation)
        or (element.may_name_opclass and other.opclass is not None)
        for element, other in pairs
    )


def _columns(elements: Sequence[Element]) -> frozenset[str]:
    return frozenset(e.column for e in elements if e.column is not None)


def _names_what_is_named(wanted: Sequence[Element], found: Sequence[Element]) -> bool:
    """Collation and opclass count only where the target names them (plancat.c: infer_collation_opclass_match)."""
    for element in wanted:
        same = [
            other
            for other in found
            if (element.column, element.expression) == (other.column, other.expression)
        ]
        if same and not any(
            element.collation in (None, other.collation, other.actual_collation)
            and element.opclass in (None, other.opclass)
            for other in same
        ):
            return False
    return True


def _nearest_shortfall(
    target: ConflictTarget, offered: Sequence[Candidate], traits: Traits
) -> Shortfall:
    """The candidate that comes nearest, and why it does not serve: same elements before all others."""
    bare = ConflictTarget(
        tuple(Element(e.column, e.expression) for e in target.elements), target.predicate
    )
    same = [
        candidate
        for candidate in offered
        if candidate.unique
        and candidate.inferable
        and candidate.is_whole
        and not _counts_differ(target, candidate, traits)
        and _cover(bare.elements, candidate.elements) is not False
    ]
    if same:
        # what an accident left behind is told of first, then what a person chose
        code, nearest = min(((_reason(c), c) for c in same), key=lambda found: _PRIORITY[found[0]])
        if code is not Code.INVALID_ARBITER and not _is_comparable(target, traits):
            return _unlike_its_text(target, nearest)
        return Shortfall(code, nearest)
    wanted = frozenset(bare.labels)
    misses = [c for c in offered if wanted & {*c.labels, *c.expression_columns}]
    misses.sort(key=lambda c: _distance(target, c))
    return Shortfall(Code.MISSING_ARBITER, misses[0] if misses else None)


def _unlike_its_text(target: ConflictTarget, candidate: Candidate) -> Shortfall:
    """Why a candidate does not serve that reads like a target which holds SQL; the database has refused it."""
    same_rows = candidate.predicate == target.predicate
    if candidate.partial and not same_rows:
        return Shortfall(Code.PREDICATE_MISMATCH, candidate)
    folded = None
    if _cover(target.elements, candidate.elements) and same_rows:
        sql = [e.label for e in target.elements if e.column is None]
        folded = Folded(", ".join(sql) or str(target.predicate))
    return Shortfall(Code.MISSING_ARBITER, candidate, folded=folded)


def _distance(target: ConflictTarget, candidate: Candidate) -> tuple[int, int, bool, str]:
    """How far a candidate is from the target: the nearest is the least, and always the same.

    What has an element in common comes before what has its column in an expression (``lower(email)`` for ``email``);
    then as few elements too many or too few as can be; of those a unique one; then the name.
    """
    wanted, found = frozenset(target.labels), frozenset(candidate.labels)
    return (not wanted & found, len(wanted ^ found), not candidate.unique, candidate.name or "")


_PRIORITY = {
    Code.INVALID_ARBITER: 0,
    Code.PREDICATE_MISMATCH: 1,
    Code.COLLATION_MISMATCH: 2,
}


def _reason(candidate: Candidate) -> Code:
    if not candidate.valid:
        return Code.INVALID_ARBITER
    return Code.PREDICATE_MISMATCH if candidate.partial else Code.COLLATION_MISMATCH
