"""Upserts of other libraries: read where the call says table and target, else seen, under the library's name.

A method's name is no evidence, for vector stores, document stores and projects of any kind have an ``upsert`` of their
own: a keyword that only the library has is, or its import in the file.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Cause, NamedTable, PrimaryKey, Unread
from ...upsert import Form, Source, Upsert
from .django_calls import DjangoCalls
from .library_arguments import LibraryArguments, argument, is_nothing
from .repositories import METHODS, Repositories
from .seen_calls import SeenCalls, imports
from .seen_libraries import DJANGO, SEEN
from .string_items import last_name
from .values import Expression

if TYPE_CHECKING:
    from typing import TypeAlias

    from ...declared import DeclaredTables
    from ...target import Target
    from ...upsert import Place
    from .constants import Constants
    from .meaning import Names
    from .modules import Modules
    from .scope import Scope
    from .tables import Tables

    _Read: TypeAlias = tuple[NamedTable | Unread, Target | Unread] | None

__all__ = ["Libraries"]

_REPLACE = 4
"""Where ``replace`` is among the arguments of Airflow's ``insert_rows``."""
_CONFLICT_FIELDS = 3


class Libraries:
    """Reads the upserts of libraries."""

    methods = frozenset({"insert_rows", "to_sql", "upsert_all", "upsert_rows"}).union(
        METHODS, *(library.methods for library in SEEN)
    )
    """What a call has to be called."""

    def __init__(
        self,
        names: Names,
        constants: Constants,
        tables: Tables,
        declared: DeclaredTables,
        modules: Modules,
    ) -> None:
        """Nothing is read yet."""
        self._names = names
        self._declared = declared
        self._arguments = LibraryArguments(names, constants)
        self._seen = SeenCalls(names)
        self._django = DjangoCalls(names, constants, self._arguments, modules)
        self._repositories = Repositories(names, tables, self._arguments, declared)

    def read(self, scope: Scope, call: ast.Call) -> Upsert | None:
        """Return the upsert that a call makes; None: it is another call."""
        found = self._read(scope, call)
        if found is None:
            library = self._seen.library(scope, call)
            if library is None:
                return None
            if library.name == DJANGO:
                return self._of_django(scope, call)
            unread = Unread(f"upserts of {library.name} are seen, and not read", Cause.LIBRARY)
            found = unread, unread
        table, target = found
        return Upsert(
            source=Source.CODE,
            place=_place(scope, call),
            table=table,
            target=target,
            form=Form.OTHER,
        )

    def _of_django(self, scope: Scope, call: ast.Call) -> Upsert | None:
        found = self._django.read(scope, call)
        if found is None:
            return None
        return Upsert(
            source=Source.CODE,
            place=_place(scope, call),
            table=found.table,
            target=found.target,
            form=Form.DJANGO,
            model=found.model,
            fields=found.fields,
        )

    def _read(self, scope: Scope, call: ast.Call) -> _Read:
        method = last_name(call.func)
        if method == "to_sql":
            return self._awswrangler(scope, call)
        if not isinstance(call.func, ast.Attribute):
            return None
        if method == "insert_rows":
            return self._airflow(scope, call, call.func.value)
        if method == "upsert_rows":
            return self._airflow_upsert(scope, call)
        if method in ("upsert", "upsert_all") and not is_nothing(argument(call, "pk")):
            return self._sqlite_utils(scope, call, call.func.value)
        if method in METHODS:
            return self._repositories.read(scope, call, call.func.value, method)
        return None

    # -- Airflow's hooks, apache-airflow-providers-common-sql and -postgres

    def _airflow(self, scope: Scope, call: ast.Call, hook: ast.expr) -> _Read:
        """``hook.insert_rows(table, rows, replace=True, replace_index=[...])``: INSERT ... ON CONFLICT."""
        index = argument(call, "replace_index")
        if is_nothing(argument(call, "replace", _REPLACE)):
            return None
        if is_nothing(index) and not imports(scope.module, "airflow"):
            return None
        table = self._arguments.table_in_sql(scope, argument(call, "table", 0))
        if index is not None and not is_nothing(index):
            return table, self._arguments.target(scope, index)
        if self._is_made_by(scope, hook, "PostgresHook"):
            return table, PrimaryKey()  # what the hook reads from the catalog
        reason = f"what replace=True does depends on the database of {ast.unparse(hook)} (Airflow)"
        return table, Unread(reason, Cause.LIBRARY)

    def _airflow_upsert(self, scope: Scope, call: ast.Call) -> _Read:
        fields = argument(call, "conflict_fields", _CONFLICT_FIELDS)
        is_keyword = argument(call, "conflict_fields") is not None
        if fields is None or not (is_keyword or imports(scope.module, "airflow")):
            return None
        table = self._arguments.table_in_sql(scope, argument(call, "table", 0))
        return table, self._arguments.target(scope, fields)

    def _is_made_by(self, scope: Scope, node: ast.expr, name: str) -> bool:
        found = self._names.meanings(scope, node)
        return all(
            isinstance(m, Expression)
            and isinstance(m.node, ast.Call)
            and last_name(m.node.func) == name
            for m in found
        )

    # -- others

    def _awswrangler(self, scope: Scope, call: ast.Call) -> _Read:
        """``wr.postgresql.to_sql(..., upsert_conflict_columns=[...])``, which quotes the table and not the columns."""
        columns = argument(call, "upsert_conflict_columns")
        if is_nothing(columns):
            columns = argument(call, "insert_conflict_columns")
        if columns is None or is_nothing(columns):
            return None
        table = self._arguments.name(scope, argument(call, "table", 2))
        schema = self._arguments.name(scope, argument(call, "schema", 3))
        target = self._arguments.target(scope, columns)
        if isinstance(table, Unread):
            return table, target
        return NamedTable(table, schema), target

    def _sqlite_utils(self, scope: Scope, call: ast.Call, receiver: ast.expr) -> _Read:
        """``db["users"].upsert(row, pk="id")``, which makes a table with that primary key where there is none."""
        pk = argument(call, "pk")
        if pk is None or not imports(scope.module, "sqlite_utils"):
            return None
        match receiver:
            case (
                ast.Subscript(slice=stated)
                | ast.Call(func=ast.Attribute(attr="table"), args=[stated, *_])
            ):
                name = self._arguments.name(scope, stated)
            case _:
                name = Unread(
                    f"which table {ast.unparse(receiver)} is cannot be read (sqlite-utils)"
                )
        target = self._arguments.target(scope, pk)
        if isinstance(name, Unread):
            return name, target
        if self._declared.table(None, name) is None:
            reason = f"sqlite-utils makes the table {name} where it is not there"
            return Unread(reason, Cause.LIBRARY), target
        return NamedTable(name), target


def _place(scope: Scope, call: ast.Call) -> Place:
    return scope.module.place(call.func.end_lineno or call.lineno, call)
