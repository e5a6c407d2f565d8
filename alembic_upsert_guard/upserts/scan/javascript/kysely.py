"""Kysely: ``db.insertInto('t').values(...).onConflict((oc) => oc.columns(['a', 'b']).doNothing())``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import AnyArbiter, Cause, Constraint, Elements, NamedTable, Unread
from ...upsert import Form
from ..sql import normal_element, normal_predicate
from .drizzle_schema import returned_by
from .identifiers import Casing, cased, dotted_table, elements_of, quoted_names
from .meaning import Expression, External
from .nodes import (
    FUNCTIONS,
    arguments_of,
    chain_of,
    method_call,
    string_in,
    tagged,
    text_of,
    unwrapped,
)
from .site import Site

if TYPE_CHECKING:
    from ....inference import Element
    from ...target import Target
    from .nodes import MethodCall
    from .values import Values

__all__ = ["Kysely"]

_ACTIONS = frozenset({"doNothing", "doUpdateSet"})
_INSERTS = frozenset({"insertInto", "mergeInto", "replaceInto"})
_DEPTH = 20
_OPERANDS = 3


class Kysely:
    """Reads Kysely's upserts."""

    methods = ("onConflict", "onDuplicateKeyUpdate")

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call."""
        insert = self._insert(of.at(call.owner), _DEPTH)
        links = self._links(of, call)
        is_mysql = call.name == "onDuplicateKeyUpdate"
        if links is None and insert is None and not is_mysql:
            return None
        table, casing = (
            (Unread("which table it inserts into cannot be read"), Casing.UNKNOWN)
            if insert is None
            else self._table(insert)
        )
        if is_mysql:
            return Site(form=Form.KYSELY, table=table, target=AnyArbiter())
        target = (
            Unread(f"what {of.at(call.arguments[0]).source} makes of it cannot be read")
            if links is None and call.arguments
            else self._target(links or [], of, casing)
        )
        return Site(form=Form.KYSELY, table=table, target=target, binds=_binds(target))

    def _insert(self, expression: Expression, depth: int) -> Expression | None:
        """The call of ``insertInto`` that a statement begins with; None: it does not, as far as the source says."""
        meaning = self._values.meaning(expression)
        link = method_call(meaning.node) if isinstance(meaning, Expression) else None
        if not isinstance(meaning, Expression) or link is None or not depth:
            return None
        if link.name in _INSERTS and link.arguments:
            return meaning
        return self._insert(meaning.at(link.owner), depth - 1)

    def _table(self, insert: Expression) -> tuple[NamedTable | Unread, Casing]:
        link = method_call(insert.node)
        if link is None:
            return Unread("which table it inserts into cannot be read"), Casing.UNKNOWN
        casing, schema = self._client(insert.at(link.owner), _DEPTH)
        name = self._values.text(insert.at(link.arguments[0]))
        if isinstance(name, Unread):
            return name, casing
        table = dotted_table(name, schema)
        if isinstance(table, Unread):
            return table, casing
        spelled = cased(table.name, casing, "Kysely")
        if isinstance(spelled, Unread):
            return spelled, casing
        return NamedTable(spelled, table.schema), casing

    def _client(self, expression: Expression, depth: int) -> tuple[Casing, str | Unread | None]:
        """What the client makes of names, and the schema that it was given; None: none."""
        meaning = self._values.meaning(expression)
        if not isinstance(meaning, Expression) or not depth:
            return Casing.UNKNOWN, None
        link = method_call(meaning.node)
        if link is not None:
            casing, schema = self._client(meaning.at(link.owner), depth - 1)
            if link.name == "withSchema" and len(link.arguments) == 1:
                schema = self._values.text(meaning.at(link.arguments[0]))
            return casing, schema
        if meaning.node.type == "new_expression":
            return self._made(meaning), None
        return Casing.UNKNOWN, None

    def _made(self, made: Expression) -> Casing:
        """Whether ``new Kysely({ plugins: [new CamelCasePlugin()] })`` has that plugin."""
        constructor = made.node.child_by_field_name("constructor")
        meaning = None if constructor is None else self._values.meaning(made.at(constructor))
        arguments = arguments_of(made.node)
        if (
            not isinstance(meaning, External)
            or not meaning.name.endswith("Kysely")
            or not arguments
        ):
            return Casing.UNKNOWN
        plugins = self._values.properties(made.at(arguments[0])).get("plugins")
        if plugins is None:
            return Casing.KEPT
        items = plugins if isinstance(plugins, Unread) else self._values.items(plugins)
        if isinstance(items, Unread):
            return Casing.UNKNOWN
        found = [self._values.meaning(item) for item in items]
        named = [_made_of(plugin) for plugin in found]
        if named == ["CamelCasePlugin"]:
            plugin = found[0]
            has_options = isinstance(plugin, Expression) and arguments_of(plugin.node)
            return Casing.UNKNOWN if has_options else Casing.SNAKE
        return Casing.KEPT if all(n in _OTHER_PLUGINS for n in named) else Casing.UNKNOWN

    def _links(self, of: Expression, call: MethodCall) -> list[MethodCall] | None:
        """What is called on the builder of the conflict clause, in order; None: it is no function of Kysely's."""
        if len(call.arguments) != 1:
            return None
        function = self._values.meaning(of.at(call.arguments[0]))
        if not isinstance(function, Expression) or function.node.type not in FUNCTIONS:
            return None
        body = returned_by(function)
        links = [] if body is None else chain_of(body)[::-1]
        if not links or unwrapped(links[0].owner).type != "identifier":
            return None
        binding = function.module.binding(unwrapped(links[0].owner))
        if binding is None or binding.node != function.node:
            return None
        return links if any(link.name in _ACTIONS for link in links) else None

    def _target(self, links: list[MethodCall], of: Expression, casing: Casing) -> Target | Unread:
        columns: list[str | Unread] = []
        element: Element | Unread | None = None
        conditions: list[str | Unread] = []
        constraint: str | Unread | None = None
        for link in links:
            arguments = [of.at(argument) for argument in link.arguments]
            if link.name in _ACTIONS:
                break
            if link.name == "column" and len(arguments) == 1:
                columns.append(self._name(arguments[0], casing))
            elif link.name == "columns" and len(arguments) == 1:
                items = self._values.items(arguments[0])
                columns += (
                    [items]
                    if isinstance(items, Unread)
                    else [self._name(item, casing) for item in items]
                )
            elif link.name == "constraint" and len(arguments) == 1:
                constraint = self._name(arguments[0], casing)
            elif link.name == "expression" and len(arguments) == 1:
                element = self._expression(arguments[0])
            elif link.name == "where":
                conditions.append(self._condition(arguments, casing))
            else:
                return Unread(f"what {link.name}() makes of it is not known")
        predicate = _all_of(conditions)
        if constraint is not None:
            return constraint if isinstance(constraint, Unread) else Constraint(constraint)
        if element is not None:
            return element if isinstance(element, Unread) else Elements((element,), predicate)
        return elements_of(columns, predicate) if columns else AnyArbiter()

    def _condition(self, arguments: list[Expression], casing: Casing) -> str | Unread:
        """``where('deleted_at', 'is', null)``: other values are bound (value-parser.ts)."""
        if len(arguments) != _OPERANDS:
            return Unread("its condition is no comparison of a column with a value")
        column, operator = self._name(arguments[0], casing), self._values.text(arguments[1])
        value = self._values.meaning(arguments[2])
        if isinstance(column, Unread):
            return column
        is_literal = isinstance(value, Expression) and value.node.type in ("false", "null", "true")
        if operator not in ("is", "is not") or not is_literal or not isinstance(value, Expression):
            return Unread("the predicate compares with a bound value", Cause.BOUND)
        return f"{quoted_names(column.split('.'))} {operator} {text_of(value.node)}"

    def _name(self, stated: Expression, casing: Casing) -> str | Unread:
        name = self._values.text(stated)
        return name if isinstance(name, Unread) else cased(name, casing, "Kysely")

    def _expression(self, stated: Expression) -> Element | Unread:
        """The element of ``sql`lower(email)```."""
        meaning = self._values.meaning(stated)
        unread = Unread(f"the expression {stated.source} cannot be read")
        meaning = self._values.meaning(stated)
        parts = tagged(meaning.node) if isinstance(meaning, Expression) else None
        text = None if parts is None else string_in(parts[1])
        if parts is None or text is None or text_of(parts[0]) != "sql":
            return unread
        return normal_element(text) or normal_element(f"({text})") or unread


def _binds(target: Target | Unread) -> bool:
    predicate = target.predicate if isinstance(target, Elements) else None
    return isinstance(predicate, Unread) and predicate.cause is Cause.BOUND


def _all_of(conditions: list[str | Unread]) -> str | Unread | None:
    unread = next((c for c in conditions if isinstance(c, Unread)), None)
    if unread is not None or not conditions:
        return unread
    return normal_predicate(" AND ".join(f"({condition})" for condition in conditions))


_OTHER_PLUGINS = frozenset({"DeduplicateJoinsPlugin", "ParseJSONResultsPlugin"})


def _made_of(meaning: object) -> str:
    if not isinstance(meaning, Expression) or meaning.node.type != "new_expression":
        return ""
    constructor = meaning.node.child_by_field_name("constructor")
    return "" if constructor is None else text_of(constructor)
