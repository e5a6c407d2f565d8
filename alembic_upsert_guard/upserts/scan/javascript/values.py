"""The strings and lists that expressions are, as far as the source says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import TextInPart, Unread
from .meaning import Expression
from .names import DEPTH, Names, unread, why_unread
from .nodes import method_call, string_in, text_of, unescaped

if TYPE_CHECKING:
    from tree_sitter import Node

    from .modules import Modules

__all__ = ["Values"]

_PARTS = 10_000
"""Expressions that one string may be put together of: constants that are doubled forty times are a million millions."""
_LONGEST = 1_000_000
"""Characters of one string."""


class Values(Names):
    """Reads expressions."""

    def __init__(self, modules: Modules) -> None:
        """Nothing is read yet."""
        super().__init__(modules)
        self._depth = 0
        """How many strings are being put together, each of which is a part of the one before."""
        self._parts = 0
        """Of the outermost one, up to now."""

    def text(self, expression: Expression, depth: int = DEPTH) -> str | Unread:
        """Return the string that an expression is: literals, constants, what is added up or joined of them."""
        self._parts = self._parts + 1 if self._depth else 0
        if self._parts > _PARTS:
            return Unread(f"{expression.source} is put together of too many parts")
        self._depth += 1
        try:
            return self._text(expression, depth)
        finally:
            self._depth -= 1

    def _text(self, expression: Expression, depth: int) -> str | Unread:
        meaning = self.meaning(expression, depth)
        if not isinstance(meaning, Expression) or not depth:
            return why_unread(meaning, expression)
        node = meaning.node
        match node.type:
            case "string":
                return string_in(node) or ""
            case "template_string":
                return self._joined(
                    [self._part(meaning, part, depth) for part in node.named_children]
                )
            case "binary_expression" if _operator(node) == "+":
                left, right = (node.child_by_field_name(side) for side in ("left", "right"))
                if left is not None and right is not None:
                    sides = (self.text(meaning.at(side), depth - 1) for side in (left, right))
                    return self._joined(list(sides))
            case "call_expression":
                return self._joined_list(meaning, depth)
        return unread(expression)

    def _part(self, of: Expression, part: Node, depth: int) -> str | Unread:
        """One part of a template."""
        if part.type == "escape_sequence":
            return unescaped(text_of(part))
        if part.type != "template_substitution":
            return text_of(part)
        return self.text(of.at(part.named_children[0]), depth - 1)

    def _joined_list(self, meaning: Expression, depth: int) -> str | Unread:
        """``KEYS.join(',')``."""
        call = method_call(meaning.node)
        if call is None or call.name != "join" or len(call.arguments) > 1:
            return unread(meaning)
        items = self.items(meaning.at(call.owner))
        between = self.text(meaning.at(call.arguments[0]), depth - 1) if call.arguments else ","
        if isinstance(items, Unread):
            return items
        if isinstance(between, Unread):
            return between
        parts = [self.text(item, depth - 1) for item in items]
        spaced = [each for part in parts for each in (between, part)][1:]
        return self._joined(spaced)

    @staticmethod
    def _joined(parts: list[str | Unread]) -> str | Unread:
        unread = TextInPart.of(parts)
        texts = [part for part in parts if isinstance(part, str)]
        if unread is None and sum(map(len, texts)) > _LONGEST:
            return Unread(f"a string has more than {_LONGEST:,} characters")
        return unread or "".join(texts)

    def items(self, expression: Expression) -> list[Expression] | Unread:
        """Return the items of a list, spreads of lists included."""
        meaning = self.meaning(expression)
        if not isinstance(meaning, Expression) or meaning.node.type != "array":
            return why_unread(meaning, expression)
        found: list[Expression] = []
        with self._entered(meaning) as is_new:
            if not is_new:
                return unread(expression)
            for item in meaning.node.named_children:
                if item.type == "comment":
                    continue
                if item.type != "spread_element":
                    found.append(meaning.at(item))
                    continue
                spread = self.items(meaning.at(item.named_children[0]))
                if isinstance(spread, Unread):
                    return spread
                found += spread
        return found


def _operator(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return "" if operator is None else text_of(operator)
