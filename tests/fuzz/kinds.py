"""Kinds of columns: type, a value, and families of expressions and predicates, several spellings each.

Nothing here says which spellings mean the same to the server: that is what the server is asked. `{c}` is the column as
SQL; a spelling that begins with ``=`` is Python over the model's column, `{k}`, and is used on the declared side alone.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONSTANTS", "KINDS", "ODD", "Family", "Kind"]

Family = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """One kind of column."""

    sql: str
    """The type, collation included."""
    value: str
    """SQL of a value that goes in."""
    expressions: tuple[Family, ...] = ()
    predicates: tuple[Family, ...] = ()
    tails: tuple[str, ...] = ()
    """Collations and operator classes that may follow an element."""
    model: str = ""
    """The type in the model, as Python; empty: it is written as SQL."""
    suffix: str = ""
    """What follows the type: generated, identity. Such columns are given no value."""


CONSTANTS: Family = (
    "true",
    "1 = 1",
    "NOT false",
    "always()",
    "'t'::bool",
    "TRUE",
    "(true)",
    "true IS NOT NULL",
    "=true()",
    "=literal(1) == 1",
)

ODD: Family = (
    "(SELECT {c})",
    "max({c})",
    "count(*)",
    "generate_series(1, 2)",
    "row_number() OVER ()",
    "random()",
    "now()",
    "nowhere({c})",
    "{c} +",
    "{c} DESC",
    "{c} NULLS FIRST",
    "{c}, {c}",
    "{c}) WHERE ({c} IS NULL",
    "1",
    "'x'",
    "(1)",
    "(NULL)",
    "(true)",
    "DEFAULT",
    "ctid",
    "tableoid",
    "excluded.{c}",
    "={k}.desc()",
    "=literal(1)",
    "=literal_column('1')",
    "=null()",
    "=func.now()",
    "=func.max({k})",
    "=select({k}).scalar_subquery()",
)
"""What no index or conflict target holds, or should."""

_NULLITY: tuple[Family, ...] = (
    (
        "{c} IS NOT NULL",
        "({c} IS NOT NULL)",
        "NOT {c} IS NULL",
        "NOT ({c} IS NULL)",
        "{c} NOTNULL",
        "{c} = {c}",
        "{c} is not null",
        "num_nulls({c}) = 0",
        "={k}.is_not(None)",
        "=~({k} == None)",
    ),
    (
        "{c} IS NULL",
        "({c}) IS NULL",
        "{c} ISNULL",
        "NOT ({c} IS NOT NULL)",
        "{c} IS NOT DISTINCT FROM NULL",
        "={k}.is_(None)",
        "={k} == None",
    ),
)

_ITSELF_TEXT: Family = (
    "({c})",
    "(({c}))",
    "nullif({c}, NULL)",
    "({c}::text)",
    "CAST({c} AS text)",
    "({c}::varchar::text)",
    "same({c})",
    "public.same({c})",
    "coalesce({c})",
    "coalesce({c}, NULL)",
    "(CASE WHEN true THEN {c} END)",
    "({c} || '')",
    "concat_ws('', {c})",
    '({c} COLLATE "default")',
    '{c} COLLATE "default"',
    '{c} COLLATE pg_catalog."default"',
    "greatest({c})",
    "={k}",
    "=func.nullif({k}, None)",
    "=cast({k}, Text)",
    "=func.coalesce({k}, None)",
)

_COLLATED: Family = (
    '{c} COLLATE "C"',
    '{c} collate "C"',
    '({c} COLLATE "C")',
    '(({c}) COLLATE "C")',
    '({c}) COLLATE "C"',
    '{c} COLLATE pg_catalog."C"',
    '(({c} COLLATE "POSIX") COLLATE "C")',
    '{c} COLLATE "POSIX"',
    '{c} COLLATE "Own"',
    "{c} COLLATE tools.own",
    "{c} COLLATE folded",
    "{c} COLLATE icu",
    "{c}",
    '({c}::text COLLATE "C")',
    '={k}.collate("C")',
    '=collate({k}, "C")',
    '=collate({k}, "POSIX")',
)

_FOLDED: Family = (
    "lower({c})",
    "LOWER({c})",
    "lower ( {c} )",
    "(lower({c}))",
    "pg_catalog.lower({c})",
    "lower(({c}))",
    "lower({c}::text)",
    "lower(CAST({c} AS text))",
    "lower(({c})::text)",
    "lower({c} || '')",
    "lower(/* folded */ {c})",
    'lower({c} COLLATE "default")',
    'lower({c}) COLLATE "default"',
    'lower({c} COLLATE "C")',
    'lower({c}) COLLATE "C"',
    '(lower({c}) COLLATE "C")',
    "fold({c})",
    "public.fold({c})",
    "tools.fold({c})",
    'tools."Fold %"({c})',
    "fold(x => {c})",
    "strict_fold({c})",
    "modern_fold({c})",
    "slow_fold({c})",
    "public.slow_fold({c})",
    "lower(same({c}))",
    "lower(lower({c}))",
    "=func.lower({k})",
    "=func.LOWER({k})",
    '=func.lower({k}).collate("C")',
    '=func.lower(collate({k}, "C"))',
    "=func.tools.fold({k})",
)

_TEXTS: tuple[Family, ...] = (
    _ITSELF_TEXT,
    _COLLATED,
    _FOLDED,
    _FOLDED,
    (
        "upper({c})",
        "UPPER({c})",
        "pg_catalog.upper({c})",
        "(upper({c}) || '')",
        "=func.upper({k})",
    ),
    (
        "coalesce({c}, '')",
        "COALESCE({c}, '')",
        "coalesce({c}, ''::text)",
        "coalesce({c}, NULL, '')",
        "coalesce(nullif({c}, NULL), '')",
        "(CASE WHEN {c} IS NULL THEN '' ELSE {c} END)",
        "(coalesce({c}, '')::text)",
        "=func.coalesce({k}, '')",
        "=func.coalesce({k}, literal(''))",
    ),
    (
        "nullif({c}, '')",
        "NULLIF({c}, '')",
        "nullif({c}, ''::text)",
        "(CASE WHEN {c} = '' THEN NULL ELSE {c} END)",
        "=func.nullif({k}, '')",
    ),
    (
        "left({c}, 3)",
        '"left"({c}, 3)',
        "substr({c}, 1, 3)",
        "substring({c} from 1 for 3)",
        "SUBSTRING({c}, 1, 3)",
        "cut({c})",
        "cut({c}, 3)",
        "cut({c}, n => 3)",
        "left({c}, 1 + 2)",
        "=func.left({k}, 3)",
        "=func.substr({k}, 1, 3)",
    ),
    (
        "({c} || 'x')",
        "({c} || 'x'::text)",
        "({c}||'x')",
        "textcat({c}, 'x')",
        "({c} OPERATOR(pg_catalog.||) 'x')",
        "{c} || 'x'",
        "concat({c}, 'x')",
        "={k} + 'x'",
        "={k}.concat('x')",
    ),
    (
        "btrim({c})",
        "trim({c})",
        "TRIM(BOTH FROM {c})",
        "trim(both ' ' from {c})",
        "(trim({c}))",
        "=func.trim({k})",
        "=func.btrim({k})",
    ),
    (
        "({c} LIKE 'a%')",
        "({c} ~~ 'a%')",
        "({c} like 'a%'::text)",
        "textlike({c}, 'a%')",
        "={k}.like('a%')",
        "={k}.startswith('a')",
    ),
    (
        "({c} = 'a:b')",
        "('a:b' = {c})",
        "({c} = 'a:b'::text)",
        "texteq({c}, 'a:b')",
        "={k} == 'a:b'",
    ),
    (
        "length({c})",
        "char_length({c})",
        "character_length({c})",
        "(length({c})::int)",
        "=func.length({k})",
    ),
    ("md5({c})", "MD5({c})", "md5({c}::text)", "pg_catalog.md5({c})", "=func.md5({k})"),
    (
        "replace({c}, '%', ':x')",
        "replace({c}, '%'::text, ':x')",
        "(replace({c}, '%', ':x'))",
        "=func.replace({k}, '%', ':x')",
    ),
    (
        "regexp_replace({c}, E'\\\\s', '')",
        "regexp_replace({c}, '\\s', '')",
        "regexp_replace({c}, '\\s'::text, ''::text)",
        "=func.regexp_replace({k}, '\\\\s', '')",
    ),
)

_TEXT_PREDICATES: tuple[Family, ...] = (
    *_NULLITY,
    (
        "{c} <> ''",
        "{c} != ''",
        "'' <> {c}",
        "NOT ({c} = '')",
        "NOT {c} = ''",
        "length({c}) > 0",
        "{c} <> ''::text",
        "{c} > ''",
        "={k} != ''",
    ),
    (
        "{c} = 'a%b'",
        "({c} = 'a%b')",
        "'a%b' = {c}",
        "{c} = 'a%b'::text",
        "{c} IN ('a%b')",
        "{c} LIKE 'a\\%b'",
        "={k} == 'a%b'",
        "={k}.in_(['a%b'])",
    ),
    ("{c} = 'a:b'", "{c} = 'a:b'::text", "({c}) = ('a:b')", "={k} == 'a:b'"),
    (
        "{c} IN ('a', 'b')",
        "{c} = 'a' OR {c} = 'b'",
        "{c} = ANY ('{a,b}')",
        "{c} = ANY (ARRAY['a', 'b'])",
        "{c} = ANY (ARRAY['a'::text, 'b'::text])",
        "{c} IN ('b', 'a')",
        "{c} = 'a'",
        "{c} in ('a','b','b')",
        "={k}.in_(['a', 'b'])",
        "=or_({k} == 'a', {k} == 'b')",
        "={k} == 'b'",
    ),
    (
        "{c} LIKE 'a%'",
        "{c} ~~ 'a%'",
        "starts_with({c}, 'a')",
        "{c} = 'ab'",
        "={k}.like('a%')",
        "={k}.startswith('a')",
    ),
    (
        "lower({c}) = 'a'",
        "fold({c}) = 'a'",
        "'a' = LOWER({c})",
        "pg_catalog.lower({c}) = 'a'",
        "=func.lower({k}) == 'a'",
    ),
    ("is_set({c})", "{c} IS NOT NULL", "public.is_set({c})", "=func.is_set({k})"),
    (
        "{c} COLLATE \"C\" > 'a'",
        "{c} > 'a'",
        "({c} COLLATE \"C\") > 'a'",
        '={k}.collate("C") > "a"',
    ),
)

_TEXT_TAILS = (
    ' COLLATE "C"',
    ' COLLATE "POSIX"',
    ' COLLATE "default"',
    " text_pattern_ops",
    " text_ops",
    ' COLLATE "C" text_pattern_ops',
    " pg_catalog.text_pattern_ops",
)


def _number(cast: str) -> tuple[Family, ...]:
    return (
        (
            "({c})",
            "(+{c})",
            f"({{c}}::{cast})",
            f"CAST({{c}} AS {cast})",
            "coalesce({c})",
            "nullif({c}, NULL)",
            "(CASE WHEN true THEN {c} ELSE 0 END)",
            "greatest({c}, {c})",
            "={k}",
            "=func.nullif({k}, None)",
        ),
        (
            "({c} + 1)",
            "({c}+1)",
            "(1 + {c})",
            "(({c}) + (1))",
            "({c} OPERATOR(pg_catalog.+) 1)",
            "({c} + (2 - 1))",
            "={k} + 1",
            "=1 + {k}",
        ),
        (
            "abs({c})",
            "ABS({c})",
            "pg_catalog.abs({c})",
            "(abs({c}))",
            "(@ {c})",
            "abs(abs({c}))",
            "=func.abs({k})",
        ),
        ("(- {c})", "(-{c})", "(-({c}))", "(0 - {c})", "=-{k}"),
        (
            "({c} % 10)",
            "mod({c}, 10)",
            "MOD({c}, 10)",
            "({c}%10)",
            "={k} % 10",
            "=func.mod({k}, 10)",
        ),
        (
            "({c} > 0)",
            "(0 < {c})",
            "({c} >= 1)",
            "(NOT {c} <= 0)",
            "(({c} > 0) = true)",
            "={k} > 0",
        ),
        (
            "coalesce({c}, 0)",
            "COALESCE({c}, 0)",
            "coalesce({c}, 1 - 1)",
            "(CASE WHEN {c} IS NULL THEN 0 ELSE {c} END)",
            "=func.coalesce({k}, 0)",
        ),
        (
            "({c}::bigint)",
            "CAST({c} AS bigint)",
            "int8({c})",
            "({c}::int8)",
            "=cast({k}, BigInteger)",
        ),
        ("({c}::text)", "CAST({c} AS text)", "({c} || '')", "=cast({k}, Text)"),
    )


_INTEGER_ONLY: tuple[Family, ...] = (
    ("same({c})", "public.same({c})", "({c})", "=func.same({k})"),
    ("plus({c}, 1)", "({c} + 1)", "({c} OPERATOR(tools.+++) 1)", "plus(y => 1, x => {c})"),
    ("({c} & 1)", "({c}&1)", "={k}.op('&')(1)", "={k}.bitwise_and(1)"),
)

_NUMBER_PREDICATES: tuple[Family, ...] = (
    *_NULLITY,
    (
        "{c} > 0",
        "0 < {c}",
        "({c} > 0)",
        "{c} >= 1",
        "{c} > 5",
        "NOT ({c} <= 0)",
        "{c} > 0 AND {c} > 0",
        "{c} > 0::bigint",
        "{c} OPERATOR(pg_catalog.>) 0",
        "={k} > 0",
        "={k} > 5",
        "=0 < {k}",
    ),
    (
        "{c} IN (1, 2)",
        "{c} = 1 OR {c} = 2",
        "{c} = ANY (ARRAY[1, 2])",
        "{c} = ANY ('{1,2}'::int[])",
        "{c} IN (2, 1)",
        "{c} = 1",
        "{c} IN (1)",
        "={k}.in_([1, 2])",
        "=or_({k} == 1, {k} == 2)",
    ),
    (
        "{c} BETWEEN 1 AND 9",
        "{c} >= 1 AND {c} <= 9",
        "{c} BETWEEN SYMMETRIC 9 AND 1",
        "{c} <= 9 AND {c} >= 1",
        "={k}.between(1, 9)",
        "=and_({k} >= 1, {k} <= 9)",
    ),
    ("{c} = 1", "1 = {c}", "{c} = 1::int", "{c} = '1'", "{c} = (1)", "={k} == 1"),
)


_BOOLEANS: Family = (
    "({c})",
    "({c} = true)",
    "(true = {c})",
    "({c} IS TRUE)",
    "({c} <> false)",
    "(NOT NOT {c})",
    "({c} AND true)",
    "({c} OR false)",
    "(NOT {c} = false)",
    "({c} IS NOT FALSE)",
    "(CASE WHEN {c} THEN true ELSE false END)",
    "(CASE {c} WHEN true THEN true ELSE false END)",
    "({c}::bool)",
    "nullif({c}, NULL)",
    "coalesce({c})",
    "={k}",
    "={k} == True",
    "={k} == true()",
    "={k}.is_(True)",
    "=~~{k}",
    "=and_({k}, true())",
)

_NOT: Family = (
    "(NOT {c})",
    "({c} = false)",
    "(false = {c})",
    "({c} IS FALSE)",
    "({c} <> true)",
    "({c} IS NOT TRUE)",
    "(NOT ({c} = true))",
    "boolne({c}, true)",
    "=~{k}",
    "={k} == False",
    "={k}.is_(False)",
    "=not_({k})",
)

_BARE_BOOLEANS = tuple(
    spelling if spelling.startswith("=") or not spelling.startswith("(") else spelling[1:-1]
    for spelling in _BOOLEANS
)
_BARE_NOT = tuple(s[1:-1] if s.startswith("(") else s for s in _NOT)

_PICKED: Family = (
    "({c} ->> 'k')",
    "({c}->>'k')",
    "({c} ->> 'k'::text)",
    "({c} #>> '{k}')",
    "({c} #>> ARRAY['k'])",
    "jsonb_extract_path_text({c}, 'k')",
    "jsonb_object_field_text({c}, 'k')",
    "pg_catalog.jsonb_object_field_text({c}, 'k')",
    "(({c} ->> 'k')::text)",
    "{c} ->> 'k'",
    "=({k}['k']).astext",
    "={k}['k'].as_string()",
    "={k}.op('->>')('k')",
)

_JSONS: tuple[Family, ...] = (
    _PICKED,
    (
        "({c} -> 'k')",
        "({c}['k'])",
        "({c} -> 'k'::text)",
        "jsonb_object_field({c}, 'k')",
        "={k}['k']",
    ),
    (
        "(({c} ->> 'n')::int)",
        "CAST({c} ->> 'n' AS int)",
        "CAST(({c} ->> 'n') AS integer)",
        "int4(({c} ->> 'n'))",
        "(({c} -> 'n')::int)",
        "=cast({k}['n'].astext, Integer)",
        "={k}['n'].as_integer()",
    ),
    (
        "lower({c} ->> 'k')",
        "lower(({c} ->> 'k'))",
        "fold({c} ->> 'k')",
        "=func.lower({k}['k'].astext)",
    ),
    ("({c} @> '{\"k\": 1}')", "({c} @> '{\"k\":1}'::jsonb)", "('{\"k\": 1}' <@ {c})"),
    ("({c} #> '{a,b}')", "({c} -> 'a' -> 'b')", "({c}['a']['b'])", "={k}[('a', 'b')]"),
)

_JSON_PREDICATES: tuple[Family, ...] = (
    *_NULLITY,
    ("{c} ? 'k'", "jsonb_exists({c}, 'k')", "({c} ? 'k'::text)", "={k}.has_key('k')"),
    (
        "({c} ->> 'k') = 'v'",
        "{c} ->> 'k' = 'v'",
        "'v' = ({c} ->> 'k')",
        "({c} ->> 'k') IN ('v')",
        "={k}['k'].astext == 'v'",
    ),
    ("{c} @> '{\"a\": 1}'", "{c} @> '{\"a\":1}'::jsonb", "'{\"a\": 1}' <@ {c}"),
)


def _text(sql: str, value: str = "'a@b'", **more: str) -> Kind:
    return Kind(sql, value, _TEXTS, _TEXT_PREDICATES, _TEXT_TAILS, **more)


def _integer(sql: str, value: str = "1", **more: str) -> Kind:
    return Kind(
        sql, value, (*_number("int"), *_INTEGER_ONLY), _NUMBER_PREDICATES, (" int4_ops",), **more
    )


def _instants(cast: str) -> tuple[Family, ...]:
    return (
        (
            "date_trunc('day', {c})",
            "DATE_TRUNC('day', {c})",
            "date_trunc('day'::text, {c})",
            "=func.date_trunc('day', {k})",
        ),
        (
            "({c}::date)",
            "CAST({c} AS date)",
            "date({c})",
            "pg_catalog.date({c})",
            "=cast({k}, Date)",
        ),
        (
            "EXTRACT(year FROM {c})",
            "extract('year' from {c})",
            "date_part('year', {c})",
            "=extract('year', {k})",
        ),
        (
            "({c} AT TIME ZONE 'UTC')",
            "timezone('UTC', {c})",
            "({c} at time zone 'UTC'::text)",
            "=func.timezone('UTC', {k})",
            "=({k}).op('AT TIME ZONE')('UTC')",
        ),
        (
            "(({c} AT TIME ZONE 'UTC')::date)",
            "CAST(timezone('UTC', {c}) AS date)",
            "=cast(func.timezone('UTC', {k}), Date)",
        ),
        ("({c} + '1 day'::interval)", "({c} + interval '1 day')", f"({{c}}::{cast})"),
    )


_RANGES: tuple[Family, ...] = (
    ("lower({c})", "LOWER({c})", "pg_catalog.lower({c})", "(lower({c}))", "=func.lower({k})"),
    ("upper({c})", "(upper({c}) + 0)", "=func.upper({k})"),
    ("isempty({c})", "(isempty({c}) = true)", "(NOT NOT isempty({c}))", "=func.isempty({k})"),
    ("({c} * {c})", "range_intersect({c}, {c})", "={k} * {k}"),
)

KINDS: dict[str, Kind] = {
    "int": _integer("int", model="Integer()"),
    "smallint": _integer("smallint", model="SmallInteger()"),
    "bigint": Kind(
        "bigint", "1", _number("bigint"), _NUMBER_PREDICATES, (" int8_ops",), "BigInteger()"
    ),
    "numeric": Kind(
        "numeric(9,2)", "1.5", _number("numeric"), _NUMBER_PREDICATES, model="Numeric(9, 2)"
    ),
    "float": Kind(
        "double precision", "1.5", _number("float8"), _NUMBER_PREDICATES, model="Double()"
    ),
    "posint": _integer("posint"),
    "subint": _integer("subint"),
    "text": _text("text", model="Text()"),
    "varchar": Kind(
        "varchar(40)",
        "'a@b'",
        _TEXTS,
        _TEXT_PREDICATES,
        (*_TEXT_TAILS, " varchar_pattern_ops", " varchar_ops"),
        "String(40)",
    ),
    "bpchar": Kind(
        "char(5)", "'a@b'", _TEXTS, _TEXT_PREDICATES, (" bpchar_pattern_ops",), "CHAR(5)"
    ),
    "name": Kind("name", "'a@b'", _TEXTS, _TEXT_PREDICATES),
    "text C": _text('text COLLATE "C"', model='Text(collation="C")'),
    "text POSIX": _text('text COLLATE "POSIX"'),
    "text folded": _text("text COLLATE folded"),
    "text icu": _text("text COLLATE icu"),
    "text Own": _text('text COLLATE "Own"'),
    "text built": _text("text COLLATE built"),
    "email": _text("email"),
    "code": _text("code"),
    "citext": Kind("citext", "'a@b'", (_FOLDED, _ITSELF_TEXT), _NULLITY),
    "bool": Kind(
        "boolean",
        "true",
        (_BOOLEANS, _BOOLEANS, _NOT),
        (_BARE_BOOLEANS, _BARE_NOT, *_NULLITY),
        model="Boolean()",
    ),
    "mood": Kind(
        "mood",
        "'ok'",
        (
            ("({c}::text)", "CAST({c} AS text)"),
            ("({c} = 'ok')", "({c} = 'ok'::mood)", "('ok' = {c})"),
        ),
        (
            *_NULLITY,
            ("{c} = 'ok'", "{c} = 'ok'::mood", "{c} IN ('ok')", "'ok' = {c}", "={k} == 'ok'"),
            (
                "{c} IN ('ok', 'sad')",
                "{c} = 'ok' OR {c} = 'sad'",
                "{c} = ANY (ARRAY['ok'::mood, 'sad'::mood])",
                "{c} <> 'happy'",
                "={k}.in_(['ok', 'sad'])",
            ),
        ),
    ),
    "moods": Kind(
        "moods", "'ok'", (), (*_NULLITY, ("{c} = 'ok'", "{c} = 'ok'::mood", "{c}::mood = 'ok'"))
    ),
    "int4range": Kind(
        "int4range", "'[1,5)'", _RANGES, (*_NULLITY, ("NOT isempty({c})", "isempty({c}) = false"))
    ),
    "floatrange": Kind("floatrange", "'[1,5)'", _RANGES, _NULLITY),
    "tstzrange": Kind("tstzrange", "'[2026-01-01,2026-02-01)'", _RANGES[:1], _NULLITY),
    "int4multirange": Kind("int4multirange", "'{[1,5)}'", _RANGES[:3], _NULLITY),
    "int[]": Kind(
        "int[]",
        "'{1,2}'",
        (
            ("({c}[1])", "(({c})[1])", "({c}[1 + 0])", "{c}[1]", "={k}[1]"),
            ("array_length({c}, 1)", "cardinality({c})", "=func.array_length({k}, 1)"),
            ("({c} || 1)", "array_append({c}, 1)", "({c} || ARRAY[1])"),
        ),
        (*_NULLITY, ("1 = ANY ({c})", "{c} @> ARRAY[1]", "{c} @> '{1}'", "={k}.any(1)")),
        model="ARRAY(Integer)",
    ),
    "text[]": Kind(
        "text[]",
        "'{a,b}'",
        (("({c}[1])", "({c}[1]::text)", "={k}[1]"), ("array_to_string({c}, ',')",)),
        _NULLITY,
        (),
        "ARRAY(Text)",
    ),
    "ints": Kind("ints", "'{1,2}'", (("({c}[1])", "(({c}::int[])[1])"),), _NULLITY),
    "pair": Kind(
        "pair",
        "ROW(1, 'y')",
        (
            ("(({c}).x)", "(({c}).x + 0)", "((({c}).x))"),
            ("lower(({c}).y)", "fold(({c}).y)"),
            ("({c})", "(({c})::pair)", "ROW(({c}).x, ({c}).y)"),
        ),
        (*_NULLITY, ("({c}).x > 0", "0 < ({c}).x")),
        (" record_image_ops", " record_ops"),
    ),
    "pair[]": Kind("pair[]", "ARRAY[ROW(1, 'y')::pair]", (("(({c}[1]).x)",),), _NULLITY),
    "jsonb": Kind(
        "jsonb", '\'{"k": "v", "n": 1}\'', _JSONS, _JSON_PREDICATES, (" jsonb_ops",), "JSONB()"
    ),
    "json": Kind(
        "json",
        '\'{"k": "v", "n": 1}\'',
        (
            (
                "({c} ->> 'k')",
                "({c} #>> '{k}')",
                "json_extract_path_text({c}, 'k')",
                "=({k}['k']).astext",
            ),
            (("(({c} ->> 'n')::int)"), "=cast({k}['n'].astext, Integer)"),
        ),
        _NULLITY,
        model="JSON()",
    ),
    "uuid": Kind(
        "uuid",
        "'00000000-0000-0000-0000-000000000001'",
        (
            ("({c}::text)", "CAST({c} AS text)", "=cast({k}, Text)"),
            ("({c})", "({c}::uuid)", "={k}"),
        ),
        _NULLITY,
        model="Uuid()",
    ),
    "date": Kind(
        "date",
        "'2026-01-31'",
        (("({c} + 1)", "(1 + {c})", "={k} + 1"), *_instants("date")[2:3], ("({c})", "({c}::date)")),
        (*_NULLITY, ("{c} > '2020-01-01'", "{c} > DATE '2020-01-01'", "{c} > '2020-01-01'::date")),
        model="Date()",
    ),
    "timestamp": Kind(
        "timestamp", "'2026-01-31'", _instants("timestamp"), _NULLITY, model="DateTime()"
    ),
    "timestamptz": Kind(
        "timestamptz",
        "'2026-01-31 00:00Z'",
        _instants("timestamptz"),
        (*_NULLITY, ("{c} > '2020-01-01Z'", "{c} > TIMESTAMPTZ '2020-01-01Z'", "{c} > now()")),
        model="DateTime(timezone=True)",
    ),
    "interval": Kind(
        "interval", "'1 day'", (("({c} * 2)", "(2 * {c})"),), _NULLITY, model="Interval()"
    ),
    "time": Kind("time", "'12:00'", (("({c}::interval)",),), _NULLITY, model="Time()"),
    "bytea": Kind(
        "bytea",
        "'\\x01'",
        (
            ("encode({c}, 'hex')", "encode({c}, 'hex'::text)", "=func.encode({k}, 'hex')"),
            ("md5({c})",),
        ),
        _NULLITY,
        (" bytea_ops",),
        "LargeBinary()",
    ),
    "inet": Kind(
        "inet",
        "'10.0.0.1'",
        (
            ("host({c})", "HOST({c})", "=func.host({k})"),
            ("({c}::cidr)", "cidr({c})"),
            ("abbrev({c})",),
        ),
        _NULLITY,
        (" inet_ops",),
    ),
    "cidr": Kind("cidr", "'10.0.0.0/8'", (("host({c})", "host({c}::inet)"),), _NULLITY),
    "bit": Kind("bit(3)", "B'101'", (("({c} & B'100')", "(B'100' & {c})"),), _NULLITY),
    "money": Kind("money", "1", (("({c}::numeric)",),), _NULLITY),
    "oid": Kind("oid", "1", (("({c}::int)", "({c}::int4)", "({c}::bigint)"),), _NULLITY),
    "regclass": Kind("regclass", "'pg_class'", (("({c}::oid)",),), _NULLITY),
    "tsvector": Kind("tsvector", "'a b'", (("length({c})",),), _NULLITY),
    "point": Kind("point", "'(1,2)'", (("({c}[0])", "(({c})[0])"),), ()),
    "identity": Kind(
        "int",
        "",
        _number("int"),
        _NUMBER_PREDICATES,
        (),
        "Integer()",
        " GENERATED ALWAYS AS IDENTITY",
    ),
    "serial": Kind(
        "bigint", "", _number("bigint"), (), (), "BigInteger()", " GENERATED BY DEFAULT AS IDENTITY"
    ),
    "stored": Kind(
        "text",
        "",
        _TEXTS,
        _TEXT_PREDICATES,
        _TEXT_TAILS,
        "Text()",
        " GENERATED ALWAYS AS (lower('X')) STORED",
    ),
    "virtual": Kind(
        "text",
        "",
        _TEXTS[:4],
        _TEXT_PREDICATES,
        (),
        "Text()",
        " GENERATED ALWAYS AS (lower('X')) VIRTUAL",
    ),
}
"""By name; those whose type the server lacks are left out of its cases."""
