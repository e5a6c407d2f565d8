"""The tables of Django's models (django/db/models/options.py: Options.contribute_to_class)."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from ...target import Cause, NamedTable, Unread
from .binding import Defined
from .bindings import bindings_in
from .django_apps import DjangoApps
from .django_fields import DjangoFields, Field, FieldKind, assigned_calls
from .django_meta import KNOWN_FIELDS, DjangoMeta
from .library_arguments import argument, is_nothing
from .values import Class

if TYPE_CHECKING:
    from .constants import Constants
    from .meaning import Names
    from .modules import Modules

__all__ = ["DjangoModels"]

_LONGEST = 63
"""Bytes of a name that PostgreSQL takes. A longer one is shortened, by Django or by the database, each its own way."""
_BETWEEN = '"."'
"""Between schema and table in a name that brings its own quotes along, the outermost of which may be left out."""

_SETS = re.compile(rb"\b(\w+)\._meta\.db_table[ \t]*=(?!=)")
"""A statement that sets a model's table from outside."""
_PREPARED = b"class_prepared"
"""Django's signal, by which some do so with all models."""


class DjangoModels:
    """Reads models."""

    def __init__(self, names: Names, constants: Constants, modules: Modules) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._meta = DjangoMeta(names)
        self._fields = DjangoFields(names, constants, self._meta)
        self._tables: dict[Class, NamedTable | Unread] = {}
        self._columns: dict[Class, tuple[tuple[str, str], ...]] = {}
        self._modules = modules
        self._apps = DjangoApps(names, constants, modules)

    def table(self, of: Class) -> NamedTable | Unread:
        """Return the table that rows of a model are created in."""
        if of not in self._tables:
            with self._names.reading():  # it depends on no call
                self._tables[of] = self._table(of)
        return self._tables[of]

    def _table(self, of: Class) -> NamedTable | Unread:
        models = self._meta.ancestry(of).models
        if of not in models:
            outside = self._meta.ancestry(of).outside
            where = f": {' and '.join(outside)} is not read" if outside else ""
            return _unread(f"{of.qualname} is no model, as far as can be told{where}")
        if self._is_renamed(of):
            return _unread(f"the table of {of.qualname} is set from outside of it")
        abstract = [self._meta.is_abstract(each) for each in models]
        if None in abstract:
            return _unread(f"whether {of.qualname} is abstract cannot be read")
        if abstract[0]:
            return _unread(f"{of.qualname} is abstract")
        concrete = [m for m, each in zip(models[1:], abstract[1:], strict=True) if not each]
        is_proxy = [self._is_proxy(each) for each in (of, *concrete)]
        unread = next((each for each in is_proxy if isinstance(each, Unread)), None)
        if unread is not None:
            return unread
        if is_proxy[0]:
            own = [m for m, each in zip(concrete, is_proxy[1:], strict=True) if not each]
            reason = f"which table the proxy {of.qualname} is for cannot be read"
            return self.table(own[0]) if own else _unread(reason)
        if concrete:
            reason = f"{of.qualname} has a part of its columns in another table, where bulk_create() refuses"
            return _unread(reason)
        return self._own_table(of)

    def column(self, of: Class, name: str) -> str | Unread:
        """Return the column of a field of a model: see :meth:`.DjangoFields.column`."""
        with self._names.reading():
            found = self._fields.column(of, name)
        if isinstance(found, str) and len(found.encode()) > _LONGEST:
            return _unread(f"what a database makes of the long name {found} is not read")
        return found

    def owner(self, of: Class) -> Class:
        """Return the model whose table :meth:`table` gives: another one for a proxy."""
        with self._names.reading():
            of_models = (
                each
                for each in self._meta.ancestry(of).models
                if self._meta.is_abstract(each) is False and self._is_proxy(each) is False
            )
            return next(of_models, of)

    def fields(self, of: Class) -> tuple[tuple[str, str], ...]:
        """Return the columns of a model that can be read, each with its field's name."""
        if of not in self._columns:
            with self._names.reading():
                names = self._names_of_fields(of)
            columns = {self.column(of, name): name for name in names}
            self._columns[of] = tuple((c, n) for c, n in columns.items() if isinstance(c, str))
        return self._columns[of]

    def through(self, of: Class, name: str) -> NamedTable | Class | Unread:
        """Return the table between a model and what a field of it relates it to, or the model of that table."""
        field = self._fields.field(of, name)
        if not isinstance(field, Field) or field.kind is not FieldKind.WITHOUT_COLUMN:
            return _unread(f"which table is behind {name} of {of.qualname} cannot be read")
        stated = argument(field.call, "through")
        if any(k.arg is None for k in field.call.keywords):
            return _unread(f"what {name} of {of.qualname} is given cannot be read")
        if stated is not None and not is_nothing(stated):
            match self._names.meanings(field.scope, stated):
                case [Class() as model]:
                    return model
            between = self._constants.text(field.scope, stated)
            module = field.scope.module
            if isinstance(between, str) and module is of.module:
                match bindings_in(
                    module, module.tree, between
                ):  # of the same app, so it is that one
                    case [Defined(ast.ClassDef() as node)]:
                        return Class(module, node)
            return _unread(f"which model {ast.unparse(stated)} is cannot be read")
        table_name = argument(field.call, "db_table")
        if table_name is not None and not is_nothing(table_name):
            text = self._constants.text(field.scope, table_name)
            return text if isinstance(text, Unread) else _named(text, of)
        table = self.table(of)
        if isinstance(table, Unread):
            return table
        # schema and quotes of a model's own name are dropped here by some, and not by others
        return (
            _unread(f"which table is behind {name} of {of.qualname} cannot be read")
            if table.schema is not None
            else _named(f"{table.name}_{name}", of)
        )

    def _names_of_fields(self, of: Class) -> list[str]:
        ancestry = self._meta.ancestry(of)
        stated = [name for each in ancestry.models for name in assigned_calls(each)]
        own = [name for name in stated if isinstance(self._fields.field(of, name), Field)]
        known = [name for each in ancestry.known for name in sorted(KNOWN_FIELDS[each])]
        return list(dict.fromkeys(["id", *own, *known]))

    def _is_renamed(self, of: Class) -> bool:
        """Whether a statement somewhere, or a signal for every model, sets ``db_table``."""
        name = of.node.name.encode()
        found = [
            (path, owner)
            for path in self._modules.mentioning(b"._meta.db_table")
            for owner in _SETS.findall(self._modules.bytes_of(path))
        ]
        return any(
            owner == name or _PREPARED in self._modules.bytes_of(path) for path, owner in found
        )

    def _is_proxy(self, of: Class) -> bool | Unread:
        stated = self._meta.option(of, "proxy")
        if isinstance(stated, Unread):
            return stated
        if stated is None:
            return False
        match stated.node:
            case ast.Constant(value=bool(value)):
                return value
        return _unread(f"whether {of.qualname} is a proxy cannot be read")

    def _own_table(self, of: Class) -> NamedTable | Unread:
        stated = self._meta.option(of, "db_table")
        if isinstance(stated, Unread):
            return stated
        if stated is not None:
            text = self._constants.text(stated.scope, stated.node)
            if isinstance(text, Unread):
                return _unread(f"db_table of {of.qualname} is no constant: {text.reason}")
            if text:
                return _named(text, of)
        label = self._label(of)
        return label if isinstance(label, Unread) else _named(f"{label}_{_model_name(of)}", of)

    def _label(self, of: Class) -> str | Unread:
        stated = self._meta.option(of, "app_label")
        if isinstance(stated, Unread):
            return stated
        if stated is None:
            return self._apps.label(of)
        text = self._constants.text(stated.scope, stated.node)
        reason = f"app_label of {of.qualname} is no constant"
        return _unread(reason) if isinstance(text, Unread) or not text else text


def _model_name(of: Class) -> str:
    return of.node.name.lower()


def _named(text: str, of: Class) -> NamedTable | Unread:
    """The table of a name as ``db_table`` has it, by itself or as ``"schema"."table"``."""
    is_quoted = text.startswith('"') and text.endswith('"')
    inner = text[1:-1] if is_quoted else text
    *schemas, name = inner.split(_BETWEEN)
    parts = [*schemas, name]
    is_well_formed = all(part and '"' not in part for part in parts) and len(schemas) <= 1
    if not is_well_formed or any(len(part.encode()) > _LONGEST for part in parts):
        return _unread(f"which table {text} of {of.qualname} is for a database is not read")
    return NamedTable(name, schemas[0] if schemas else None)


def _unread(reason: str) -> Unread:
    return Unread(f"{reason} (Django)", Cause.LIBRARY)
