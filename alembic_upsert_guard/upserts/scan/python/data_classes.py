"""The fields of data classes, which are the parameters of their calls."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .nodes import last_part

if TYPE_CHECKING:
    from .scope import Scope
    from .values import Class

__all__ = ["fields_of", "is_data_class"]


def fields_of(lineage: tuple[Class, ...]) -> dict[str, tuple[Scope, ast.expr] | None]:
    """Return the fields of a class and of those that it inherits from, each with its default; None: it has none."""
    found: dict[str, tuple[Scope, ast.expr] | None] = {}
    for of in reversed(lineage):
        for statement in of.node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=stated, value=value):
                    if "ClassVar" not in ast.unparse(stated):
                        found[name] = None if value is None else (of.scope, value)
    return found


def is_data_class(of: Class) -> bool:
    """Return whether a class's fields are the parameters of its call, in their order."""
    marks = [d.func if isinstance(d, ast.Call) else d for d in of.node.decorator_list]
    named = {last_part(each) for each in marks}
    bases = {last_part(base) for base in of.node.bases}
    return bool(named & {"dataclass", "define", "frozen"} or bases & {"NamedTuple", "BaseModel"})
