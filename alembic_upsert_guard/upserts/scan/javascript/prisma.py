"""Prisma: ``prisma.user.upsert({ where, create, update })``, with the models of schema.prisma.

Prisma sends INSERT ... ON CONFLICT on PostgreSQL, CockroachDB and SQLite, where ``create`` and ``update`` write to no
other model, nothing of another model is selected, ``where`` names one unique field (or one of several columns) and
nothing else, ``create`` has the same values in it, and ``update`` is not empty (Prisma Client API reference, "Database
upserts"). Else it reads the row first, and inserts or updates. What a schema calls unique need not be so in the
database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....databases import POSTGRESQL, SQLITE
from ...target import AnyArbiter, Lookup, NamedTable, Unread
from ...upsert import Form
from .identifiers import elements_of
from .meaning import UNDEFINED, Expression, External, Properties
from .nodes import key_of, text_of, unwrapped
from .site import Site

if TYPE_CHECKING:
    from collections.abc import Collection

    from tree_sitter import Node

    from ...target import Target
    from .nodes import MethodCall
    from .prisma_schema import PrismaModel, PrismaSchema, PrismaSchemas
    from .values import Values

__all__ = ["Prisma"]

_UPSERTING = frozenset({"cockroachdb", "postgres", POSTGRESQL.name, SQLITE.name})
_UPSERT = frozenset({"create", "update", "where"})
_LOOKUP = "Prisma's upsert"
_INSIDE = Unread("an upsert inside another operation is not read")
_NESTED = Site(form=Form.PRISMA, table=_INSIDE, target=_INSIDE)


class Prisma:
    """Reads Prisma's upserts."""

    methods = ("create", "createMany", "createManyAndReturn", "update", "upsert")

    def __init__(self, values: Values, schemas: PrismaSchemas) -> None:
        """Nothing is read yet."""
        self._values = values
        self._schemas = schemas

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        if len(call.arguments) != 1:
            return None
        is_upsert = call.name == "upsert"
        if not is_upsert and _has_nested(call.arguments[0]):
            return _NESTED
        if call.name in ("create", "update"):
            return None
        options = self._values.properties(of.at(call.arguments[0]))
        name = self._client_name(of.at(call.owner))
        upserts = self._is_its(of, call, options) if is_upsert else self._skips(options)
        if not upserts:
            return None
        if isinstance(name, Unread):
            return Site(form=Form.PRISMA, table=name, target=name)
        schema = self._schemas.with_model(of.module.path, name)
        model = None if schema is None else schema.model(name)
        if schema is None or model is None:
            unread = Unread(f"no schema.prisma near the file has the model of {name}")
            return Site(form=Form.PRISMA, table=unread, target=unread)
        if schema.provider == "mongodb":
            return None
        target: Target | Unread = upserts if isinstance(upserts, Unread) else AnyArbiter()
        if is_upsert:
            target = self._target(schema, model, options)
        return Site(form=Form.PRISMA, table=NamedTable(model.table, model.schema), target=target)

    def _is_its(self, of: Expression, call: MethodCall, options: Properties) -> bool:
        """Whether it is Prisma's upsert; where its argument cannot be read, whose client it is decides."""
        if options.unread is None or options.named.keys() >= _UPSERT:
            return options.named.keys() >= _UPSERT
        name = self._client_name(of.at(call.owner))
        return "prisma" in text_of(call.owner).lower() or self._has_model(of, name)

    def _has_model(self, of: Expression, name: str | Unread) -> bool:
        """Whether a schema.prisma has a model of that name."""
        if isinstance(name, Unread):
            return False
        return self._schemas.with_model(of.module.path, name) is not None

    def _skips(self, options: Properties) -> bool | Unread:
        """Whether ``createMany`` leaves out what is there."""
        stated = options.named.get("skipDuplicates")
        if stated is None:
            return False
        meaning = self._values.meaning(stated)
        said = text_of(meaning.node) if isinstance(meaning, Expression) else ""
        if meaning == UNDEFINED or said in ("false", "true"):
            return said == "true"
        return Unread("whether skipDuplicates is true is decided at run time")

    def _client_name(self, owner: Expression) -> str | Unread:
        """``user`` of ``prisma.user``."""
        meaning = self._values.meaning(owner)
        nodes = [unwrapped(owner.node)]
        nodes += [meaning.node] if isinstance(meaning, Expression) else []
        for node in nodes:
            name = node.child_by_field_name("property") or node.child_by_field_name("index")
            said = None if name is None or name.type == "identifier" else key_of(name)
            if said is not None:
                return said
        if isinstance(meaning, External) and "." in meaning.name:
            return meaning.name.rpartition(".")[2]
        return Unread(f"which model {owner.source} is cannot be read")

    def _target(
        self, schema: PrismaSchema, model: PrismaModel, options: Properties
    ) -> Target | Unread:
        """What Prisma sends as ON CONFLICT, or looks up by itself."""
        if not options.named.keys() >= _UPSERT:
            return options.unread or Unread("where, create and update cannot be read")
        where = self._values.properties(options.named["where"])
        if where.unread is not None:
            return where.unread
        key = next((name for name in where.named if name in model.unique), None)
        if key is None:
            named = ", ".join(where.named)
            return Unread(f"the model {model.name} calls nothing unique that is named {named}")
        fields = model.unique[key]
        target = elements_of(model.columns[name] for name in fields)
        if isinstance(target, Unread):
            return target
        values = {key: where.named[key]}
        if fields != (key,):
            inside = self._values.properties(where.named[key])
            if inside.unread is not None:
                return inside.unread
            values = inside.named
        if (
            schema.provider not in _UPSERTING
            or len(where.named) > 1
            or self._has_other_models(model, options, schema.models)
            or (differs := self._differs(options.named["create"], fields, values)) is True
        ):
            return Lookup(target.elements, _LOOKUP)
        return differs or target

    def _has_other_models(
        self, model: PrismaModel, options: Properties, model_names: Collection[str]
    ) -> bool:
        """Whether another model takes part, or there is nothing to update."""
        relations = {name for name, type_ in model.types.items() if type_ in model_names}
        for part in ("create", "update", "select", "include"):
            stated = options.named.get(part)
            named = {} if stated is None else self._values.properties(stated).named
            if any(name in relations for name in named):
                return True
        update = self._values.properties(options.named["update"])
        return not update.named and update.unread is None

    def _differs(
        self, create: Expression, fields: tuple[str, ...], values: dict[str, Expression]
    ) -> Unread | bool:
        """Whether ``create`` has other values than ``where``."""
        stated = self._values.properties(create)
        for name in fields:
            wanted, given = values.get(name), stated.get(name)
            if wanted is None or given is None:
                return True
            if isinstance(given, Expression):
                if text_of(given.node) != text_of(wanted.node):
                    return True
            elif not _is_taken_from(wanted, create, name):
                return Unread(
                    f"whether create has the same {name} as where, so that Prisma says ON CONFLICT, cannot be read"
                )
        return False


def _is_taken_from(wanted: Expression, create: Expression, name: str) -> bool:
    """``where: { email: data.email }, create: data``, or ``create: { ...data }``."""
    node = unwrapped(create.node)
    if node.type == "object" and len(node.named_children) == 1:
        node = node.named_children[0]
        node = node.named_children[0] if node.type == "spread_element" else node
    return text_of(wanted.node) == f"{text_of(node)}.{name}"


def _has_nested(node: Node) -> bool:
    """Whether an operation has ``{ posts: { upsert: { create, update, where } } }`` in it, or ``createMany``."""
    source = node.text or b""
    if b"upsert" not in source and b"skipDuplicates" not in source:
        return False
    stated = node.child_by_field_name("key") if node.type == "pair" else None
    value = node.child_by_field_name("value")
    if stated is not None and value is not None and key_of(stated) in ("createMany", "upsert"):
        pairs = {key_of(k): p for p in _pairs(value) if (k := p.child_by_field_name("key"))}
        skips = pairs.get("skipDuplicates")
        said = None if skips is None else skips.child_by_field_name("value")
        is_skipping = said is not None and said.type != "false"
        return is_skipping or {"create", "update"} <= pairs.keys()
    return any(map(_has_nested, node.named_children))


def _pairs(value: Node) -> list[Node]:
    """The properties of an object, or of the first one in a list."""
    if value.type == "array" and value.named_children:
        value = value.named_children[0]
    return [each for each in value.named_children if each.type == "pair"]
