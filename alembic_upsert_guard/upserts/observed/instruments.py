"""How a library is listened to: functions of it are replaced while anybody records, and put back afterwards.

Replacing an attribute is one step that no other thread sees half done. Listeners of SQLAlchemy's are not: its events
walk a deque, and a statement of another thread fails when one is added or removed under it ("deque mutated").
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .recorder import Begun, Recorder, Sent

__all__ = ["Instrument", "Patch", "began", "ended"]


@dataclass(slots=True)
class Patch:
    """One attribute of a class or a module."""

    owner: Any
    name: str
    around: Callable[[Callable[..., Any]], Callable[..., Any]]
    """Returns what to put in its place; it is given what is there."""
    _there: Any = None
    _ours: Any = None

    def put(self) -> None:
        """Replace the attribute, unless what was put there before could not be taken away."""
        if self._ours is None:
            self._there = vars(self.owner)[self.name]
            self._ours = self.around(self._there)
            setattr(self.owner, self.name, self._ours)

    def take_away(self) -> None:
        """Put back what was there; where somebody else has replaced ours since, it stays and passes everything on."""
        if vars(self.owner)[self.name] is self._ours:
            setattr(self.owner, self.name, self._there)
            self._ours = None


@dataclass(slots=True)
class Instrument:
    """The functions of one library, and who listens."""

    recorders: tuple[Recorder, ...] = ()
    """Replaced as a whole, so that a thread that reads it needs no lock."""
    patches: Sequence[Patch] = ()
    _lock: Lock = field(default_factory=Lock)

    def attach(self, recorder: Recorder) -> None:
        """Report to `recorder` from now on."""
        with self._lock:
            if not self.recorders:
                for patch in self.patches:
                    patch.put()
            self.recorders = (*self.recorders, recorder)

    def detach(self, recorder: Recorder) -> None:
        """Report to `recorder` no more; the library is as it was once nobody is reported to."""
        with self._lock:
            self.recorders = tuple(each for each in self.recorders if each is not recorder)
            if not self.recorders:
                for patch in self.patches:
                    patch.take_away()


def began(recorders: Sequence[Recorder], sent: Sent, frame: Any) -> list[tuple[Recorder, Begun]]:
    """Return the upserts of a statement as each recorder has them; empty: it has none."""
    found = []
    for recorder in recorders:
        begun = recorder.begin(sent, frame)
        if begun is not None:
            found.append((recorder, begun))
    return found


def ended(
    begun: Sequence[tuple[Recorder, Begun]],
    error: BaseException | None = None,
    raised: BaseException | None = None,
    *,
    pending: bool = False,
) -> None:
    """Count the upserts of a statement that was answered, and put the fix of a refused one on its exception.

    :param error: the driver's; None: the server ran the statement.
    :param raised: what the application gets to see of it; None: `error` itself.
    """
    for recorder, each in begun:
        runs = recorder.end(each, error, pending=pending)
        seen = error if raised is None else raised
        if seen is None or not any(run.refusal for run in runs):
            continue
        from .findings import note_of  # noqa: PLC0415 - where an upsert is refused

        # the application's own exception counts for more than what could be said of it
        with suppress(Exception):
            note = note_of(runs, each.sent.dialect)
            # exceptions take notes from Python 3.11 on
            if hasattr(seen, "add_note") and note not in getattr(seen, "__notes__", ()):
                seen.add_note(note)
