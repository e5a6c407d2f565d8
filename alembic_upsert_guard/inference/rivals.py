"""What else may take an upsert that names no conflict target (MySQL, MariaDB)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .elements import columns_of, folded_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .candidate import Candidate, ConflictTarget, Traits


__all__ = [
    "rivals_of",
]


def rivals_of(
    target: ConflictTarget, offered: Sequence[Candidate], traits: Traits
) -> tuple[Candidate, ...]:
    """Return what else may take the upsert, where one index serves `target`.

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
    numbered = frozenset(folded_name(c) for c in traits.auto_increment) - columns_of(
        target.elements
    )
    return tuple(
        sorted(
            (
                candidate
                for candidate in offered
                if candidate.unique
                and columns_of(candidate.elements).isdisjoint(numbered)
                and not key
                <= {(e.column, e.expression) for e in candidate.elements if not e.prefix}
            ),
            key=lambda candidate: candidate.name or "",
        )
    )
