"""SQL in strings: literals, and what is put together of them; what is put in at run time stays a hole."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from ...upsert import Form, Source, Upsert
from ..needles import WORDS
from ..sql import read_sql
from .module import FILLING
from .scope import Scope
from .string_places import StringPlaces
from .string_roots import names_of, root_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .composition import Composed, Composition, Root
    from .module import Module
    from .sites import Sites

__all__ = ["Strings"]

_FILLED_IN = Unread("the statement is filled in at run time", Cause.FILLED_IN)


class Strings:
    """Reads the SQL in a module's strings."""

    def __init__(self, composition: Composition) -> None:
        """Nothing is read yet."""
        self._composition = composition

    def read(self, module: Module, sites: Sites) -> Iterator[Upsert]:
        """Return every upsert in a string of the module; docstrings are prose.

        :param sites: reads a string under the calls of the function that it is in.
        """
        for root in self._roots(module):
            read = _upserts(module, root, self._composition.composed(Scope(module), root))
            for number, upsert in enumerate(read):
                if _is_read(upsert):
                    yield upsert
                else:
                    yield from sites.read(partial(self._upsert, module, root, number))

    def _upsert(self, module: Module, root: Root, number: int) -> Upsert | None:
        """One upsert of a string, as the current reading has it; None: the string has not so many."""
        read = _upserts(module, root, self._composition.composed(Scope(module), root))
        return read[number] if number < len(read) else None

    def _roots(self, module: Module) -> list[Root]:
        """The strings to read: none that another one takes in is read by itself."""
        found = [
            root
            for node in module.near(WORDS)
            if isinstance(node, ast.Constant)
            and _may_be_sql(node.value)
            and (root := root_of(module, node)) is not None
        ]
        roots = {root: self._composition.composed(Scope(module), root) for root in found}
        unread = [root for root, composed in roots.items() if not _is_whole(module, root, composed)]
        for root in self._by_name(module, unread):
            composed = self._composition.composed(Scope(module), root)
            if root not in roots and composed.taken & set(unread) and _reads_as_sql(composed):
                roots[root] = composed
        taken = frozenset[ast.AST]().union(*(composed.taken for composed in roots.values()))
        return [root for root in roots if root not in taken]

    def _by_name(self, module: Module, roots: Iterable[Root]) -> Iterator[Root]:
        """The strings that take in others by their names."""
        names = {name for root in roots for name in names_of(module, root)}
        for node in module.near(names) if names else ():
            match node:
                case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                    if name in names:
                        root = root_of(module, node)
                        if root is not None and root is not node:
                            yield root


def _upserts(module: Module, root: Root, composed: Composed) -> list[Upsert]:
    upserts = read_sql(composed.text)
    if not upserts:
        return []
    filled_in = _is_filled_in(module, root)
    places = StringPlaces(module, root, composed.pieces)
    return [
        Upsert(
            source=Source.CODE,
            place=module.place(places.line(upsert.start), root),
            table=_FILLED_IN if filled_in else upsert.table,
            target=_FILLED_IN if filled_in else upsert.target,
            binds=upsert.binds and not filled_in,
            form=Form.SQL,
        )
        for upsert in upserts
    ]


def _is_read(upsert: Upsert) -> bool:
    return not isinstance(upsert.table, Unread) and not isinstance(upsert.target, Unread)


def _is_whole(module: Module, root: Root, composed: Composed) -> bool:
    """Whether a string says all of its upserts by itself."""
    upserts = _upserts(module, root, composed)
    return bool(upserts) and all(map(_is_read, upserts))


def _reads_as_sql(composed: Composed) -> bool:
    """Whether it is a statement, and no message with one in it."""
    upserts = read_sql(composed.text)
    causes = [u.table.cause for u in upserts if isinstance(u.table, Unread)]
    return bool(upserts) and Cause.NOT_SQL not in causes


def _may_be_sql(literal: object) -> bool:
    """Whether a literal may be a piece of an upsert: its conflict clause, or the INSERT before it."""
    if not isinstance(literal, str):
        return False
    lower = literal.lower()
    return "conflict" in lower or "on duplicate" in lower or "insert" in lower


def _is_filled_in(module: Module, root: Root) -> bool:
    """Whether something is put into the string in a way that is not followed, or through its name."""
    inner: ast.AST = root
    for around in module.around(root):
        match around:
            case ast.BinOp(left=left, op=ast.Mod()):
                return left is inner
            case ast.Attribute(attr=method) if method in FILLING:
                return True
            case ast.Call(args=[first, *_]) if first is inner:
                inner = around
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                return name in module.filled_in
            case _:
                return False
    return False
