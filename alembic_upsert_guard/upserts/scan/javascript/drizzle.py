"""Drizzle: ``db.insert(users).values(...).onConflictDoUpdate({ target: users.email, set })``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....inference import Element
from ...target import AnyArbiter, Cause, Elements, NamedTable, Unread
from ...upsert import Form
from ..sql import normal_predicate
from .bindings import BindingKind
from .drizzle_schema import is_drizzle
from .identifiers import Casing, quoted_names
from .meaning import Expression, External
from .nodes import arguments_of, method_call, tagged, text_of, unescaped, unwrapped
from .site import Site

if TYPE_CHECKING:
    from tree_sitter import Node

    from ...target import Target
    from .drizzle_schema import DrizzleSchemas
    from .nodes import MethodCall
    from .values import Values

__all__ = ["Drizzle"]

_DEPTH = 20
_CASINGS = {"camelCase": Casing.CAMEL, "snake_case": Casing.SNAKE}
_BOUND = Unread("the predicate compares with a bound value", Cause.BOUND)


class Drizzle:
    """Reads Drizzle's upserts."""

    methods = ("ignore", "onConflictDoNothing", "onConflictDoUpdate", "onDuplicateKeyUpdate")

    def __init__(self, values: Values, schemas: DrizzleSchemas) -> None:
        """Nothing is read yet."""
        self._values = values
        self._schemas = schemas

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call."""
        table, client = self._inserted_into(of.at(call.owner), _DEPTH)
        if call.name == "ignore":
            before = method_call(unwrapped(call.owner))
            is_its = (
                before is not None and before.name == "insert" and isinstance(table, NamedTable)
            )
            return Site(form=Form.DRIZZLE, table=table, target=AnyArbiter()) if is_its else None
        if call.name == "onDuplicateKeyUpdate":
            is_its = client is not None
            return Site(form=Form.DRIZZLE, table=table, target=AnyArbiter()) if is_its else None
        casing = Casing.UNKNOWN if client is None else self._casing(client, _DEPTH)
        target, binds = self._target(of, call, casing)
        return Site(form=Form.DRIZZLE, table=table, target=target, binds=binds)

    def _inserted_into(
        self, expression: Expression, depth: int
    ) -> tuple[NamedTable | Unread, Expression | None]:
        """The table that a statement inserts into, and the client that runs it; None: which one is not known."""
        meaning = self._values.meaning(expression)
        if not isinstance(meaning, Expression):
            reason = "which table it inserts into cannot be read"
            return (meaning if isinstance(meaning, Unread) else Unread(reason)), None
        link = method_call(meaning.node)
        if link is None or not depth:
            return Unread(f"which table {expression.source} inserts into cannot be read"), None
        if link.name != "insert" or len(link.arguments) != 1:
            return self._inserted_into(meaning.at(link.owner), depth - 1)
        table = self._schemas.table(meaning.at(link.arguments[0]))
        if table is None:
            stated = meaning.at(link.arguments[0]).source
            table = Unread(f"{stated} is no table of a schema file that is read")
        named = table if isinstance(table, Unread) else table.named
        return named, meaning.at(link.owner)

    def _casing(self, client: Expression, depth: int) -> Casing:
        """What the client makes of keys that stand for columns; that of a transaction is its client's."""
        node = unwrapped(client.node)
        if node.type == "identifier" and depth:
            binding = client.module.binding(node)
            if binding is not None and binding.kind is BindingKind.PARAMETER and not binding.index:
                outer = _transaction_around(client, binding.node)
                return Casing.UNKNOWN if outer is None else self._casing(outer, depth - 1)
        meaning = self._values.meaning(client)
        if not isinstance(meaning, Expression) or meaning.node.type != "call_expression":
            return Casing.UNKNOWN
        link = method_call(meaning.node)
        if link is not None and link.name in ("$with", "with", "withReplicas") and depth:
            return self._casing(meaning.at(link.owner), depth - 1)
        function = meaning.node.child_by_field_name("function")
        if function is None or not is_drizzle(self._values.meaning(meaning.at(function))):
            return Casing.UNKNOWN
        return self._stated_casing(meaning)

    def _stated_casing(self, made: Expression) -> Casing:
        for position, argument in enumerate(arguments_of(made.node)):
            meaning = self._values.meaning(made.at(argument))
            if not isinstance(meaning, Expression) or meaning.node.type != "object":
                if position:  # behind the connection are the options
                    return Casing.UNKNOWN
                continue
            stated = self._values.properties(meaning).get("casing")
            if stated is not None:
                said = stated if isinstance(stated, Unread) else self._values.text(stated)
                return _CASINGS.get(said if isinstance(said, str) else "", Casing.UNKNOWN)
        return Casing.KEPT

    def _target(
        self, of: Expression, call: MethodCall, casing: Casing
    ) -> tuple[Target | Unread, bool]:
        """The conflict target, and whether its predicate binds values."""
        if not call.arguments:
            return AnyArbiter(), False
        options = self._values.properties(of.at(call.arguments[0]))
        target = options.get("target")
        if target is None:
            return AnyArbiter(), False
        if isinstance(target, Unread):
            return target, False
        # the `where` of DO UPDATE says which rows are updated (query-builders/insert.ts: onConflictDoUpdate)
        where = options.get("targetWhere" if call.name == "onConflictDoUpdate" else "where")
        columns = self._columns(target, casing)
        if isinstance(columns, Unread):
            return columns, False
        elements = tuple(Element(column=name) for name in columns)
        if where is None:
            return Elements(elements), False
        if isinstance(where, Unread):
            return Elements(elements, where), False
        predicate = self._predicate(where, casing)
        if not isinstance(predicate, Unread):
            return Elements(elements, normal_predicate(predicate)), False
        return Elements(elements, predicate), predicate.cause is Cause.BOUND

    def _columns(self, target: Expression, casing: Casing) -> list[str] | Unread:
        meaning = self._values.meaning(target)
        is_list = isinstance(meaning, Expression) and meaning.node.type == "array"
        items = self._values.items(target) if is_list else [target]
        if isinstance(items, Unread):
            return items
        found: list[str] = []
        for item in items:
            name = self._schemas.column(item, casing)
            if name is None:
                return Unread(f"which column {item.source} is cannot be read")
            if isinstance(name, Unread):
                return name
            found.append(name)
        return found or Unread("it names no columns")

    # -- predicates

    def _predicate(self, where: Expression, casing: Casing) -> str | Unread:
        """The SQL of ``sql`...``` or of Drizzle's operators; what they compare with is bound."""
        meaning = self._values.meaning(where)
        if not isinstance(meaning, Expression):
            return meaning if isinstance(meaning, Unread) else _unread(where)
        tag = tagged(meaning.node)
        function = meaning.node.child_by_field_name("function") if tag is None else tag[0]
        called = None if function is None else self._values.meaning(meaning.at(function))
        if not isinstance(called, External) or not is_drizzle(called):
            return _unread(where)
        if tag is not None:
            is_its = called.name == "sql"
            return self._template(meaning.at(tag[1]), casing) if is_its else _unread(where)
        arguments = [meaning.at(argument) for argument in arguments_of(meaning.node)]
        if called.name in _OF_COLUMN and len(arguments) == 1:
            column = self._schemas.column(arguments[0], casing)
            if isinstance(column, str):
                return f"{quoted_names([column])} {_OF_COLUMN[called.name]}"
            return column or _unread(where)
        if called.name in ("and", "or"):
            parts = [self._predicate(argument, casing) for argument in arguments]
            unread = next((part for part in parts if isinstance(part, Unread)), None)
            return unread or f" {called.name} ".join(f"({part})" for part in parts)
        return _BOUND if called.name in _COMPARISONS else _unread(where)

    def _template(self, template: Expression, casing: Casing) -> str | Unread:
        written: list[str] = []
        for part in template.node.named_children:
            if part.type == "escape_sequence":
                written.append(unescaped(text_of(part)))
            elif part.type != "template_substitution":
                written.append(text_of(part))
            else:
                inside = self._inside(template.at(part.named_children[0]), casing)
                if isinstance(inside, Unread):
                    return inside
                written.append(inside)
        return "".join(written)

    def _inside(self, hole: Expression, casing: Casing) -> str | Unread:
        column = self._schemas.column(hole, casing)
        if isinstance(column, str):
            return quoted_names([column])
        meaning = self._values.meaning(hole)
        if not isinstance(meaning, Expression):
            return column or _unread(hole)
        link = method_call(meaning.node)
        if link is not None and link.name == "raw" and len(link.arguments) == 1:
            return self._values.text(meaning.at(link.arguments[0]))
        return _BOUND if meaning.node.type in _LITERALS else _unread(hole)


_OF_COLUMN = {"isNotNull": "IS NOT NULL", "isNull": "IS NULL"}
_COMPARISONS = frozenset(
    {
        *("between", "eq", "gt", "gte", "ilike", "inArray", "like", "lt", "lte", "ne"),
        *("notBetween", "notIlike", "notInArray", "notLike"),
    }
)
_LITERALS = frozenset({"false", "number", "string", "template_string", "true"})


def _unread(where: Expression) -> Unread:
    return Unread(f"the predicate {where.source} cannot be read")


def _transaction_around(client: Expression, function: Node) -> Expression | None:
    """The client whose ``transaction()`` a function is given to; None: it is given to something else."""
    arguments = client.module.parent(function)
    call = None if arguments is None else client.module.parent(arguments)
    link = None if call is None else method_call(call)
    is_one = link is not None and link.name == "transaction" and function in link.arguments
    return client.at(link.owner) if link is not None and is_one else None
