"""Key elements as an index and a conflict target have them, with every value rendered in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ClauseElement, ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal

from ..sqltext import literal_sql

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["InPlace", "as_index_element", "rendered"]


def as_index_element(clause: ClauseElement) -> Any:
    """Return the clause as an index or a conflict target has it: in parentheses, where it needs them.

    A collation that is named is outside of them: inside, PostgreSQL would look for an expression (42P10).
    """
    if isinstance(clause, BinaryExpression) and clause.operator is operators.collate:
        return clause
    return clause.self_group()


def rendered(clause: ClauseElement) -> str:
    """Return the SQL, values in place.

    :raises sqlalchemy.exc.CompileError: a parameter in it has no value.
    """
    for part in visitors.iterate(clause):
        if isinstance(part, BindParameter) and part.required:
            # text(): SQLAlchemy would print such a parameter as NULL
            raise CompileError(f"the parameter :{part.key} has no value")
    return literal_sql(clause)


class InPlace(ColumnElement[Any]):
    """A clause whose values every dialect renders in place, as literals of its own.

    The SQL beside the clause is for the statement cache only, which leaves the values of parameters out of
    its keys: statements with other literals are other statements.
    """

    __visit_name__ = "upsert_key_in_place"
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's own form
        ("clause", InternalTraversal.dp_clauseelement),
        ("sql", InternalTraversal.dp_string),
    ]

    def __init__(self, clause: ClauseElement) -> None:
        self.clause = clause
        self.sql = literal_sql(clause)

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the clause as it is: what needs parentheses has them."""
        return self


@compiles(InPlace)
def _render_in_place(element: InPlace, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clause, **{**options, "literal_binds": True})
