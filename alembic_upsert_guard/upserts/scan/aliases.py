"""Names that are given to one value: what is done by one of them is done to all."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["with_aliases"]


def with_aliases(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return some names, and all that a chain of pairs leads to from one of them.

    :param pairs: two names of one value, in any order.
    """
    beside: defaultdict[str, list[str]] = defaultdict(list)
    for one, other in pairs:
        beside[one].append(other)
        beside[other].append(one)
    found = set(names)
    waiting = list(found)
    while waiting:
        new = set(beside.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return frozenset(found)
