"""supabase-js: ``.from('x').upsert(rows, { onConflict: 'a,b' })``, ``.insert(rows, { upsert: true })`` of version 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import NamedTable, PrimaryKey, Unread
from ...upsert import Form
from ..supabase import target_of
from .functions import called_function, may_be_overridden, returned_at, returns_of
from .meaning import UNDEFINED, Expression, External
from .nodes import arguments_of, called_name, key_of, method_call, text_of, unwrapped
from .site import Site

if TYPE_CHECKING:
    from tree_sitter import Node

    from ...target import Target
    from .nodes import MethodCall
    from .values import Values

__all__ = ["Supabase"]

_DEPTH = 20
_CLIENTS = frozenset({"createBrowserClient", "createClient", "createServerClient"})
_HOOK = "useUpsertMutation"
"""Of supabase-cache-helpers."""
_OTHER_OWNERS = frozenset({"Array", "Buffer", "Object", "Readable", "Observable"})
"""What else has a ``from()``."""


class Supabase:
    """Reads the upserts of supabase-js."""

    methods = ("insert", "upsert", _HOOK)

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call.

        Other libraries have methods of that name: it counts on what ``from()`` returned, or with ``onConflict``.
        """
        if call.name == _HOOK:
            table = self._table(of.at(call.owner), _DEPTH)
            unread = Unread(f"what {_HOOK}() upserts on is among its options")
            if table is None:
                return None
            return Site(form=Form.SUPABASE_JAVASCRIPT, table=table, target=unread)
        arguments = call.arguments
        spread = next((a for a in arguments if a.type == "spread_element"), None)
        stated = spread or (arguments[1] if len(arguments) > 1 else None)
        options = None if stated is None else of.at(stated)
        is_upsert: bool | Unread = call.name == "upsert" or self._says_upsert(options)
        if not is_upsert:
            return None
        table = self._table(of.at(call.owner), _DEPTH)
        if table is None:
            if options is None or not self._has_on_conflict(options):
                return None
            table = Unread(
                f"which table it is cannot be read: {call.name}() is not called on from(...)"
            )
        target: Target | Unread = PrimaryKey() if options is None else self._target(options)
        target = is_upsert if isinstance(is_upsert, Unread) else target
        return Site(form=Form.SUPABASE_JAVASCRIPT, table=table, target=target)

    def _says_upsert(self, options: Expression | None) -> bool | Unread:
        """Whether it is ``insert(rows, { upsert: true })``, as version 1 has it."""
        if options is None or options.node.type == "spread_element":
            return False
        properties = self._values.properties(options)
        stated = properties.named.get("upsert")
        if stated is None and properties.unread is not None and _has_pair(options.node, "upsert"):
            return properties.unread
        meaning = None if stated is None else self._values.meaning(stated)
        said = text_of(meaning.node) if isinstance(meaning, Expression) else ""
        if meaning is None or meaning == UNDEFINED or said in ("false", "true"):
            return said == "true"
        if isinstance(meaning, Unread):
            return meaning
        return Unread("whether it upserts is decided at run time")

    def _has_on_conflict(self, options: Expression) -> bool:
        return "onConflict" in self._values.properties(options).named or (
            "onConflict" in text_of(options.node)
            and "onConflictFields" not in text_of(options.node)
        )

    def _table(self, owner: Expression, depth: int) -> NamedTable | Unread | None:
        meaning = self._values.meaning(owner)
        if not isinstance(meaning, Expression) or not depth:
            return None
        link = method_call(meaning.node)
        if link is None or link.name != "from" or len(link.arguments) != 1:
            return self._returned(meaning, depth)
        if text_of(link.owner) in _OTHER_OWNERS:
            return None
        name = self._values.text(meaning.at(link.arguments[0]))
        if isinstance(name, Unread):
            return name
        return self._in_schema(meaning.at(link.owner), name)

    def _is_from(self, expression: Expression) -> bool:
        """Whether it is ``client.from(x)``; what other functions return is not asked."""
        meaning = self._values.meaning(expression)
        link = method_call(meaning.node) if isinstance(meaning, Expression) else None
        is_named = link is not None and link.name == "from" and len(link.arguments) == 1
        return is_named and link is not None and text_of(link.owner) not in _OTHER_OWNERS

    def _returned(self, call: Expression, depth: int) -> NamedTable | Unread | None:
        """The table of what a function of the files returns."""
        function = called_function(self._values, call) if _is_call(call) else None
        returned = returned_at(self._values, call)
        table = None if returned is None else self._table(returned, depth - 1)
        if function is None:
            return table
        if table is None and any(map(self._is_from, returns_of(function))):
            return Unread(f"which table {call.source} returns is decided when it runs")
        if table is not None and may_be_overridden(self._values, function):
            return Unread(f"another class may have a {call.source} of its own")
        return table

    def _in_schema(self, client: Expression, name: str) -> NamedTable | Unread:
        """``client.schema('crm').from('x')`` names the schema, ``client.from('x')`` none."""
        meaning = self._values.meaning(client)
        if not isinstance(meaning, Expression):
            return NamedTable(name)
        link = method_call(meaning.node)
        if link is not None and link.name == "schema":
            if len(link.arguments) != 1:
                return Unread("schema() names none")
            return NamedTable(name, self._values.text(meaning.at(link.arguments[0])))
        return NamedTable(name, self._schema_of_client(meaning))

    def _schema_of_client(self, made: Expression) -> str | Unread | None:
        """The schema that ``createClient(url, key, { db: { schema: 'crm' } })`` states; None: it states none."""
        if called_name(made.node) not in _CLIENTS:
            return None
        for argument in arguments_of(made.node):
            database = self._values.properties(made.at(argument)).named.get("db")
            named = {} if database is None else self._values.properties(database).named
            if "schema" in named:
                return self._values.text(named["schema"])
        return None

    def _target(self, options: Expression) -> Target | Unread:
        if unwrapped(options.node).type == "spread_element":
            return Unread(f"{options.source} may name the target")
        properties = self._values.properties(options)
        stated = properties.get("onConflict")
        if stated is None:
            return PrimaryKey()
        if isinstance(stated, Unread):
            return stated
        meaning = self._values.meaning(stated)
        is_null = isinstance(meaning, Expression) and meaning.node.type == "null"
        if meaning == UNDEFINED or is_null:
            return PrimaryKey()
        if isinstance(meaning, External):
            return Unread(f"what {stated.source} is cannot be read")
        columns = self._values.text(stated)
        return columns if isinstance(columns, Unread) else target_of(columns)


def _has_pair(options: Node, name: str) -> bool:
    """Whether an object is written with a property, whatever may come after it."""
    keys = (part.child_by_field_name("key") for part in unwrapped(options).named_children)
    return any(key is not None and key_of(key) == name for key in keys)


def _is_call(expression: Expression) -> bool:
    return expression.node.type == "call_expression"
