"""TypeORM's entities: classes with ``@Entity('t')`` and ``@Column({ name: 'c' })``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import NamedTable, Unread
from .identifiers import snake_case
from .meaning import Expression
from .nodes import CLASSES, arguments_of, called_name, text_of, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from .values import Values

__all__ = ["Entities"]

_COLUMNS = frozenset(
    {
        *("Column", "CreateDateColumn", "DeleteDateColumn", "ObjectIdColumn", "PrimaryColumn"),
        *("PrimaryGeneratedColumn", "UpdateDateColumn", "VersionColumn", "VirtualColumn"),
    }
)


class Entities:
    """Reads entities where they are used; each is looked up in the file that declares it."""

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def entity(self, expression: Expression) -> Expression | None:
        """Return the class that an expression names; None: it is no entity."""
        meaning = self._values.meaning(expression)
        if not isinstance(meaning, Expression) or meaning.node.type not in CLASSES:
            return None
        if meaning.module.imports_from("@mikro-orm"):
            return None  # whose entities have the same decorators
        return meaning if _decorator(meaning, meaning.node, frozenset({"Entity"})) else None

    def table(self, entity: Expression) -> NamedTable | Unread:
        """Return the table of an entity: as ``@Entity`` names it, else the class in snake case, as TypeORM does."""
        call = _decorator(entity, entity.node, frozenset({"Entity"}))
        arguments = [] if call is None else arguments_of(call)
        named = entity.node.child_by_field_name("name")
        name: str | Unread | None = None
        schema: str | Unread | None = None
        for argument in arguments:
            if unwrapped(argument).type != "object":
                name = self._values.text(entity.at(argument))
                continue
            options = self._values.properties(entity.at(argument))
            name = self._stated(options.get("name")) or name
            schema = self._stated(options.get("schema"))
        if name is None and named is not None:
            said = text_of(named)
            name = snake_case(said[:1].lower() + said[1:]) or Unread(
                f"what TypeORM calls the table of {said} cannot be read"
            )
        return name if isinstance(name, Unread) else NamedTable(str(name), schema)

    def column(self, entity: Expression, name: str) -> str | Unread:
        """Return what the database calls a property of an entity.

        One without a name of its own is called by TypeORM's naming strategy, which may be another one than the default.
        """
        for member, at in self._members(entity):
            named = member.child_by_field_name("name")
            if named is None or text_of(named) != name:
                continue
            call = _decorator(at, member, _COLUMNS)
            if call is None:
                call = _decorator(at, member, frozenset({"JoinColumn"}))
            stated = None if call is None else self._stated_name(at, call)
            if stated is not None:
                return stated
            if _decorator(at, member, _COLUMNS) is None:
                return Unread(f"{name} is a relation, and its column is not named")
            if name == name.lower():
                return name
            return Unread(f"whether TypeORM's naming strategy keeps {name} cannot be read")
        return Unread(f"the entity has no property {name} that can be read")

    def _stated_name(self, of: Expression, call: Node) -> str | Unread | None:
        for argument in arguments_of(call):
            if unwrapped(argument).type == "object":
                found = self._values.properties(of.at(argument)).get("name")
                if found is not None:
                    return self._stated(found)
        return None

    def _stated(self, found: Expression | Unread | None) -> str | Unread | None:
        return self._values.text(found) if isinstance(found, Expression) else found

    def _members(self, entity: Expression) -> Iterator[tuple[Node, Expression]]:
        """The properties of a class, then those of the classes that it extends."""
        seen = 0
        current: Expression | None = entity
        while current is not None and seen < _ANCESTORS:
            body = current.node.child_by_field_name("body")
            for member in [] if body is None else body.named_children:
                if member.type == "public_field_definition":
                    yield member, current
            current, seen = self._extended(current), seen + 1

    def _extended(self, of: Expression) -> Expression | None:
        for child in of.node.named_children:
            if child.type == "class_heritage":
                for clause in child.named_children:
                    value = clause.child_by_field_name("value") or clause
                    meaning = self._values.meaning(of.at(value))
                    if isinstance(meaning, Expression) and meaning.node.type in CLASSES:
                        return meaning
        return None


_ANCESTORS = 10


def _decorator(of: Expression, node: Node, names: frozenset[str]) -> Node | None:
    """The call of a decorator of a class or of a property; None: it has none of these."""
    found = [child for child in node.named_children if child.type == "decorator"]
    parent = of.module.parent(node)
    if node.type in CLASSES and parent is not None and parent.type == "export_statement":
        found += [child for child in parent.named_children if child.type == "decorator"]
    for decorator in found:
        call = decorator.named_children[0]
        if called_name(call) in names:
            return call
    return None
