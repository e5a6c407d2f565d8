"""Schemas and conflict targets for hypothesis to choose from; everything here is SQL text that the database accepts.

The targets are bent from the indexes of their schema, so that most of them come near one: same elements in another
order or spelling, one too many, one too few, another predicate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from alembic_upsert_guard.inference import Candidate, ConflictTarget, Element

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["Case", "Schema", "Target", "postgresql_cases", "sqlite_cases"]

TARGETS_OF_A_SCHEMA = 16
"""A schema costs a transaction, a target three statements: many targets a schema make many cases a second."""


@dataclass(frozen=True)
class Term:
    """One element of an index or of a conflict target."""

    sql: str
    """A bare column, or an expression without the parentheses around it."""

    is_column: bool = True
    collation: str | None = None
    opclass: str | None = None

    def __str__(self) -> str:
        return " ".join(
            (
                self.sql if self.is_column else f"({self.sql})",
                *([] if self.collation is None else [f'COLLATE "{self.collation}"']),
                *([] if self.opclass is None else [self.opclass]),
            )
        )

    @property
    def is_named(self) -> bool:
        """Whether it names a collation or an operator class."""
        return self.collation is not None or self.opclass is not None

    def as_declared(self) -> Element:
        """The element as a declaration hands it on: whatever is not a bare column is SQL of its own."""
        if self.is_column and not self.is_named:
            return Element(column=self.sql.strip('"'))
        return Element(expression=str(self))


class Shape(NamedTuple):
    """What a target can be bent from."""

    terms: tuple[Term, ...]
    predicate: str | None


@dataclass(frozen=True)
class Target:
    """``ON CONFLICT (terms) WHERE predicate``, as a person writes it."""

    terms: tuple[Term, ...]
    predicate: str | None

    @property
    def is_named(self) -> bool:
        """Whether an element names a collation or an operator class."""
        return any(term.is_named for term in self.terms)

    def __str__(self) -> str:
        where = "" if self.predicate is None else f" WHERE {self.predicate}"
        return f"ON CONFLICT ({', '.join(map(str, self.terms))}){where}"

    def as_declared(self) -> ConflictTarget:
        """The target as a declaration hands it on."""
        return ConflictTarget(tuple(t.as_declared() for t in self.terms), self.predicate)

    def as_arbiter(self) -> Candidate:
        """The arbiter that a model has for it, which the catalog is asked to spell."""
        declared = self.as_declared()
        return Candidate(
            None,
            declared.elements,
            partial=declared.predicate is not None,
            predicate=declared.predicate,
        )


@dataclass(frozen=True)
class Schema:
    """Statements that make a relation, and the row that the upsert brings."""

    statements: tuple[str, ...]
    relation: str
    """What is inserted into: the table, a partition, an inheritance child."""

    row: str
    shapes: tuple[Shape, ...]

    def upsert(self, target: Target) -> str:
        """The real thing."""
        return f"INSERT INTO {self.relation} {self.row} {target} DO NOTHING"


class Case(NamedTuple):
    """A schema, and the targets that it is asked for."""

    schema: Schema
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Vocabulary:
    """What indexes and targets are made of, and how else a target may spell it."""

    columns: tuple[str, ...]
    expressions: Mapping[str, Sequence[str]]
    """An index's expression, and what a target may have in its place: mostly the same, sometimes nearly."""

    predicates: Mapping[str, Sequence[str]]
    collations: tuple[str, ...]
    collatable: frozenset[str]
    opclasses: tuple[str, ...] = ()


QUOTED = '"D: 5%s"'
"""The column with a collation of its own, and a name that is one only in quotes: case, colon, per cent sign."""

POSTGRESQL_FUNCTIONS = (
    "CREATE FUNCTION same(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
    "CREATE FUNCTION yes() RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'",
)
"""Functions that the planner puts in place of their calls."""

POSTGRESQL = Vocabulary(
    columns=("a", "b", "c", "flag", QUOTED),
    expressions={
        "lower(c)": ("LOWER( c )", "lower((c)::text)", "upper(c)", f"lower({QUOTED})"),
        "a + b": ("a+b", "((a) + b)", "b + a", "a - b"),
        "coalesce(b, 0)": ("COALESCE(b,0)", "coalesce(b, '0')", "coalesce(b, 1)", "coalesce(a, 0)"),
        'lower(c COLLATE "C")': ('LOWER(c COLLATE "C")', "lower(c)"),
        "a": ("(a)", "+a"),  # a column, however many parentheses are around it
        # what the planner reads as the column, in a target and not in an index
        "flag": ("flag = true", "true = flag", "NOT NOT flag", "flag AND yes()", "flag <> false"),
        "flag = true": ("flag", "flag AND true", "flag OR false", "flag = false"),
        "same(c)": ("c", "nullif(c, NULL)", "same(same(c))", "lower(c)"),
        "nullif(c, NULL)": ("c", "same(c)", "CASE WHEN true THEN c END"),
        "same(lower(c))": ("lower(c)", "lower(same(c))"),
        # CREATE INDEX takes these parentheses off, and ON CONFLICT does not
        'c COLLATE "C"': ("c", 'c collate "C"', 'c COLLATE "POSIX"'),
        'lower(c) COLLATE "C"': ("lower(c)", 'lower(c COLLATE "C")'),
    },
    predicates={
        "flag": ("flag = true", "NOT NOT flag", "flag AND true", "flag IS TRUE", "flag = false"),
        "flag = true": ("flag", "true = flag", "flag <> false", "NOT flag"),
        "yes()": ("true", "yes() AND 1 = 1", "flag"),
        "a = a": ("true", "a = a OR true", "b = b"),
        "a > 0 OR NULL": ("a > 0", "NULL", "a > 10 OR NULL"),
        "b IS NULL": ("b isnull", "(b IS NULL)", "b IS NULL AND a > 0", "a IS NULL"),
        "a > 0": ("0 < a", "(a) > 0", "a > 10", "a >= 0", "a > 0 AND b IS NULL"),
        "a > 10": ("a>10", "a > 0", "a > 11", "10 < a"),
        "c = 'x'": ("c = 'x'::text", "'x' = c", "c IN ('x')", "c IN ('x', 'y')", "c = 'y'"),
        "c IN ('x', 'y')": (
            "c IN ('y', 'x')",
            "c = ANY (ARRAY['x', 'y'])",
            "c = 'x' OR c = 'y'",
            "c = 'x'",
        ),
        "true": ("TRUE", "1 = 1", "a = a", "NOT false", "false"),
        "b IS NOT NULL": ("b NOTNULL", "b > 0", "NOT b IS NULL", "(b IS NOT NULL)"),
    },
    collations=("C", "POSIX", "default"),
    collatable=frozenset({"c", QUOTED, "lower(c)"}),
    opclasses=(
        "text_pattern_ops",
        "text_ops",
    ),  # the latter is the default one, which may be named too
)

POSTGRESQL_RULES = (
    "ON INSERT TO {} DO ALSO DELETE FROM gone",
    "ON UPDATE TO {} DO ALSO DELETE FROM gone",
    "ON UPDATE TO {} DO INSTEAD NOTHING",
    "ON INSERT TO {} WHERE NEW.a > 100 DO INSTEAD NOTHING",
    "ON DELETE TO {} DO INSTEAD NOTHING",
)
"""Rules of what is inserted into: the first three refuse every ON CONFLICT."""

SQLITE = Vocabulary(
    columns=("a", "b", "c", QUOTED, "id"),
    expressions={
        "lower(c)": ("LOWER( c )", "lower((c))", "upper(c)", f"lower({QUOTED})"),
        "a + b": ("a+b", "((a) + b)", "b + a", "a - b"),
        "coalesce(b, 0)": ("COALESCE(b,0)", "coalesce(b, 00)", "coalesce(b, 1)"),
        "a": ("(a)", "+a"),
    },
    predicates={
        "b IS NULL": ("b isnull", "(b IS NULL)", "b IS NULL AND a > 0"),
        "a > 0": ("0 < a", "A>0", "t.a > 0", "a > 10", "a > 0.0"),
        "c = 'x'": ("c == 'x'", "'x' = c", "c IN ('x')", "(c) = ('x')"),
        "c IN ('x', 'y')": ("c IN ('y', 'x')", "c in('x','y')", "c = 'x' OR c = 'y'"),
        "true": ("TRUE", "1", "1 = 1"),
        "b IS NOT NULL": ("b NOTNULL", "b > 0", "NOT b IS NULL"),
    },
    collations=("NOCASE", "BINARY", "RTRIM"),
    collatable=frozenset({"c", QUOTED, "lower(c)"}),
)


def _mostly(common: Any, *rare: Any) -> st.SearchStrategy[Any]:
    """The common value three times in four; hypothesis shrinks towards it."""
    return st.sampled_from((*[common] * (3 * len(rare)), *rare))


# -- terms


@st.composite
def _terms(
    draw: Callable[..., Any], words: Vocabulary, *, bare: bool = False, least: tuple[str, ...] = ()
) -> tuple[Term, ...]:
    """One to three elements; `bare`: columns alone and none twice, as a constraint has them."""
    columns = draw(st.lists(st.sampled_from(words.columns), min_size=1, max_size=3, unique=bare))
    columns += [column for column in least if column not in columns]
    terms = [Term(column) for column in columns]
    if bare:
        return tuple(terms)
    if draw(_mostly(False, True)):
        place = draw(st.integers(0, len(terms)))
        terms.insert(place, Term(draw(st.sampled_from(list(words.expressions))), is_column=False))
    return tuple(draw(_dressed(term, words)) for term in terms)


@st.composite
def _dressed(draw: Callable[..., Any], term: Term, words: Vocabulary) -> Term:
    """The term with a collation or an operator class, now and then."""
    if term.sql not in words.collatable:
        return term
    opclass = draw(_mostly(None, *words.opclasses)) if words.opclasses else None
    return replace(term, collation=draw(_mostly(None, *words.collations)), opclass=opclass)


# -- targets


@st.composite
def _targets(draw: Callable[..., Any], schema: Schema, words: Vocabulary) -> Target:
    shape = draw(st.sampled_from((Shape((Term("a"),), None), *schema.shapes * 3)))
    terms = [draw(_respelled(term, words)) for term in shape.terms]
    bend = draw(_mostly("keep", "shuffle", "repeat", "drop", "add"))
    if bend == "shuffle":
        terms = draw(st.permutations(terms))
    elif bend == "repeat":
        terms.append(draw(st.sampled_from(terms)))
    elif bend == "drop" and len(terms) > 1:
        terms.remove(draw(st.sampled_from(terms)))
    elif bend == "add":
        terms.append(draw(_terms(words))[0])
    return Target(tuple(terms), draw(_target_predicates(shape.predicate, words)))


@st.composite
def _respelled(draw: Callable[..., Any], term: Term, words: Vocabulary) -> Term:
    """The term as a target may spell it; collation and operator class are mostly left to the database."""
    if not term.is_column:
        spellings = words.expressions[term.sql]
        term = replace(term, sql=draw(_mostly(term.sql, *spellings)))
    if draw(_mostly(True, False)):
        return replace(term, collation=None, opclass=None)
    return draw(_dressed(term, words)) if draw(st.booleans()) else term


def _target_predicates(own: str | None, words: Vocabulary) -> st.SearchStrategy[str | None]:
    if own is None:
        return _mostly(None, *words.predicates)
    return _mostly(own, None, *words.predicates[own], *words.predicates)


def _cases(schemas: st.SearchStrategy[Schema], words: Vocabulary) -> st.SearchStrategy[Case]:
    def with_targets(schema: Schema) -> st.SearchStrategy[Case]:
        # always as many: what is counted is cases, and a failure names its own target alone
        targets = st.tuples(*[_targets(schema, words)] * TARGETS_OF_A_SCHEMA)
        return st.builds(Case, st.just(schema), targets)

    return schemas.flatmap(with_targets)


# -- PostgreSQL


@dataclass(frozen=True)
class Index:
    """One index or constraint of PostgreSQL."""

    form: str
    terms: tuple[Term, ...]
    on: str
    orders: tuple[str, ...] = ()
    predicate: str | None = None
    include: str | None = None
    nulls_not_distinct: bool = False
    deferrable: str = ""
    state: str = ""
    """``invalid``, or ``not ready``, which is invalid too; only a superuser's UPDATE makes it at will."""

    attached: int | None = None
    """Of a partitioned table: made with ON ONLY, so many partitions' indexes attached."""


@dataclass(frozen=True)
class Relations:
    """The relations of a PostgreSQL schema, and what they allow."""

    statements: tuple[str, ...]
    subjects: tuple[str, ...]
    """What may be inserted into."""

    holders: tuple[str, ...]
    """What may get an index."""

    leaves: tuple[str, ...] = ()
    is_partitioned: bool = False


_NO_INDEX_BY_KEY = "LIST ((a + 0))"
"""No unique index can be made on the parent of such partitions."""

_ARRANGEMENTS = (
    *["table"] * 6,
    "child",
    *["LIST (a)"] * 2,
    "HASH (a)",
    _NO_INDEX_BY_KEY,
)


def _columns(draw: Callable[..., Any], version: int) -> str:
    nullable = {column: draw(_mostly("", " NOT NULL")) for column in "abcd"}
    collation = draw(_mostly("C", "POSIX"))
    ranges = ", s int4range, r int4range" if version >= 18 else ""
    return (
        f"a int{nullable['a']}, b int{nullable['b']}, c text{nullable['c']}, "
        f'{QUOTED} text COLLATE "{collation}"{nullable["d"]}, flag boolean{ranges}'
    )


@st.composite
def _relations(draw: Callable[..., Any], version: int) -> Relations:
    arrangement = draw(st.sampled_from(_ARRANGEMENTS))
    table = f"CREATE TABLE t ({_columns(draw, version)})"
    if arrangement == "table":
        return Relations((table,), ("t",), ("t",))
    if arrangement == "child":
        both = ("t_child", "t")
        return Relations((table, "CREATE TABLE t_child () INHERITS (t)"), both, both)
    return _partitioned(table, arrangement)


def _partitioned(table: str, key: str) -> Relations:
    parts = ["FOR VALUES IN (1)", "DEFAULT"]
    if key.startswith("HASH"):
        parts = [f"FOR VALUES WITH (MODULUS 2, REMAINDER {n})" for n in (0, 1)]
    leaves = ("t_1", "t_2")
    statements = (
        f"{table} PARTITION BY {key}",
        *(f"CREATE TABLE {leaf} PARTITION OF t {part}" for leaf, part in zip(leaves, parts)),  # noqa: B905 - two and two
    )
    # nobody knows which row belongs into which hash partition: those are reached through the parent alone
    subjects = ("t",) if key.startswith("HASH") else ("t", "t", *leaves)
    holders = leaves if key == _NO_INDEX_BY_KEY else ("t", "t", *leaves)
    return Relations(statements, subjects, holders, leaves, is_partitioned=True)


@st.composite
def _indexes(draw: Callable[..., Any], relations: Relations, version: int) -> Index:
    on = draw(st.sampled_from(relations.holders))
    through_parent = relations.is_partitioned and on == "t"
    forms = ["index"] * 6 + ["constraint"] * 3 + ["primary key", "plain index"]
    if not relations.is_partitioned:
        forms += ["exclude", *(["temporal"] if version >= 18 else [])]
    form = draw(st.sampled_from(forms))
    # a unique index of a partitioned table holds the partition key
    least = ("a",) if through_parent else ()
    if form in ("constraint", "primary key"):
        constraint: Index = draw(_constraints(form, on, version, least))
        return constraint
    if form == "temporal":
        deferrable = draw(_mostly("", " DEFERRABLE"))
        return Index(form, (Term("s"), Term("r")), on, deferrable=deferrable)
    if form == "exclude":
        return Index(form, draw(_terms(POSTGRESQL)), on, predicate=draw(_predicates()))
    index: Index = draw(_bare_indexes(form, on, version, least, through_parent=through_parent))
    return index


def _predicates() -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.none(), st.sampled_from(list(POSTGRESQL.predicates)))


@st.composite
def _constraints(
    draw: Callable[..., Any], form: str, on: str, version: int, least: tuple[str, ...]
) -> Index:
    terms = draw(_terms(POSTGRESQL, bare=True, least=least))
    return Index(
        form,
        terms,
        on,
        include=draw(_included(terms)),
        nulls_not_distinct=form == "constraint" and version >= 15 and draw(_mostly(False, True)),
        deferrable=draw(_mostly("", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED")),
    )


@st.composite
def _bare_indexes(
    draw: Callable[..., Any],
    form: str,
    on: str,
    version: int,
    least: tuple[str, ...],
    *,
    through_parent: bool,
) -> Index:
    terms = draw(_terms(POSTGRESQL, least=least))
    unique = form == "index"
    return Index(
        form,
        terms,
        on,
        orders=tuple(draw(_mostly("", " DESC", " NULLS FIRST")) for _ in terms),
        predicate=draw(_predicates()),
        include=draw(_included(terms)),
        nulls_not_distinct=unique and version >= 15 and draw(_mostly(False, True)),
        state="" if through_parent else draw(_mostly("", "invalid", "not ready")),
        attached=draw(st.sampled_from((None, None, 0, 1, 2))) if through_parent else None,
    )


@st.composite
def _twins(draw: Callable[..., Any], index: Index, relations: Relations) -> Index:
    """The same elements once more, deferrable or not, on the same relation or another: an index of a partitioned
    table takes over what its partitions have."""
    on = draw(st.sampled_from(relations.holders))
    through_parent = relations.is_partitioned and on == "t"
    if index.form in ("exclude", "temporal") or (through_parent and Term("a") not in index.terms):
        return index
    twin = replace(index, on=on, state="", attached=None)
    bare = set(map(Term, POSTGRESQL.columns))
    is_bare = set(index.terms) <= bare and len(set(index.terms)) == len(index.terms)
    if is_bare and index.predicate is None and draw(st.booleans()):
        deferrable = draw(st.sampled_from(("", " DEFERRABLE")))
        return replace(twin, form="constraint", deferrable=deferrable, orders=())
    orders = index.orders or ("",) * len(index.terms)
    return replace(twin, form="index", deferrable="", orders=orders)


def _included(terms: Sequence[Term]) -> st.SearchStrategy[str | None]:
    left = [column for column in POSTGRESQL.columns if column not in {term.sql for term in terms}]
    return _mostly(None, *left) if left else st.none()


def _index_statements(index: Index, name: str, relations: Relations) -> Iterator[str]:
    if index.form in ("constraint", "primary key", "temporal", "exclude"):
        yield f"ALTER TABLE {index.on} ADD CONSTRAINT {name} {_constraint_sql(index)}"
        return
    only = "" if index.attached is None else "ONLY "
    yield _create_index(index, name, only + index.on)
    for leaf in relations.leaves[: index.attached or 0]:
        part = f"{name}_{leaf}"
        yield _create_index(index, part, leaf)
        yield f"ALTER INDEX {name} ATTACH PARTITION {part}"
    if index.state:
        ready = "" if index.state == "invalid" else ", indisready = false"
        yield f"UPDATE pg_index SET indisvalid = false{ready} WHERE indexrelid = '{name}'::regclass"


def _constraint_sql(index: Index) -> str:
    where = "" if index.predicate is None else f" WHERE ({index.predicate})"
    include = "" if index.include is None else f" INCLUDE ({index.include})"
    nulls = " NULLS NOT DISTINCT" if index.nulls_not_distinct else ""
    elements = ", ".join(map(str, index.terms))
    if index.form == "exclude":
        excluded = ", ".join(f"{term} WITH =" for term in index.terms)
        return f"EXCLUDE USING btree ({excluded}){where}"
    if index.form == "temporal":
        return f"UNIQUE ({elements} WITHOUT OVERLAPS){index.deferrable}"
    word = "PRIMARY KEY" if index.form == "primary key" else "UNIQUE"
    return f"{word}{nulls} ({elements}){include}{index.deferrable}"


def _create_index(index: Index, name: str, on: str) -> str:
    unique = "UNIQUE " if index.form == "index" else ""
    elements = ", ".join(f"{t}{order}" for t, order in zip(index.terms, index.orders))  # noqa: B905 - made together
    include = "" if index.include is None else f" INCLUDE ({index.include})"
    nulls = " NULLS NOT DISTINCT" if index.nulls_not_distinct else ""
    where = "" if index.predicate is None else f" WHERE {index.predicate}"
    return f"CREATE {unique}INDEX {name} ON {on} ({elements}){include}{nulls}{where}"


def _one_primary_key(indexes: Sequence[Index]) -> Iterator[Index]:
    """A second primary key is a constraint: no relation takes two, and a partition gets its parent's."""
    seen = False
    for index in indexes:
        is_second = seen and index.form == "primary key"
        seen = seen or index.form == "primary key"
        yield replace(index, form="constraint") if is_second else index


@st.composite
def _postgresql_schemas(draw: Callable[..., Any], version: int) -> Schema:
    relations = draw(_relations(version))
    subject = draw(st.sampled_from(relations.subjects))
    drawn = draw(st.lists(_indexes(relations, version), max_size=3))
    if drawn and draw(st.booleans()):
        drawn.append(draw(_twins(draw(st.sampled_from(drawn)), relations)))
    indexes = list(_one_primary_key(drawn))
    statements = [*POSTGRESQL_FUNCTIONS, *relations.statements]
    for number, index in enumerate(indexes):
        statements += _index_statements(index, f"i{number}", relations)
    rule = draw(_mostly(None, *POSTGRESQL_RULES))
    if rule is not None and draw(st.booleans()):
        statements += ["CREATE TABLE gone ()", f"CREATE RULE r AS {rule.format(subject)}"]
    # what stands on another relation is near too, but it seldom serves
    near = [
        index for index in indexes if index.on in (subject, "t") and index.form != "plain index"
    ]
    shapes = tuple(Shape(index.terms, index.predicate) for index in (*indexes, *near * 4))
    return Schema(tuple(statements), subject, _rows(relations, subject, version), shapes)


def _rows(relations: Relations, subject: str, version: int) -> str:
    """Rows for every partition of what is inserted into, none of them like another in any column."""
    numbers: Sequence[int] = (5,) if subject == "t_2" else (1,)
    if relations.is_partitioned and subject == "t":
        numbers = range(1, 9)
    ranges = ", '[{n},{n}]', '[{n},{n}]'" if version >= 18 else ""
    row = "({n}, {n}, 'x{n}', 'x{n}', true" + ranges + ")"
    return f"VALUES {', '.join(row.format(n=n) for n in numbers)}"


def postgresql_cases(version: int) -> st.SearchStrategy[Case]:
    """Schemas of that major version, with targets."""
    return _cases(_postgresql_schemas(version), POSTGRESQL)


# -- SQLite


_SQLITE_TABLES = {
    "rowid": "CREATE TABLE t ({columns}, id INTEGER{constraints})",
    "alias": "CREATE TABLE t ({columns}, id INTEGER PRIMARY KEY{constraints})",
    "int": "CREATE TABLE t ({columns}, id INT PRIMARY KEY{constraints})",
    "composite": "CREATE TABLE t ({columns}, id INTEGER, PRIMARY KEY (id, a){constraints})",
    "descending": "CREATE TABLE t ({columns}, id INTEGER, PRIMARY KEY (id DESC){constraints})",
    "without rowid": "CREATE TABLE t ({columns}, id INTEGER PRIMARY KEY{constraints}) WITHOUT ROWID",
}

_SQLITE_KEYS = {"rowid": "a", "composite": "id a"}
"""The primary key's columns where they are not ``id`` alone, for targets to be bent from."""


@st.composite
def _sqlite_indexes(draw: Callable[..., Any]) -> Shape:
    predicates = st.one_of(st.none(), st.none(), st.sampled_from(list(SQLITE.predicates)))
    return Shape(draw(_terms(SQLITE)), draw(predicates))


@st.composite
def _sqlite_schemas(draw: Callable[..., Any]) -> Schema:
    kind = draw(st.sampled_from(list(_SQLITE_TABLES)))
    constraints = draw(st.lists(_terms(SQLITE, bare=True), max_size=1))
    table = _SQLITE_TABLES[kind].format(
        columns=f"a INTEGER{draw(_mostly('', ' NOT NULL'))}, b INTEGER, c TEXT, {QUOTED} TEXT COLLATE NOCASE",
        constraints="".join(f", UNIQUE ({', '.join(map(str, terms))})" for terms in constraints),
    )
    indexes = draw(st.lists(_sqlite_indexes(), max_size=3))
    statements = [table]
    for number, index in enumerate(indexes):
        unique = draw(_mostly("UNIQUE ", ""))
        elements = ", ".join(f"{term}{draw(_mostly('', ' DESC'))}" for term in index.terms)
        where = "" if index.predicate is None else f" WHERE {index.predicate}"
        statements.append(f"CREATE {unique}INDEX i{number} ON t ({elements}){where}")
    key = Shape(tuple(map(Term, _SQLITE_KEYS.get(kind, "id").split())), None)
    shapes = (key, *indexes, *(Shape(terms, None) for terms in constraints))
    row = f"(a, b, c, {QUOTED}, id) VALUES (1, 1, 'x', 'x', 1)"
    return Schema(tuple(statements), "t", row, shapes)


def sqlite_cases() -> st.SearchStrategy[Case]:
    """Schemas of SQLite, with targets."""
    return _cases(_sqlite_schemas(), SQLITE)
