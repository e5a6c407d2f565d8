"""From tables to the places in loaded modules that made them; the one reader of SQLAlchemy among the edits.

Nothing is imported here: what the models are made of was imported when they were loaded.
"""

from __future__ import annotations

import inspect
import os
import sys
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.automap import AutomapBase
from sqlalchemy.ext.declarative import DeferredReflection

from ..upserts.models import all_mappers
from .arguments import Arguments
from .loaded_modules import modules_of, names_of
from .places import ClassPlace, Inherited, NoPlace, Place, TablePlace

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from sqlalchemy import MetaData, Table
    from sqlalchemy.orm import Mapper

__all__ = ["origin_of"]

_ARGS = "__table_args__"


def origin_of(
    schema: str | None, name: str, metadata: Iterable[MetaData], files: Container[str]
) -> Place:
    """Return where the declarations of a table go.

    :param metadata: the models that were loaded.
    :param files: the real paths among which ``Table(...)`` is looked for.
    """
    tables = [t for each in metadata for t in each.tables.values()]
    named = [t for t in tables if (t.schema, t.name) == (schema, name)]
    unknown = TablePlace(schema=schema, table=name, modules=())
    if len(named) != 1:
        return _no_place(unknown, f"the models have {len(named)} tables of that name")
    (table,) = named
    declarative = [m for m in _roots(table) if _reads_arguments(m.class_)]
    if len(declarative) == 1:
        return _class_place(declarative[0], table)
    if declarative:
        classes = " and ".join(sorted(m.class_.__qualname__ for m in declarative))
        return _no_place(unknown, f"{classes} are all mapped to it")
    return _table_place(table, files)


def _table_place(table: Table, files: Container[str]) -> TablePlace:
    """The place of a table that is made by ``Table(...)``, as far as the modules say."""
    modules = list(modules_of(files))
    return TablePlace(
        schema=table.schema,
        table=table.name,
        modules=tuple((path, names_of(module)) for path, module in modules),
        holders=frozenset(
            path for path, module in modules if any(v is table for v in vars(module).values())
        ),
    )


def _no_place(place: TablePlace, reason: str) -> NoPlace:
    return NoPlace(label=place.label, subject=place.subject, reason=reason)


def _roots(table: Table) -> list[Mapper[Any]]:
    """The mappers of the classes that are mapped to a table, subclasses in the same table left out."""
    return [
        mapper
        for mapper in all_mappers()
        if mapper.local_table is table
        and (mapper.inherits is None or mapper.inherits.local_table is not table)
    ]


def _reads_arguments(mapped: type) -> bool:
    """Whether the class has its table by ``__tablename__``, so that SQLAlchemy reads ``__table_args__``.

    One with a ``__table__`` of its own does not. Automap makes classes of either kind.
    """
    if issubclass(mapped, AutomapBase) or getattr(mapped, "__tablename__", None) is not None:
        return True
    return any("__tablename__" in vars(base) for base in mapped.__mro__)


# -- classes


def _class_place(mapper: Mapper[Any], table: Table) -> Place:
    mapped = mapper.class_
    reason = _refused(mapped, mapper, table)
    if reason is not None:
        name = mapped.__qualname__.rpartition("<locals>.")[2]
        return NoPlace(label=f"class {name}", subject=name, reason=reason)
    module = sys.modules[mapped.__module__]
    return ClassPlace(
        path=os.path.realpath(str(module.__file__)),
        names=names_of(module),
        qualname=mapped.__qualname__,
        arguments=_kind_of(mapped) if _ARGS in vars(mapped) else Arguments.NONE,
        inherited=None if _ARGS in vars(mapped) else _inherited(mapped, module),
        attributes=tuple((key, c.name) for key, c in mapper.columns.items() if c.table is table),
        of_mixins=frozenset(_names_of_mixins(mapped)),
    )


def _refused(mapped: type, mapper: Mapper[Any], table: Table) -> str | None:
    """Why nothing can be written into the class, as far as the class itself shows it; None: it may be."""
    file = getattr(sys.modules.get(mapped.__module__), "__file__", None)
    if issubclass(mapped, AutomapBase):
        return "automap may have made the class or its columns"
    if issubclass(mapped, DeferredReflection):
        return "its columns are reflected from a database, after it is made"
    if file is None or "<locals>" in mapped.__qualname__:
        return "it is made in a function"
    for heir in _heirs(mapper, table):
        if _inherits_from(heir, mapped):
            return f"class {heir.__qualname__}, which has another table, would inherit it"
    return None


def _heirs(mapper: Mapper[Any], table: Table) -> Iterator[type]:
    for each in mapper.self_and_descendants:
        if each.local_table is not table:
            yield each.class_


def _inherits_from(heir: type, mapped: type) -> bool:
    """Whether SQLAlchemy would give `heir` the ``__table_args__`` of `mapped`.

    It takes them where any base that is not mapped has some, or a mapped one has them as a ``declared_attr``, and
    reads them as an attribute then, which leads to the nearest (decl_base.py: _scan_attributes).
    """
    nearer = heir.__mro__[: heir.__mro__.index(mapped)]
    if any(_ARGS in vars(base) for base in nearer):
        return False
    is_method = _is_method(vars(mapped).get(_ARGS))
    return is_method or _owner(heir) is not None


def _owner(mapped: type) -> type | None:
    """The class whose ``__table_args__`` make SQLAlchemy read them for `mapped`; None: it reads none."""
    for base in mapped.__mro__:
        own = vars(base).get(_ARGS)
        if own is not None and (base is mapped or _is_method(own) or not _is_mapped(base)):
            return base
    return None


def _is_mapped(base: type) -> bool:
    return "__mapper__" in vars(base)


def _is_method(value: object) -> bool:
    # @declared_attr, .directive and .cascading make objects of classes without one public name
    return hasattr(value, "fget")


def _kind_of(mapped: type) -> Arguments:
    """What ``__table_args__`` of the class is; a ``declared_attr`` is asked again, as SQLAlchemy does."""
    try:
        value = getattr(mapped, _ARGS)
    except Exception:  # noqa: BLE001 - the project's own code
        return Arguments.UNKNOWN
    match value:
        case dict():
            return Arguments.OPTIONS
        case (*_, dict()):
            return Arguments.TUPLE_WITH_OPTIONS
        case tuple():
            return Arguments.TUPLE
    return Arguments.UNKNOWN


def _inherited(mapped: type, module: ModuleType) -> Inherited | None:
    owner = _owner(mapped)
    if owner is None:
        return None
    nearest = next(base for base in mapped.__mro__ if _ARGS in vars(base))
    is_method = _is_method(vars(nearest)[_ARGS])
    return Inherited(
        value=_kind_of(mapped),
        name=None if is_method else _name_of_base(mapped, module),
        is_method=is_method,
    )


def _name_of_base(mapped: type, module: ModuleType) -> str | None:
    """How the module names a base of the class that has the same ``__table_args__``."""
    value = getattr(mapped, _ARGS)
    for base in mapped.__bases__:
        if getattr(base, _ARGS, None) is not value:
            continue
        for name, each in vars(module).items():
            if each is base:
                return name
            if isinstance(each, ModuleType) and getattr(each, base.__name__, None) is base:
                return f"{name}.{base.__name__}"
    return None


def _names_of_mixins(mapped: type) -> Iterator[str]:
    for base in mapped.__mro__[1:]:
        if not _is_mapped(base):
            yield from vars(base)
            with suppress(Exception):  # an annotation that only a type checker can read
                yield from inspect.get_annotations(base)
