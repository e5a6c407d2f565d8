"""Declarations of upsert keys, as insertions into the class or the ``Table(...)`` that they belong to."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .arguments import Arguments, Spell, add_to_call, extend
from .classes import ARGS, ClassBody, class_named, refuse_late_column
from .imports import Imports
from .source import UnwritableError
from .spelling import folded
from .tables import calls_of_table, refuse_unlisted_column, statement_around, unit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .names import ModuleNames
    from .places import ClassPlace, Inherited, TablePlace
    from .source import Insertion, Source
    from .spelling import KeyToWrite

__all__ = ["File"]


class File:
    """One file that declarations are written into."""

    def __init__(self, source: Source, names: ModuleNames) -> None:
        """Nothing is written yet."""
        self._source = source
        self._names = names
        self._imports = Imports(source, names)
        self._insertions: list[Insertion] = []
        self._first_use: int | None = None

    def declare_in_class(self, place: ClassPlace, keys: Sequence[KeyToWrite]) -> int:
        """Write keys into a class, and return the number of the line where they go.

        :raises UnwritableError: it cannot be done safely; nothing is written.
        """
        with self._imports.undone_on_refusal():
            return self._declare_in_class(place, keys)

    def _declare_in_class(self, place: ClassPlace, keys: Sequence[KeyToWrite]) -> int:
        node = class_named(self._source, place.qualname)
        body = ClassBody(self._source, node)
        if "__table__" in body.bound:
            raise UnwritableError("it has its table by __table__, and a __tablename__ as well")
        for key in keys:
            for column in sorted(key.columns):
                refuse_late_column(place, body, column)
        unit = body.unit
        spell = self._spell(keys, node, body.bound, unit)
        own = body.arguments()
        if own is not None:
            value, arguments = own, place.arguments
            insertions = list(extend(self._source, value, arguments, spell, unit))
        elif place.inherited is not None:
            insertions = [self._inheriting(place.inherited, body, spell)]
        else:
            insertions = [body.new(f"{ARGS} = ", "(", ")", spell, comma=True)]
        return self._take(insertions, node)

    def declare_in_table(self, place: TablePlace, keys: Sequence[KeyToWrite]) -> int:
        """Write keys into a ``Table(...)``, and return the number of the line where they go.

        :raises UnwritableError: it cannot be done safely; nothing is written.
        """
        with self._imports.undone_on_refusal():
            return self._declare_in_table(place, keys)

    def _declare_in_table(self, place: TablePlace, keys: Sequence[KeyToWrite]) -> int:
        (call,) = calls_of_table(self._source, self._names, place)
        for key in keys:
            refuse_unlisted_column(call, key)
        statement = statement_around(self._source, call)
        unit = unit_of(self._source, call)
        scope = statement if isinstance(statement, ast.ClassDef) else None
        bound = frozenset[str]() if scope is None else ClassBody(self._source, scope).bound
        spell = self._spell(keys, statement, bound, unit)
        return self._take(list(add_to_call(self._source, call, spell, unit)), statement)

    def changed(self) -> bytes:
        """Return the file with everything that was written, and with the imports that it takes."""
        assert self._first_use is not None  # noqa: S101 - it is asked where something was written
        imports = self._imports.insertions(self._first_use)
        return self._source.with_insertions([*imports, *self._insertions])

    def _take(self, insertions: list[Insertion], statement: ast.stmt) -> int:
        self._insertions += insertions
        start = self._source.start(statement)
        self._first_use = start if self._first_use is None else min(start, self._first_use)
        return self._source.line(min(each.offset for each in insertions))

    def _spell(
        self, keys: Sequence[KeyToWrite], statement: ast.stmt, hidden: frozenset[str], unit: str
    ) -> Spell:
        before = self._source.start(statement)

        def name_of(wanted: str) -> str:
            return self._imports.name_of(wanted, before, hidden)

        def spell(indent: str | None) -> list[str]:
            return [_spelled(key, name_of, indent, unit) for key in keys]

        return spell

    def _inheriting(self, inherited: Inherited, body: ClassBody, spell: Spell) -> Insertion:
        star = "" if inherited.value is Arguments.OPTIONS else "*"
        if inherited.value is Arguments.UNKNOWN:
            raise UnwritableError(f"the {ARGS} that it inherits are neither a tuple nor a dict")
        if not inherited.is_method:
            if inherited.name is None:
                raise UnwritableError(f"the class that it inherits {ARGS} from has no name here")
            rest = f"{star}{inherited.name}.{ARGS}"
            return body.new(f"{ARGS} = ", "(", ")", spell, rest=rest)
        before = self._source.start(body.node)
        decorator = self._imports.name_of("declared_attr", before, body.bound)
        indent = body.indent
        return body.new(
            f"@{decorator}.directive\n{indent}def {ARGS}(cls):\n{indent}{body.unit}return ",
            "(",
            ")",
            spell,
            rest=f"{star}super().{ARGS}",
            is_method=True,
        )


def _spelled(key: KeyToWrite, name_of: Callable[[str], str], indent: str | None, unit: str) -> str:
    call = key.spelled(name_of)
    if indent is None:
        return call
    text = name_of("text") if key.holds_sql else ""
    return folded(call, name_of("UpsertKey"), key.arguments(text), indent, unit)
