"""Kysely: ``db.insertInto('t').values(...).onConflict((oc) => oc.columns(['a', 'b']).doNothing())``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import AnyArbiter, Cause, Constraint, Elements, Unread
from ...upsert import Form
from ..sql import normal_element, normal_predicate
from .drizzle_schema import returned_by
from .identifiers import cased, elements_of, quoted_names
from .kysely_merge import KyselyMerges
from .kysely_tables import KyselyTables
from .meaning import Expression
from .nodes import FUNCTIONS, chain_of, string_in, tagged, text_of, unwrapped
from .site import Site

if TYPE_CHECKING:
    from ....inference import Element
    from ...target import Target
    from .identifiers import Casing
    from .kysely_tables import KyselyStatement
    from .nodes import MethodCall
    from .values import Values

__all__ = ["Kysely"]

_ACTIONS = frozenset({"doNothing", "doUpdateSet"})
_REPLACING = ("ignore", "orIgnore", "orReplace")
"""What writes IGNORE, OR IGNORE and OR REPLACE behind INSERT."""
_OPERANDS = 3


class Kysely:
    """Reads Kysely's upserts."""

    methods = ("onConflict", "onDuplicateKeyUpdate", *_REPLACING, "replaceInto", "thenInsertValues")

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values
        self._tables = KyselyTables(values)
        self._merges = KyselyMerges(values)

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call."""
        # of replaceInto() is the call itself what the statement begins with
        is_start = call.name == "replaceInto"
        statement = self._tables.statement(of if is_start else of.at(call.owner))
        match call.name:
            case "onConflict":
                return self._on_conflict(of, call, statement)
            case "thenInsertValues":
                return self._merges.read(of, call, statement)
            case "onDuplicateKeyUpdate":
                is_its = True
            case "replaceInto":
                is_its = len(call.arguments) == 1
            case _:
                is_its = statement.start == "insertInto" or (
                    call.name in ("orIgnore", "orReplace") and of.module.imports_from("kysely")
                )
        return _without_target(statement) if is_its else None

    def _on_conflict(
        self, of: Expression, call: MethodCall, statement: KyselyStatement
    ) -> Site | None:
        links = self._links(of, call)
        if links is None and not statement.start and not of.module.imports_from("kysely"):
            return None
        target = (
            Unread(f"what {of.at(call.arguments[0]).source} makes of it cannot be read")
            if links is None and call.arguments
            else self._target(links or [], of, statement.casing)
        )
        return Site(form=Form.KYSELY, table=statement.table, target=target, binds=_binds(target))

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
        if len(arguments) == 1 and (said := self._template(arguments[0])) is not None:
            return said
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
        text = self._template(stated)
        unread = Unread(f"the expression {stated.source} cannot be read")
        return unread if text is None else _element_of(text) or unread

    def _template(self, stated: Expression) -> str | None:
        """What ``sql`...``` says; None: it is no template of Kysely's, or has holes."""
        meaning = self._values.meaning(stated)
        parts = tagged(meaning.node) if isinstance(meaning, Expression) else None
        return None if parts is None or text_of(parts[0]) != "sql" else string_in(parts[1])


def _element_of(text: str) -> Element | None:
    return normal_element(text) or normal_element(f"({text})")


def _binds(target: Target | Unread) -> bool:
    predicate = target.predicate if isinstance(target, Elements) else None
    return isinstance(predicate, Unread) and predicate.cause is Cause.BOUND


def _all_of(conditions: list[str | Unread]) -> str | Unread | None:
    unread = next((c for c in conditions if isinstance(c, Unread)), None)
    if unread is not None or not conditions:
        return unread
    return normal_predicate(" AND ".join(f"({condition})" for condition in conditions))


def _without_target(statement: KyselyStatement) -> Site:
    return Site(form=Form.KYSELY, table=statement.table, target=AnyArbiter())
