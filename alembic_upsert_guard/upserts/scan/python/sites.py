"""An upsert that a function makes of its arguments, read once for each call, and for each class that inherits it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...target import Cause
from ...upsert import Place
from .constructors import Constructors
from .functions import calls_super
from .rounds import rounds_of
from .scope import Frame, Scope
from .values import Class, Instance, OpeningKind, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ...upsert import Upsert
    from .callers import Callers
    from .meaning import Names
    from .module import Module
    from .scope import Entered
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


@dataclass(frozen=True, slots=True)
class _Level:
    """Which calls an upsert is read under."""

    assumed: Mapping[Entered, Frame]
    place: Place | None
    """Of the outermost call; None: no call is assumed."""
    depth: int = 0
    for_schema: bool = False
    """Whether nothing but the schema is looked for."""


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

    def spend(self, steps: int, level: _Level) -> None:
        """Note the steps of a reading."""
        if level.for_schema:
            self.left_for_schema -= steps
        else:
            self.left -= steps

    def is_spent(self, level: _Level) -> bool:
        """Whether no other call is followed."""
        if level.for_schema:
            return self.left_for_schema <= 0
        return self.left <= 0 or self.vain > _VAIN


class Sites:
    """Reads upserts."""

    def __init__(self, names: Names, callers: Callers) -> None:
        """Nothing is read yet."""
        self._names = names
        self._callers = callers
        self._constructors = Constructors(names, callers)
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
        found = self._under(site, _Level({}, None))
        if not found and site.is_ruled_out:
            found = self._under(_Site(module, node, read, settings_decide=False), _Level({}, None))
        yield from dict.fromkeys(found)

    def _under(self, site: _Site, level: _Level) -> list[Upsert]:
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
        site.vain = site.vain + 1 if _left_open(upsert) > _SCHEMA_ONLY else 0
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
        self, site: _Site, level: _Level, upsert: Upsert, openings: Sequence[Opening]
    ) -> list[Upsert] | None:
        """The upsert under each way to enter what it depends on; empty: none leads there. None: they are not known."""
        own = _placed(upsert, level.place)
        unread: list[Upsert] = []
        for opening in _first_of_each(openings):
            if opening.kind is OpeningKind.RECEIVER:
                levels, complete = self._heirs(site, level, openings, opening), False
                complete = not self._is_concrete(openings, opening)
            else:
                levels, complete = self._entered(level, openings, opening)
            found, is_whole = self._under_each(site, levels)
            complete = complete and is_whole
            says_more = any(_left_open(each) < _left_open(upsert) for each in found)
            # what is read but for its schema is an upsert, whether or not a call is seen to lead there
            if says_more or (not level.for_schema and levels and complete and not found):
                return found if complete else [own, *found]
            unread = unread or found
        return unread if unread and _is_left_to_callers(upsert) else None

    def _under_each(self, site: _Site, levels: Sequence[_Level]) -> tuple[list[Upsert], bool]:
        """The upsert under each of some calls; and whether all were followed."""
        found: list[Upsert] = []
        for level in levels:
            if self._left <= 0 or site.is_spent(level):
                return found, False
            found += self._under(site, level)
        return found, True

    # -- calls and rounds

    def _entered(
        self, level: _Level, openings: Iterable[Opening], opening: Opening
    ) -> tuple[list[_Level], bool]:
        node = opening.node
        if opening.kind is OpeningKind.LOOP:
            with self._names.reading(level.assumed):
                rounds = rounds_of(self._names, Scope(opening.module), node)  # type: ignore[arg-type]
            return [self._deeper(level, node, frame, level.place) for frame in rounds], True
        found = self._callers.of(opening.module, node)  # type: ignore[arg-type]
        names = [o.name for o in openings if o.node is node and o.name is not None]
        unchanged, callers = self._constructors.by_default(opening.module, node, found, names)
        levels = [] if unchanged is None else [self._deeper(level, node, unchanged, level.place)]
        return levels + [
            self._deeper(
                level,
                node,
                caller.frame or Frame(entered=node, arguments={}),
                _place_of(caller.module, caller.node),
            )
            for caller in callers
            if self._fits(level, caller.frame)
        ], found.complete

    def _fits(self, level: _Level, frame: Frame | None) -> bool:
        """Whether a call is on one of the classes that are assumed already."""
        if frame is None or frame.receiver is None:
            return True
        of = _class(frame.receiver)
        for assumed in level.assumed.values():
            other = None if assumed.receiver is None else _class(assumed.receiver)
            if other is None or other == of:
                continue
            related = of in self._names.members.lineage(
                other
            ) or other in self._names.members.lineage(of)
            heirs = {*self._names.members.lineage(of)} & {*self._names.members.lineage(other)}
            if heirs and not related:
                return False
        return True

    def _deeper(self, level: _Level, node: Entered, frame: Frame, place: Place | None) -> _Level:
        return _Level({**level.assumed, node: frame}, place, level.depth + 1, level.for_schema)

    # -- classes that inherit

    def _overridden(self, site: _Site, level: _Level, openings: Iterable[Opening]) -> list[Upsert]:
        """What subclasses make of an upsert that can be read as it is: those that set what it takes from ``self``."""
        receivers = [o for o in openings if o.kind is OpeningKind.RECEIVER]
        if not receivers or level.depth == _LEVELS:
            return []
        levels = [inner for o in receivers[:1] for inner in self._heirs(site, level, receivers, o)]
        return self._under_each(site, levels)[0]

    def _heirs(
        self, site: _Site, level: _Level, openings: Iterable[Opening], opening: Opening
    ) -> list[_Level]:
        if not isinstance(opening.node, ast.ClassDef):
            return []
        of = Class(opening.module, opening.node)
        attributes = [o.name for o in openings if o.node is opening.node]
        heirs = self._names.heirs.of(of)
        return [
            self._deeper(level, heir.node, self._received(heir), _place_of(heir.module, heir.node))
            for heir in heirs
            if any(self._differs(of, heir, heirs, name) for name in attributes)
            and self._runs(heir, site, opening.node)
        ]

    def _runs(self, heir: Class, site: _Site, of: ast.ClassDef) -> bool:
        """Whether a class that inherits has the method that upserts, or calls it by ``super()`` in its own."""
        around = site.module.around(site.node)
        method = next((n for n in around if site.module.parent(n) is of), None)
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            return True
        own = self._names.members.method(heir, method.name)
        return own is None or own.node is method or calls_super(own.node, method.name)

    def _differs(
        self, of: Class, heir: Class, heirs: Sequence[Class], attribute: str | None
    ) -> bool:
        """Whether a class that inherits gives an attribute, or itself as a value, for the first time."""
        if attribute is None:
            return not self._names.members.is_abstract_class(heir)
        lineage = self._names.members.lineage(heir)
        giver = next((c for c in lineage if self._names.members.sets(c, attribute)), None)
        inherited = giver in self._names.members.lineage(of) or (giver != heir and giver in heirs)
        return giver is not None and not inherited

    def _received(self, heir: Class) -> Frame:
        return Frame(
            entered=heir.node,
            receiver=Instance(heir, Origin.RECEIVER),
        )

    def _is_concrete(self, openings: Iterable[Opening], opening: Opening) -> bool:
        """Whether the class itself gives everything that the upsert takes from ``self``."""
        if not isinstance(opening.node, ast.ClassDef):
            return False
        of = Class(opening.module, opening.node)
        names = [o.name for o in openings if o.node is opening.node]
        return all(n is not None and self._names.members.gives(of, n) for n in names)


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
    """Calls say most, then the calls that make an instance; classes that inherit are asked last."""
    if opening.kind is OpeningKind.LOOP:
        return 1
    if opening.kind is OpeningKind.RECEIVER:
        return 3
    return 2 if getattr(opening.node, "name", "") == "__init__" else 0


def _class(receiver: Instance | Class) -> Class:
    return receiver.of if isinstance(receiver, Instance) else receiver


def _place_of(module: Module, node: ast.expr | ast.ClassDef) -> Place:
    if isinstance(node, ast.ClassDef):
        return Place(path=module.shown_path, line=node.lineno, extent=(node.lineno, node.lineno))
    func = node.func if isinstance(node, ast.Call) else node
    return module.place(func.end_lineno or node.lineno, node)


def _placed(upsert: Upsert, place: Place | None) -> Upsert:
    return upsert if place is None else replace(upsert, place=replace(place, helper=upsert.place))
