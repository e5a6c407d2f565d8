"""The model that a manager or a query set of the tree is for: the only one that is given it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .values import Class, External

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .meaning import Names
    from .module import Module
    from .modules import Modules

__all__ = ["DjangoUsers"]

_FILES = 60
"""Files that are parsed for one name, at most: a name that more have says nothing."""
_NAMES = 20
"""Names that a manager is followed through, at most."""
_MANAGERS = ("BaseManager", "Manager", "QuerySet")


class DjangoUsers:
    """Finds models by their managers."""

    def __init__(self, names: Names, modules: Modules) -> None:
        """Nothing is found yet."""
        self._names = names
        self._modules = modules
        self._known: dict[Class, Class | None] = {}

    def is_manager(self, of: Class) -> bool:
        """Return whether a class inherits from a manager or a query set of Django's."""
        with self._names.reading():
            return any(
                isinstance(m, External)
                and m.dotted.startswith("django.")
                and not set(_MANAGERS).isdisjoint(m.dotted.split("."))
                for each in self._names.members.lineage(of)
                for base in each.node.bases
                for named in ast.walk(base)
                if isinstance(named, ast.Name | ast.Attribute)
                for m in self._names.written(each.scope, named)
            )

    def model(self, of: Class) -> Class | None:
        """Return the only model that a manager is made for; None: there are several, or none, or it is not known."""
        if of not in self._known:
            with self._names.reading():
                self._known[of] = self._model(of)
        return self._known[of]

    def _model(self, of: Class) -> Class | None:
        models: set[Class] = set()
        waiting, seen = [of.node.name], {of.node.name}
        while waiting:
            word = waiting.pop()
            paths = self._modules.mentioning(word.encode())
            if len(paths) > _FILES or (word == of.node.name and of.module.path not in paths):
                return None
            for path in paths:
                for module, node in self._uses(path, word):
                    user = self._user(module, node)
                    if user is None:
                        return None
                    if isinstance(user, Class) and not self.is_manager(user):
                        models.add(user)
                        continue
                    names = {user.node.name} if isinstance(user, Class) else user
                    waiting += names - seen
                    seen |= names
                    if len(seen) > _NAMES:
                        return None
        # what inherits from it is a proxy of the same table, or refused by bulk_create
        return models.pop() if len(models) == 1 else None

    def _uses(self, path: str, word: str) -> Iterator[tuple[Module, ast.AST]]:
        """Where a name is used, whatever it is bound to there; and where an import gives it another."""
        module = self._modules.at(path)
        for node in () if module is None else module.near([word]):
            match node:
                case ast.alias(name=imported, asname=str()) if imported == word:
                    pass
                case ast.Name(id=used, ctx=ast.Load()) | ast.Attribute(attr=used, ctx=ast.Load()):
                    if used != word:
                        continue
                case _:
                    continue
            if module is not None:
                yield module, node

    def _user(self, module: Module, node: ast.AST) -> Class | set[str] | None:
        """Whose a manager is where it is used: a class, or names of a module; no names: a type. None: not known."""
        inner = node
        is_value = True
        for around in module.around(node):
            match around:
                case ast.ClassDef(bases=bases) if inner in bases:
                    return Class(module, around)
                case ast.arg(annotation=stated) | ast.AnnAssign(annotation=stated):
                    is_value = is_value and inner is not stated
                case ast.FunctionDef(returns=stated) | ast.AsyncFunctionDef(returns=stated):
                    is_value = is_value and inner is not stated
                    of = module.parent(around)
                    if is_value and isinstance(of, ast.ClassDef):
                        manager = Class(module, of)
                        return manager if self.is_manager(manager) else None
            if isinstance(around, ast.Assign | ast.AnnAssign) and is_value:
                owner = module.parent(around)
                targets = around.targets if isinstance(around, ast.Assign) else [around.target]
                names = {target.id for target in targets if isinstance(target, ast.Name)}
                if isinstance(owner, ast.ClassDef):
                    return Class(module, owner)
                if isinstance(owner, ast.Module) and len(names) == len(targets):
                    return names
            if not is_value:
                return set()
            inner = around
        return None
