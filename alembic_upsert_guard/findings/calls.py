"""How an upsert is written, and how the same is written with another target: lines to paste."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..inference import Element

__all__ = [
    "Call",
    "Form",
    "conflict_target_call",
    "constraint_line",
    "django_line",
    "limit_of",
    "quoted",
    "sql_argument",
    "target_line",
    "upsert_key_line",
]

_RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
    current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc
    distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral
    leading limit localtime localtimestamp not null offset on only or order placing primary references returning
    select session_user some symmetric system_user table then to trailing true union unique user using variadic when
    where window with
    """.split()  # noqa: SIM905 - a list of a hundred lines would be read by nobody
)
"""PostgreSQL's reserved words (manual, appendix C): no column's name without quotes."""


class Form(Enum):
    """What an upsert is written in. A hint rewrites it in the same."""

    SQLALCHEMY = "SQLAlchemy"
    SQL = "SQL"
    SUPABASE_PYTHON = "supabase-py"
    SUPABASE_JAVASCRIPT = "supabase-js"
    DJANGO = "Django"
    DRIZZLE = "Drizzle"
    HASURA = "Hasura"
    KNEX = "Knex"
    KYSELY = "Kysely"
    MIKRO_ORM = "MikroORM"
    OBJECTION = "Objection"
    POSTGREST = "PostgREST"
    PRISMA = "Prisma"
    SEQUELIZE = "Sequelize"
    TYPEORM = "TypeORM"
    OTHER = "another library"
    """Hints name the elements and leave the spelling to the reader."""

    @property
    def is_python(self) -> bool:
        """Whether ``**conflict_target(Model)`` can be written in its place."""
        return self is Form.SQLALCHEMY


@dataclass(frozen=True, slots=True)
class Call:
    """One upsert, as its source writes it."""

    form: Form
    table: str
    """As messages name it: ``app.users``."""
    model: str | None
    """The mapped class or ``Table`` as Python names it; None: the models have none, or it is not known."""
    fields: tuple[tuple[str, str], ...] = ()
    """Columns of the table, each with its field's name in Django's model, as far as they are read."""


def upsert_key_line(
    elements: Sequence[tuple[str, bool]], where: str | None = None, name: str | None = None
) -> str:
    """Return the line to paste: ``UpsertKey("user_id", "question_id")``.

    :param elements: each with whether it is SQL and not a column's name.
    """
    parts = [*_arguments(elements, where)]
    if name is not None:
        parts.append(f"name={quoted(name)}")
    return f"UpsertKey({', '.join(parts)})"


def conflict_target_call(
    model: str, elements: Sequence[tuple[str, bool]] = (), where: str | None = None
) -> str:
    """Return the arguments to paste: ``**conflict_target(User, "email")``.

    :param elements: empty: the only key that the table declares.
    """
    return f"**conflict_target({', '.join([model, *_arguments(elements, where)])})"


def target_line(call: Call, elements: Sequence[Element], where: str | None) -> str | None:
    """Return the target as the call would write it; None: its library has no form for it."""
    predicate = "" if where is None else f" WHERE {where}"
    match call.form:
        case Form.SQLALCHEMY:
            listed = ", ".join(_argument(e.label, is_sql=e.column is None) for e in elements)
            argument = "" if where is None else f", index_where={sql_argument(where)}"
            return f"index_elements=[{listed}]{argument}"
        case Form.SQL:
            return f"ON CONFLICT ({_elements(elements)}){predicate}"
        case Form.KNEX | Form.OBJECTION if predicate or _has_expression(elements):
            return f".onConflict(knex.raw({_javascript(f'({_elements(elements)}){predicate}')}))"
        case Form.KYSELY if len(elements) == 1 and _has_expression(elements):
            return f"oc.expression(sql`{elements[0].label}`){_where_of_kysely(where)}"
        case Form.HASURA | Form.MIKRO_ORM | Form.OTHER | Form.SEQUELIZE:
            return f"({', '.join(e.label for e in elements)}){predicate} as the target"
    if _has_expression(elements) or (where is not None and call.form in _WITHOUT_PREDICATES):
        return None
    columns = [element.label for element in elements]
    if call.form is Form.DJANGO:
        return django_line(call, columns, "unique_fields=[", "]")
    return _columns_line(call.form, columns, where)


def django_line(call: Call, columns: Sequence[str], before: str, after: str) -> str:
    """Return code that lists columns by the fields of a Django model; or as columns, and that they are, by its words.

    :param before: the code around the list.
    """
    fields = dict(call.fields)
    is_read = all(column in fields for column in columns)
    listed = ", ".join(quoted(fields[each] if is_read else each) for each in columns)
    beside = "" if is_read else " with the model's fields of these columns"
    return f"{before}{listed}{after}{beside}"


def _columns_line(form: Form, columns: Sequence[str], where: str | None) -> str | None:
    """Columns as a library takes them, with a predicate where it takes one."""
    joined = ",".join(columns)
    listed = f"[{', '.join(map(_javascript, columns))}]"
    match form:
        case Form.SUPABASE_PYTHON:
            return f'on_conflict="{joined}"'
        case Form.SUPABASE_JAVASCRIPT:
            return f"onConflict: '{joined}'"
        case Form.POSTGREST:
            return f"on_conflict={joined}"
        case Form.KNEX | Form.OBJECTION:
            return f".onConflict({listed})"
        case Form.KYSELY:
            return f"oc.columns({listed}){_where_of_kysely(where)}"
        case Form.DRIZZLE:
            # the schema file's keys may be others than the database's names
            argument = "" if where is None else f", targetWhere: sql`{where}`"
            return (
                f"target: [{', '.join(columns)}]{argument} with the table's columns of these names"
            )
        case Form.TYPEORM:
            argument = "" if where is None else f", indexPredicate: {_javascript(where)}"
            return (
                f"conflictPaths: {listed}{argument} with the entity's properties of these columns"
            )
    return None


_OVER_POSTGREST = frozenset({Form.POSTGREST, Form.SUPABASE_JAVASCRIPT, Form.SUPABASE_PYTHON})
_WITHOUT_PREDICATES = _OVER_POSTGREST | {Form.DJANGO, Form.PRISMA}


def limit_of(form: Form) -> str:
    """Return why a library has no form for a target."""
    if form is Form.PRISMA:
        return "Prisma matches rows by what its schema calls unique"
    by = "PostgREST" if form in _OVER_POSTGREST else form.value
    return f"{by} infers by columns only"


def _has_expression(elements: Sequence[Element]) -> bool:
    return any(element.column is None for element in elements)


def _elements(elements: Sequence[Element]) -> str:
    return ", ".join(map(_element, elements))


def _where_of_kysely(where: str | None) -> str:
    return "" if where is None else f".where(sql`{where}`)"


def _javascript(text: str) -> str:
    """Text as JavaScript source, in single quotes where that reads well."""
    return f"'{text}'" if not set(text) & set("'\\\n") else json.dumps(text)


def _element(element: Element) -> str:
    return element.label if element.column is None else _identifier(element.label)


def constraint_line(call: Call, name: str) -> str:
    """Return the target of an upsert that names a constraint."""
    if call.form is Form.SQLALCHEMY:
        return f"constraint={quoted(name)}"
    if call.form is Form.KYSELY:
        return f"oc.constraint({_javascript(name)})"
    return f"ON CONFLICT ON CONSTRAINT {_identifier(name)}"


def sql_argument(sql: str) -> str:
    """Return SQL as Python hands it to SQLAlchemy: ``sa.text("...")``, no colon of it a parameter."""
    return f"sa.text({quoted(_without_parameters(sql))})"


def quoted(text: str) -> str:
    """Return text as Python source, in double quotes where that reads well."""
    return f'"{text}"' if not set(text) & set('"\\\n') else repr(text)


def _arguments(elements: Sequence[tuple[str, bool]], where: str | None) -> list[str]:
    parts = [_argument(element, is_sql=is_sql) for element, is_sql in elements]
    return parts if where is None else [*parts, f"where={sql_argument(where)}"]


def _argument(element: str, *, is_sql: bool) -> str:
    return sql_argument(element) if is_sql else quoted(element)


def _without_parameters(sql: str) -> str:
    """``text()`` takes ``:name`` for a parameter, and leaves ``::`` as it is."""
    return "\\:".join(part.replace("\x00", "::") for part in sql.replace("::", "\x00").split(":"))


def _identifier(name: str) -> str:
    """The name as SQL has it: in quotes where it would be folded or is none."""
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    plain = plain and name not in _RESERVED
    doubled = name.replace('"', '""')
    return name if plain else f'"{doubled}"'
