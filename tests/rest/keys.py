"""Keys that hold SQL in many spellings, and tables that bear something near them, for hypothesis to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    and_,
    case,
    cast,
    collate,
    func,
    not_,
    null,
    or_,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, INT4RANGE, JSONB

from alembic_upsert_guard import declare_upsert_key

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SETUP", "Case", "batches", "table_of"]

SETUP = (
    "CREATE SCHEMA other",
    "CREATE FUNCTION same(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
    "CREATE FUNCTION other.same(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
    "CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $1'",
    "CREATE FUNCTION yes() RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'",
    "CREATE FUNCTION quiet(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END'",
    "CREATE TABLE gone ()",
)
"""What the keys' SQL needs: functions that are inlined, and one that is not."""

COLUMNS: dict[str, Any] = {
    "a": Integer,
    "b": Integer,
    "c": Text,
    "v": String(30),
    "flag": Boolean,
    "n": Numeric,
    "d": Date,
    "j": JSONB,
    "arr": ARRAY(Integer),
    "r": INT4RANGE,
    'D: 5%s "x"': Text,
}

FAMILIES: tuple[tuple[str, ...], ...] = (
    (
        "flag",
        "(flag = true)",
        "(true = flag)",
        "(flag <> false)",
        "(NOT NOT flag)",
        "(flag)",
        "(flag AND true)",
        "(true AND flag AND 1 = 1)",
        "(flag OR false)",
        "(flag AND yes())",
        "(flag::boolean)",
        "(CASE WHEN true THEN flag END)",
        "(NOT (flag = false))",
    ),
    ("(NOT flag)", "(flag = false)", "(flag <> true)", "(flag IS NOT TRUE)", "(flag IS FALSE)"),
    (
        "c",
        "(c)",
        "nullif(c, NULL)",
        "same(c)",
        "same(same(c))",
        "(c::text)",
        "coalesce(c)",
        "coalesce(NULL, c)",
        "(CASE WHEN 1 = 1 THEN c ELSE 'x' END)",
    ),
    (
        'c COLLATE "C"',
        '(c COLLATE "C")',
        '((c) COLLATE "C")',
        'same(c) COLLATE "C"',
        '(c collate "POSIX")',
        'c COLLATE "POSIX"',
        'c COLLATE "default"',
    ),
    (
        "lower(c)",
        "LOWER( c )",
        "lower((c)::text)",
        "same(lower(c))",
        "lower(same(c))",
        "(lower(c))",
        "upper(c)",
        "lower(nullif(c, NULL))",
    ),
    (
        'lower(c) COLLATE "C"',
        '(lower(c) COLLATE "C")',
        'lower(c COLLATE "C")',
        '(lower(c COLLATE "C"))',
        '(same(lower(c)) COLLATE "C")',
        "lower(c)",
    ),
    ("(c || 'x')", "(c||'x')", "(c || ('x'::text))", "((c || 'x'))", "(same(c) || 'x')"),
    ("(a + 2)", "(a + (1 + 1))", "((a) + 2)", "(2 + a)", "(a + 2::int)", "(other.same(a) + 2)"),
    ("a", "(a)", "(+ a)", "(a::int)", "other.same(a)", "(a + 0)", "(a * 1)", "(a::bigint)"),
    ("(a + a)", "twice(a)", "(2 * a)", "twice(other.same(a))"),
    ("(a + b)", "(b + a)", "((a) + (b))"),
    (
        "coalesce(b, 0)",
        "COALESCE(b,0)",
        "coalesce(b, 1 - 1)",
        "coalesce(b, NULL, 0)",
        "coalesce(b, '0')",
        "coalesce(NULL, b, 0)",
    ),
    ("(v)", "v", "(v::text)", "lower(v)", "lower(v::text)", "(v::varchar)", "(v::varchar(30))"),
    ("(j ->> 'k')", "((j)->>'k')", "(j ->> 'k'::text)", "(j #>> '{k}')"),
    ("((j ->> 'k')::int)", "(CAST(j ->> 'k' AS integer))", "((j ->> 'k')::int4)"),
    ("(arr[1])", "((arr)[1])", "(arr[2 - 1])", "(arr[1:2])", "arr"),
    ("(lower(r))", "lower(r)", "upper(r)", "r"),
    ("(d + 1)", "(d + 2 - 1)", "(d - 1)", "(d + (2 - 1))"),
    ("(n % 10)", "(n%10)", "mod(n, 10)", "(n % 10.0)"),
    ("abs(a)", "(abs(a))", "(@ a)", "abs((a)::int)"),
    ("(a > 0)", "(0 < a)", "(NOT a <= 0)", "(NOT (a <= 0))", "(a > 0 AND true)"),
    ("(c ~ '^x: %')", "(c ~ E'^x: %')", "regexp_replace(c, ':', '%')"),
    ("md5(c)", "md5(quiet(c))", "md5((c))", "md5(same(c))"),
    ("quiet(c)", "quiet((c))", "(quiet(c))", "public.quiet(c)"),
    ("c text_pattern_ops", "(c) text_pattern_ops", "c text_ops", "lower(c) text_pattern_ops"),
    ('"D: 5%s ""x"""', '("D: 5%s ""x""")', 'lower("D: 5%s ""x""")', 'same("D: 5%s ""x""")'),
    ("(CASE WHEN a > 0 THEN b ELSE 0 END)", "(CASE WHEN 0 < a THEN b ELSE 0 END)"),
    ("greatest(a, b)", "GREATEST(a,b)", "greatest(a)", "least(a, b)"),
    ("(b IS NULL)", "(b ISNULL)", "(NOT b IS NOT NULL)", "(b IS NOT DISTINCT FROM NULL)"),
)
"""Elements in groups: some of a group mean the same to the planner, some nearly."""

PREDICATES: tuple[tuple[str, ...], ...] = (
    (
        "flag",
        "flag = true",
        "NOT NOT flag",
        "flag AND true",
        "(flag)",
        "flag IS TRUE",
        "flag <> false",
    ),
    ("NOT flag", "flag = false", "flag IS FALSE", "NOT (flag = true)", "false = flag"),
    ("true", "TRUE", "1 = 1", "a = a", "NOT false", "a = a OR true", "yes()", "false OR true"),
    ("false", "1 = 2", "a > 0 AND false", "NULL::boolean", "NOT true", "a IS NULL AND false"),
    ("a > 0", "0 < a", "(a) > 0", "a > 0 AND true", "a > 1 - 1", "a >= 1", "NOT a <= 0"),
    ("a > 10", "a>10", "10 < a", "a > 5 + 5", "a > 11", "a > 0"),
    ("b IS NULL", "b ISNULL", "(b IS NULL)", "NOT (b IS NOT NULL)", "b IS NULL OR false"),
    ("b IS NOT NULL", "b NOTNULL", "NOT b IS NULL", "b > 0", "b IS NOT NULL AND 1 = 1"),
    ("c = 'x'", "'x' = c", "c = 'x'::text", "c IN ('x')", "same(c) = 'x'", "c = 'x' OR NULL"),
    ("c IN ('x', 'y')", "c IN ('y', 'x')", "c = 'x' OR c = 'y'", "c = ANY (ARRAY['x', 'y'])"),
    ("v <> 'a: %b'", "v != 'a: %b'", "NOT (v = 'a: %b')", "v::text <> 'a: %b'", "'a: %b' <> v"),
    ("c LIKE '%@x'", "c ~~ '%@x'", "NOT c NOT LIKE '%@x'", "c LIKE '%' || '@x'"),
    ("a > 0 AND b IS NULL", "b IS NULL AND a > 0", "NOT (a <= 0 OR b IS NOT NULL)", "a > 0"),
    ("(a > 0 AND flag) OR (a > 0 AND b > 1)", "a > 0 AND (flag OR b > 1)", "a > 0"),
    ("j ->> 'k' = 'y'", "(j ->> 'k') = 'y'", "'y' = (j ->> 'k')", "j @> '{}'"),
    ("d > '2026-01-01'", "'2026-01-01' < d", "d > DATE '2026-01-01'", "d >= '2026-01-02'"),
    ("lower(c) = 'x'", "same(lower(c)) = 'x'", "'x' = lower(c)"),
    ("a BETWEEN 1 AND 5", "a >= 1 AND a <= 5", "a <= 5 AND a >= 1", "a > 0 AND a < 6"),
    ("n > 1.50", "n > 1.5", "1.5 < n", "n >= 1.5"),
)

BUILT: tuple[Callable[[Any], Any], ...] = (
    lambda c: c.flag == True,  # noqa: E712 - what people write
    lambda c: c.flag.is_(True),
    lambda c: not_(not_(c.flag)),
    lambda c: and_(c.flag, true()),
    lambda c: or_(c.flag, c.flag),
    lambda c: func.lower(c.c),
    lambda c: func.nullif(c.c, null()),
    lambda c: func.coalesce(c.b, 0),
    lambda c: collate(c.c, "C"),
    lambda c: func.lower(collate(c.c, "C")),
    lambda c: collate(func.lower(c.c), "C"),
    lambda c: cast(c.a, BigInteger),
    lambda c: cast(c.a, Integer),
    lambda c: c.j["k"].astext,
    lambda c: c.a + 2,
    lambda c: c.a + c.b,
    lambda c: func.abs(-c.a),
    lambda c: c.a % 10,
    lambda c: c.c + ":x%",
    lambda c: c.c.concat(c.v),
    lambda c: func.abs(case((c.a > 0, c.b), else_=0)),
    lambda c: func.same(c.c),
    lambda c: func.twice(c.a),
    lambda c: c.arr[1],
)
"""Elements by SQLAlchemy's own constructs."""

BUILT_PREDICATES: tuple[Callable[[Any], Any], ...] = (
    lambda c: c.flag == True,  # noqa: E712
    lambda c: c.flag.is_(True),
    lambda _: true(),
    lambda c: and_(c.a > 0, true()),
    lambda c: c.c.in_(["x", "y"]),
    lambda c: c.c.like("%: x"),
    lambda c: c.b.is_(None),
    lambda c: or_(c.a > 0, c.b.is_(None)),
    lambda c: not_(c.flag),
    lambda c: c.j["k"].astext == "y",
    lambda c: c.a.between(1, 5),
    lambda c: c.v != "it's",
)

RULES = (
    "ON INSERT TO {t} DO ALSO DELETE FROM gone",
    "ON UPDATE TO {t} DO ALSO DELETE FROM gone",
    "ON UPDATE TO {t} DO INSTEAD NOTHING",
    "ON INSERT TO {t} WHERE NEW.a > 5 DO INSTEAD DELETE FROM gone",
    "ON INSERT TO {t} WHERE NEW.a > 5 DO INSTEAD NOTHING",
    "ON DELETE TO {t} DO INSTEAD NOTHING",
)


@dataclass(frozen=True)
class Case:
    """One key, and what its table is like."""

    elements: tuple[str | int, ...]
    """Column names and SQL; a number is one of `BUILT`."""

    where: str | int | None

    theirs: tuple[tuple[str, ...], str | None] | None
    """An index that the table has before: elements and predicate."""

    deferrable: bool
    """Whether `theirs` is a DEFERRABLE constraint, where it is one of columns."""

    rule: str | None

    def __str__(self) -> str:
        on = f"; the table has {self.theirs}" if self.theirs else ""
        late = " DEFERRABLE" if self.deferrable else ""
        return f"UpsertKey{self.elements} WHERE {self.where}{on}{late}; rule {self.rule}"

    def statements(self, table: str) -> list[str]:
        """What the table gets before the key is declared."""
        made = []
        if self.theirs is not None:
            elements, predicate = self.theirs
            listed = ", ".join(elements)
            where = f" WHERE {predicate}" if predicate else ""
            made.append(f"CREATE UNIQUE INDEX theirs_{table} ON {table} ({listed}){where}")
            if self.deferrable and not where and all(e in COLUMNS for e in elements):
                listed = ", ".join(dict.fromkeys(elements))
                made = [
                    f"ALTER TABLE {table} ADD CONSTRAINT late_{table} UNIQUE ({listed}) DEFERRABLE"
                ]
        if self.rule is not None:
            made.append(f"CREATE RULE rule_{table} AS {self.rule.format(t=table)}")
        return made


def table_of(name: str, case_: Case | None) -> Table:
    """The model of a table; None: it declares no key."""
    table = Table(
        name,
        MetaData(),
        Column("id", Integer, primary_key=True),
        *(Column(column, kind) for column, kind in COLUMNS.items()),
    )
    if case_ is not None:
        elements = [_element(table, e) for e in case_.elements]
        where = case_.where
        clause = BUILT_PREDICATES[where](table.c) if isinstance(where, int) else where
        declare_upsert_key(
            table,
            *elements,
            where=text(_escaped(clause)) if isinstance(clause, str) else clause,
            nulls="distinct",
        )
    return table


def _element(table: Table, element: str | int) -> Any:
    if isinstance(element, int):
        return BUILT[element](table.c)
    return element if element in COLUMNS else text(_escaped(element))


def _escaped(sql: str) -> str:
    return sql.replace(":", "\\:")


def _mostly(common: Any, *rare: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from((*[common] * (3 * len(rare)), *rare))


@st.composite
def _cases(draw: Callable[..., Any]) -> Case:
    family = draw(st.sampled_from(FAMILIES))
    elements: list[str | int] = [draw(st.sampled_from(family))]
    near = [elements[0]]
    if draw(_mostly(True, False)):
        near = [draw(st.sampled_from(family))]
    if draw(_mostly(False, True)):
        elements = [draw(st.integers(0, len(BUILT) - 1))]
    if draw(st.booleans()):
        other = draw(st.sampled_from(("id", "a", "b")))
        if other not in elements:
            elements.append(other)
            near.append(other)
    where: str | int | None = None
    their_where = None
    if draw(st.booleans()):
        predicates = draw(st.sampled_from(PREDICATES))
        where = draw(st.sampled_from(predicates))
        their_where = draw(_mostly(draw(st.sampled_from(predicates)), None))
        if draw(_mostly(False, True)):
            where = draw(st.integers(0, len(BUILT_PREDICATES) - 1))
    elif draw(_mostly(False, True)):
        their_where = draw(st.sampled_from(draw(st.sampled_from(PREDICATES))))
    theirs = (tuple(map(str, near)), their_where) if draw(st.booleans()) else None
    return Case(
        elements=tuple(elements),
        where=where,
        theirs=theirs,
        deferrable=draw(_mostly(False, True)),
        rule=draw(st.one_of(st.none(), st.none(), _mostly(None, *RULES))),
    )


def batches(size: int) -> st.SearchStrategy[tuple[Case, ...]]:
    """Cases for as many tables."""
    return st.tuples(*[_cases()] * size)
