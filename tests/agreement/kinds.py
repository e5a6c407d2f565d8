"""What columns can be of: each kind with values that are equal in other words, and expressions over it."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "COMPOSITES",
    "COMPRESSIBLE",
    "CONSTANTS",
    "EXTRAS",
    "Kind",
    "Words",
    "offered_kinds",
    "setup",
    "words",
]


@dataclass(frozen=True)
class Words:
    """One expression or operator class, and what there is to know of it."""

    sql: str
    """``{c}`` stands for the column, ``{d}`` for another one of its family."""

    equals: str = "="
    """The operator that an index of this operator class calls equal."""


def words(*sqls: str) -> tuple[Words, ...]:
    """Return each as words of which there is nothing more to know."""
    return tuple(map(Words, sqls))


@dataclass(frozen=True)
class Kind:
    """One kind of column."""

    type: str
    """As it is declared, with its collation."""

    classes: tuple[str, ...]
    """Values as SQL; those that stand in one string, parted by `` == ``, are equal to a btree index."""

    expressions: tuple[Words, ...] = ()
    family: str = ""
    """Kinds of one family meet in one expression."""

    collations: tuple[str, ...] = ()
    opclasses: tuple[Words, ...] = ()
    storage: str | None = None
    needs: str | int | None = None
    """An extra of the server, or its major version; None: every server has the type."""

    weight: int = 1

    spelled: tuple[tuple[str, ...], ...] = field(init=False)
    """`classes` taken apart."""

    def __post_init__(self) -> None:
        taken = tuple(tuple(equal.split(" == ")) for equal in self.classes)
        object.__setattr__(self, "spelled", taken)


EXTRAS = {
    "citext": "CREATE EXTENSION citext",
    "icu": "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    "xml": "SELECT '<a/>'::xml",
}
"""What a server may lack, and the statement that tells."""

_FOLDED = {"lt": "<", "le": "<=", "eq": "=", "ge": ">=", "gt": ">"}
"""The functions of an operator class that folds case, and the operators that they stand for."""

SETUP: tuple[tuple[str | int | None, str], ...] = (
    (None, "CREATE TYPE mood AS ENUM ('ok', 'sad', 'So: 100%')"),
    (None, "CREATE DOMAIN positive AS int CHECK (value > 0)"),
    (None, "CREATE DOMAIN email AS text"),
    (None, "CREATE DOMAIN amounts AS numeric[]"),
    (None, "CREATE DOMAIN document AS json"),
    (None, "CREATE TYPE pair AS (x int, y text)"),
    (None, "CREATE TYPE price AS (amount numeric, currency text)"),
    (None, "CREATE TYPE paper AS (x int, y json)"),
    (None, "CREATE TYPE textrange AS RANGE (subtype = text)"),
    (None, "CREATE TYPE cashrange AS RANGE (subtype = money)"),
    ("icu", "CREATE TYPE ci_pair AS (x text COLLATE ci)"),
    ("icu", "CREATE TYPE ci_range AS RANGE (subtype = text, collation = ci)"),
    ("icu", "CREATE DOMAIN ci_email AS text COLLATE ci"),
    (
        None,
        "CREATE FUNCTION not_zero(n int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN n <> 0; END'",
    ),
    (
        None,
        "CREATE FUNCTION folded(t text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower(trim(t))'",
    ),
    (
        None,  # from 17 on, an index is built on pg_catalog alone
        "CREATE FUNCTION by_path(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN folded(t); END'",
    ),
    *(
        (
            None,
            (
                f"CREATE FUNCTION folded_{name}(text, text) RETURNS bool IMMUTABLE LANGUAGE sql "
                f"AS 'SELECT lower($1) COLLATE \"C\" {operator} lower($2)'"
            ),
        )
        for name, operator in _FOLDED.items()
    ),
    *(
        (
            None,
            f"CREATE OPERATOR {operator}~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = folded_{name})",
        )
        for name, operator in _FOLDED.items()
    ),
    (
        None,
        (
            "CREATE FUNCTION folded_cmp(text, text) RETURNS int IMMUTABLE LANGUAGE sql "
            'AS \'SELECT (lower($1) COLLATE "C" > lower($2))::int - (lower($1) COLLATE "C" < lower($2))::int\''
        ),
    ),
    (
        None,
        (
            "CREATE OPERATOR CLASS folded_ops FOR TYPE text USING btree AS OPERATOR 1 <~~, OPERATOR 2 <=~~, "
            "OPERATOR 3 =~~, OPERATOR 4 >=~~, OPERATOR 5 >~~, FUNCTION 1 folded_cmp(text, text)"
        ),
    ),
)
"""Types, functions and an operator class that cases use, each with what it needs."""

_NOISE = "(SELECT string_agg(md5(n::text), '') FROM generate_series({}, {}) n)"
"""32 bytes a number, which no compression makes less."""

_WIDE = tuple(
    f"left({_NOISE.format(first, first + 160)}, {length})"
    for first, length in ((1, 2680), (1, 2690), (1, 2700), (1, 2720), (500, 1400), (1, 5000))
)

_TEXT_EXPRESSIONS = words(
    "lower({c})",
    "upper({c})",
    "coalesce({c}, '')",
    "({c} || 'x')",
    "length({c})",
    "md5({c})",
    "left({c}, 1)",
    "folded({c})",
    "by_path({c})",
    "({c} = 'a')",
    "({c} <> 'a:b 100%')",
    "({c}::int)",  # fails on most rows
    "(CASE WHEN {c} ~ '^[0-9]+$' THEN {c}::int END)",
    "lower({c}) text_pattern_ops",
    "({c} || {d})",
    "coalesce({c}, {d})",
    "concat({c}, {d})",  # not immutable
)
_PATTERNS = (*words("text_ops", "text_pattern_ops"), Words("folded_ops", "=~~"))
_NUMBERS = words(
    "abs({c})",
    "(-{c})",
    "(1 / {c})",  # fails on 0
    "({c} + {d})",
    "coalesce({c}, {d})",
    "coalesce({c}, 0)",
    "nullif({c}, 0)",
    "({c} > 1)",
    "({c} * random())",  # not immutable
    "greatest({c}, {d})",
)
_TEXTS = (
    "'a'",
    "'A'",
    "'b'",
    "''",
    "'a '",
    "' a'",
    "'ß'",
    "'é'",
    "U&'e\\0301'",
    "'7'",
    "'it''s :x 100%'",
)

COMPRESSIBLE = Kind(
    "text",
    ("repeat('x', 100000)", "repeat('y', 400000)", "repeat('ab', 1500)", "'a'"),
    _TEXT_EXPRESSIONS,
    "text",
)
"""Much too wide for an index as it is; compressed, some of it is not."""

STORED = Kind("text", ("repeat('x', 100000)", "repeat('z', 90000)", "'a'", "'b'"))
"""Nothing is too wide, as long as it is compressed."""

KINDS: tuple[Kind, ...] = (
    # -- numbers
    Kind(
        "int",
        ("0 == -0", "1", "2", "-1", "2147483647"),
        (*_NUMBERS, *words("({c} * 2)", "({c} % 2)", "({c} << 1)", "({c}::text)", "{c} int4_ops")),
        "number",
        weight=4,
    ),
    Kind("bigint", ("0", "1", "2", "-1", "9223372036854775807"), _NUMBERS, "number", weight=2),
    Kind("smallint", ("0", "1", "2"), _NUMBERS, "number"),
    Kind(
        "numeric",
        (
            "0 == 0.000 == '-0.0'",
            "1 == 1.0 == 1.00 == 1e0",
            "'NaN'",
            "100 == 1e2",
            "0.1",
            "repeat('1234', 3000)::numeric",
        ),
        (*_NUMBERS, *words("round({c})", "trunc({c}, 1)")),
        "number",
        weight=2,
    ),
    Kind("numeric(6, 2)", ("0", "1 == 1.0 == 0.999", "2.5"), _NUMBERS, "number"),
    Kind("numeric", ("'Infinity'", "'-Infinity'", "'NaN'", "1"), _NUMBERS, "number", needs=14),
    Kind(
        "float8",
        (
            "0 == '-0'",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "1",
            "0.3",
            "0.1::float8 + 0.2::float8",
        ),
        _NUMBERS,
        "number",
        weight=2,
    ),
    Kind("float4", ("0 == '-0'", "'NaN'", "1", "0.1"), _NUMBERS, "number"),
    Kind("money", ("'1.00' == '1'", "'2.00'"), words("({c} + {c})", "({c}::numeric)")),
    # -- text and its like
    Kind("text", _TEXTS, _TEXT_EXPRESSIONS, "text", ('"C"', '"POSIX"', "ci"), _PATTERNS, weight=4),
    Kind('text COLLATE "C"', _TEXTS, _TEXT_EXPRESSIONS, "text", ('"default"', "ci"), _PATTERNS),
    Kind("varchar", _TEXTS, _TEXT_EXPRESSIONS, "text", ('"C"', "ci"), _PATTERNS, weight=2),
    Kind(
        "varchar(8)", _TEXTS[:8], _TEXT_EXPRESSIONS, "text", opclasses=words("varchar_pattern_ops")
    ),
    Kind("varchar(900)", (*_TEXTS[:4], "repeat('ß', 900)"), _TEXT_EXPRESSIONS, "text"),
    Kind(
        "char(4)",
        ("'a' == 'a ' == 'a   '", "'A'", "'' == '  '", "' a'"),
        words("lower({c})", "length({c})", "({c}::text)", "({c} || 'x')", "{c} bpchar_pattern_ops"),
        collations=('"C"', "ci"),
        weight=2,
    ),
    Kind("char(3000)", ("'a' == 'a '", "'b'"), words("lower({c})")),
    Kind("bpchar", ("'a' == 'a   '", "'b'")),
    Kind("name", ("'a'", "'b'"), words("({c}::text)")),
    Kind('"char"', ("'a'", "'b'", "''")),
    Kind("email", _TEXTS, _TEXT_EXPRESSIONS, "text", ('"C"', "ci"), _PATTERNS),
    Kind("text", (*_WIDE, "'a'"), _TEXT_EXPRESSIONS, "text", ('"C"',), _PATTERNS, weight=2),
    COMPRESSIBLE,
    COMPRESSIBLE,
    *(
        Kind(
            "text",
            ("repeat('x', 100000)", "repeat('y', 2600)", _WIDE[0], _WIDE[3], "'a'"),
            _TEXT_EXPRESSIONS,
            "text",
            storage=storage,
        )
        for storage in ("EXTERNAL", "EXTERNAL", "MAIN")
    ),
    Kind("text", ("repeat('y', 2600)", "repeat('y', 2800)", "'a'"), storage="PLAIN"),
    Kind(
        "citext",
        ("'a' == 'A'", "'b'", "'É' == 'é'"),
        words("lower({c})", "({c}::text)", "{c} citext_pattern_ops", "({c} || 'X')"),
        collations=('"C"',),
        needs="citext",
        weight=3,
    ),
    Kind(
        "text COLLATE ci",
        ("'a' == 'A'", "'b'", "'é' == 'É'", "'strasse' == 'STRASSE'"),
        words(
            "lower({c})",
            "({c} || 'x')",
            "({c} || {d})",
            "coalesce({c}, 'A')",
            "length({c})",
            "({c} = 'A')",
        ),
        "text",
        ('"C"', "ci", '"default"'),
        words("text_pattern_ops", "text_ops"),
        needs="icu",
        weight=3,
    ),
    Kind("varchar(20) COLLATE ci", ("'a' == 'A'", "'b'"), family="text", needs="icu"),
    Kind("char(4) COLLATE ci", ("'a' == 'A' == 'A  '", "'b'"), needs="icu"),
    Kind("ci_email", ("'a' == 'A'", "'b'"), needs="icu"),
    Kind("text[] COLLATE ci", ("'{a,NULL}' == '{A,NULL}'", "'{b}'"), needs="icu"),
    Kind("ci_pair", ("ROW('a') == ROW('A')", "ROW('b')", "ROW(NULL)"), needs="icu"),
    Kind("ci_range", ("'[a,c)' == '[A,C)'", "'empty'"), needs="icu"),
    # -- time
    Kind(
        "timestamptz",
        ("'2026-01-01 00:00+00' == '2026-01-01 02:00+02'", "'2026-01-01 00:30+00'", "'infinity'"),
        words(
            "date_trunc('day', {c})",  # not immutable, nor is the cast to text
            "({c}::text)",
            "date_trunc('day', {c}, 'UTC')",
            "(({c} AT TIME ZONE 'UTC')::date)",
            "date_trunc('day', {c} AT TIME ZONE 'UTC')",
        ),
        weight=2,
    ),
    Kind(
        "timestamp",
        ("'2026-01-01 00:00'", "'2026-01-01 00:30'", "'infinity'"),
        words("date_trunc('day', {c})", "({c}::date)", "extract(year FROM {c})"),
        weight=2,
    ),
    Kind(
        "date",
        ("'2026-01-01'", "'2026-01-02'", "'infinity'"),
        words("date_trunc('month', {c}::timestamp)"),
    ),
    Kind("date", ("'0044-03-15 BC'", "'20000-01-01'", "'2026-01-01'")),
    Kind("time", ("'10:00'", "'24:00'")),
    Kind("timetz", ("'10:00+00'", "'11:00+01'")),
    Kind(
        "interval",
        ("'1 day' == '24 hours'", "'1 mon' == '30 days' == '720 hours'", "'0'"),
        words("({c} * 2)", "justify_hours({c})"),
        weight=2,
    ),
    Kind("interval", ("'infinity'", "'1 day'"), needs=17),
    # -- documents, arrays, ranges, composites
    Kind(
        "jsonb",
        (
            """'{"a": 1, "b": [2]}' == '{"b": [2], "a": 1.0}'""",
            "'{}'",
            "'null'",
            "'1' == '1.00'",
            """'{"a": "x"}'""",
        ),
        words(
            "({c} ->> 'a')", "({c} -> 'a')", "(({c} ->> 'a')::int)", "({c} ? 'a')", "({c} @> '{}')"
        ),
        weight=2,
    ),
    Kind("jsonb", ("to_jsonb(repeat('x', 100000))", f"to_jsonb({_WIDE[3]})", "'{}'")),
    Kind(
        "int[]",
        ("'{1,2}'", "'[0:1]={1,2}'", "'{NULL,1}'", "'{}'", "'{{1},{2}}'"),
        words("({c}[1])", "array_length({c}, 1)", "cardinality({c})"),
    ),
    Kind(
        "int[]",
        (
            "array_fill(1, ARRAY[9000])",
            "'{1}'",
            "ARRAY(SELECT n * 7919 FROM generate_series(1, 900) n)",
        ),
    ),
    Kind(
        "text[]",
        ("'{a}'", "'{A}'", "'{NULL}'", "'{a:b,100%}'"),
        words("({c}[1])", "array_to_string({c}, ',')"),
        collations=('"C"', "ci"),
    ),
    Kind("float8[]", ("'{0}' == '{-0}'", "'{NaN}'", "'{1}'")),
    Kind("amounts", ("'{1.0}' == '{1.00}'", "'{2}'")),
    Kind("money[]", ("'{1.00}'", "'{2.00}'", "'{}'"), weight=2),
    Kind("bit varying[]", ("'{101}'", "'{0101}'")),
    Kind("mood[]", ("'{ok}'", "'{sad,ok}'")),
    Kind(
        "int4range",
        ("'[1,2]' == '[1,3)'", "'empty'", "'(,3)'"),
        words("lower({c})", "upper({c})", "isempty({c})"),
    ),
    Kind("numrange", ("'[1.0,2]' == '[1.00,2.0]'", "'[1,2)'")),
    Kind("tstzrange", ("'[2026-01-01 00:00+00,)' == '[2026-01-01 02:00+02,)'", "'empty'")),
    Kind("textrange", ("'[a,b)'", "'[A,b)'", f"textrange('', {_WIDE[3]})")),
    Kind("cashrange", ("'[1,2)'", "'[1,3)'")),
    Kind("int4multirange", ("'{[1,2]}' == '{[1,3)}'", "'{}'"), needs=14),
    Kind(
        "pair",
        ("ROW(1, 'a')", "ROW(1, 'A')", "ROW(NULL, NULL)", "ROW(1, NULL)"),
        words("(({c}).x)", "{c} record_ops"),
        weight=2,
    ),
    Kind(
        "price",
        ("ROW(1.0, 'x') == ROW(1.00, 'x')", "ROW(NULL, 'x')"),
        words("(({c}).amount)"),
        opclasses=(Words("record_image_ops", "*="),),
        weight=2,
    ),
    Kind("pair[]", ("ARRAY[ROW(1, 'a')::pair]", "ARRAY[ROW(NULL, NULL)::pair]")),
    # -- the rest that a btree takes
    Kind(
        "uuid",
        (
            "'00000000-0000-0000-0000-00000000000A' == '0000000000000000000000000000000a'",
            "'00000000-0000-0000-0000-00000000000b'",
        ),
    ),
    Kind("mood", ("'ok'", "'sad'", "'So: 100%'"), words("({c}::text)", "({c} = 'ok')"), weight=2),
    Kind("positive", ("1", "2", "3"), _NUMBERS, "number"),
    Kind(
        "bytea",
        (
            r"'\x00'",
            r"'\x01'",
            "''",
            f"decode({_WIDE[5]}, 'hex')",
            r"decode(repeat('00', 90000), 'hex')",
        ),
        words("length({c})", "encode({c}, 'hex')"),
    ),
    Kind("bool", ("true", "false"), words("(NOT {c})", "coalesce({c}, false)")),
    Kind("bit varying", ("B'101'", "B'0101'", "B''", "repeat('01', 20000)::bit varying"), weight=2),
    Kind("bit(3)", ("B'101'", "B'111'")),
    Kind("inet", ("'10.0.0.1' == '10.0.0.1/32'", "'10.0.0.1/8'", "'::1'")),
    Kind("cidr", ("'10.0.0.0/8'", "'10.0.0.0/16'")),
    Kind("macaddr", ("'08:00:2b:01:02:03' == '08002b010203'", "'08:00:2b:01:02:04'")),
    Kind("oid", ("1", "2")),
    Kind("regclass", ("'pg_class'", "'pg_type'")),
    Kind("tsvector", ("'a:1 b:2'", "'a b'", "'b a' == 'a b'"), weight=1),
    Kind("tid", ("'(0,1)'", "'(0,2)'")),
    Kind("pg_lsn", ("'0/1'", "'0/2'")),
    Kind("xid8", ("'1'", "'2'")),
    Kind("oidvector", ("'1 2'", "'1 3'")),
    # -- what it does not take
    Kind("json", ("'{}'", """'{"a": 1}'"""), words("({c} ->> 'a')", "({c}::text)"), weight=2),
    Kind("document", ("'{}'", """'{"a": 1}'"""), words("({c} ->> 'a')")),
    Kind("json[]", ("ARRAY['{}']::json[]", "ARRAY['1']::json[]"), weight=2),
    Kind("paper", ("ROW(1, '{}')", "ROW(2, '{}')", "ROW(1, NULL)")),
    Kind("xml", ("'<a/>'", "'<b/>'"), words("({c}::text)"), needs="xml", weight=2),
    Kind("point", ("'(0,0)'", "'(1,0)'"), words("({c}[0])", "({c} <-> point '(0,0)')")),
    Kind("point[]", ("ARRAY[point '(0,0)']", "ARRAY[point '(1,0)']")),
    Kind("xid", ("'1'", "'2'"), words("({c}::text)")),
    Kind("box", ("'(0,0),(1,1)'", "'(0,0),(2,2)'"), words("area({c})")),
)

COMPOSITES = frozenset({"pair", "price", "paper", "ci_pair"})

CONSTANTS = ("(true)", "(1)", "(2)", "('x'::text)")
"""The whole table holds one row: an index on nothing of it."""


def setup(extras: frozenset[str]) -> list[str]:
    """Return the statements that make what cases use, on a server that has these extras."""
    return [sql for needs, sql in SETUP if needs is None or needs in extras]


def offered_kinds(version: int, extras: frozenset[str]) -> list[Kind]:
    """Return the kinds that a server of that major version has, as often as they weigh."""
    kinds = [
        kind
        for kind in KINDS
        if kind.needs is None
        or (kind.needs <= version if isinstance(kind.needs, int) else kind.needs in extras)
    ]
    return [kind for kind in kinds for _ in range(kind.weight)]
