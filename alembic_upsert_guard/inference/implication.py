"""Whether an index fits a conflict target by its shape, and whether the target's predicate implies the index's own."""

from __future__ import annotations

from .candidate import Candidate, ConflictTarget, Traits
from .elements import columns_of, cover, folded_name, with_folded_case
from .verdict import Code, Shortfall

__all__ = [
    "can_be_inferred",
    "counts_differ",
    "holds_the_rowid",
    "missing_partition_columns",
    "text_proves",
]


_PLAIN = Traits()


def can_be_inferred(
    target: ConflictTarget, candidate: Candidate, traits: Traits = _PLAIN
) -> bool | None:
    """Return whether `candidate` fits `target` by shape, whatever its state; None: text cannot show it."""
    if not (candidate.unique and candidate.inferable and candidate.is_whole):
        return False
    if counts_differ(target, candidate, traits):
        return False
    elements = cover(target.elements, candidate.elements, exact=not traits.database.counts_elements)
    implied = _is_implied(target, candidate, traits)
    if not text_proves(target, traits):
        # the planner may read the target's SQL as a column, or as other SQL; its columns stay what they are
        if any(element.column is None for element in target.elements):
            elements = (
                None if columns_of(target.elements) <= columns_of(candidate.elements) else False
            )
        if candidate.partial and implied:
            implied = None
    if elements is False or implied is False:
        return False
    return True if elements and implied else None


def text_proves(target: ConflictTarget, traits: Traits) -> bool:
    """Return whether equal text in `target` and in a candidate means that the database takes the one for the other."""
    return traits.database.infers_by_text or target.proven or target.is_plain


def counts_differ(target: ConflictTarget, candidate: Candidate, traits: Traits) -> bool:
    return traits.database.counts_elements and len(target.elements) != len(candidate.elements)


def _is_implied(target: ConflictTarget, candidate: Candidate, traits: Traits) -> bool | None:
    """Whether the target's predicate lets the candidate's rows be all that matter; None: text cannot show it.

    PostgreSQL asks for implication (predicate_implied_by), SQLite for the same structure; equal text is both.
    """
    if not candidate.partial:
        return True
    proves = traits.database.proves_predicates
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
    columns = columns_of(with_folded_case(target.elements))
    rowid = traits.rowid
    if rowid is None or len(target.elements) == 1 or folded_name(rowid) not in columns:
        return None
    return Shortfall(Code.MISSING_ARBITER, columns=(rowid,))


def missing_partition_columns(target: ConflictTarget, traits: Traits) -> tuple[str, ...]:
    """Return the columns of the partition key that the target lacks: nothing unique on the target can be made."""
    columns = columns_of(target.elements)
    return tuple(column for column in traits.partition_columns if column not in columns)
