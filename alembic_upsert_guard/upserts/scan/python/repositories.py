"""advanced-alchemy's repositories and services: ``repository.upsert(user, match_fields=["email"])``.

``upsert`` and ``get_or_upsert`` send a SELECT on the fields, and an INSERT where it finds nothing (advanced-alchemy
1.12, repository/_async.py). ``upsert_many`` sends INSERT ... ON CONFLICT where the model has a primary key, unique
constraint or unique index on exactly the fields (operations.py: resolve_upsert_strategy), and else the two. So what
nothing in the models keeps unique runs, and can double rows.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from ....inference import Element
from ...target import Lookup, NamedTable, Unread
from .binding import Assigned
from .bindings import bindings_in
from .library_arguments import argument, is_nothing
from .values import Class, External, Instance

if TYPE_CHECKING:
    from ...declared import DeclaredClass, DeclaredTables
    from ...target import Target
    from .library_arguments import LibraryArguments
    from .meaning import Names
    from .scope import Scope
    from .tables import Tables

__all__ = ["METHODS", "Repositories"]

METHODS = frozenset({"get_or_upsert", "upsert", "upsert_many"})
_PACKAGES = ("advanced_alchemy.", "litestar.contrib.sqlalchemy.", "litestar.plugins.sqlalchemy.")
_MODELS = ("model_type", "repository_type")
_DEPTH = 5


class Repositories:
    """Reads advanced-alchemy's upserts."""

    def __init__(
        self,
        names: Names,
        tables: Tables,
        arguments: LibraryArguments,
        declared: DeclaredTables,
    ) -> None:
        """Nothing is read yet."""
        self._names = names
        self._tables = tables
        self._arguments = arguments
        self._declared = declared

    def read(
        self, scope: Scope, call: ast.Call, receiver: ast.expr, method: str
    ) -> tuple[NamedTable | Unread, Target | Unread] | None:
        """Return table and target of a call; None: it is another library's, or matches by the primary key."""
        stated = argument(call, "match_fields")
        of = self._class(scope, receiver)
        model = None if of is None else self._model(of, _DEPTH)
        if is_nothing(stated):
            inherited = None if of is None or not self._is_repository(of) else self._fields(of)
            if inherited is None:
                return None
            at, stated = inherited
        else:
            at = scope
        assert stated is not None  # noqa: S101 - for mypy
        reason = f"which model {ast.unparse(receiver)} is for cannot be read (advanced-alchemy)"
        table, mapped = model or (Unread(reason), None)
        fields = self._arguments.columns(at, stated)
        if isinstance(fields, Unread):
            return table, fields
        # they are attributes of the mapped class
        columns = [mapped.column(each) or each if mapped else each for each in fields]
        elements = tuple(Element(column=name) for name in columns)
        lookup = Lookup(elements, f"advanced-alchemy's {method}()")
        return table, replace(lookup, infers_modelled=method == "upsert_many")

    def _class(self, scope: Scope, receiver: ast.expr) -> Class | None:
        match self._names.meanings(scope, receiver):
            case [Instance(of)] | [Class() as of]:
                return of
        return None

    def _is_repository(self, of: Class) -> bool:
        return any(
            isinstance(m, External) and m.dotted.startswith(_PACKAGES)
            for each in self._names.members.lineage(of)
            for base in each.node.bases
            for m in self._names.meanings(
                each.scope, base.value if isinstance(base, ast.Subscript) else base
            )
        )

    def _fields(self, of: Class) -> tuple[Scope, ast.expr] | None:
        """``match_fields`` of the class, or of the repository that a service is for."""
        for each in self._names.members.lineage(of):
            match bindings_in(each.module, each.node, "match_fields"):
                case [Assigned(ast.expr() as value)] if not is_nothing(value):
                    return each.scope, value
        return None

    def _model(
        self, of: Class, depth: int
    ) -> tuple[NamedTable | Unread, DeclaredClass | None] | None:
        """The table of ``model_type``, or of ``Repository[Model]``; None: the class states none."""
        for each in self._names.members.lineage(of):
            for name in _MODELS:
                match bindings_in(each.module, each.node, name):
                    case [Assigned(ast.expr() as value)]:
                        return self._stated(each.scope, value, depth)
            for base in each.node.bases:
                if isinstance(base, ast.Subscript):
                    first = base.slice.elts[0] if isinstance(base.slice, ast.Tuple) else base.slice
                    return self._stated(each.scope, first, depth)
        return None

    def _stated(
        self, scope: Scope, node: ast.expr, depth: int
    ) -> tuple[NamedTable | Unread, DeclaredClass | None] | None:
        mapped: DeclaredClass | None = None
        match self._names.meanings(scope, node):
            case [Class() as of]:
                if depth and self._is_repository(of):
                    return self._model(of, depth - 1)
                mapped = self._tables.mapped_class(of)
            case [External(dotted)]:
                mapped = self._declared.class_named(dotted)
        return self._tables.table(scope, node), mapped
