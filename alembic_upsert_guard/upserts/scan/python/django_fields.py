"""The fields of Django's models, and their columns (django/db/models/fields: get_attname_column)."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .binding import Assigned
from .django_meta import KNOWN_FIELDS, is_of_django_models, stated_in
from .library_arguments import argument, is_nothing
from .values import Class, Expression, External, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .constants import Constants
    from .django_meta import DjangoMeta
    from .meaning import Names
    from .scope import Scope
    from .values import Meaning

__all__ = ["DjangoFields", "Field", "FieldKind", "assigned_calls"]

_RELATIONS = frozenset({"ForeignKey", "OneToOneField"})
_RELATIONS_OF_OTHERS = frozenset(
    {
        "modelcluster.fields.ParentalKey",
        "mptt.fields.TreeForeignKey",
        "mptt.fields.TreeOneToOneField",
    }
)
_WITHOUT_COLUMN = frozenset(
    {"CompositePrimaryKey", "GenericForeignKey", "GenericRelation", "ManyToManyField"}
)
_NAMING = (
    "db_column",
    "get_attname",
    "get_attname_column",
    "set_attributes_from_name",
)
"""What a class of fields names columns by."""
_LAST_UNNAMED = 1
"""Arguments by position of a field without a relation: ``verbose_name``. The next one is its name."""


class FieldKind(Enum):
    """What a field is."""

    PLAIN = "a column of its name"
    RELATION = "a column of its name and _id"
    WITHOUT_COLUMN = "no column"
    UNKNOWN = "of a class that is not read"


@dataclass(frozen=True, slots=True)
class Field:
    """A field, as a class states it."""

    name: str
    kind: FieldKind
    scope: Scope
    call: ast.Call


class DjangoFields:
    """Reads fields."""

    def __init__(self, names: Names, constants: Constants, meta: DjangoMeta) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._meta = meta

    def column(self, of: Class, name: str) -> str | Unread:
        """Return the column of a field of a model, by what ``get_field()`` takes: its name, or its attribute's."""
        if name == "pk":
            return self._primary_key(of)
        found = self.field(of, name)
        if isinstance(found, Field):
            return self._column(of, found)
        if found is not None:
            return found
        ancestry = self._meta.ancestry(of)
        if any(name in KNOWN_FIELDS[each] for each in ancestry.known):
            return name
        related = self.field(of, name.removesuffix("_id")) if name.endswith("_id") else None
        if isinstance(related, Field) and related.kind in (FieldKind.RELATION, FieldKind.UNKNOWN):
            stated = self._stated_column(related)  # no other has such an attribute
            return name if stated is None else stated
        if name == "id" and not ancestry.outside and not self._primary_keys(of):
            return name
        where = f", and {' and '.join(ancestry.outside)} is not read" if ancestry.outside else ""
        return _unread(f"no field {name} of {of.qualname} is found{where}")

    def field(self, of: Class, name: str) -> Field | Unread | None:
        """Return a field of a model; None: no class of the tree states one of that name."""
        for each in self._meta.ancestry(of).models:
            match stated_in(each, name):
                case []:
                    continue
                case [Assigned(ast.Call() as call)]:
                    return self._made(each, name, call)
            break
        else:
            return None
        return _unread(f"what {name} of {of.qualname} is cannot be read")

    def _made(self, of: Class, name: str, value: ast.Call) -> Field | Unread:
        match self._names.meanings(of.scope, value):
            case [Expression(scope, ast.Call() as call)]:
                found = [self._kind(m) for m in self._names.meanings(scope, call.func)]
                if len(set(found)) == 1:
                    return Field(name, found[0], scope, call)
            case [Instance(made_of, made=made)] if made and isinstance(made.node, ast.Call):
                return Field(name, self._kind(made_of), made.scope, made.node)
        return _unread(f"what {name} of {of.qualname} is cannot be read")

    def _kind(self, meaning: Meaning) -> FieldKind:
        match meaning:
            case External(dotted):
                return _kind_of(dotted)
            case Class():
                lineage = self._names.members.lineage(meaning)
                if any(self._names_columns(each) for each in lineage):
                    return FieldKind.UNKNOWN
                bases = {
                    self._kind(m)
                    for each in lineage
                    for base in each.node.bases
                    for m in self._names.meanings(each.scope, _generic(base))
                    if not isinstance(m, Class)
                }
                return bases.pop() if len(bases) == 1 else FieldKind.UNKNOWN
        return FieldKind.UNKNOWN

    def _names_columns(self, of: Class) -> bool:
        """Whether a class of fields may name columns in a way of its own."""
        return any(
            getattr(node, attribute, None) in _NAMING
            for node in ast.walk(of.node)
            for attribute in ("arg", "attr", "name", "value")
            if isinstance(getattr(node, attribute, None), str)
        )

    def _column(self, of: Class, field: Field) -> str | Unread:
        stated = self._stated_column(field)
        if stated is not None:
            return stated
        if field.kind is FieldKind.WITHOUT_COLUMN:
            return _unread(f"{field.name} of {of.qualname} has no column")
        if field.kind is FieldKind.UNKNOWN:
            source = ast.unparse(field.call.func)
            return _unread(f"which column {source} makes of {field.name} is not read")
        return f"{field.name}_id" if field.kind is FieldKind.RELATION else field.name

    def _stated_column(self, field: Field) -> str | Unread | None:
        """``db_column``; None: there is none. One that is renamed, or given more than is written, is not read."""
        call = field.call
        has_more = any(k.arg is None for k in call.keywords) or any(
            isinstance(a, ast.Starred) for a in call.args
        )
        names_itself = field.kind is not FieldKind.RELATION and len(call.args) > _LAST_UNNAMED
        if has_more or names_itself or argument(call, "name") is not None:
            return _unread(f"what {field.name} is given cannot be read")
        stated = argument(call, "db_column")
        if stated is None or is_nothing(stated):
            return None
        return self._constants.text(field.scope, stated) or None

    # -- the primary key

    def _primary_key(self, of: Class) -> str | Unread:
        keys = self._primary_keys(of)
        if keys is None or len(keys) > 1 or self._meta.ancestry(of).outside:
            return _unread(f"which field the primary key of {of.qualname} is cannot be read")
        return self._column(of, keys[0]) if keys else "id"

    def _primary_keys(self, of: Class) -> list[Field] | None:
        """The fields with ``primary_key=True``; None: one of them cannot be read."""
        found: list[Field] = []
        seen: set[str] = set()
        for each in self._meta.ancestry(of).models:
            for name in assigned_calls(each):
                field = None if name in seen else self.field(each, name)
                seen.add(name)
                if not isinstance(field, Field):
                    continue  # a manager
                stated = argument(field.call, "primary_key")
                if stated is None and not self._may_be_key(field):
                    continue
                if not isinstance(stated, ast.Constant):
                    return None
                found += [field] if stated.value else []
        return found

    def _may_be_key(self, field: Field) -> bool:
        """Whether a field may make itself the primary key, or be given that in a way that is not read."""
        source = ast.unparse(field.call.func)
        is_field = field.kind is not FieldKind.UNKNOWN or source.endswith(("Field", "Key"))
        is_spread = any(k.arg is None for k in field.call.keywords)
        return is_field and (
            is_spread
            or field.kind is FieldKind.UNKNOWN
            or source.endswith("CompositePrimaryKey")
            or self._makes_keys(field)
        )

    def _makes_keys(self, field: Field) -> bool:
        """Whether a class of fields of the tree says ``primary_key`` itself."""
        return any(
            isinstance(node, ast.keyword | ast.Constant)
            and "primary_key" in (getattr(node, "arg", None), getattr(node, "value", None))
            for m in self._names.meanings(field.scope, field.call.func)
            if isinstance(m, Class)
            for each in self._names.members.lineage(m)
            for node in ast.walk(each.node)
        )


def assigned_calls(of: Class) -> Iterator[str]:
    """Return the names that a class gives what a call makes."""
    for node in ast.walk(of.node):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _kind_of(dotted: str) -> FieldKind:
    last = dotted.rpartition(".")[2]
    if dotted in _RELATIONS_OF_OTHERS:
        return FieldKind.RELATION
    if not is_of_django_models(dotted):
        return FieldKind.UNKNOWN
    if last in _RELATIONS:
        return FieldKind.RELATION
    if last in _WITHOUT_COLUMN:
        return FieldKind.WITHOUT_COLUMN
    return FieldKind.PLAIN if last.endswith("Field") else FieldKind.UNKNOWN


def _generic(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


def _unread(reason: str) -> Unread:
    return Unread(f"{reason} (Django)", Cause.LIBRARY)
