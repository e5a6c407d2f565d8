"""What is put into a template, ``"... {} ...".format(x)`` or ``"... %s ..." % x``: text and fields, in their order."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING

from .values import Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ...target import Unread
    from .scope import Scope

__all__ = ["Field", "Filling", "format_arguments", "format_parts", "percent_filling"]


@dataclass(frozen=True, slots=True)
class Field:
    """Where something is put in."""

    name: str | None
    """A keyword or, in digits, a position; None: the next position."""
    is_plain: bool = True
    """False: something is made of the value first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What is put into a template."""

    parts: Callable[[str], Iterator[str | Field]]
    """Cuts a text into its parts."""
    scope: Scope
    """Where the values are."""
    given: Mapping[str, ast.expr]
    """By keyword, and by position in digits."""
    node: ast.expr
    """The template, or the call."""

    def value(self, field: Field, number: int | None) -> ast.expr | None:
        """Return what is put into a field as it is; None: it is not known, or changed first.

        :param number: of the fields without a name before it; None: not known.
        """
        name = str(number) if field.name is None else field.name
        return self.given.get(name) if field.is_plain else None


def format_parts(template: str) -> Iterator[str | Field]:
    """Return the parts of a template of ``str.format``.

    :raises ValueError: it is none.
    """
    for text, name, spec, conversion in Formatter().parse(template):
        if text:
            yield text
        if name is not None:
            is_plain = not spec and conversion in (None, "s") and not set(name) & set(".[")
            yield Field(name or None, is_plain)


_SPECIFIER = re.compile(
    r"%(?:\((?P<name>[^)]*)\))?(?P<width>[-#0 +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?)(?P<kind>[a-zA-Z%])"
)


def percent_parts(template: str) -> Iterator[str | Field]:
    """Return the parts of a template of the operator ``%``."""
    done = 0
    for found in _SPECIFIER.finditer(template):
        yield template[done : found.start()]
        done = found.end()
        if found["kind"] == "%":
            yield "%"
        else:
            yield Field(found["name"], not found["width"] and found["kind"] in "sdi")
    yield template[done:]


def format_arguments(call: ast.Call) -> Mapping[str, ast.expr]:
    """Return what ``.format()`` is given, by keyword and by position; what follows ``*args`` is not known."""
    given: dict[str, ast.expr] = {}
    for position, value in enumerate(call.args):
        if isinstance(value, ast.Starred):
            break
        given[str(position)] = value
    for keyword in call.keywords:
        if keyword.arg is not None:
            given[keyword.arg] = keyword.value
        elif isinstance(keyword.value, ast.Dict):
            given |= _named(keyword.value)
    return given


def percent_filling(
    scope: Scope, template: ast.expr, right: ast.expr, literal: Expression | Unread
) -> Filling:
    """Return what is on the right of ``%``, by position or by name.

    :param literal: what `right` means, where one expression is known.
    """
    within, given = scope, {"0": right}
    match literal:
        case Expression(at, ast.Tuple(elts=values)):
            is_known = not any(isinstance(value, ast.Starred) for value in values)
            within, given = at, {str(n): value for n, value in enumerate(values) if is_known}
        case Expression(at, ast.Dict() as values):
            within, given = at, _named(values)
    return Filling(parts=percent_parts, scope=within, given=given, node=template)


def _named(literal: ast.Dict) -> dict[str, ast.expr]:
    pairs = zip(literal.keys, literal.values, strict=True)
    return {
        key.value: value
        for key, value in pairs
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
