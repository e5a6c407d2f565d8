"""Any number of cases, each in one transaction, in batches, and in batches that are stopped and resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.generated import for_each

from .killed import MOMENTS, Batching, Kill
from .promises import BrokenPromiseError, Made, Promises

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from sqlalchemy.engine import Connection

    from .cases import Case
    from .killed import Killable
    from .promises import Tally

__all__ = ["check"]


def check(
    connection: Connection,
    cases: SearchStrategy[Case],
    tally: Tally,
    *,
    size: int,
    seed: int = 0,
    keep_going: bool = False,
    largest_batch: int | None = None,
    killable: Killable | None = None,
) -> None:
    """Hold `size` cases against the oracle, always the same ones for the same seed.

    :param largest_batch: each case is also deduplicated in batches of at most so many rows; None: in one transaction.
    :param killable: where it is done once more, by sessions that are ended at some moment; None: nowhere.

    :raises BrokenPromiseError: for the smallest case that hypothesis finds; with `keep_going` all are only counted.
    """

    def hold(drawn: tuple[Case, Batching | None]) -> None:
        case, batching = drawn
        try:
            _hold_one(connection, case, tally, None)
            if batching is not None:
                went = _hold_one(connection, case, tally, batching.size)
                if went and killable is not None:
                    killable.hold(case, tally, batching)
        except BrokenPromiseError as error:
            reproducer = tally.add(case, error)
            if not keep_going:
                raise BrokenPromiseError(error.claim, reproducer) from error

    drawn = st.tuples(cases, st.none() if largest_batch is None else _batchings(largest_batch))
    for_each(drawn, hold, size=size, seed=seed, shrink=not keep_going)


def _batchings(largest: int) -> SearchStrategy[Batching]:
    kills = st.builds(
        Kill,
        batch=st.sampled_from((1, 2, 3, 1, 2, 0)),
        moment=st.sampled_from(MOMENTS),
        milliseconds=st.integers(0, 30),
    )
    return st.builds(
        Batching,
        size=st.integers(1, largest),
        kills=st.lists(kills, min_size=1, max_size=3).map(tuple),
    )


def _hold_one(connection: Connection, case: Case, tally: Tally, batch_size: int | None) -> bool:
    """Make the case's tables, hold the deduplication against the oracle, and leave no trace."""
    with Made(connection, case) as made:
        return Promises(made, case, tally, batch_size).hold()
