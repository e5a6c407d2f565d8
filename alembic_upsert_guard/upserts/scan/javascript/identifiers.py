"""Names as libraries write them into SQL: in quotes, and in which case."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from ....inference import Element
from ...target import Elements, NamedTable, Unread

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Casing", "cased", "dotted_table", "elements_of", "quoted_names", "snake_case"]

_PLAIN = re.compile(r"[a-z][a-z0-9]*(?:[A-Z][a-z0-9]+)*")
"""A name in camel case whose words begin clearly."""


class Casing(Enum):
    """What a library makes of the names that the code has."""

    KEPT = "as they are"
    SNAKE = "in snake case"
    CAMEL = "in camel case"
    UNKNOWN = "as it was set up, which cannot be read"


def cased(name: str, casing: Casing, library: str) -> str | Unread:
    """Return the name that a library writes for one of the code's."""
    is_other = "_" in name if casing is Casing.CAMEL else name != name.lower()
    if casing is Casing.KEPT or not is_other:
        return name
    snake = snake_case(name) if casing is Casing.SNAKE else None
    return snake or Unread(
        f"whether {library} writes {name} in another case is set where it is made"
    )


def snake_case(name: str) -> str | None:
    """Return a name of camel case in snake case; None: libraries differ in how they would write it."""
    if _PLAIN.fullmatch(name) is None or any(sign.isdigit() for sign in name):
        return None
    return re.sub(r"(?<!^)([A-Z])", lambda found: f"_{found[1]}", name).lower()


def quoted_names(names: Iterable[str]) -> str:
    """Return names in double quotes, with dots between."""
    doubled = (name.replace('"', '""') for name in names)
    return ".".join(f'"{name}"' for name in doubled)


def dotted_table(name: str, schema: str | Unread | None = None) -> NamedTable | Unread:
    """Return the table of ``name`` or ``schema.name``, as query builders take it."""
    parts = name.split(".")
    if len(parts) > 2 or not all(parts) or any(sign in name for sign in ' \t\n"`()'):  # noqa: PLR2004 - a schema and a name
        return Unread(f"{name!r} does not read as a table's name")
    return NamedTable(parts[-1], parts[0] if len(parts) > 1 else schema)


def elements_of(
    names: Iterable[str | Unread], predicate: str | Unread | None = None
) -> Elements | Unread:
    """Return the target of columns by name, in their order."""
    listed = list(names)
    unread = next((name for name in listed if isinstance(name, Unread)), None)
    if unread is not None:
        return unread
    elements = tuple(Element(column=name) for name in listed if isinstance(name, str))
    return Elements(elements, predicate) if elements else Unread("it names no columns")
