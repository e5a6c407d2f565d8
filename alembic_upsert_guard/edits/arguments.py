"""Where a declaration goes in a value of ``__table_args__``, and among the arguments of ``Table(...)``.

=========================== ============================== =======================================
the value                   becomes                        because
=========================== ============================== =======================================
``(X, Y)``                  ``(X, Y, KEY)``
``(X, {...})``              ``(X, KEY, {...})``            the options are last
``({...},)``                ``(KEY, {...},)``
``(X, *more)``              ``(X, *more, KEY)``            or in front of ``*more``, if it ends in options
``()``                      ``(KEY,)``
``{...}``, ``dict(...)``    ``(KEY, {...})``
``A + (X,)``                ``A + (X, KEY)``               any tuple that is written there takes it
anything else, a tuple      ``(KEY, *it)``                 what it was when the models were loaded
anything else, options      ``(KEY, it)``                  what it was when the models were loaded
=========================== ============================== =======================================
"""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from .imports import LINE_LENGTH
from .source import Insertion, UnwritableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .source import Bracket, Item, Source

__all__ = ["Arguments", "Spell", "add_to_call", "extend"]

Spell: TypeAlias = "Callable[[str | None], list[str]]"
"""The declarations as source, folded for lines of that indentation; None: each on one line."""


class Arguments(Enum):
    """What ``__table_args__`` was when the models were loaded."""

    NONE = "none"
    TUPLE = "a tuple"
    TUPLE_WITH_OPTIONS = "a tuple that ends in a dict"
    OPTIONS = "a dict"
    UNKNOWN = "unknown"


def extend(
    source: Source, value: ast.expr, arguments: Arguments, spell: Spell, unit: str
) -> Iterator[Insertion]:
    """Return what puts declarations into a value of ``__table_args__``.

    :param unit: how much deeper a line in brackets is indented.
    :raises UnwritableError: nobody can say what the value is.
    """
    with_options = arguments is Arguments.TUPLE_WITH_OPTIONS
    match value:
        case ast.Tuple(elts=elements):
            yield from _into_tuple(source, value, len(elements), with_options, spell, unit)
        case ast.Dict():
            yield from _in_front_of_options(source, value, spell, unit)
        case ast.Call(func=ast.Name(id="dict")) if arguments is Arguments.OPTIONS:
            yield from _in_front_of_options(source, value, spell, unit)
        case ast.BinOp(op=ast.Add(), right=ast.Tuple(elts=elements) as right):
            yield from _into_tuple(source, right, len(elements), with_options, spell, unit)
        case ast.BinOp(op=ast.Add(), left=ast.Tuple(elts=[_, *_] as elements) as left):
            yield from _into_tuple(source, left, len(elements), False, spell, unit)
        case _ if arguments in (Arguments.TUPLE, Arguments.TUPLE_WITH_OPTIONS):
            yield from _wrapped(source, value, "*", spell)
        case _ if arguments is Arguments.OPTIONS:
            yield from _wrapped(source, value, "", spell)
        case _:
            raise UnwritableError("__table_args__ is neither a tuple nor a dict that can be read")


def _into_tuple(
    source: Source,
    value: ast.Tuple,
    elements: int,
    with_options: bool,
    spell: Spell,
    unit: str,
) -> Iterator[Insertion]:
    bracket = source.bracket_ending(source.end(value))
    start = source.start(value)
    if bracket is None or bracket.open != start + 1:
        yield from _into_bare_tuple(source, value, with_options, spell)
        return
    if len(bracket.items) != elements:
        raise UnwritableError("the elements of __table_args__ cannot be told apart")
    place = elements - 1 - with_options
    if elements == 0:
        yield Insertion(bracket.open, "".join(f"{each}, " for each in spell(None))[:-1])
    elif place < 0:
        yield from _in_front(source, bracket, spell)
    else:
        yield from _behind(source, bracket, place, spell, unit, needs_comma=elements == 1)


def _into_bare_tuple(
    source: Source,
    value: ast.Tuple,
    with_options: bool,
    spell: Spell,
) -> Iterator[Insertion]:
    """``X, Y`` without parentheses is on one line, or its lines end in backslashes."""
    declarations = ", ".join(spell(None))
    if with_options or len(value.elts) == 1:
        yield Insertion(source.start(value.elts[0]), f"{declarations}, ")
    else:
        yield Insertion(source.end(value.elts[-1]), f", {declarations}")


def _in_front_of_options(
    source: Source, value: ast.expr, spell: Spell, unit: str
) -> Iterator[Insertion]:
    start, end = source.start(value), source.end(value)
    if source.parentheses_around(start, end):
        indent = source.indent(start)
        gap = f",\n{indent}" if source.starts_line(start) else ", "
        yield Insertion(start, "".join(each + gap for each in spell(indent)))
        return
    indent = source.indent(start)
    declarations = spell(None)
    line = source.text[source.line_start(start) : source.next_line(end)].rstrip()
    if source.line(start) == source.line(end) and _length(line, spell) + 2 > LINE_LENGTH:
        inner = indent + unit
        lines = "".join(f"{inner}{each},\n" for each in spell(inner))
        yield Insertion(start, f"(\n{lines}{inner}")
        yield Insertion(end, f",\n{indent})")
        return
    yield Insertion(start, "(" + "".join(f"{each}, " for each in declarations))
    yield Insertion(end, ")")


def _wrapped(source: Source, value: ast.expr, star: str, spell: Spell) -> Iterator[Insertion]:
    if not isinstance(value, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.BinOp):
        # of a condition it is not known what the other branch is
        raise UnwritableError("__table_args__ is an expression that can be several things")
    start, end = source.start(value), source.end(value)
    has_parentheses = source.parentheses_around(start, end)
    declarations = "".join(f"{each}, " for each in spell(None))
    yield Insertion(start, f"{'' if has_parentheses else '('}{declarations}{star}")
    if not has_parentheses:
        yield Insertion(end, ")")


def _in_front(source: Source, bracket: Bracket, spell: Spell) -> Iterator[Insertion]:
    """In front of the first item: what is last there has to stay behind."""
    first = bracket.items[0]
    if source.starts_line(first.start):
        indent = source.indent(first.start)
        at = source.next_line(bracket.open)
        yield Insertion(at, "".join(f"{indent}{each},\n" for each in spell(indent)))
    else:
        yield Insertion(bracket.open, "".join(f"{each}, " for each in spell(None)))


def _behind(
    source: Source, bracket: Bracket, place: int, spell: Spell, unit: str, *, needs_comma: bool
) -> Iterator[Insertion]:
    """Behind the item at `place`; in the layout that the items have.

    :param needs_comma: the comma of a single item is there because Python asks for it, and not as a layout.
    """
    item = bracket.items[place]
    is_last = place == len(bracket.items) - 1
    indent = source.indent(item.start)
    stop = item.comma or item.end
    if source.starts_line(item.start) and source.ends_line(stop):
        yield from _on_next_lines(source, item, spell, indent)
    elif source.starts_line(item.start) and is_last:
        # the bracket closes on the item's line
        lines = "".join(f",\n{indent}{each}" for each in spell(indent))
        yield Insertion(item.end, lines)
    elif is_last and _fills_a_line(source, bracket, stop, spell):
        yield from _on_next_lines(source, item, spell, indent)
    elif is_last and _is_too_long(source, bracket, item.start, spell):
        yield from _unfolded(source, bracket, spell, unit)
    elif item.comma is None:
        yield Insertion(item.end, "".join(f", {each}" for each in spell(None)))
    else:
        tail = "" if is_last and needs_comma else ","
        yield Insertion(item.comma, " " + ", ".join(spell(None)) + tail)


def _on_next_lines(source: Source, item: Item, spell: Spell, indent: str) -> Iterator[Insertion]:
    if item.comma is None:
        yield Insertion(item.end, ",")
    lines = "".join(f"{indent}{each},\n" for each in spell(indent))
    yield Insertion(source.next_line(item.comma or item.end), lines)


def _fills_a_line(source: Source, bracket: Bracket, stop: int, spell: Spell) -> bool:
    """Whether it is the last of several items on a line between the brackets, and there is no room for more."""
    if source.line(bracket.open) == source.line(stop) or not source.ends_line(stop):
        return False
    line = source.text[source.line_start(stop) : source.next_line(stop)].rstrip()
    return _length(line, spell) > LINE_LENGTH


def _length(line: str, spell: Spell) -> int:
    """Characters of a line with the declarations behind commas."""
    return len(line.expandtabs(4)) + sum(len(each) + 2 for each in spell(None))


def _is_too_long(source: Source, bracket: Bracket, start: int, spell: Spell) -> bool:
    """Whether one line would hold too much, which is one item now."""
    if len(bracket.items) != 1 or source.line(bracket.open) != source.line(bracket.close):
        return False
    behind = bracket.items[0].comma or bracket.items[0].end
    if source.text[behind : bracket.close] or source.text[bracket.open : start]:
        return False
    line = source.text[source.line_start(start) : source.next_line(start)].rstrip()
    return _length(line, spell) - 1 > LINE_LENGTH


def _unfolded(source: Source, bracket: Bracket, spell: Spell, unit: str) -> Iterator[Insertion]:
    (item,) = bracket.items
    indent = source.indent(item.start)
    inner = indent + unit
    yield Insertion(bracket.open, f"\n{inner}")
    comma = "" if item.comma else ","
    lines = "".join(f"\n{inner}{each}," for each in spell(inner))
    yield Insertion(bracket.close, f"{comma}{lines}\n{indent}")


def add_to_call(source: Source, call: ast.Call, spell: Spell, unit: str) -> Iterator[Insertion]:
    """Return what puts declarations behind the last positional argument of ``Table(...)``.

    :raises UnwritableError: there is no such place.
    """
    bracket = source.bracket_ending(source.end(call))
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    if bracket is None or len(bracket.items) != len(arguments) or not call.args:
        raise UnwritableError("the arguments of Table(...) cannot be told apart")
    last = max(source.start(argument) for argument in call.args)
    if any(source.start(keyword.value) < last for keyword in call.keywords):
        raise UnwritableError("columns are behind a keyword of Table(...)")
    yield from _behind(source, bracket, len(call.args) - 1, spell, unit, needs_comma=False)
