"""Values of this package as JSON, and back: what a scan keeps, and what its processes send one another."""

from __future__ import annotations

import json
import sys
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

__all__ = ["decoded", "encoded"]

_PACKAGE = __name__.partition(".")[0]
_TYPE, _MEMBER, _SET = "is", "member", "set"


def encoded(value: object) -> Any:
    """Return a value as JSON has it: strings, numbers, tuples, sets, dataclasses and enumerations of this package.

    :raises TypeError: it holds something else.
    """
    name = f"{type(value).__module__}:{type(value).__qualname__}"
    if isinstance(value, Enum):
        return {_TYPE: name, _MEMBER: value.name}
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):  # SQLAlchemy's names are of a type of their own
        return str(value)
    if isinstance(value, tuple):
        return [encoded(each) for each in value]
    if isinstance(value, frozenset):
        return {_SET: sorted(map(encoded, value), key=json.dumps)}
    if is_dataclass(value) and name.startswith(f"{_PACKAGE}."):
        return {
            _TYPE: name,
            **{f.name: encoded(getattr(value, f.name)) for f in fields(value) if f.init},
        }
    raise TypeError(f"{type(value).__name__} is no plain value")


def decoded(document: Any) -> Any:
    """Return the value of what :func:`encoded` gave; nothing is imported, and nothing but such a value is made.

    :raises ValueError: it is nothing of the kind, or of another version of this package.
    """
    if isinstance(document, list):
        return tuple(map(decoded, document))
    if not isinstance(document, dict):
        return document
    members = dict(document)
    if members.keys() == {_SET}:
        return frozenset(decoded(each) for each in members[_SET])
    kind = _kind(members.pop(_TYPE, None))
    try:
        if issubclass(kind, Enum):
            return kind[members[_MEMBER]]
        return kind(**{name: decoded(value) for name, value in members.items()})
    except (KeyError, TypeError) as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


def _kind(name: object) -> type:
    """The dataclass or enumeration of this package that goes by a name."""
    module, _, qualname = str(name).partition(":")
    is_ours = module == _PACKAGE or module.startswith(f"{_PACKAGE}.")
    kind = getattr(sys.modules.get(module), qualname, None) if is_ours else None
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Enum)):
        return kind
    raise ValueError(f"there is no {name}")
