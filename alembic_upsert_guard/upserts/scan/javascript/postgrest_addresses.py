"""Addresses of PostgREST: ``/rest/v1/t?on_conflict=a,b``, as far as the source puts them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from ...target import Cause, NamedTable, PrimaryKey, Unread
from ..sql import HOLE
from ..supabase import target_of
from .meaning import Expression
from .nodes import arguments_of, method_call, text_of, unescaped, unwrapped

if TYPE_CHECKING:
    from tree_sitter import Node

    from ...target import Target
    from .module import Module
    from .values import Values

__all__ = ["ON_CONFLICT", "Address", "Addresses"]

ON_CONFLICT = "on_conflict="
_PATH = "/rest/v1/"
_DEPTH = 20
_SET = ("href", "pathname")
"""What moves an address."""


@dataclass(frozen=True, slots=True)
class Address:
    """What is written of an address, with holes where it is put together when it runs."""

    text: str
    is_parametric: bool = False
    """Whether an argument of the function around it is put in."""

    def __add__(self, other: Address) -> Address:
        return Address(self.text + other.text, self.is_parametric or other.is_parametric)

    @property
    def path(self) -> str:
        """What is before the parameters."""
        return self.text.partition("#")[0].partition("?")[0]

    @property
    def is_rests(self) -> bool:
        """Whether it is PostgREST's, by its path as Supabase has it or by its parameters."""
        return _PATH in self.path or self.target() is not None

    @property
    def may_state_more(self) -> bool:
        """Whether parameters are put in when it runs."""
        return HOLE in self.text.partition("?")[2]

    def table(self) -> NamedTable | Unread:
        """Return the table whose address it is."""
        path = self.path
        name = path.partition(_PATH)[2] if _PATH in path else path.rpartition("/")[2]
        if HOLE in name:
            reason = "the address is put together when it runs, and the table is put in"
            return Unread(reason, self._cause)
        if any(not (sign.isalnum() or sign in "_-%") for sign in name):
            return Unread(f"{path!r} is no address of a table")
        return NamedTable(unquote_plus(name)) if name else Unread("the address says no table")

    def target(self) -> Target | Unread | None:
        """Return the target that its parameters name; None: they name none."""
        query = self.text.partition("?")[2].partition("#")[0]
        stated = [p[len(ON_CONFLICT) :] for p in query.split("&") if p.startswith(ON_CONFLICT)]
        if not stated:
            return None
        if any(HOLE in each for each in stated):
            return Unread("on_conflict is put in when it runs", self._cause)
        if len(set(stated)) > 1:
            return Unread("its address names on_conflict several times")
        return target_of(unquote_plus(stated[-1])) if stated[-1] else PrimaryKey()

    @property
    def _cause(self) -> Cause:
        return Cause.PARAMETER if self.is_parametric else Cause.COMPUTED


class Addresses:
    """Reads addresses."""

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values
        self._by_path: dict[str, frozenset[str]] = {}
        """What is moved, by the path of a module."""

    def read(self, stated: Expression, depth: int = _DEPTH) -> Address:
        """Return what is written of an address: a string, ``new URL(path, base)``, or what is put together of them."""
        node = unwrapped(stated.node)
        if node.type == "binary_expression":
            sides = (node.child_by_field_name(side) for side in ("left", "right"))
            parts = [self.read(stated.at(side), depth - 1) for side in sides if side is not None]
            return sum(parts, Address(""))
        if node.type == "template_string" and depth:
            return sum((self._part(stated, p, depth) for p in node.named_children), Address(""))
        known = self._values.text(stated)
        if isinstance(known, str):
            return Address(known)
        meaning = self._values.meaning(stated)
        if isinstance(meaning, Expression) and depth:
            if meaning.node.type in ("binary_expression", "template_string"):
                return self.read(meaning, depth - 1)
            link = method_call(meaning.node)
            if link is not None and link.name == "toString":
                return self.read(meaning.at(link.owner), depth - 1)
            if meaning.node.type == "new_expression" and (given := arguments_of(meaning.node)):
                if text_of(node) in self._moved(stated.module):
                    return Address(HOLE)
                return self.read(meaning.at(given[0]), depth - 1)
        return Address(HOLE, is_parametric=known.cause is Cause.PARAMETER)

    def _moved(self, module: Module) -> frozenset[str]:
        if module.path not in self._by_path:
            self._by_path[module.path] = _moved_in(module)
        return self._by_path[module.path]

    def _part(self, of: Expression, part: Node, depth: int) -> Address:
        if part.type == "template_substitution":
            return self.read(of.at(part.named_children[0]), depth - 1)
        said = text_of(part)
        return Address(unescaped(said) if part.type == "escape_sequence" else said)


def _moved_in(module: Module) -> frozenset[str]:
    """What ``pathname`` or ``href`` is set on, after the address was made."""
    found = set()
    for written in (each for name in _SET for each in module.uses_of.get(name, ())):
        member = module.parent(written)
        around = None if member is None else module.parent(member)
        owner = None if member is None else member.child_by_field_name("object")
        if (
            around is not None
            and owner is not None
            and around.child_by_field_name("left") == member
        ):
            found.add(text_of(owner))
    return frozenset(found)
