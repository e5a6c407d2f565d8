"""Which function of the scanned files a call runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .classes import method_of
from .drizzle_schema import returned_by
from .meaning import Expression, Frame, Namespace
from .nodes import CLASSES, FUNCTIONS, arguments_of, key_of, method_call, text_of, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from .meaning import Meaning
    from .module import Module
    from .values import Values

__all__ = [
    "called_function",
    "may_be_overridden",
    "name_of_function",
    "returned_at",
    "returns_of",
    "within",
]


def called_function(values: Values, call: Expression) -> Expression | None:
    """Return the function that a call runs; None: it is not one of the files that are read."""
    callee = call.node.child_by_field_name("function")
    callee = None if callee is None else unwrapped(callee)
    if callee is None:
        return None
    if callee.type == "identifier":
        return _function(values.meaning(call.at(callee)))
    method = method_call(call.node)
    if method is None:
        return None
    if unwrapped(method.owner).type == "this":
        around = call.module.class_around(call.node)
        return None if around is None else method_of(call.at(around), method.name)
    owner = values.meaning(call.at(method.owner))
    if isinstance(owner, Namespace):
        return _function(values.exported(owner.module, method.name))
    if isinstance(owner, Expression):
        return _method_of(values, owner, method.name)
    return None


def returned_at(values: Values, call: Expression) -> Expression | None:
    """Return what a call of a function of the files returns, within that call; None: it is none, or does more."""
    function = called_function(values, call) if call.node.type == "call_expression" else None
    returned = returned_by(function) if function is not None else None
    if function is None or returned is None:
        return None
    return Expression(function.module, returned, within(call, function.node, function.module))


def returns_of(function: Expression) -> Iterator[Expression]:
    """Return all that a function may return, each side of a choice by itself."""
    body = function.node.child_by_field_name("body")
    is_block = body is not None and body.type == "statement_block"
    for returned in () if body is None else _returned_in(body) if is_block else (body,):
        waiting = [returned]
        while waiting:
            node = unwrapped(waiting.pop())
            if node.type == "ternary_expression":
                sides = (node.child_by_field_name(side) for side in ("alternative", "consequence"))
                waiting += [side for side in sides if side is not None]
            else:
                yield function.at(node)


def _returned_in(block: Node) -> Iterator[Node]:
    """What statements return, those of functions inside left out."""
    waiting = [block]
    while waiting:
        node = waiting.pop()
        if node.type == "return_statement":
            yield from node.named_children[:1]
        elif node.type not in FUNCTIONS:
            waiting += reversed(node.named_children)


def may_be_overridden(values: Values, method: Expression) -> bool:
    """Return whether a method is of a class that others are meant to extend, or extend with one of their own."""
    around = method.module.class_around(method.node)
    name = name_of_function(method.module, method.node)
    if around is None or name is None:
        return False
    return around.type.startswith("abstract") or values.may_vary(method.at(around), name)


def within(call: Expression, function: Node, module: Module, outer: Frame | None = None) -> Frame:
    """Return the frame of a function within a call of it.

    :param outer: the calls that led to this one; None: those that `call` has.
    """
    arguments = arguments_of(call.node)
    is_spread = any(argument.type == "spread_element" for argument in arguments)
    frame = outer or call.frame
    at = tuple(Expression(call.module, argument, frame) for argument in arguments)
    return Frame(function, module, None if is_spread else at, frame)


def _method_of(values: Values, owner: Expression, name: str) -> Expression | None:
    if owner.node.type == "object":
        found = values.properties(owner).get(name)
        return _function(values.meaning(found)) if isinstance(found, Expression) else None
    if owner.node.type in CLASSES:
        return method_of(owner, name)
    if owner.node.type == "new_expression":
        constructor = owner.node.child_by_field_name("constructor")
        made = None if constructor is None else values.meaning(owner.at(constructor))
        if isinstance(made, Expression) and made.node.type in CLASSES:
            return method_of(made, name)
    return None


def _function(meaning: Meaning) -> Expression | None:
    is_one = isinstance(meaning, Expression) and meaning.node.type in FUNCTIONS
    return meaning if is_one and isinstance(meaning, Expression) else None


def name_of_function(module: Module, function: Node) -> str | None:
    """Return the name that calls of a function have; None: it has none of its own."""
    named = function.child_by_field_name("name")
    around = module.parent(function)
    if named is None and around is not None:
        named = around.child_by_field_name("name") or around.child_by_field_name("key")
        named = named or around.child_by_field_name("property")
        is_value = around.child_by_field_name("value") == function
        named = named if is_value else None
    if named is None or text_of(named) == "constructor":
        return None
    return key_of(named)
