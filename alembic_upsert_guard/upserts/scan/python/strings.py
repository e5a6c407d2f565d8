"""SQL in strings: literals, and what is put together of them; what is put in at run time stays a hole."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from ...upsert import Form, Source, Upsert
from ..sql import read_sql
from .changes import FILLING
from .revision import runs_on_upgrade
from .scope import Scope
from .string_places import StringPlaces
from .string_roots import filled_templates, fills_fields, is_looked_for, names_of, root_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..sql import SqlUpsert
    from .composition import Composed, Composition, Root
    from .module import Module
    from .sites import Sites

__all__ = ["Strings"]

_CHOICES = 4
"""Texts of which one is put in, that are all tried, at most."""
_FILLED_IN = Unread("the statement is filled in at run time", Cause.FILLED_IN)
_CHOSEN = Unread("the statement is one of several", Cause.FILLED_IN)


@dataclass(frozen=True, slots=True)
class _Text:
    """A string, and what it is as SQL."""

    composed: Composed
    upserts: tuple[SqlUpsert, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it says all of its upserts by itself."""
        return bool(self.upserts) and all(upsert.is_read for upsert in self.upserts)

    @property
    def is_statement(self) -> bool:
        """Whether it is a statement, and no message with one in it."""
        causes = [u.table.cause for u in self.upserts if isinstance(u.table, Unread)]
        return bool(self.upserts) and Cause.NOT_SQL not in causes


class Strings:
    """Reads the SQL in a module's strings."""

    def __init__(self, composition: Composition) -> None:
        """Nothing is read yet."""
        self._composition = composition

    def read(self, module: Module, sites: Sites) -> Iterator[Upsert]:
        """Return every upsert in a string of the module; docstrings are prose.

        :param sites: reads a string under the calls of the function that it is in.
        """
        texts = self._texts(module)
        taken = frozenset[ast.AST]().union(*(text.composed.taken for text in texts.values()))
        chosen = frozenset[ast.AST]().union(*(text.composed.chosen for text in texts.values()))
        for root, text in texts.items():
            # a string that another one takes in is read there
            if root not in taken and (root not in chosen or text.is_whole):
                with self._composition.reading():
                    upserts = self._settled(module, root, text)
                is_open = _is_of_class(module, root)
                node = root.value if isinstance(root, ast.AugAssign) else root
                for number, upsert in enumerate(upserts):
                    is_read = _is_read(upsert) and upsert.unread_schema is None
                    if is_read:
                        yield upsert
                    if is_read and not is_open:
                        continue
                    for each in sites.read(
                        module, node, partial(self._upsert, module, root, number)
                    ):
                        # a class that inherits may have another table of its own
                        if not is_read or (each.table, each.target) != (
                            upsert.table,
                            upsert.target,
                        ):
                            yield each

    def _upsert(self, module: Module, root: Root, number: int) -> Upsert | None:
        """One upsert of a string, as the current reading has it; None: the string has not so many."""
        read = self._settled(module, root, self._text(module, root))
        return read[number] if number < len(read) else None

    def _settled(self, module: Module, root: Root, text: _Text) -> list[Upsert]:
        """The upserts of a string; as they are whichever texts are put in, where they do not depend on it."""
        found = self._upserts(module, root, text)
        choices = text.composed.choices
        if choices == 1 or (found and (choices > _CHOICES or all(map(_is_read, found)))):
            return found
        each = [self._upserts(module, root, chosen) for chosen in self._choices(module, root, text)]
        some = [upserts for upserts in each if upserts]
        targets = {tuple((u.table, u.target) for u in upserts) for upserts in some}
        if choices <= _CHOICES and len(targets) == 1 and all(map(_is_read, some[0])):
            return some[0]
        tables = {tuple(u.table for u in upserts) for upserts in some}
        return found or [
            replace(u, table=u.table if len(tables) == 1 else _CHOSEN, target=_CHOSEN)
            for u in max(each, key=len)
        ]

    def _text(self, module: Module, root: Root, choice: int | None = None) -> _Text:
        composed = self._composition.composed(Scope(module), root, choice)
        return _Text(composed, tuple(read_sql(composed.text)))

    def _choices(self, module: Module, root: Root, text: _Text) -> list[_Text]:
        """A string with each of the texts put in of which it takes in one, or with the first of them."""
        choices = min(text.composed.choices, _CHOICES)
        return [self._text(module, root, choice) for choice in range(choices)]

    def _alone(self, module: Module, root: Root) -> _Text:
        """A string under no call."""
        with self._composition.reading():
            return self._text(module, root)

    def _texts(self, module: Module) -> dict[Root, _Text]:
        """The strings that may upsert, those that others take in included."""
        roots = dict.fromkeys(
            root
            for node in module.near_evidence()
            if isinstance(node, ast.Constant)
            and _may_be_sql(node.value)
            and (root := root_of(module, node)) is not None
            and not is_looked_for(module, root)
        )
        texts = {root: self._alone(module, root) for root in roots}
        pieces = {root for root, text in texts.items() if not text.is_whole}
        for root in dict.fromkeys(_by_name(module, pieces)):
            if root not in texts:
                text = self._alone(module, root)
                composed = text.composed
                if (
                    text.is_statement and composed.taken & pieces and not _is_again(text, texts)
                ) or (
                    composed.chosen & pieces
                    and self._is_statement_of_pieces(module, root, text, texts)
                ):
                    texts[root] = text
        return texts

    def _is_statement_of_pieces(
        self, module: Module, root: Root, text: _Text, texts: Mapping[Root, _Text]
    ) -> bool:
        """Whether a string is a whole INSERT with one of the texts put in of which it takes in one."""
        with self._composition.reading():
            choices = self._choices(module, root, text)
        return any(
            c.is_statement and "insert" in c.composed.text.lower() and not _is_again(c, texts)
            for c in choices
        )

    def _upserts(self, module: Module, root: Root, text: _Text) -> list[Upsert]:
        if not text.upserts:
            return []
        filled_in = self._is_filled_in(module, root, text)
        places = StringPlaces(module, root, text.composed.pieces)
        return [
            Upsert(
                source=Source.CODE,
                place=module.place(places.line(upsert.start), root),
                table=_FILLED_IN if filled_in else upsert.table,
                target=_FILLED_IN if filled_in else upsert.target,
                binds=upsert.binds and not filled_in,
                form=Form.SQL,
                definition=upsert.definition if runs_on_upgrade(module, root) else None,
            )
            for upsert in text.upserts
        ]

    def _is_filled_in(self, module: Module, root: Root, text: _Text) -> bool:
        """Whether something is put into the string in a way that is not followed, or through its name.

        Fields beside table and target of a whole statement change neither.
        """
        inner: ast.AST = root
        for around in module.around(root):
            match around:
                case ast.BinOp(left=left, op=ast.Mod()):
                    return left is inner
                case ast.Attribute(attr=method) if method in FILLING:
                    return True
                case ast.Call(args=[first, *_]) if first is inner:
                    inner = around
                case (
                    ast.Assign(targets=[ast.Name(id=name)])
                    | ast.AnnAssign(target=ast.Name(id=name))
                ):
                    return module.fills_in(name) and any(
                        self._composition.may_mean(Scope(module), template, root)
                        for template in filled_templates(module, name)
                        if not (text.is_whole and fills_fields(module, template))
                    )
                case _:
                    return False
        return False


def _is_again(text: _Text, texts: Mapping[Root, _Text]) -> bool:
    """Whether a string is one that it takes in, under its name, and nothing more."""
    composed = text.composed
    return any(
        root in composed.taken | composed.chosen
        and each.is_statement
        and each.composed.text == composed.text
        for root, each in texts.items()
    )


def _by_name(module: Module, roots: Iterable[Root]) -> Iterator[Root]:
    """The strings that take in others by their names."""
    names = {name for root in roots for name in names_of(module, root)}
    for node in module.near(names) if names else ():
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                if name in names:
                    root = root_of(module, node)
                    if root is not None and root is not node:
                        yield root


def _is_read(upsert: Upsert) -> bool:
    """Whether table and target are read; the schema may be a value of run time."""
    return not isinstance(upsert.table, Unread) and not isinstance(upsert.target, Unread)


def _may_be_sql(literal: object) -> bool:
    """Whether a literal may be a piece of an upsert: its conflict clause, or the INSERT before it."""
    if not isinstance(literal, str):
        return False
    lower = literal.lower()
    words = ("conflict", "on duplicate", "insert", "replace into")
    return any(word in lower for word in words)


def _is_of_class(module: Module, root: Root) -> bool:
    """Whether a string of a class takes something in, which may be an attribute that heirs have of their own."""
    return not isinstance(root, ast.Constant) and any(
        isinstance(around, ast.ClassDef) for around in module.around(root)
    )
