"""The ways into an upsert: calls of the function that it is in, rounds, choices, and classes that inherit."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...upsert import Place
from .choices import frames_of
from .constructors import Constructors
from .functions import calls_super
from .rounds import rounds_of
from .scope import Frame, Scope
from .values import Class, Instance, OpeningKind, Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .callers import Callers
    from .meaning import Names
    from .module import Module
    from .scope import Entered
    from .values import Opening

__all__ = ["Level", "Ways"]


@dataclass(frozen=True, slots=True)
class Level:
    """Which calls an upsert is read under."""

    assumed: Mapping[Entered, Frame]
    place: Place | None
    """Of the outermost call; None: no call is assumed."""
    depth: int = 0
    for_schema: bool = False
    """Whether nothing but the schema is looked for."""

    @property
    def has_chosen(self) -> bool:
        """Whether a condition is assumed that only a run knows."""
        return any(frame.choice is not None for frame in self.assumed.values())


class Ways:
    """Finds the ways that an opening of a reading leaves."""

    def __init__(self, names: Names, callers: Callers) -> None:
        """Nothing is found yet."""
        self._names = names
        self._callers = callers
        self._constructors = Constructors(names, callers)

    def through(
        self,
        level: Level,
        openings: Sequence[Opening],
        opening: Opening,
        written: tuple[Module, ast.AST],
    ) -> tuple[list[Level], bool]:
        """Return what is assumed for each way through an opening, and whether these are all ways.

        :param openings: all of the reading.
        :param written: the file, and where the upsert is in it.
        """
        if opening.kind is OpeningKind.CHOICE:
            return self.chosen(level, opening), True
        if opening.kind is OpeningKind.RECEIVER:
            levels = self.heirs(level, openings, opening, written)
            return levels, not self._is_concrete(openings, opening)
        return self._entered(level, openings, opening)

    def chosen(self, level: Level, opening: Opening) -> list[Level]:
        """Return what is assumed for either choice; none for a second condition: the two need not be independent."""
        node = opening.node
        if level.has_chosen or level.for_schema or not isinstance(node, ast.IfExp):
            return []
        return [self._deeper(level, node, frame, level.place) for frame in frames_of(node)]

    def _entered(
        self, level: Level, openings: Iterable[Opening], opening: Opening
    ) -> tuple[list[Level], bool]:
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

    def _fits(self, level: Level, frame: Frame | None) -> bool:
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

    def _deeper(self, level: Level, node: Entered, frame: Frame, place: Place | None) -> Level:
        return Level({**level.assumed, node: frame}, place, level.depth + 1, level.for_schema)

    # -- classes that inherit

    def heirs(
        self,
        level: Level,
        openings: Iterable[Opening],
        opening: Opening,
        written: tuple[Module, ast.AST],
    ) -> list[Level]:
        """Return what is assumed for each class that inherits and makes a difference; see :meth:`through`."""
        if not isinstance(opening.node, ast.ClassDef):
            return []
        of = Class(opening.module, opening.node)
        attributes = [o.name for o in openings if o.node is opening.node]
        heirs = self._names.heirs.of(of)
        return [
            self._deeper(level, heir.node, self._received(heir), _place_of(heir.module, heir.node))
            for heir in heirs
            if any(self._differs(of, heir, heirs, name) for name in attributes)
            and self._runs(heir, written, opening.node)
        ]

    def _runs(self, heir: Class, written: tuple[Module, ast.AST], of: ast.ClassDef) -> bool:
        """Whether a class that inherits has the method that upserts, or calls it by ``super()`` in its own."""
        module, node = written
        method = next((n for n in module.around(node) if module.parent(n) is of), None)
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


def _class(receiver: Instance | Class) -> Class:
    return receiver.of if isinstance(receiver, Instance) else receiver


def _place_of(module: Module, node: ast.expr | ast.ClassDef) -> Place:
    if isinstance(node, ast.ClassDef):
        return Place(path=module.shown_path, line=node.lineno, extent=(node.lineno, node.lineno))
    func = node.func if isinstance(node, ast.Call) else node
    return module.place(func.end_lineno or node.lineno, node)
