"""The app of Django's that a model is in, by the files around it: its label is the first half of a table's name.

INSTALLED_APPS decides what is an app, and is a setting: what files prove is read, and the rest is not. A model is in
the innermost app whose package it is in (django/apps/registry.py: get_containing_app_config).
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .binding import Assigned
from .django_meta import stated_in
from .values import Class, External

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .constants import Constants
    from .meaning import Names
    from .module import Module
    from .modules import Modules

__all__ = ["DjangoApps"]

_CONFIG = b"AppConfig"
_FIRST = "0001_initial"
_DJANGOS = frozenset({"django.apps.AppConfig", "django.apps.config.AppConfig"})


class DjangoApps:
    """Finds apps."""

    def __init__(self, names: Names, constants: Constants, modules: Modules) -> None:
        """Nothing is found yet."""
        self._names = names
        self._constants = constants
        self._modules = modules

    def label(self, of: Class) -> str | Unread:
        """Return the label of the app that a class is in."""
        package = self._package(of)
        if package is None:
            reason = (
                f"which app {of.qualname} is in cannot be told from the files around it (Django)"
            )
            return Unread(reason, Cause.LIBRARY)
        labels = self._labels(package)
        if labels is not None and len(labels) > 1:
            labels = frozenset(each for each in labels if self._follows_itself(package, each))
        if labels is None or len(labels) != 1:
            reason = f"which label the app {package.name} has cannot be read (Django)"
            return Unread(reason, Cause.LIBRARY)
        return next(iter(labels))

    # -- the package of the app

    def _package(self, of: Class) -> Path | None:
        """The package of the innermost app around a class; None: not known."""
        home = Path(of.module.path)
        holds: Path | None = None
        for folder in home.parents:
            if self._is_app(folder):
                # a package inside with models can be an app of its own, which the migrations of this one tell
                is_own = holds in (None, folder) or self._migrates(folder, of.node.name)
                return folder if is_own else None
            if self._has_models(folder):
                if holds is not None:
                    return None
                holds = folder
            if not self._is_package(folder):
                break
        return holds if holds is not None and self._is_package(holds) else None

    def _is_app(self, folder: Path) -> bool:
        return self._modules.is_file(folder / "apps.py") or self._is_package(folder / "migrations")

    def _has_models(self, folder: Path) -> bool:
        return self._modules.is_file(folder / "models.py") or self._is_package(folder / "models")

    def _is_package(self, folder: Path) -> bool:
        return self._modules.is_file(folder / "__init__.py")

    def _migrates(self, folder: Path, model: str) -> bool:
        """Whether a migration of an app names a model, and one class only in its package can be it."""
        homes = [
            p for p in self._modules.mentioning(f"class {model}(".encode()) if _is_in(p, folder)
        ]
        quoted = [f"{quote}{model}{quote}".encode() for quote in "\"'"]
        return len(homes) == 1 and any(
            Path(path).parent.parent == folder and Path(path).parent.name.endswith("migrations")
            for each in quoted
            for path in self._modules.mentioning(each)
        )

    def _follows_itself(self, package: Path, label: str) -> bool:
        """Whether a migration of an app names the one before it by a label: ``("crm", "0002_tags")``."""
        folder = package / "migrations"
        return any(
            Path(path).parent == folder and self._modules.is_file(folder / f"{stem}.py")
            for before in (f'("{label}", "', f"('{label}', '")
            for path in self._modules.mentioning(before.encode())
            for stem in _texts_behind(self._modules.bytes_of(path), before.encode())
            if stem != _FIRST  # which every app has
        )

    # -- its label

    def _labels(self, package: Path) -> frozenset[str] | None:
        """The labels that a package may have; None: one of them cannot be read."""
        own = package / "apps.py"
        module = self._modules.at(str(own)) if self._modules.is_file(own) else None
        if module is None and self._modules.is_file(own):
            return None
        configs = [] if module is None else [*self._configs(module)]
        stated = [self._label_of(each, package) for each in configs]
        if not configs and self._is_package(package):
            stated.append(frozenset({package.name}))  # Django's own AppConfig is taken
        stated += [self._label_of(each, package) for each in self._configs_elsewhere(package)]
        found = [each for each in stated if each is not None]
        return frozenset[str]().union(*found) if len(found) == len(stated) else None

    def _configs_elsewhere(self, package: Path) -> Iterator[Class]:
        """The AppConfigs for a package that are not in its ``apps.py``: INSTALLED_APPS may name one of them."""
        for path in self._modules.mentioning(_CONFIG):
            module = None if Path(path) == package / "apps.py" else self._modules.at(path)
            for config in () if module is None else self._configs(module):
                name = self._stated(config, "name")
                if isinstance(name, str) and _is_at(package, name):
                    yield config

    def _configs(self, module: Module) -> Iterator[Class]:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and self._is_config(Class(module, node)):
                yield Class(module, node)

    def _is_config(self, of: Class) -> bool:
        return any(dotted.endswith("Config") for dotted in self._bases(of))

    def _bases(self, of: Class) -> list[str]:
        """What an AppConfig inherits from that is no class of the tree."""
        return [
            m.dotted if isinstance(m, External) else ""
            for each in self._names.members.lineage(of)
            for base in each.node.bases
            for m in self._names.meanings(each.scope, base)
            if not isinstance(m, Class)
        ]

    def _label_of(self, config: Class, package: Path) -> frozenset[str] | None:
        """The label that an AppConfig gives a package; empty: it is for none, or for another one. None: not known."""
        name = self._stated(config, "name")
        label = self._stated(config, "label")
        if name is None:
            return frozenset()  # others inherit from it
        if isinstance(name, Unread) or isinstance(label, Unread):
            return None
        if not _is_at(package, name):
            return frozenset()
        if label is None and not set(self._bases(config)) <= _DJANGOS:
            return None  # another package's AppConfig may state one
        return frozenset({package.name if label is None else label})

    def _stated(self, config: Class, attribute: str) -> str | Unread | None:
        for each in self._names.members.lineage(config):
            match stated_in(each, attribute):
                case []:
                    continue
                case [Assigned(ast.expr() as value)]:
                    return self._constants.text(each.scope, value)
            return Unread(f"{attribute} of {config.qualname} is no constant (Django)")
        return None


def _texts_behind(source: bytes, before: bytes) -> list[str]:
    """What is behind each place of some bytes, up to the quote that they end with."""
    return [
        each.partition(before[-1:])[0].decode(errors="replace") for each in source.split(before)[1:]
    ]


def _is_in(path: str, folder: Path) -> bool:
    return folder in Path(path).parents


def _is_at(package: Path, dotted: str) -> bool:
    parts = tuple(dotted.split("."))
    return package.parts[-len(parts) :] == parts
