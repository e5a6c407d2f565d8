"""PostgREST by its address: ``fetch('/rest/v1/t?on_conflict=a,b', { method: 'POST' })``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from ...target import NamedTable, PrimaryKey, Unread
from ...upsert import Form
from ..sql import HOLE
from ..supabase import target_of
from .meaning import Expression
from .nodes import text_of, unescaped, unwrapped
from .site import Site

if TYPE_CHECKING:
    from ...target import Target
    from .nodes import MethodCall
    from .values import Values

__all__ = ["PostgRest"]

_PATH = "/rest/v1/"
_DEPTH = 20


class PostgRest:
    """Reads upserts that are sent to PostgREST's address."""

    methods = ("append", "set")

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert of ``url.searchParams.set('on_conflict', 'a,b')``; None: it is another call."""
        owner = unwrapped(call.owner)
        url, name = owner.child_by_field_name("object"), owner.child_by_field_name("property")
        if url is None or name is None or text_of(name) != "searchParams":
            return None
        if len(call.arguments) != 2:  # noqa: PLR2004 - a name and a value
            return None
        if self._values.text(of.at(call.arguments[0])) != "on_conflict":
            return None
        columns = self._values.text(of.at(call.arguments[1]))
        target = columns if isinstance(columns, Unread) else target_of(columns)
        return Site(form=Form.POSTGREST, table=self._of_url(of.at(url)), target=target)

    def _of_url(self, url: Expression) -> NamedTable | Unread:
        """The table of ``new URL('/rest/v1/t', base)``."""
        meaning = self._values.meaning(url)
        arguments = (
            meaning.node.child_by_field_name("arguments")
            if isinstance(meaning, Expression) and meaning.node.type == "new_expression"
            else None
        )
        if not isinstance(meaning, Expression) or arguments is None or not arguments.named_children:
            return Unread(f"which address {url.source} is cannot be read")
        text = self._text(meaning.at(arguments.named_children[0]), _DEPTH)
        return _table(text.partition("?")[0])

    def read_string(self, string: Expression) -> Site | None:
        """Return the upsert that an address makes; None: it is no address with ``on_conflict``."""
        source = text_of(string.node)
        if "on_conflict=" not in source:
            return None
        path, _, query = self._text(string, _DEPTH).partition("?")
        stated = [
            p[len("on_conflict=") :] for p in query.split("&") if p.startswith("on_conflict=")
        ]
        if not stated or any(sign in path for sign in " \n\t"):
            return None
        return Site(form=Form.POSTGREST, table=_table(path), target=_target(stated[-1]))

    def _text(self, string: Expression, depth: int) -> str:
        """The text of an address, with holes where it is put together when it runs."""
        node = unwrapped(string.node)
        if node.type == "binary_expression":
            sides = (node.child_by_field_name(side) for side in ("left", "right"))
            return "".join(
                self._text(string.at(side), depth - 1) for side in sides if side is not None
            )
        if node.type != "template_string" or not depth:
            known = self._values.text(string)
            if isinstance(known, Unread):
                meaning = self._values.meaning(string)
                is_template = (
                    isinstance(meaning, Expression) and meaning.node.type == "template_string"
                )
                if is_template and isinstance(meaning, Expression) and depth:
                    return self._text(meaning, depth - 1)
                return HOLE
            return known
        written = []
        for part in node.named_children:
            if part.type == "template_substitution":
                written.append(self._text(string.at(part.named_children[0]), depth - 1))
            else:
                said = text_of(part)
                written.append(unescaped(said) if part.type == "escape_sequence" else said)
        return "".join(written)


def _table(path: str) -> NamedTable | Unread:
    name = path.partition(_PATH)[2] if _PATH in path else path.rpartition("/")[2]
    if HOLE in name:
        return Unread("the address is put together when it runs, and the table is put in")
    if any(not (sign.isalnum() or sign in "_-%") for sign in name):
        return Unread(f"{path!r} is no address of a table")
    return NamedTable(unquote_plus(name)) if name else Unread("the address says no table")


def _target(columns: str) -> Target | Unread:
    if HOLE in columns:
        return Unread("on_conflict is put in when it runs")
    return target_of(unquote_plus(columns)) if columns else PrimaryKey()
