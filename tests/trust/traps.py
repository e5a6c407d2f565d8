"""Overloads that another role could have made for what we call; each that runs leaves a file behind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import alembic_upsert_guard
from tests.trust.grammar import called_functions
from tests.trust.programs import blocks

if TYPE_CHECKING:
    from tests.project import Project

PACKAGE = Path(alembic_upsert_guard.__file__).parent
OPERATORS = (
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "/",
    "#",
    "|",
    "<<",
    "||",
    "~*",
    "!~",
    "->",
    "->>",
    "&&",
)

# what fits better than the system's own, by what occurs: names, and small integers where an integer is declared
CLOSER = {
    "text": ("text", "name", "varchar"),
    "integer": ("integer", "smallint"),
    "anyarray": ("smallint[]", "name[]", "text[]", "oid[]"),
    "oid": ("oid", "regclass"),
}
VARIADIC = (
    *(
        "text, name",
        "text, text",
        "text, name, name",
        "text, text, text",
        "text, name, text",
        "text, name, name, name",
    ),
    *(
        "text, name, name, name, text",
        "text, text, bigint",
        "text, bigint",
        "text, text, text, text",
    ),
)
"""The arguments behind which ``VARIADIC "any"`` loses."""

SPRING = """
CREATE SCHEMA trap;
CREATE FUNCTION trap.spring(what text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    -- Alembic and SQLAlchemy name the system barely in their own statements, which is not ours to change
    IF strpos(current_query(), '/* from upsert-guard */') > 0 AND current_setting('trap.last', true)
            IS DISTINCT FROM what || current_query() THEN
        PERFORM set_config('trap.last', what || current_query(), false);
        -- a read-only transaction, and one that is rolled back, keeps no file from being written
        EXECUTE format('COPY (SELECT %L) TO %L', what || E'\\n' || current_query(),
                       current_setting('data_directory') || '/trap_' || current_database() || '_'
                       || md5(what || current_query()));
    END IF;
END $$;
"""

FUNCTION = """
CREATE FUNCTION public.{name}({arguments}) RETURNS {result} LANGUAGE plpgsql {strict} AS $trap$
BEGIN PERFORM trap.spring($$function {name}({arguments})$$); {answer} END $trap$;
"""

OPERATOR = """
CREATE FUNCTION trap.operator_{number}({left}, {right}) RETURNS {result} LANGUAGE plpgsql AS $trap$
BEGIN PERFORM trap.spring($$operator {left} {sign} {right}$$);
      RETURN $1 OPERATOR(pg_catalog.{sign}) $2; END $trap$;
CREATE OPERATOR public.{sign} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = trap.operator_{number});
"""

AGGREGATE = """
CREATE FUNCTION trap.counted(bigint) RETURNS bigint LANGUAGE plpgsql AS $trap$
BEGIN PERFORM trap.spring('aggregate count(*)'); RETURN $1 OPERATOR(pg_catalog.+) 1; END $trap$;
CREATE AGGREGATE public.count(*) (SFUNC = trap.counted, STYPE = bigint, INITCOND = '0');
CREATE FUNCTION trap.summed(numeric, bigint) RETURNS numeric LANGUAGE plpgsql AS $trap$
BEGIN PERFORM trap.spring('aggregate sum(bigint)'); RETURN $1 OPERATOR(pg_catalog.+) coalesce($2, 0); END $trap$;
CREATE AGGREGATE public.sum(bigint) (SFUNC = trap.summed, STYPE = numeric, INITCOND = '0');
"""

CATALOGS = """
CREATE VIEW public.pg_index AS SELECT i.* FROM pg_catalog.pg_index i, trap.spring('catalog pg_index');
CREATE VIEW public.pg_locks AS SELECT l.* FROM pg_catalog.pg_locks l, trap.spring('catalog pg_locks');
"""


def plant(project: Project) -> None:
    """Make the traps, as many as the system has overloads of what we use."""
    project.sql(SPRING)
    statements = [*map(_function, _functions(project)), *_operators(project), AGGREGATE, CATALOGS]
    project.sql("".join(filter(None, statements)))


def sprung(project: Project) -> list[str]:
    """Each trap that one of our clients ran, with the statement that it sent."""
    return [
        row[0]
        for row in project.rows("""
            SELECT pg_catalog.pg_read_file(file) FROM pg_catalog.pg_ls_dir('.') AS file
            WHERE file OPERATOR(pg_catalog.~) ('^trap_' OPERATOR(pg_catalog.||) pg_catalog.current_database()
                                               OPERATOR(pg_catalog.||) '_')
        """)
    ]


def functions_that_we_call() -> set[str]:
    """By name: with a schema in our sources, and under the pinned path in our programs."""
    sources = [path.read_text() for path in (*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.sql"))]
    named = {name for source in sources for name in re.findall(r"pg_catalog\.(\w+)\(", source)}
    return named | {name for block in blocks().values() for name in called_functions(block)}


def _functions(project: Project) -> list[tuple[str, str, str, bool]]:
    names = sorted(functions_that_we_call())
    listed = ", ".join(f"'{name}'" for name in names)
    overloads = project.rows(f"""
        SELECT proname, pg_catalog.oidvectortypes(proargtypes), pg_catalog.format_type(prorettype, NULL), proretset,
               provariadic <> 0
        FROM pg_catalog.pg_proc
        WHERE proname IN ({listed}) AND prokind = 'f' AND pronamespace = 'pg_catalog'::regnamespace
              AND NOT 'internal'::regtype = ANY (proargtypes)
    """)
    made = {}
    for name, arguments, result, is_set, is_variadic in overloads:
        for form in VARIADIC if is_variadic else _closer(arguments.split(", ")):
            if "any" not in form and "record" not in f"{result} {form}" and result != "anyelement":
                made[name, form] = (name, form, result, is_set)
    return list(made.values())


def _closer(arguments: list[str]) -> list[str]:
    forms = [[]]
    for argument in arguments:
        forms = [[*form, each] for form in forms for each in CLOSER.get(argument, (argument,))]
    return [", ".join(form) for form in forms[:30]]


def _function(overload: tuple[str, str, str, bool]) -> str:
    name, arguments, result, is_set = overload
    width = len(arguments.split(", ")) if arguments else 0
    values = ", ".join(f"${number}" for number in range(1, width + 1))
    call = f"pg_catalog.{name}({values})"
    answer = f"RETURN QUERY SELECT * FROM {call};" if is_set else f"RETURN {call};"
    if result == "anyarray":
        result = "text[]"
    return FUNCTION.format(
        name=name,
        arguments=arguments,
        result=f"SETOF {result}" if is_set else result,
        strict="",
        answer=f"PERFORM {call}; RETURN;" if result == "void" else answer,
    )


def _operators(project: Project) -> list[str]:
    listed = ", ".join(f"'{sign}'" for sign in OPERATORS)
    rows = project.rows(f"""
        SELECT oprname, pg_catalog.format_type(oprleft, NULL), pg_catalog.format_type(oprright, NULL),
               pg_catalog.format_type(oprresult, NULL)
        FROM pg_catalog.pg_operator
        WHERE oprname IN ({listed}) AND oprleft <> 0 AND oprnamespace = 'pg_catalog'::regnamespace
    """)
    rows += [("=", "name", "varchar", "boolean"), ("=", "regclass", "oid", "boolean")]
    return [
        OPERATOR.format(number=number, sign=sign, left=left, right=right, result=result)
        for number, (sign, left, right, result) in enumerate(rows)
        if not any(word in f"{left} {right} {result}" for word in ("any", "record", "unknown"))
    ]
