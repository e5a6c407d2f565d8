"""pg-promise: ``pgp.helpers.insert(rows, columns, table)``, which writes the INSERT of what is added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sql import HOLE
from .identifiers import quoted_names
from .meaning import Expression
from .nodes import arguments_of, method_call, text_of, unwrapped

if TYPE_CHECKING:
    from .values import Values

__all__ = ["insert_of"]

_COLUMNS = 1
_TABLE = 2
"""Where they are among the arguments of ``insert()``."""


def insert_of(values: Values, call: Expression) -> str | None:
    """Return the INSERT that a call of ``helpers.insert()`` makes, up to its rows; None: it is another call."""
    method = method_call(call.node)
    if method is None or method.name != "insert":
        return None
    if text_of(unwrapped(method.owner)).rpartition(".")[2] != "helpers":
        return None
    given = [call.at(argument) for argument in method.arguments]
    table: str | None = None
    if len(given) > _TABLE and text_of(given[_TABLE].node) not in ("null", "undefined"):
        table = _table(values, given[_TABLE])  # whatever the columns say
    elif len(given) > _COLUMNS:
        table = _table_of_set(values, given[_COLUMNS])
    row, column = call.node.start_point
    hole = f"{HOLE}{row}x{column}"
    return f"INSERT INTO {table or f'{hole}t_'} VALUES ({hole}v_)"


def _table_of_set(values: Values, columns: Expression) -> str | None:
    """The table of ``new ColumnSet([...], { table })``; None: it is not known."""
    meaning = values.meaning(columns)
    if not isinstance(meaning, Expression) or _made_of(meaning) != "ColumnSet":
        return None
    options = arguments_of(meaning.node)[1:2]
    stated = values.properties(meaning.at(options[0])).get("table") if options else None
    return _table(values, stated) if isinstance(stated, Expression) else None


def _table(values: Values, stated: Expression) -> str | None:
    """``'t'``, ``{ table: 't', schema: 's' }`` or ``new TableName(...)`` of these, in quotes; None: it is not known."""
    name = values.text(stated)
    if isinstance(name, str):
        # which part of the name is the schema's depends on the version
        return None if "." in name else quoted_names([name])
    meaning = values.meaning(stated)
    if not isinstance(meaning, Expression):
        return None
    if _made_of(meaning) == "TableName":
        given = arguments_of(meaning.node)
        return _table(values, meaning.at(given[0])) if len(given) == 1 else None
    options = values.properties(meaning)
    if options.unread is not None or "table" not in options.named:
        return None
    parts = [options.named[part] for part in ("schema", "table") if part in options.named]
    names = [values.text(part) for part in parts]
    texts = [each for each in names if isinstance(each, str)]
    return quoted_names(texts) if len(texts) == len(names) else None


def _made_of(meaning: Expression) -> str:
    """The class of ``new pgp.helpers.ColumnSet(...)``."""
    constructor = meaning.node.child_by_field_name("constructor")
    return "" if constructor is None else text_of(constructor).rpartition(".")[2]
