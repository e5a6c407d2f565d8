"""The arguments that the directives share, as Python source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.sql.elements import conv

from ..operations import source_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy.sql.elements import TextClause

    from ..operations import UpsertKeyOp

__all__ = [
    "directive_call",
    "elements_list",
    "in_batch",
    "key_arguments",
    "name_argument",
    "on_one_line",
    "prefix",
    "schema_argument",
    "source",
    "sqlalchemy_prefix",
    "stated",
]


def directive_call(context: AutogenContext, directive: str, arguments: Sequence[str]) -> str:
    """Return the line that calls the directive."""
    return f"{prefix(context)}{directive}({', '.join(arguments)})"


def key_arguments(context: AutogenContext, operation: UpsertKeyOp) -> list[str]:
    """Return what every directive about a key begins with: table, elements, schema and predicate."""
    table = [] if in_batch(context) else [repr(str(operation.table_name))]
    where = [] if operation.where is None else [f"where={source(context, operation.where)}"]
    return [
        *table,
        elements_list(context, operation.elements),
        *schema_argument(context, operation.schema),
        *where,
    ]


def stated(arguments: dict[str, object], defaults: dict[str, object]) -> list[str]:
    """Return those of `arguments` that are not at their default, as keywords."""
    return [f"{name}={value!r}" for name, value in arguments.items() if value != defaults.get(name)]


def elements_list(context: AutogenContext, elements: Sequence[str | TextClause]) -> str:
    """Return the elements of a key or an index as a list."""
    return f"[{', '.join(source(context, element) for element in elements)}]"


def name_argument(context: AutogenContext, name: str) -> str:
    """Return the name of a constraint or an index: one from a naming convention is final, and op.f() says so."""
    return f"{prefix(context)}f({str(name)!r})" if isinstance(name, conv) else repr(str(name))


def schema_argument(context: AutogenContext, schema: str | None) -> list[str]:
    """Return the schema, where there is one to state: a batch block has it."""
    return [] if schema is None or in_batch(context) else [f"schema={str(schema)!r}"]


def source(context: AutogenContext, value: str | TextClause) -> str:
    """Return a column name or SQL as Python source."""
    return source_of(value, sqlalchemy_prefix(context))


def in_batch(context: AutogenContext) -> bool:
    """Return whether the line is rendered within a batch block."""
    return context._has_batch  # noqa: SLF001 - as Alembic's renderers ask


def prefix(context: AutogenContext) -> str:
    """Return what a directive's name begins with."""
    return "batch_op." if in_batch(context) else context.opts["alembic_module_prefix"] or ""


def sqlalchemy_prefix(context: AutogenContext) -> str:
    """Return what the name of a construct of SQLAlchemy begins with."""
    return context.opts["sqlalchemy_module_prefix"] or ""


def on_one_line(text: str) -> str:
    """Return the text for a comment: the server prints CASE over several lines, and a name may hold a line break."""
    return " ".join(text.split())
