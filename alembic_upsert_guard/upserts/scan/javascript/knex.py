"""Knex, and Objection on it: ``knex('t').insert(rows).onConflict(['a', 'b']).merge()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import AnyArbiter, Unread
from ...upsert import Form
from ..sql import read_sql
from .drizzle_schema import returned_by
from .identifiers import Casing, cased, dotted_table, elements_of
from .knex_client import KnexClients
from .meaning import UNDEFINED, Expression
from .nodes import CLASSES, FUNCTIONS, arguments_of, method_call, text_of, unwrapped
from .site import Site

if TYPE_CHECKING:
    from tree_sitter import Node

    from ...target import NamedTable, Target
    from .module import Module
    from .nodes import MethodCall
    from .values import Values

__all__ = ["Knex"]

_TABLE_METHODS = frozenset({"from", "into", "table"})
_ACTIONS = frozenset({"ignore", "merge"})
_INSERTS = frozenset({"insert", "insertGraph"})
_STATEMENT_METHODS = _INSERTS | {
    *("as", "comment", "from", "into", "query", "queryBuilder", "returning", "table"),
    *("$relatedQuery", "relatedQuery", "transacting", "withSchema"),
}
"""What a statement can begin with that names no table by being called."""
_DEPTH = 20


class Knex:
    """Reads Knex's and Objection's upserts."""

    methods = ("onConflict", "upsert")

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values
        self._clients = KnexClients(values)

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        links, root = self._statement(of.at(call.owner))
        links = [*((link, of) for link in _later(of.module, call.node)), *links]
        if call.name == "upsert":
            return self._upsert(of, links, root)
        inserts = any(link.name in _INSERTS for link, _ in links)
        is_knex = _has_action(of.module, call.node) or of.module.imports_from("knex", "objection")
        if not inserts and not is_knex:
            return None
        if any(link.name == "query" for link, _ in links):
            table, casing = self._objection(root)
            return Site(form=Form.OBJECTION, table=table, target=self._target(of, call, casing))
        table, casing = self._table(links, root)
        return Site(form=Form.KNEX, table=table, target=self._target(of, call, casing))

    def _upsert(
        self, of: Expression, links: list[tuple[MethodCall, Expression]], root: Expression | None
    ) -> Site | None:
        """The upsert of ``knex('t').upsert(rows)``; None: it is called on something else."""
        client = self._clients.called(root) or root
        is_from = any(link.name == "from" for link, _ in links)  # Supabase's
        names_table = client is not root or any(link.name in _TABLE_METHODS for link, _ in links)
        is_its = client is not None and self._clients.is_named(client)
        if is_from or not names_table or not (is_its or of.module.imports_from("knex")):
            return None
        table, _ = self._table(links, root)
        target = self._clients.target_of_upsert(client)
        return Site(form=Form.KNEX, table=table, target=target)

    def _statement(
        self, expression: Expression
    ) -> tuple[list[tuple[MethodCall, Expression]], Expression | None]:
        """The calls of methods that a statement is made of, the last one first, and what the first is called on."""
        links: list[tuple[MethodCall, Expression]] = []
        meaning = self._values.meaning(expression)
        while isinstance(meaning, Expression) and len(links) < _DEPTH:
            link = method_call(meaning.node)
            if link is None or _names_table(meaning, link):
                return links, meaning
            links.append((link, meaning))
            expression = meaning.at(link.owner)
            meaning = self._values.meaning(expression)
        return links, expression

    def _table(
        self, links: list[tuple[MethodCall, Expression]], root: Expression | None
    ) -> tuple[NamedTable | Unread, Casing]:
        stated: Expression | None = None
        schema: str | Unread | None = None
        client = root
        for link, at in links:
            if link.name in _TABLE_METHODS and len(link.arguments) == 1:
                stated = stated or at.at(link.arguments[0])
            elif link.name == "insert" and self._names_other(at, link):
                return Unread("which table it inserts into cannot be read"), Casing.UNKNOWN
            elif link.name == "withSchema" and len(link.arguments) == 1:
                schema = self._values.text(at.at(link.arguments[0]))
        if root is not None and root.node.type == "call_expression":
            arguments = arguments_of(root.node)
            function = root.node.child_by_field_name("function")
            client = None if function is None else root.at(function)
            if stated is None and client is not None and not self._clients.is_one(client):
                return Unread(f"what {client.source}() makes of it is not known"), Casing.UNKNOWN
            stated = stated or (root.at(arguments[0]) if len(arguments) == 1 else None)
        casing = Casing.UNKNOWN if client is None else self._clients.casing(client)
        if stated is None:
            return Unread("which table it inserts into cannot be read"), casing
        name = self._values.text(stated)
        if isinstance(name, Unread):
            return name, casing
        spelled = cased(_without_alias(name), casing, "Knex")
        return (spelled if isinstance(spelled, Unread) else dotted_table(spelled, schema)), casing

    def _names_other(self, at: Expression, insert: MethodCall) -> bool:
        """Whether it is ``sql.insert('t', row)`` of another library: of Knex's the second is what is returned."""
        return len(insert.arguments) > 1 and not isinstance(
            self._values.text(at.at(insert.arguments[0])), Unread
        )

    # -- Objection

    def _objection(self, root: Expression | None) -> tuple[NamedTable | Unread, Casing]:
        """The table of ``static tableName = 't'`` or ``static get tableName() { return 't' }``."""
        model = None if root is None else self._values.meaning(root)
        if not isinstance(model, Expression) or model.node.type not in CLASSES:
            return Unread("which model it inserts into cannot be read"), Casing.UNKNOWN
        body = model.node.child_by_field_name("body")
        for member in [] if body is None else body.named_children:
            named = member.child_by_field_name("name") or member.child_by_field_name("property")
            if named is None or text_of(named) != "tableName":
                continue
            value = member.child_by_field_name("value")
            if member.type in FUNCTIONS:
                value = returned_by(model.at(member))
            name = self._values.text(model.at(value)) if value is not None else None
            if isinstance(name, str):
                return dotted_table(name), Casing.UNKNOWN
        return Unread(f"the table of {model.source[:40]} cannot be read"), Casing.UNKNOWN

    # -- the target

    def _target(self, of: Expression, call: MethodCall, casing: Casing) -> Target | Unread:
        if not call.arguments:
            return AnyArbiter()
        stated = of.at(call.arguments[0])
        meaning = self._values.meaning(stated)
        if meaning == UNDEFINED:
            return AnyArbiter()
        if isinstance(meaning, Expression) and meaning.node.type == "array":
            items = self._values.items(meaning)
            if isinstance(items, Unread):
                return items
            return elements_of(self._name(item, casing) for item in items)
        if isinstance(meaning, Expression):
            link = method_call(meaning.node)
            if link is not None and link.name == "raw":
                return self._raw(meaning, link)
        return elements_of([self._name(stated, casing)])

    def _name(self, stated: Expression, casing: Casing) -> str | Unread:
        name = self._values.text(stated)
        return name if isinstance(name, Unread) else cased(name, casing, "Knex")

    def _raw(self, of: Expression, raw: MethodCall) -> Target | Unread:
        """``knex.raw('(email) where active')``, which follows ON CONFLICT as it is."""
        unread = Unread(f"what {of.source} is cannot be read")
        if len(raw.arguments) != 1:
            return unread
        text = self._values.text(of.at(raw.arguments[0]))
        if isinstance(text, Unread):
            return text
        upserts = read_sql(f"INSERT INTO t DEFAULT VALUES ON CONFLICT {text} DO NOTHING")
        return upserts[0].target if len(upserts) == 1 else unread


def _names_table(of: Expression, link: MethodCall) -> bool:
    """Whether it is ``this.db('t')``, and no method of a statement: nothing is called before it."""
    is_first = method_call(unwrapped(link.owner)) is None
    is_call = of.module.parent(link.node) is not None and len(link.arguments) == 1
    return is_first and is_call and link.name not in _STATEMENT_METHODS


def _later(module: Module, call: Node) -> list[MethodCall]:
    """The calls of methods on what a call returns, the last one first."""
    found: list[MethodCall] = []
    while True:
        member = module.parent(call)
        outer = None if member is None else module.parent(member)
        link = None if outer is None else method_call(outer)
        if link is None or outer is None or unwrapped(link.owner) != call:
            return found[::-1]
        found.append(link)
        call = outer


def _has_action(module: Module, call: Node) -> bool:
    """Whether ``.merge()`` or ``.ignore()`` follows."""
    member = module.parent(call)
    outer = None if member is None else module.parent(member)
    link = None if outer is None else method_call(outer)
    return link is not None and link.name in _ACTIONS and unwrapped(link.owner) == call


def _without_alias(name: str) -> str:
    """The table of ``'t as u'`` (formatter/wrappingFormatter.js: wrapAsIdentifier)."""
    at = name.lower().find(" as ")
    return name if at < 0 else name[:at].strip()
