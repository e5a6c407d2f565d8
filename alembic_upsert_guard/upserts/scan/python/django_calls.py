"""Django's upserts: ``Model.objects.bulk_create(rows, update_conflicts=True, unique_fields=["email"])``.

Django holds ``unique_fields`` against nothing: where no unique constraint has exactly their columns, PostgreSQL refuses
the statement (django/db/models/query.py: _check_bulk_create_options; 42P10).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....inference import Element
from ...target import AnyArbiter, Cause, Elements, NamedTable, Unread
from .binding import Parameter
from .bindings import bindings_at
from .django_managers import DjangoManagers
from .django_models import DjangoModels
from .library_arguments import is_nothing
from .scope import Argument
from .values import Class, Expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...target import Target
    from .constants import Constants
    from .library_arguments import LibraryArguments
    from .meaning import Names
    from .modules import Modules
    from .scope import Scope

__all__ = ["DjangoCalls", "DjangoUpsert"]

_IGNORE, _UPDATE, _UNIQUE = "ignore_conflicts", "update_conflicts", "unique_fields"
_BY_POSITION = ("objs", "batch_size", _IGNORE, _UPDATE, "update_fields", _UNIQUE)
_SPREAD = "**"


@dataclass(frozen=True, slots=True)
class DjangoUpsert:
    """A call that may upsert."""

    table: NamedTable | Unread
    target: Target | Unread
    model: str | None = None
    """The class that the table is of; None: it is not read, or the table has no class."""
    fields: tuple[tuple[str, str], ...] = ()
    """Columns, each with its field's name in the model, as far as they are read."""


class DjangoCalls:
    """Reads calls of ``bulk_create``."""

    def __init__(
        self, names: Names, constants: Constants, arguments: LibraryArguments, modules: Modules
    ) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._arguments = arguments
        self._models = DjangoModels(names, constants, modules)
        self._managers = DjangoManagers(names, self._models, modules)

    def read(self, scope: Scope, call: ast.Call) -> DjangoUpsert | None:
        """Return what a call upserts into, and by which target; None: it does not, as it is called."""
        options = self._options(scope, call)
        model = (
            self._managers.model(scope, call.func.value)
            if isinstance(call.func, ast.Attribute)
            else _unread(f"what {ast.unparse(call.func)} is cannot be read")
        )
        target = self._target(options, model)
        if target is None:
            return None
        if not isinstance(model, Class):
            return DjangoUpsert(model, target)
        table = self._models.table(model)
        if isinstance(table, Unread):
            return DjangoUpsert(table, target)
        owner = self._models.owner(model)
        return DjangoUpsert(table, target, owner.qualname, self._models.fields(owner))

    def _options(self, scope: Scope, call: ast.Call) -> Mapping[str, Argument]:
        """What the call gives, by parameter; under :data:`_SPREAD`, what it gives in a way that is not read."""
        found: dict[str, Argument] = {}
        for name, value in zip(_BY_POSITION, call.args, strict=False):
            if isinstance(value, ast.Starred):
                found[_SPREAD] = Argument(scope, value)
                break
            found[name] = Argument(scope, value)
        for keyword in call.keywords:
            if keyword.arg is not None:
                found[keyword.arg] = Argument(scope, keyword.value)
            else:
                found |= self._spread(scope, keyword.value)
        return found

    def _spread(self, scope: Scope, node: ast.expr) -> dict[str, Argument]:
        unknown = {_SPREAD: Argument(scope, node)}
        if isinstance(node, ast.Name) and scope.module.changes(node.id):
            return unknown
        match self._names.meanings(scope, node):
            case [Expression(at, ast.Dict(keys=keys, values=values))]:
                names = [k.value if isinstance(k, ast.Constant) else None for k in keys]
            case [Expression(at, ast.Call(func=ast.Name("dict"), args=[], keywords=keywords))]:
                names = [k.arg for k in keywords]
                values = [k.value for k in keywords]
            case _:
                return unknown
        given = zip(names, values, strict=True)
        found = {name: Argument(at, value) for name, value in given if isinstance(name, str)}
        return found if len(found) == len(names) else unknown

    def _target(
        self, options: Mapping[str, Argument], model: Class | NamedTable | Unread
    ) -> Target | Unread | None:
        ignores, updates = self._is_true(options, _IGNORE), self._is_true(options, _UPDATE)
        if _SPREAD in options and not (ignores or (updates and _UNIQUE in options)):
            source = ast.unparse(options[_SPREAD].node)
            return _unread(f"what {source} gives bulk_create() is not known")
        if ignores is False and updates is False:
            return None
        if ignores is not False and updates is not False:
            return _unread("whether bulk_create() ignores conflicts or updates is not known")
        if ignores is not False:
            return AnyArbiter()
        return self._unique_fields(options.get(_UNIQUE), model)

    def _is_true(self, options: Mapping[str, Argument], name: str) -> bool | None:
        """Whether an option is on; None: it may be."""
        given = options.get(name)
        if given is None or is_nothing(given.node):
            return False
        if isinstance(given.node, ast.Constant):
            return bool(given.node.value)
        constants = self._names.branches.constants(given.scope, given.node)
        is_parameter = isinstance(given.node, ast.Name) and any(
            isinstance(b, Parameter)
            for b in bindings_at(given.scope.module, given.node.id, given.node)
        )
        # what a module or a class sets to False, a person sets to True
        if constants is not None and is_parameter and not any(constants):
            return False
        return True if constants is not None and all(constants) else None

    def _unique_fields(
        self, given: Argument | None, model: Class | NamedTable | Unread
    ) -> Target | Unread:
        if given is None or is_nothing(given.node):
            return (
                AnyArbiter()
            )  # ON DUPLICATE KEY UPDATE: other databases than MySQL's are refused by Django
        source = ast.unparse(given.node)
        if self._names.branches.is_none(given.scope, given.node):
            return AnyArbiter()
        if isinstance(self._constants.text(given.scope, given.node), str):
            return _unread(f"unique_fields is the string {source}, which is taken letter by letter")
        fields = self._arguments.columns(given.scope, given.node)
        if isinstance(fields, Unread):
            return Unread(f"{fields.reason} (Django)", fields.cause)
        if not fields:
            return AnyArbiter()
        if isinstance(model, Unread):
            return Unread(
                f"{', '.join(fields)} are fields of a model that is not read (Django)", model.cause
            )
        if isinstance(model, NamedTable):
            return _unread(f"which columns {', '.join(fields)} have in {model.name} is not read")
        columns = [self._models.column(model, name) for name in fields]
        unread = next((column for column in columns if isinstance(column, Unread)), None)
        return unread or Elements(tuple(Element(column=str(column)) for column in columns))


def _unread(reason: str) -> Unread:
    return Unread(f"{reason} (Django)", Cause.LIBRARY)
