"""``Table(...)`` as it is written."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .source import UnwritableError

if TYPE_CHECKING:
    from .names import ModuleNames
    from .places import TablePlace
    from .source import Source
    from .spelling import KeyToWrite

__all__ = ["calls_of_table", "refuse_unlisted_column", "statement_around", "unit_of"]


def calls_of_table(source: Source, names: ModuleNames, place: TablePlace) -> list[ast.Call]:
    """Return the calls of SQLAlchemy's ``Table`` that make the table, in the order of the file."""
    found = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or names.objects.get(_dotted(node.func)) != "Table":
            continue
        first, *_ = [*node.args, None]
        schema = next((k.value for k in node.keywords if k.arg == "schema"), None)
        if _string(first, names) != place.table:
            continue
        if schema is None or _string(schema, names) == place.schema:
            found.append(node)
    return sorted(found, key=source.start)


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}"
    return ""


def _string(node: ast.expr | None, names: ModuleNames) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            return names.strings.get(name)
    return None


def refuse_unlisted_column(call: ast.Call, key: KeyToWrite) -> None:
    """Refuse a column that is not among the arguments, as far as they can be read.

    :raises UnwritableError: it comes later, or from a database.
    """
    if any(keyword.arg in ("autoload_with", "autoload") for keyword in call.keywords):
        raise UnwritableError("the table is reflected from a database when it is made")
    listed: set[str] = set()
    for argument in call.args[2:]:
        match argument:
            case ast.Call(args=[ast.Constant(value=str() as name), *_]):
                listed.add(name)
            case ast.Call():
                pass
            case _:  # columns that were made elsewhere
                return
    missing = sorted(key.columns - listed)
    if missing:
        raise UnwritableError(
            f"the column {missing[0]} is not among the arguments of Table(...): it is added later"
        )


def statement_around(source: Source, call: ast.Call) -> ast.stmt:
    """Return the statement of the module that holds the call."""
    start = source.start(call)
    return next(
        node for node in source.tree.body if source.start(node) <= start <= source.end(node)
    )


def unit_of(source: Source, call: ast.Call) -> str:
    """Return how much deeper the call indents its arguments; four spaces where they are on its line."""
    outer = source.indent(source.start(call))
    for argument in call.args:
        inner = source.indent(source.start(argument))
        if inner.startswith(outer) and inner != outer:
            return inner.removeprefix(outer)
    return "    "
