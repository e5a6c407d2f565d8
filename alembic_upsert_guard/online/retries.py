"""How long a short lock is waited for, how often, and with what pauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Retries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Bounded tries for a lock that everybody else queues behind while it is waited for."""

    lock_timeout: str = "200ms"
    """As PostgreSQL takes it: the longest that a writer is kept waiting by one try."""

    attempts: int = 60
    """Tries altogether; with the pauses between them a little over four minutes."""

    first_pause: float = 0.25
    """Seconds."""

    longest_pause: float = 5.0
    """Seconds."""

    def pauses(self) -> Iterator[float]:
        """Yield the seconds to wait after each try but the last: twice as long each time, up to the longest."""
        for attempt in range(self.attempts - 1):
            # 2 ** 10 pauses are longer than any bound that makes sense
            yield min(self.first_pause * 2 ** min(attempt, 10), self.longest_pause)
