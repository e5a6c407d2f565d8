"""Kysely's statements: which table one writes to, and what the client makes of names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...target import NamedTable, Unread
from .bindings import BindingKind
from .identifiers import Casing, cased, dotted_table
from .meaning import Expression, External
from .nodes import arguments_of, method_call, text_of, unwrapped

if TYPE_CHECKING:
    from .values import Values

__all__ = ["KyselyStatement", "KyselyTables"]

_STARTS = frozenset({"insertInto", "mergeInto", "replaceInto"})
_GIVING = frozenset({"$call", "$if"})
_OTHER_PLUGINS = frozenset({"DeduplicateJoinsPlugin", "ParseJSONResultsPlugin"})
_DEPTH = 20
_UNKNOWN = Unread("which table it inserts into cannot be read")


@dataclass(frozen=True, slots=True, kw_only=True)
class KyselyStatement:
    """One statement, as far as the source says."""

    table: NamedTable | Unread
    casing: Casing = Casing.UNKNOWN
    name: str = ""
    """What other parts of the statement call its table: ``u`` of ``'users as u'``; empty: it is not known."""
    start: str = ""
    """The method that it begins with; empty: none of Kysely's, as far as the source says."""
    links: tuple[str, ...] = ()
    """The methods that are called from there on, the last one first."""


class KyselyTables:
    """Reads what statements begin with."""

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def statement(self, expression: Expression) -> KyselyStatement:
        """Return the statement that an expression is a part of."""
        links: list[str] = []
        while len(links) < _DEPTH:
            meaning = self._values.meaning(expression)
            link = method_call(meaning.node) if isinstance(meaning, Expression) else None
            if not isinstance(meaning, Expression) or link is None:
                outer = _given_to(expression)
                if outer is None:
                    break
                links.append("$call")
                expression = outer
                continue
            if link.name in _STARTS and link.arguments:
                return self._begun(meaning, tuple(links))
            links.append(link.name)
            expression = meaning.at(link.owner)
        return KyselyStatement(table=_UNKNOWN, links=tuple(links))

    def _begun(self, start: Expression, links: tuple[str, ...]) -> KyselyStatement:
        """The statement of ``db.insertInto('users as u')``."""
        link = method_call(start.node)
        if link is None:
            return KyselyStatement(table=_UNKNOWN, links=links)
        casing, schema = self._client(start.at(link.owner), _DEPTH)
        stated = self._values.text(start.at(link.arguments[0]))
        if isinstance(stated, Unread):
            return KyselyStatement(table=stated, casing=casing, start=link.name, links=links)
        # parser/table-parser.ts: parseAliasedTable
        name, _, alias = stated.partition(" as ")
        return KyselyStatement(
            table=_cased(dotted_table(name.strip(), schema), casing),
            casing=casing,
            name=alias.strip() or name.strip(),
            start=link.name,
            links=links,
        )

    def _client(self, expression: Expression, depth: int) -> tuple[Casing, str | Unread | None]:
        """What the client makes of names, and the schema that it was given; None: none."""
        meaning = self._values.meaning(expression)
        if not isinstance(meaning, Expression) or not depth:
            return Casing.UNKNOWN, None
        link = method_call(meaning.node)
        if link is not None:
            casing, schema = self._client(meaning.at(link.owner), depth - 1)
            match link.name:
                case "withSchema" if len(link.arguments) == 1:
                    schema = self._values.text(meaning.at(link.arguments[0]))
                case "withPlugin":
                    casing = Casing.UNKNOWN
                case "withoutPlugins":
                    casing = Casing.KEPT
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


def _given_to(parameter: Expression) -> Expression | None:
    """The statement that ``$call((qb) => ...)`` or ``$if(x, (qb) => ...)`` gives its function; None: none does."""
    node = unwrapped(parameter.node)
    binding = parameter.module.binding(node) if node.type == "identifier" else None
    if binding is None or binding.kind is not BindingKind.PARAMETER or binding.index:
        return None
    arguments = parameter.module.parent(binding.node)
    call = None if arguments is None else parameter.module.parent(arguments)
    link = None if call is None else method_call(call)
    is_one = link is not None and link.name in _GIVING and link.arguments[-1:] == [binding.node]
    return parameter.at(link.owner) if link is not None and is_one else None


def _cased(table: NamedTable | Unread, casing: Casing) -> NamedTable | Unread:
    if isinstance(table, Unread):
        return table
    spelled = cased(table.name, casing, "Kysely")
    return spelled if isinstance(spelled, Unread) else NamedTable(spelled, table.schema)


def _made_of(meaning: object) -> str:
    if not isinstance(meaning, Expression) or meaning.node.type != "new_expression":
        return ""
    constructor = meaning.node.child_by_field_name("constructor")
    return "" if constructor is None else text_of(constructor)
