"""The modules that the models were loaded from, and what is in them by which name."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import Table
from sqlalchemy.orm import declared_attr

from ..declaration import UpsertKey
from .names import ModuleNames

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

__all__ = ["modules_of", "names_of"]

_OBJECTS: dict[str, object] = {
    "Table": Table,
    "UpsertKey": UpsertKey,
    "declared_attr": declared_attr,
    "text": sqlalchemy.text,
}
_OWN = "alembic_upsert_guard"
_PACKAGES = ("sqlalchemy", "sqlmodel", _OWN)


def modules_of(files: Container[str]) -> Iterator[tuple[str, ModuleType]]:
    """Return the modules that were loaded from some of `files`, each with its real path."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and (path := os.path.realpath(file)) in files:
            yield path, module


def names_of(module: ModuleType) -> ModuleNames:
    """Return what the names of a loaded module are, as far as declarations need them."""
    objects: dict[str, str] = {}
    strings: dict[str, str] = {}
    for name, value in vars(module).items():
        if isinstance(value, str):
            strings[name] = value
        elif isinstance(value, ModuleType):
            if value.__name__.partition(".")[0] in _PACKAGES:
                objects.update(_members(name, value))
        else:
            objects.update((name, key) for key, each in _OBJECTS.items() if each is value)
    return ModuleNames(objects, strings, frozenset(vars(module)))


def _members(name: str, module: ModuleType) -> Iterator[tuple[str, str]]:
    # vars(): alembic_upsert_guard offers its names lazily, and some would import Alembic
    for key, each in _OBJECTS.items():
        if vars(module).get(key) is each or (module.__name__ == _OWN and each is UpsertKey):
            yield f"{name}.{key}", key
