"""A string that the source puts together, as pieces of text; what is put in at run time stays a hole.

Read are literals that are added up, f-strings, ``.format()``, ``%``, ``.join()`` of items that the source writes out,
psycopg's ``sql.SQL``, ``sql.Identifier`` and ``sql.Composed``, and all of these by the names that they go by.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from ...target import Unread
from ..sql import HOLE, are_qualifiers
from .string_items import StringItems, last_name
from .templates import Field, Filling, format_arguments, format_parts, percent_filling
from .values import Expression

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from .constants import Constants
    from .meaning import Names
    from .scope import Scope
    from .string_items import StringItem
    from .tables import Tables
    from .values import Meaning

__all__ = ["Composed", "Composition", "Piece", "Root"]

Root: TypeAlias = ast.expr | ast.AugAssign

_DEPTH = 30
_TRIMMING = frozenset({"lstrip", "rstrip", "strip"})
_KEEPING = frozenset({"Composed", "SQL", "cleandoc", "dedent", "str", "text"})
"""Functions that hand on the text that they are given, by the last part of their names."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a literal's text, or a hole."""

    text: str
    literal: ast.Constant | None


@dataclass(frozen=True, slots=True)
class Composed:
    """A string, put together."""

    pieces: tuple[Piece, ...]
    taken: frozenset[ast.AST]
    """The expressions elsewhere that it takes in by their names."""
    choices: int = 1
    """Of how many texts a piece is one, at most."""
    chosen: frozenset[ast.AST] = frozenset()
    """The expressions elsewhere of which it takes in one."""

    @property
    def text(self) -> str:
        """All of it, holes as names."""
        return "".join(piece.text for piece in self.pieces)


class Composition:
    """Puts strings together."""

    def __init__(self, names: Names, constants: Constants, tables: Tables) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._tables = tables

    def composed(self, scope: Scope, root: Root, choice: int | None = None) -> Composed:
        """Return a string as its pieces.

        :param choice: which one is taken of a piece that is one of several texts, the last where it has fewer; None:
         it is a hole.
        """
        composer = _Composer(self._names, self._constants, self._tables, choice)
        pieces = tuple(_with_numbers(composer.pieces(scope, root, _DEPTH)))
        taken, chosen = frozenset(composer.taken), frozenset(composer.chosen)
        return Composed(pieces, taken, composer.choices, chosen)

    def reading(self) -> AbstractContextManager[object]:
        """Begin a reading under no call: one that grows too long gives up what it reads, and no other."""
        return self._names.reading()

    def may_mean(self, scope: Scope, node: ast.expr, root: Root) -> bool:
        """Return whether a name may mean a string; True where it is not known what it means."""
        found = [m for m in self._names.meanings(scope, node) if isinstance(m, Expression)]
        others = [m.node for m in found if not isinstance(m.node, ast.Attribute)]
        return root in others or not others


class _Composer:
    """Puts one string together."""

    def __init__(
        self, names: Names, constants: Constants, tables: Tables, choice: int | None
    ) -> None:
        self.taken: set[ast.AST] = set()
        self.choices = 1
        self.chosen: set[ast.AST] = set()
        self._choice = choice
        self._is_inside = False
        """Whether one of several texts is put together: what is chosen in it is a hole."""
        self._names = names
        self._constants = constants
        self._tables = tables
        self._items = StringItems(names, constants)

    def pieces(  # noqa: C901 - a table, a kind of expression a line
        self, scope: Scope, node: Root, depth: int
    ) -> Iterator[Piece]:
        match node:
            case ast.Constant(value=str() as text):
                yield Piece(text, node)
            case ast.Constant(value=int() as number):
                yield Piece(str(number), None)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                yield from self._all(scope, [left, right], depth)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                literal = self._constants.literal(scope, right)
                filling = percent_filling(scope, left, right, literal)
                yield from self._filled(filling, self._all(scope, [left], depth), depth)
            case ast.AugAssign(target=ast.Name() as name, value=value):
                yield from self._all(scope, [name, value], depth)
            case ast.JoinedStr(values=values):
                yield from self._all(scope, values, depth)
            case ast.FormattedValue(value=value, conversion=-1 | 115, format_spec=None):
                yield from self.pieces(scope, value, depth)
            case ast.IfExp():
                yield from self._either(scope, node, depth)
            case ast.Call():
                yield from self._call(scope, node, depth)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                yield from self._named(scope, node, depth)
            case _:
                yield _hole(node)

    def _all(self, scope: Scope, nodes: list[ast.expr], depth: int) -> Iterator[Piece]:
        for node in nodes:
            yield from self.pieces(scope, node, depth)

    def _named(self, scope: Scope, node: ast.expr, depth: int) -> Iterator[Piece]:
        meanings = self._names.meanings(scope, node)
        if len(meanings) > 1 and depth and self._may_qualify(meanings, depth):
            yield from _schema_in_front(node)
            return
        match meanings:
            case [Expression(at, other)] if (
                depth
                and other is not node
                and not isinstance(other, ast.Name | ast.Attribute | ast.Subscript)
            ):
                self.taken.add(other)
                yield from self.pieces(at, other, depth - 1)
                return
            case [_, _, *_] if depth and not self._is_inside:
                texts = [self._text_of(meaning, depth) for meaning in meanings]
                if None not in texts:
                    self.chosen |= {m.node for m in meanings if isinstance(m, Expression)}
                    yield self._chosen(node, [str(text) for text in texts])
                    return
            case [Expression(at, ast.Attribute() as member)]:
                text = self._names.enumerations.text(at, member)
                if text is not None:
                    yield Piece(text, None)
                    return
        name = self._name_of_table(scope, node)
        yield _hole(node) if name is None else Piece(name, None)

    def _may_qualify(self, meanings: list[Meaning], depth: int) -> bool:
        """Whether what a name can mean is a schema with its dot, or nothing, and not all of it is known."""
        if self._is_inside:
            return False
        texts = [self._text_of(meaning, depth, holes=True) for meaning in meanings]
        return are_qualifiers([text for text in texts if text is not None]) and None not in texts

    def _text_of(self, meaning: Meaning, depth: int, *, holes: bool = False) -> str | None:
        """The text that a name can mean; None: it is none, or not all of it is known.

        :param holes: whether text that is put in at run time may be in it.
        """
        match meaning:
            case Expression(_, ast.Constant(value=value)) if not isinstance(value, str):
                return None
            case Expression(at, node) if not isinstance(node, ast.Name | ast.Attribute):
                was_inside, self._is_inside = self._is_inside, True
                text = "".join(piece.text for piece in self.pieces(at, node, depth - 1))
                self._is_inside = was_inside
                return None if HOLE in text and not holes else text
        return None

    def _chosen(self, node: ast.expr, texts: list[str]) -> Piece:
        """One of several texts."""
        self.choices = max(self.choices, len(texts))
        if self._choice is None:
            return _hole(node)
        return Piece(texts[min(self._choice, len(texts) - 1)], None)

    def _name_of_table(self, scope: Scope, node: ast.expr) -> str | None:
        """``Model.__tablename__``, ``Model.__table__.name``; None: it is none of these."""
        match node:
            case ast.Attribute(value=model, attr="__tablename__"):
                part = "name"
            case ast.Attribute(value=ast.Attribute(attr="__table__") as model, attr=part):
                pass
            case _:
                return None
        table = self._tables.table(scope, model)
        if isinstance(table, Unread):
            return None
        if isinstance(table.schema, Unread):
            return table.name if part == "name" else None
        full = table.name if table.schema is None else f"{table.schema}.{table.name}"
        return {"name": table.name, "fullname": full, "schema": table.schema}.get(part)

    def _either(self, scope: Scope, node: ast.IfExp, depth: int) -> Iterator[Piece]:
        """``"ON CONFLICT ..." if skip else ""``: the clause, where it is there; other choices are not known."""
        truth = self._names.branches.truth(scope, node.test)
        if truth is not None:
            yield from self.pieces(scope, node.body if truth else node.orelse, depth)
            return
        branches = [list(self.pieces(scope, each, depth)) for each in (node.body, node.orelse)]
        texts = ["".join(piece.text for piece in branch).strip().lower() for branch in branches]
        if are_qualifiers(texts):
            yield from _schema_in_front(node)
            return
        if "" in texts and max(texts).startswith("on conflict"):
            yield from branches[texts.index(max(texts))]
        elif (chosen := self._names.choices.truth(scope, node)) is not None:
            yield from branches[not chosen]
        elif any(piece.text.startswith(HOLE) for branch in branches for piece in branch):
            yield _hole(node)
        else:
            yield self._chosen(node, ["".join(p.text for p in each) for each in branches])

    # -- calls

    def _call(self, scope: Scope, call: ast.Call, depth: int) -> Iterator[Piece]:
        match call:
            case ast.Call(
                func=ast.Attribute(value=between, attr="join"), args=[items], keywords=[]
            ):
                listed = self._items.of(scope, items)
                separator = [replace(p, literal=None) for p in self.pieces(scope, between, depth)]
                yield from self._joined(call, listed, separator, depth)
            case ast.Call(func=ast.Attribute(value=template, attr="format")):
                filling = Filling(
                    parts=format_parts, scope=scope, given=format_arguments(call), node=call
                )
                yield from self._filled(filling, self.pieces(scope, template, depth), depth)
            case ast.Call(func=ast.Attribute(value=inner, attr=method), args=[]) if (
                method in _TRIMMING
            ):
                yield from self.pieces(scope, inner, depth)
            case ast.Call(args=[inner], keywords=[]) if last_name(call.func) in _KEEPING:
                listed = self._items.of(scope, inner)
                if listed is None:
                    yield from self.pieces(scope, inner, depth)
                else:
                    yield from self._joined(call, listed, [], depth)
            case ast.Call(args=[_, *_], keywords=[]) if self._items.is_identifier(scope, call.func):
                for number, part in enumerate(call.args):
                    yield Piece("." if number else "", None)
                    yield from self._quoted(scope, part, depth)
            case ast.Call() if last_name(call.func) == "Placeholder":
                yield Piece("%s", None)
            case _:
                yield from self._named(scope, call, depth)

    def _quoted(self, scope: Scope, node: ast.expr, depth: int) -> Iterator[Piece]:
        yield Piece('"', None)
        for piece in self.pieces(scope, node, depth):
            yield replace(piece, text=piece.text.replace('"', '""'))
        yield Piece('"', None)

    def _joined(
        self, node: ast.Call, items: list[StringItem] | None, separator: list[Piece], depth: int
    ) -> Iterator[Piece]:
        if items is None or not depth:
            yield _hole(node)
            return
        for number, item in enumerate(items):
            self.taken.add(item.node)
            yield from separator if number else ()
            written = self._quoted if item.is_identifier else self.pieces
            yield from written(item.scope, item.node, depth - 1)

    def _filled(self, filling: Filling, template: Iterator[Piece], depth: int) -> Iterator[Piece]:
        """A template with its fields filled in; what is no template stays as it is."""
        pieces = list(template)
        try:
            parts = [
                (piece, part)
                for piece in pieces
                for part in ([piece.text] if piece.literal is None else filling.parts(piece.text))
            ]
        except ValueError:
            yield from pieces
            return
        # what is put in before may hold fields itself
        counts = all(piece.literal is not None for piece in pieces)
        number = 0
        for piece, part in parts:
            if isinstance(part, Field):
                value = filling.value(part, number if counts else None)
                number += part.name is None
                if value is None:
                    yield Piece(f"{HOLE}{filling.node.lineno}f{number}_", None)
                else:
                    yield from self.pieces(filling.scope, value, depth)
            else:
                yield Piece(part, piece.literal)


def _schema_in_front(node: ast.AST) -> Iterator[Piece]:
    """``f"{schema}." if schema else ""``, in front of a table's name."""
    yield from (_hole(node), Piece(".", None))


def _with_numbers(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """A hole behind a ``$`` is the number of a parameter: all are the same here."""
    before = ""
    for piece in pieces:
        is_number = before.endswith("$") and not before.endswith("$$")
        yield replace(piece, text="1") if is_number and piece.text.startswith(HOLE) else piece
        before = piece.text


def _hole(node: ast.AST) -> Piece:
    return Piece(f"{HOLE}{getattr(node, 'lineno', 0)}x{getattr(node, 'col_offset', 0)}_", None)
