"""Whose rows a manager or a query set of Django's creates: ``Model.objects``, ``Model.objects.using("x")``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Cause, NamedTable, Unread
from .binding import Assigned, Defined
from .bindings import bindings_at, bindings_in
from .django_fields import assigned_calls
from .django_users import DjangoUsers
from .string_items import last_name
from .values import Class, Expression, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .django_models import DjangoModels
    from .meaning import Names
    from .modules import Modules
    from .scope import Scope
    from .values import Meaning

__all__ = ["DjangoManagers"]

_SAME_MODEL = frozenset(
    """
    alias all annotate db_manager defer distinct exclude filter get_queryset none only order_by prefetch_related reverse
    select_for_update select_related using
    """.split()  # noqa: SIM905 - a list of words
)
"""Methods of managers and query sets that lead to the same model."""
_OF_EVERY_MODEL = ("objects", "_base_manager", "_default_manager")
_METHODS = ("abulk_create", "bulk_create")
_DEPTH = 10
_CLASSES = 40
"""Classes that are looked at behind one manager."""


class DjangoManagers:
    """Reads managers."""

    def __init__(self, names: Names, models: DjangoModels, modules: Modules) -> None:
        """Nothing is read yet."""
        self._names = names
        self._models = models
        self._users = DjangoUsers(names, modules)

    def model(
        self, scope: Scope, node: ast.expr, depth: int = _DEPTH
    ) -> Class | NamedTable | Unread:
        """Return the model of a manager, or the table where no class is in sight."""
        match node:
            case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _SAME_MODEL:
                return self.model(scope, inner, depth - 1) if depth else _unread(node)
            case ast.Attribute(value=owner, attr=manager):
                return self._of_manager(scope, owner, manager)
            case ast.Name(id=name) if depth:
                match bindings_at(scope.module, name, node):
                    case [Assigned(ast.expr() as value)]:
                        return self.model(scope.around(value), value, depth - 1)
        return self._only(
            [
                self.model(m.scope, m.node, depth - 1)
                if isinstance(m, Expression) and isinstance(m.node, ast.Attribute) and depth
                else self._of_made(m, node)
                for m in self._names.meanings(scope, node)
            ],
            node,
        )

    def _of_manager(
        self, scope: Scope, owner: ast.expr, manager: str
    ) -> Class | NamedTable | Unread:
        return self._only(
            [
                self._of_class(m, manager, owner)
                if isinstance(m, Class)
                else self._model_of(m)
                or self._through(m, manager, owner)
                or _unread_meaning(m, owner)
                for m in self._names.meanings(scope, owner)
            ],
            owner,
        )

    def _only(
        self, found: list[Class | NamedTable | Unread], node: ast.expr
    ) -> Class | NamedTable | Unread:
        unread = next((each for each in found if isinstance(each, Unread)), None)
        if unread is not None:
            return unread
        if len(set(found)) == 1:
            return found[0]
        return Unread(f"{ast.unparse(node)} can be several models (Django)", Cause.REBOUND)

    def _of_made(self, meaning: Meaning, node: ast.expr) -> Class | Unread:
        """The model of a manager itself: ``self`` in one of its methods."""
        if isinstance(meaning, Instance) and self._users.is_manager(meaning.of):
            found = self._users.model(meaning.of)
            if found is None:
                reason = f"{meaning.of.qualname} is not the manager of one model only (Django)"
                return Unread(reason, Cause.LIBRARY)
            return self._of_class(found, "_default_manager", node)
        return _unread_meaning(meaning, node)

    def _model_of(self, meaning: Meaning) -> Class | Unread | None:
        """``self.model`` in a method of a manager; None: it is something else."""
        match meaning:
            case Expression(scope, ast.Attribute(value=manager, attr="model")):
                match self._names.meanings(scope, manager):
                    case [Instance(of) as instance] if self._users.is_manager(of):
                        return self._of_made(instance, manager)
        return None

    def _through(
        self, meaning: Meaning, manager: str, owner: ast.expr
    ) -> Class | NamedTable | Unread | None:
        """``Model.tags.through``; None: it is something else."""
        match meaning:
            case Expression(
                scope,
                ast.Attribute(value=ast.Attribute(value=model, attr=field), attr="through"),
            ):
                match self._names.meanings(scope, model):
                    case [Class() as of]:
                        found = self._models.through(of, field)
                        if isinstance(found, Class):
                            return self._of_class(found, manager, owner)
                        return found
        return None

    def _of_class(self, of: Class, manager: str, owner: ast.expr) -> Class | Unread:
        names = [manager]
        if manager == "_default_manager":  # the first one, whatever its name is
            lineage = self._names.members.lineage(of)
            names = [name for each in lineage for name in assigned_calls(each)]
        for name in names:
            stated = self._stated(of, name)
            if stated is None or (not stated and manager not in _OF_EVERY_MODEL):
                return _unread(ast.Attribute(owner, manager))
            for scope, value in stated:
                with self._names.reading():  # what is in a method there depends on no call here
                    overriding = next(self._overriding(scope, value), None)
                if overriding is not None:
                    reason = f"{overriding.qualname} has a bulk_create() of its own (Django)"
                    return Unread(reason, Cause.LIBRARY)
        return of

    def _stated(self, of: Class, name: str) -> list[tuple[Scope, ast.expr]] | None:
        """What a class, or the first that it inherits from, gives an attribute; empty: none does. None: not known."""
        for each in self._names.members.lineage(of):
            found = bindings_in(each.module, each.node, name)
            values: list[tuple[Scope, ast.expr]] = [
                (each.scope, b.value)
                for b in found
                if isinstance(b, Assigned)
                and isinstance(b.value, ast.Call)
                # of another model's rows
                and last_name(b.value.func) not in _SAME_MODEL
            ]
            if found:
                return values if len(values) == len(found) else None
        return []

    def _overriding(self, scope: Scope, value: ast.expr) -> Iterator[Class]:
        """The classes behind a manager that have a method of their own in the place of Django's."""
        seen: set[Class] = set()
        waiting: list[tuple[Scope, ast.AST]] = [(scope, value)]
        while waiting and len(seen) < _CLASSES:
            at, node = waiting.pop()
            for meaning in self._named_in(at, node):
                if isinstance(meaning, Expression) and meaning.node is not node:
                    waiting.append((meaning.scope, meaning.node))
                if not isinstance(meaning, Class) or meaning in seen:
                    continue
                seen.add(meaning)
                for of in self._names.members.lineage(meaning):
                    if any(bindings_in(of.module, of.node, method) for method in _METHODS):
                        yield of
                    waiting += [(of.scope, base) for base in of.node.bases]
                    waiting += [
                        (of.scope, b.node)
                        for b in bindings_in(of.module, of.node, "get_queryset")
                        if isinstance(b, Defined)
                    ]

    def _named_in(self, scope: Scope, node: ast.AST) -> Iterator[Meaning]:
        for named in ast.walk(node):
            if isinstance(named, ast.Name | ast.Attribute) and isinstance(named.ctx, ast.Load):
                yield from self._names.written(scope, named)


def _unread_meaning(meaning: Meaning, node: ast.expr) -> Unread:
    source = ast.unparse(node)
    match meaning:
        case Unread(reason, cause):
            return Unread(f"{reason} (Django)", cause)
        case Expression(_, ast.Call(func=func)) if last_name(func) == "get_model":
            reason = f"{source} comes from apps.get_model(), which is not followed"
            return Unread(f"{reason} (Django)", Cause.LIBRARY)
        case Expression(_, ast.Call(func=func)) if last_name(func) == "get_user_model":
            reason = f"{source} is the model that AUTH_USER_MODEL names, which is a setting"
            return Unread(f"{reason} (Django)", Cause.LIBRARY)
    return _unread(node)


def _unread(node: ast.expr) -> Unread:
    return Unread(f"whose rows {ast.unparse(node)} makes cannot be read (Django)", Cause.LIBRARY)
