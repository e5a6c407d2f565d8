"""An upsert that a function makes of its arguments, read once for each call, and for each class that inherits it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...target import Cause
from .scope import Scope
from .values import OpeningKind
from .ways import Level, Ways

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ...upsert import Place, Upsert
    from .callers import Callers
    from .meaning import Names
    from .module import Module
    from .values import Opening

__all__ = ["Sites"]

_LEVELS = 6
"""How many calls are followed up."""
_STEPS = 10_000
"""Expressions that all readings of one upsert may go through: a second or two."""
_SCHEMA_STEPS = 500
"""More of them, for readings under calls of an upsert of which nothing but the schema is unread."""
_FILE_STEPS = 40_000
"""Expressions that the readings of all upserts of one file may go through, before calls are no longer followed."""
_ALL_READ, _SCHEMA_ONLY = 0, 1
"""What a reading leaves open: nothing, or the schema only; anything else is more."""
_VAIN = 12
"""Calls that an upsert is read under in vain, one after the other, before the others are left alone."""


@dataclass(slots=True)
class _Site:
    module: Module
    node: ast.AST
    read: Callable[[], Upsert | None]
    left: int = _STEPS
    left_for_schema: int = _SCHEMA_STEPS
    vain: int = 0
    """Readings in a row that left the upsert unread."""
    is_ruled_out: bool = False
    """Whether a condition ruled it out in a reading."""
    settings_decide: bool = True
    """Whether what is set to True or False, and to nothing else, decides a condition."""

    @property
    def written(self) -> tuple[Module, ast.AST]:
        """The file, and where the upsert is in it."""
        return self.module, self.node

    def spend(self, steps: int, level: Level) -> None:
        """Note the steps of a reading."""
        if level.for_schema:
            self.left_for_schema -= steps
        else:
            self.left -= steps

    def is_spent(self, level: Level) -> bool:
        """Whether no other call is followed."""
        if level.for_schema:
            return self.left_for_schema <= 0
        return self.left <= 0 or self.vain > _VAIN


class Sites:
    """Reads upserts."""

    def __init__(self, names: Names, callers: Callers) -> None:
        """Nothing is read yet."""
        self._names = names
        self._ways = Ways(names, callers)
        self._left = _FILE_STEPS

    def read(
        self, module: Module, node: ast.AST, read: Callable[[], Upsert | None]
    ) -> Iterator[Upsert]:
        """Return what an upsert is, under each of the calls that lead to it; empty: it is none.

        One that nothing but a setting rules out, such as ``UPSERT = False`` of its class, is returned, too: a subclass
        or a person sets it.

        :param read: reads it, under what the current reading assumes.
        """
        with self._names.reading():
            # asked first, for most are none, and then nothing has to be known of the way there
            is_upsert = read() is not None
        if not is_upsert:
            return
        site = _Site(module, node, read)
        found = self._under(site, Level({}, None))
        if not found and site.is_ruled_out:
            found = self._under(_Site(module, node, read, settings_decide=False), Level({}, None))
        yield from dict.fromkeys(found)

    def _under(self, site: _Site, level: Level) -> list[Upsert]:
        with self._names.reading(level.assumed) as reading:
            is_reached = self._is_reached(site)
            upsert = site.read() if is_reached else None
        site.spend(reading.steps, level)
        self._left -= reading.steps
        if not is_reached:
            site.is_ruled_out = True
            return self._overridden(site, level, reading.openings) if site.settings_decide else []
        if upsert is None:
            return []
        if _left_open(upsert) <= _SCHEMA_ONLY:
            site.vain = 0
        elif not level.has_chosen:
            site.vain += 1
        openings = list(reading.openings)
        own = [_placed(upsert, level.place)]
        if is_read(upsert):
            overridden = self._overridden(site, level, openings)
            return own + [each for each in overridden if not _is_same(each, upsert)]
        level = replace(level, for_schema=_left_open(upsert) == _SCHEMA_ONLY)
        if level.depth == _LEVELS or self._left <= 0 or site.is_spent(level):
            return own
        try:
            found = self._opened(site, level, upsert, openings)
        except RecursionError:  # more names in a row than Python's stack takes
            found = None
        return own if found is None else found

    def _is_reached(self, site: _Site) -> bool:
        """Whether what is assumed leads to the upsert."""
        branches, scope = self._names.branches, Scope(site.module)
        if site.settings_decide:
            return branches.is_reached(scope, site.node)
        # which classes set what does not decide is of no account
        with self._names.reading(self._names.current.assumed):
            return branches.is_reached(scope, site.node, settings_decide=False)

    def _opened(
        self, site: _Site, level: Level, upsert: Upsert, openings: Sequence[Opening]
    ) -> list[Upsert] | None:
        """The upsert under each way to enter what it depends on; empty: none leads there. None: they are not known."""
        own = _placed(upsert, level.place)
        unread: list[Upsert] = []
        for opening in _first_of_each(openings):
            levels, complete = self._ways.through(level, openings, opening, site.written)
            found, is_whole = self._under_each(site, levels)
            complete = complete and is_whole
            says_more = any(_left_open(each) < _left_open(upsert) for each in found)
            # what is read but for its schema is an upsert, whether or not a call is seen to lead there
            leads_nowhere = (
                levels and complete and not found and opening.kind is not OpeningKind.CHOICE
            )
            if says_more and opening.kind is OpeningKind.PARAMETER:
                either = self._undecided(site, level, openings, found)
                if either:
                    return either
            if says_more or (leads_nowhere and not level.for_schema):
                return found if complete else [own, *found]
            unread = unread or found
        return unread if unread and _is_left_to_callers(upsert) else None

    def _under_each(self, site: _Site, levels: Sequence[Level]) -> tuple[list[Upsert], bool]:
        """The upsert under each of some calls; and whether all were followed."""
        found: list[Upsert] = []
        for level in levels:
            if self._left <= 0 or site.is_spent(level):
                return found, False
            found += self._under(site, level)
        return found, True

    def _undecided(
        self, site: _Site, level: Level, openings: Iterable[Opening], found: Iterable[Upsert]
    ) -> list[Upsert]:
        """The upsert under either choice, where each of the calls leaves it open; empty: one does not."""
        choices = [o for o in openings if o.kind is OpeningKind.CHOICE]
        either, _ = self._under_each(
            site, [i for o in choices[:1] for i in self._ways.chosen(level, o)]
        )
        at_calls: dict[Place, set[object]] = {}
        for each in found:
            at_calls.setdefault(each.place, set()).add((each.table, each.target))
        said = {(each.table, each.target) for each in either}
        is_so = len(said) > 1 and all(each == said for each in at_calls.values())
        return either if is_so and all(map(is_read, either)) else []

    def _overridden(self, site: _Site, level: Level, openings: Iterable[Opening]) -> list[Upsert]:
        """What subclasses make of an upsert that can be read as it is: those that set what it takes from ``self``."""
        receivers = [o for o in openings if o.kind is OpeningKind.RECEIVER]
        if not receivers or level.depth == _LEVELS:
            return []
        levels = [
            inner
            for o in receivers[:1]
            for inner in self._ways.heirs(level, receivers, o, site.written)
        ]
        return self._under_each(site, levels)[0]


def is_read(upsert: Upsert) -> bool:
    """Return whether table, schema and target of an upsert are known."""
    return not upsert.unread


def _left_open(upsert: Upsert) -> int:
    """How much of an upsert is unread: nothing, its schema only, or more."""
    if is_read(upsert):
        return _ALL_READ
    return _SCHEMA_ONLY if upsert.unread == [upsert.unread_schema] else _SCHEMA_ONLY + 1


def _is_same(upsert: Upsert, inherited: Upsert) -> bool:
    """Whether a class that inherits an upsert makes nothing else of it."""
    return (upsert.table, upsert.target) == (inherited.table, inherited.target)


def _is_left_to_callers(upsert: Upsert) -> bool:
    return all(each.cause is Cause.PARAMETER for each in upsert.unread)


def _first_of_each(openings: Iterable[Opening]) -> Iterable[Opening]:
    """The openings in the order in which they are tried, one for each thing to enter: a call gives all parameters."""
    found: dict[ast.AST, Opening] = {}
    for opening in sorted(openings, key=_order):
        found.setdefault(opening.node, opening)
    return found.values()


def _order(opening: Opening) -> int:
    """Calls say most, then rounds and choices, then the calls that make an instance; heirs are asked last."""
    if opening.kind in (OpeningKind.LOOP, OpeningKind.CHOICE):
        return 1
    if opening.kind is OpeningKind.RECEIVER:
        return 3
    return 2 if getattr(opening.node, "name", "") == "__init__" else 0


def _placed(upsert: Upsert, place: Place | None) -> Upsert:
    return upsert if place is None else replace(upsert, place=replace(place, helper=upsert.place))
