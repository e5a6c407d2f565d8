"""Which elements of a key let NULL in, as far as the model shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Column
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, Cast, Grouping
from sqlalchemy.sql.functions import Function

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["null_makes_null"]

_STRICT_FUNCTIONS = frozenset(
    {
        *(
            "abs",
            "btrim",
            "ceil",
            "char_length",
            "date_trunc",
            "floor",
            "initcap",
            "left",
            "length",
            "lower",
        ),
        *(
            "lpad",
            "ltrim",
            "md5",
            "replace",
            "reverse",
            "right",
            "round",
            "rpad",
            "rtrim",
            "substr",
            "substring",
        ),
        *("trim", "trunc", "upper"),
    }
)
"""Of every database here, and NULL where an argument is (pg_proc.proisstrict). What is not listed may take NULL for a
value, as coalesce and concat do: of it nothing is known."""

_STRICT_OPERATORS = frozenset(
    {
        operators.add,
        operators.sub,
        operators.mul,
        operators.truediv,
        operators.floordiv,
        operators.mod,
        operators.concat_op,
        operators.eq,
        operators.ne,
        operators.lt,
        operators.le,
        operators.gt,
        operators.ge,
    }
)


def null_makes_null(clause: Any, never_null: Container[str] = ()) -> bool:
    """Return whether NULL in a nullable column makes the whole of `clause` NULL, for certain.

    False: it cannot be NULL, or nothing is known, as of SQL in ``text()`` and of functions that this package does not
    know.

    :param never_null: names of columns that are not NULL in any row that counts, whatever the model says.
    """
    match clause:
        case Column():
            return bool(clause.nullable) and clause.name not in never_null
        case Grouping():
            return null_makes_null(clause.element, never_null)
        case Cast():
            return null_makes_null(clause.clause, never_null)
        case Function() if clause.name.lower() in _STRICT_FUNCTIONS and not clause.packagenames:
            return any(null_makes_null(each, never_null) for each in clause.clauses)
        case BinaryExpression() if clause.operator in _STRICT_OPERATORS:
            return any(null_makes_null(each, never_null) for each in (clause.left, clause.right))
    return False
