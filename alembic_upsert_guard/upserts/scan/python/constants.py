"""Strings that the source states in full, whichever name they go by."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Cause, TextInPart, Unread
from .replacing import replaced
from .values import Class, Expression

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .meaning import Names
    from .scope import Scope
    from .values import Meaning

__all__ = ["Constants"]

_METHODS = frozenset({"lower", "lstrip", "rstrip", "strip", "upper"})
_SUB = 3
"""Pattern, what is put in, and the text: of ``re.sub``."""


class Constants:
    """Reads strings, and what else is a literal."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names

    def literal(self, scope: Scope, node: ast.expr) -> Expression | Unread:
        """Return the one expression that a name means in the end."""
        found = self._names.meanings(scope, node)
        if len(found) > 1:
            return Unread(f"{ast.unparse(node)} can be several things", Cause.REBOUND)
        match found[0]:
            case Expression(at, ast.expr()):
                return Expression(at, found[0].node)
            case Unread() as unread:
                return unread
        return Unread(f"what {ast.unparse(node)} is cannot be read")

    def literal_node(self, scope: Scope, node: ast.expr) -> ast.expr | None:
        """Return the literal or the call that a name means in the end; None: it is not known, or one of several."""
        found = self.literal(scope, node)
        return (
            None
            if isinstance(found, Unread) or isinstance(found.node, ast.AugAssign)
            else found.node
        )

    def text(self, scope: Scope, node: ast.expr) -> str | Unread:
        """Return the string that an expression is: a literal, or literals and names put together."""
        return self.text_of(self._names.meanings(scope, node), ast.unparse(node))

    def text_of(self, meanings: Iterable[Meaning], source: str) -> str | Unread:
        """Return the one string among meanings.

        :param source: how a reader names what they are meanings of.
        """
        found = dict.fromkeys(self._text(meaning, source) for meaning in meanings)
        unread = next((t for t in found if isinstance(t, Unread)), None)
        if unread is not None:
            return unread
        if len(found) > 1:
            return Unread(f"{source} can be several strings", Cause.REBOUND)
        return next(iter(found))

    def _text(self, meaning: Meaning, source: str) -> str | Unread:
        match meaning:
            case Unread():
                return meaning
            case Expression(_, ast.Constant(value=str() as text)):
                return text
            case Expression(scope, ast.BinOp(left=left, op=ast.Add(), right=right)):
                return self._joined(scope, [left, right])
            case Expression(scope, ast.JoinedStr(values=values)):
                return self._joined(scope, values)
            case Expression(
                scope, ast.FormattedValue(value=value, conversion=-1, format_spec=None)
            ):
                return self.text(scope, value)
            case Expression(scope, ast.Attribute() as attribute):
                named = self._attribute(scope, attribute)
                if named is not None:
                    return named
            case Expression(scope, ast.Call() as call):
                made = self._made(scope, call)
                if made is not None:
                    return made
        unread = Unread(f"{source} is not a constant string")
        begins = _in_part(meaning.node) if isinstance(meaning, Expression) else ""
        return TextInPart(unread.reason, unread.cause, begins) if begins else unread

    def _attribute(self, scope: Scope, node: ast.Attribute) -> str | None:
        """``Model.__name__``, and a member of an enumeration that is written as its value; None: it is neither."""
        if node.attr == "__name__":
            match self._names.meanings(scope, node.value):
                case [Class() as of]:
                    return of.node.name
        return self._names.enumerations.text(scope, node)

    def _made(self, scope: Scope, call: ast.Call) -> str | Unread | None:
        """``"_".join([a, b])``, ``name.lower()``, ``re.sub(pattern, new, name)``, ``PATTERN.sub(new, name)``.

        None: it is another call.
        """
        match call:
            case ast.Call(
                func=ast.Attribute(value=separator, attr="join"),
                args=[ast.List(elts=items) | ast.Tuple(elts=items)],
            ):
                pieces = self._items(scope, items)
                between = self.text(scope, separator)
                unread = next((p for p in (between, *pieces) if isinstance(p, Unread)), None)
                return unread or str(between).join(map(str, pieces))
            case ast.Call(func=ast.Attribute(value=changed, attr=method), args=[], keywords=[]):
                if method in _METHODS:
                    text = self.text(scope, changed)
                    return text if isinstance(text, Unread) else str(getattr(text, method)())
            case ast.Call(func=ast.Attribute(attr="sub") as func, args=args, keywords=[]):
                pattern = self._pattern(scope, func.value)
                texts = [self.text(scope, each) for each in (*pattern, *args)]
                unread = next((text for text in texts if isinstance(text, Unread)), None)
                return unread or replaced(*map(str, texts)) if len(texts) == _SUB else None
        return None

    def _items(self, scope: Scope, items: Iterable[ast.expr]) -> list[str | Unread]:
        """The strings of a list, those of the lists included that it takes in by ``*``."""
        found: list[str | Unread] = []
        for item in items:
            if not isinstance(item, ast.Starred):
                found.append(self.text(scope, item))
                continue
            match self._names.meanings(scope, item.value):
                case [Expression(at, ast.List(elts=inside) | ast.Tuple(elts=inside))] if not any(
                    isinstance(each, ast.Starred) for each in inside
                ):
                    found += [self.text(at, each) for each in inside]
                case _:
                    return [Unread(f"what {ast.unparse(item.value)} holds cannot be read")]
        return found

    def _pattern(self, scope: Scope, owner: ast.expr) -> list[ast.expr]:
        """The pattern of ``re.compile(pattern)``; none: the module ``re`` is meant, which is given it."""
        match self._names.meanings(scope, owner):
            case [Expression(_, ast.Call(func=ast.Attribute(attr="compile"), args=[pattern]))]:
                return [pattern]
        return []

    def _joined(self, scope: Scope, nodes: list[ast.expr]) -> str | Unread:
        pieces = [self.text(scope, node) for node in nodes]
        return TextInPart.of(pieces) or "".join(map(str, pieces))


def _in_part(node: ast.AST) -> str:
    """How a text begins that a template makes, as far as it is written; empty: it makes none, or nothing is."""
    match node:
        case ast.BinOp(left=ast.Constant(value=str() as template), op=ast.Mod()):
            return template.partition("%")[0]
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str() as template), attr="format")
        ):
            return template.partition("{")[0]
    return ""
