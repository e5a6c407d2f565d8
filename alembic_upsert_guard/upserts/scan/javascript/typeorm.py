"""TypeORM: ``repository.upsert(rows, ['a'])``, and ``orUpdate``, ``orIgnore``, ``onConflict`` of its query builder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import AnyArbiter, Constraint, NamedTable, Unread
from ...upsert import Form
from ..sql import normal_predicate, read_sql
from .annotations import annotated_entity
from .identifiers import dotted_table, elements_of
from .meaning import UNDEFINED, Expression
from .nodes import method_call, text_of, unwrapped
from .site import Site

if TYPE_CHECKING:
    from ...target import Target
    from .entities import Entities
    from .nodes import MethodCall
    from .values import Values

__all__ = ["TypeOrm"]

_DEPTH = 20
_PACKAGES = ("typeorm", "@nestjs/typeorm")
_WITH_ENTITY = 3
"""Arguments of ``manager.upsert(Entity, rows, paths)``."""


class TypeOrm:
    """Reads TypeORM's upserts."""

    methods = ("onConflict", "orIgnore", "orUpdate", "upsert")

    def __init__(self, values: Values, entities: Entities) -> None:
        """Nothing is read yet."""
        self._values = values
        self._entities = entities

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        if call.name == "upsert":
            return self._upsert(of, call)
        return self._builder(of, call)

    def _upsert(self, of: Expression, call: MethodCall) -> Site | None:
        arguments = [of.at(argument) for argument in call.arguments]
        if len(arguments) not in (_WITH_ENTITY - 1, _WITH_ENTITY):
            return None
        entity = (
            self._entities.entity(arguments[0])
            if len(arguments) == _WITH_ENTITY
            else self._of_owner(of.at(call.owner))
        )
        paths = arguments[-1]
        meaning = self._values.meaning(paths)
        node = meaning.node if isinstance(meaning, Expression) else None
        options = (
            self._values.properties(paths) if node is not None and node.type == "object" else None
        )
        has_paths = options is not None and "conflictPaths" in options.named
        is_list = node is not None and node.type == "array"
        is_known = entity is not None or (
            (is_list or self._is_named(of.at(call.owner))) and of.module.imports_from(*_PACKAGES)
        )
        if not has_paths and not is_known:
            return None
        if entity is None:
            entity_reason = f"which entity {of.at(call.owner).source} stores cannot be read"
            table: NamedTable | Unread = Unread(entity_reason)
        else:
            table = self._entities.table(entity)
        return Site(form=Form.TYPEORM, table=table, target=self._paths(paths, entity))

    @staticmethod
    def _is_named(owner: Expression) -> bool:
        """Whether something is called as repositories and entity managers are."""
        name = text_of(unwrapped(owner.node)).rpartition(".")[2].lower()
        return "repo" in name or name in ("em", "manager", "entitymanager")

    def _paths(self, stated: Expression, entity: Expression | None) -> Target | Unread:
        """The columns of ``['a']`` or ``{ conflictPaths: ['a'] | { a: true }, indexPredicate }``."""
        meaning = self._values.meaning(stated)
        predicate: str | Unread | None = None
        if isinstance(meaning, Expression) and meaning.node.type == "object":
            options = self._values.properties(meaning)
            paths, where = options.get("conflictPaths"), options.get("indexPredicate")
            if not isinstance(paths, Expression):
                return paths or Unread("conflictPaths is not given")
            if where is not None:
                said = where if isinstance(where, Unread) else self._values.text(where)
                predicate = said if isinstance(said, Unread) else normal_predicate(said)
            stated = paths
        names = self._names(stated)
        if isinstance(names, Unread):
            return names
        if entity is None:
            return Unread(
                "what the database calls its columns is in the entity, which is not known"
            )
        return elements_of((self._entities.column(entity, name) for name in names), predicate)

    def _names(self, stated: Expression) -> list[str] | Unread:
        meaning = self._values.meaning(stated)
        if isinstance(meaning, Expression) and meaning.node.type == "object":
            properties = self._values.properties(meaning)
            return properties.unread or list(properties.named)
        return self._texts(stated)

    def _texts(self, stated: Expression) -> list[str] | Unread:
        items = self._values.items(stated)
        if isinstance(items, Unread):
            return items
        texts = [self._values.text(item) for item in items]
        unread = next((text for text in texts if isinstance(text, Unread)), None)
        return unread or [text for text in texts if isinstance(text, str)]

    # -- whose repository it is

    def _of_owner(self, owner: Expression) -> Expression | None:
        """The entity of ``getRepository(E)``, of a field that is a ``Repository<E>``, or of ``E`` itself."""
        entity = self._entities.entity(owner)
        if entity is not None:
            return entity
        meaning = self._values.meaning(owner)
        at = meaning if isinstance(meaning, Expression) else owner
        link = method_call(at.node)
        if link is not None and link.name in ("extend", "getRepository", "withRepository"):
            argument = link.arguments[0] if link.arguments else link.owner
            return self._entities.entity(at.at(argument))
        annotation = annotated_entity(self._values, owner)
        if annotation is None:
            return None
        return self._entities.entity(annotation)

    # -- the query builder

    def _builder(self, of: Expression, call: MethodCall) -> Site | None:
        table, entity, inserts = self._statement(of.at(call.owner))
        is_typeorm = table is not None or entity is not None or of.module.imports_from(*_PACKAGES)
        # orIgnore and orUpdate are nobody else's: that a statement is not known to insert is no reason to be silent
        if call.name == "onConflict" and not (
            is_typeorm and (inserts or self._is_clause(of, call))
        ):
            return None
        target = self._builder_target(of, call)
        if target is None:
            return None
        if table is None:
            table = (
                Unread("which entity it inserts into cannot be read")
                if entity is None
                else self._entities.table(entity)
            )
        return Site(form=Form.TYPEORM, table=table, target=target)

    def _is_clause(self, of: Expression, call: MethodCall) -> bool:
        """Whether it is ``onConflict('("id") DO NOTHING')``, as nobody else takes it."""
        said = self._values.text(of.at(call.arguments[0])) if call.arguments else ""
        return isinstance(said, str) and " do " in said.lower()

    def _statement(
        self, expression: Expression
    ) -> tuple[NamedTable | Unread | None, Expression | None, bool]:
        """The table, the entity, and whether the statement inserts, as far as its calls say."""
        inserts = False
        into: NamedTable | Unread | None = None
        meaning = self._values.meaning(expression)
        for _ in range(_DEPTH):
            if not isinstance(meaning, Expression) or (link := method_call(meaning.node)) is None:
                break
            if link.name == "insert" and not link.arguments:
                inserts = True
            if link.name == "into" and link.arguments:
                into = self._into(meaning.at(link.arguments[0]))
            if link.name == "createQueryBuilder":
                entity = (
                    self._entities.entity(meaning.at(link.arguments[0]))
                    if link.arguments
                    else self._of_owner(meaning.at(link.owner))
                )
                return into, entity, inserts
            meaning = self._values.meaning(meaning.at(link.owner))
        return into, None, inserts

    def _into(self, stated: Expression) -> NamedTable | Unread:
        entity = self._entities.entity(stated)
        if entity is not None:
            return self._entities.table(entity)
        name = self._values.text(stated)
        if isinstance(name, Unread) or "_" in name or name == name.lower():
            return name if isinstance(name, Unread) else dotted_table(name)
        return Unread(f"whether {name} is an entity's name or a table's cannot be read")

    def _builder_target(self, of: Expression, call: MethodCall) -> Target | Unread | None:
        arguments = [of.at(argument) for argument in call.arguments]
        if call.name == "orIgnore":
            return AnyArbiter()
        if call.name == "onConflict":
            return self._raw(arguments[0]) if arguments else None
        if len(arguments) == 1:
            options = self._values.properties(arguments[0])
            stated = options.get("conflict_target")
            if stated is None and options.unread is None:
                return AnyArbiter()
            if stated is None or isinstance(stated, Unread):
                return AnyArbiter() if isinstance(self._names(arguments[0]), list) else stated
            return self._conflict(stated, None)
        return self._conflict(arguments[1], arguments[2:]) if arguments else AnyArbiter()

    def _conflict(self, stated: Expression, options: list[Expression] | None) -> Target | Unread:
        """The columns of a list; a string is a constraint's name (InsertQueryBuilder.ts: createInsertExpression)."""
        meaning = self._values.meaning(stated)
        if meaning == UNDEFINED:
            return AnyArbiter()
        if not isinstance(meaning, Expression):
            return meaning if isinstance(meaning, Unread) else Unread("it cannot be read")
        if meaning.node.type == "array":
            names = self._texts(meaning)
            if isinstance(names, Unread):
                return names
            predicate = self._index_predicate(options[0]) if options else None
            return elements_of(names, predicate)
        name = self._values.text(meaning)
        return name if isinstance(name, Unread) else Constraint(name)

    def _index_predicate(self, options: Expression) -> str | Unread | None:
        where = self._values.properties(options).get("indexPredicate")
        if where is None or isinstance(where, Unread):
            return where
        said = self._values.text(where)
        return said if isinstance(said, Unread) else normal_predicate(said)

    def _raw(self, stated: Expression) -> Target | Unread | None:
        """What follows ON CONFLICT: ``onConflict('("id") DO NOTHING')``; None: it is no text."""
        text = self._values.text(stated)
        if isinstance(text, Unread):
            return text
        upserts = read_sql(f"INSERT INTO t DEFAULT VALUES ON CONFLICT {text}")
        return upserts[0].target if len(upserts) == 1 else Unread(f"{text!r} does not read as SQL")
