"""Relations: what is inserted into, what can hold an index, and the statements that make them.

Statements are templates: `{columns}` are the columns as CREATE TABLE takes them, `{reversed}` the same in reverse,
`{plain}` their names and types, `{names}` their names, `{first}` and `{second}` the names of the first two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .world import ODD_SCHEMA, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from .kinds import Kind

__all__ = ["ALL", "FLOWING", "Column", "Relation", "relation_of", "rendered"]


@dataclass(frozen=True)
class Column:
    """A column of the table that holds the rows."""

    name: str
    kind: Kind
    not_null: bool = False

    @property
    def sql(self) -> str:
        return f"{quoted(self.name)} {self.kind.sql}{self.kind.suffix}{' NOT NULL' if self.not_null else ''}"


@dataclass(frozen=True)
class Relation:
    """A subject to upsert into, with everything around it."""

    kind: str
    statements: tuple[str, ...]
    subject: tuple[str | None, str]
    """Schema and name, as the model has them."""
    holders: tuple[str, ...]
    """What gets indexes, as SQL; those that are nearest to the subject are there more than once."""
    leaves: tuple[str, ...] = ()
    """Partitions to which an index that is made ON ONLY a parent can be attached."""
    renamed: tuple[tuple[int, str], ...] = ()
    """Columns that have another name in the subject, by position."""
    without_value: tuple[int, ...] = ()
    """Columns that cannot be given a value there, by position."""
    afterwards: tuple[str, ...] = ()
    """What is set once the indexes are there: who looks at it, and how."""


def rendered(template: str, columns: Sequence[Column]) -> str:
    """Return the statement with the columns filled in."""
    names = [quoted(column.name) for column in columns]
    words = {
        "{columns}": ", ".join(column.sql for column in columns),
        "{reversed}": ", ".join(column.sql for column in reversed(columns)),
        "{plain}": ", ".join(f"{quoted(c.name)} {c.kind.sql}" for c in columns),
        "{names}": ", ".join(names),
        "{new}": ", ".join(f"NEW.{name}" for name in names),
        "{first}": names[0],
        "{second}": names[-1] if len(names) < 2 else names[1],
        "{value}": columns[0].kind.value,
    }
    for word, sql in words.items():
        template = template.replace(word, sql)
    return template


def relation_of(
    random: Random, kinds: Sequence[str], columns: Sequence[Column], suffix: str = ""
) -> Relation:
    """Return one of a kind among `kinds`, each as often as it is listed.

    :param suffix: what its name ends in, where several are there at once.
    """
    kind = random.choice(kinds)
    schema = random.choice((None, None, None, "tools", ODD_SCHEMA))
    name = random.choice(("t", "t", "t", "Table", "per%cent", "co:lon", "user", 'q"t', "l" * 63))
    name = f"{name[: 63 - len(suffix)]}{suffix}"
    make = _MAKERS[kind.split(":")[0]]
    relation = make(random, kind, schema, name, columns)
    if suffix or random.random() > 0.1:
        return relation
    return replace(relation, afterwards=random.choice(_circumstances(relation)))


def _circumstances(relation: Relation) -> tuple[tuple[str, ...], ...]:
    """Who looks at it, and on which search path."""
    table = _dotted(*relation.subject)
    grant = f"GRANT SELECT, INSERT, UPDATE ON {table} TO application"
    return (
        ("SET LOCAL search_path TO public, pg_catalog",),
        ("SET LOCAL search_path TO tools, public",),
        ("SET LOCAL search_path TO pg_catalog",),
        (grant, "SET LOCAL ROLE application"),
        (grant, "SET LOCAL ROLE application", "SET LOCAL search_path TO tools, public"),
    )


def _dotted(schema: str | None, name: str) -> str:
    return quoted(name) if schema is None else f"{quoted(schema)}.{quoted(name)}"


def _beside(schema: str | None, name: str, word: str) -> str:
    return _dotted(schema, f"{_stem(name)}_{word}")


def _stem(name: str) -> str:
    """So much of the name that a word fits behind it; its end tells tables apart."""
    return name if len(name) < 50 else name[-50:]


def _table(
    random: Random, kind: str, schema: str | None, name: str, _: Sequence[Column]
) -> Relation:
    table = _dotted(schema, name)
    word = {"unlogged": "UNLOGGED TABLE"}.get(kind, "TABLE")
    statements = [f"CREATE {word} {table} ({{columns}})"]
    if kind == "dropped":
        statements = [
            f"CREATE TABLE {table} (gone int, {{columns}}, went text)",
            f"ALTER TABLE {table} DROP COLUMN gone",
            f"ALTER TABLE {table} DROP COLUMN went",
        ]
    if kind == "namesake":
        other = _dotted("tools" if schema is None else None, name)
        statements.append(f"CREATE TABLE {other} ({{columns}})")
        return Relation(kind, tuple(statements), (schema, name), (table, table, other))
    if kind == "trigger":
        statements.append(
            f"CREATE TRIGGER z BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION public.keep()"
        )
    if kind == "rls":
        statements.append(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        statements.append(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    return Relation(kind, tuple(statements), (schema, name), (table,))


def _typed(_: Random, kind: str, schema: str | None, name: str, __: Sequence[Column]) -> Relation:
    table, row = _dotted(schema, name), _beside(schema, name, "row")
    statements = (f"CREATE TYPE {row} AS ({{plain}})", f"CREATE TABLE {table} OF {row}")
    return Relation(kind, statements, (schema, name), (table,))


def _inherited(
    random: Random, kind: str, schema: str | None, name: str, _: Sequence[Column]
) -> Relation:
    table, other = _dotted(schema, name), _beside(schema, name, "other")
    if kind.endswith("child"):
        statements = (
            f"CREATE TABLE {other} ({{columns}})",
            f"CREATE TABLE {table} (own int) INHERITS ({other})",
        )
    else:
        statements = (
            f"CREATE TABLE {table} ({{columns}})",
            f"CREATE TABLE {other} (own int) INHERITS ({table})",
        )
    return Relation(kind, statements, (schema, name), (table, table, other))


_BOUNDS = {
    "LIST": "FOR VALUES IN ({value})",
    "RANGE": "FOR VALUES FROM (MINVALUE) TO (MAXVALUE)",
    "HASH": "FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
}


def _partitioned(
    random: Random, kind: str, schema: str | None, name: str, columns: Sequence[Column]
) -> Relation:
    """A root, a leaf for the row, and in between a level more or not; the subject is any of them."""
    root, middle, leaf = (_beside(schema, name, word) for word in ("root", "middle", "leaf"))
    at = random.choice(("root", "root", "root", "middle", "leaf", "leaf"))
    deep = at == "middle" or random.random() < 0.4
    subject = {"root": "root", "middle": "middle", "leaf": "leaf"}[at]
    method, key, bounds = _partition_key(random)
    statements = [f"CREATE TABLE {root} ({{columns}}) PARTITION BY {method} ({key})"]
    if deep:
        below, below_key, below_bounds = _partition_key(random, "{second}")
        statements.append(
            f"CREATE TABLE {middle} PARTITION OF {root} {bounds} PARTITION BY {below} ({below_key})"
        )
        bounds = below_bounds.replace("{value}", _value_of(columns[min(1, len(columns) - 1)]))
    parent = middle if deep else root
    if random.random() < 0.3:
        statements.append(f"CREATE TABLE {leaf} ({{reversed}})")
        statements.append(f"ALTER TABLE {parent} ATTACH PARTITION {leaf} {bounds}")
    else:
        statements.append(f"CREATE TABLE {leaf} PARTITION OF {parent} {bounds}")
    levels = {"root": root, "leaf": leaf, **({"middle": middle} if deep else {})}
    holders = (levels[at], levels[at], levels[at], *levels.values())
    where = (schema, f"{_stem(name)}_{subject}")
    return Relation(f"{kind} {at}", tuple(statements), where, holders, leaves=(leaf,))


def _value_of(column: Column) -> str:
    return column.kind.value


def _partition_key(random: Random, column: str = "{first}") -> tuple[str, str, str]:
    method = random.choice(("LIST", "LIST", "RANGE", "HASH"))
    bounds = _BOUNDS[method]
    key = random.choice(
        (column, column, column, column, f"({column})", f"(coalesce({column}))", f"lower({column})")
    )
    if key != column and method == "LIST":
        bounds = "DEFAULT"
    if method == "RANGE" and random.random() < 0.3:
        key, bounds = (
            f"{key}, {column}",
            "FOR VALUES FROM (MINVALUE, MINVALUE) TO (MAXVALUE, MAXVALUE)",
        )
    return method, key, bounds


_VIEWS = {
    "plain": "SELECT {names} FROM {base}",
    "star": "SELECT * FROM {base}",
    "where": "SELECT * FROM {base} WHERE {first} IS NOT NULL",
    "check": "SELECT * FROM {base} WHERE {first} IS NOT NULL OR true WITH CHECK OPTION",
    "local": "SELECT * FROM {base} WITH LOCAL CHECK OPTION",
    "computed": "SELECT {names}, 1 AS extra FROM {base}",
    "aliased": "SELECT z.* FROM {base} AS z",
    "distinct": "SELECT DISTINCT * FROM {base}",
    "limit": "SELECT * FROM {base} LIMIT 5",
    "union": "SELECT * FROM {base} UNION ALL SELECT * FROM {base}",
    "grouped": "SELECT {names} FROM {base} GROUP BY {names}",
    "nested": "SELECT * FROM (SELECT * FROM {base}) AS z",
}


def _view(
    random: Random, kind: str, schema: str | None, name: str, columns: Sequence[Column]
) -> Relation:
    view, base = _dotted(schema, name), _beside(schema, name, "base")
    form = random.choice(tuple(_VIEWS))
    barrier = random.choice(("", "", " WITH (security_barrier)"))
    statements = [f"CREATE TABLE {base} ({{columns}})"]
    statements += _rules(random, base) if random.random() < 0.1 else ()
    statements.append(f"CREATE VIEW {view}{barrier} AS {_VIEWS[form].replace('{base}', base)}")
    renamed: tuple[tuple[int, str], ...] = ()
    extra = random.random()
    if (
        extra < 0.15
        and form in ("plain", "star", "where", "check", "local", "distinct")
        and len(columns) > 1
    ):
        # the view's names are the base's, of other columns
        a, b = columns[0].name, columns[1].name
        last = quoted("zz")
        for old, new in ((a, last), (b, quoted(a)), ("zz", quoted(b))):
            statements.append(f"ALTER VIEW {view} RENAME COLUMN {quoted(old)} TO {new}")
        renamed = ((0, b), (1, a))
    elif extra < 0.25:
        statements.append(
            f"CREATE TRIGGER z INSTEAD OF INSERT ON {view} FOR EACH ROW EXECUTE FUNCTION public.keep()"
        )
    elif extra < 0.35:
        statements += _rules(random, view)
    elif extra < 0.5:
        outer = _beside(schema, name, "outer")
        statements.append(f"CREATE VIEW {outer} AS SELECT * FROM {view}")
        name = f"{_stem(name)}_outer"
    return Relation(f"view {form}", tuple(statements), (schema, name), (base,), renamed=renamed)


def _computing_view(
    random: Random, kind: str, schema: str | None, name: str, columns: Sequence[Column]
) -> Relation:
    """A view one of whose columns is an expression of its table's."""
    view, base = _dotted(schema, name), _beside(schema, name, "base")
    expression = random.choice(
        ("lower({last})", "({last} + 1)", "coalesce({last})", '{last} COLLATE "C"', "upper({last})")
    )
    last = quoted(columns[-1].name)
    listed = [quoted(c.name) for c in columns[:-1]]
    listed.append(f"{expression.replace('{last}', last)} AS {last}")
    statements = (
        f"CREATE TABLE {base} ({{columns}})",
        f"CREATE VIEW {view} AS SELECT {', '.join(listed)} FROM {base}",
    )
    return Relation(kind, statements, (schema, name), (base,), without_value=(len(columns) - 1,))


def _view_of_partitions(
    random: Random, kind: str, schema: str | None, name: str, columns: Sequence[Column]
) -> Relation:
    below = _partitioned(random, "partitioned", schema, name, columns)
    view = _dotted(schema, name)
    statement = f"CREATE VIEW {view} AS SELECT * FROM {_dotted(*below.subject)}"
    return Relation(
        kind, (*below.statements, statement), (schema, name), below.holders, below.leaves
    )


def _rules(random: Random, table: str) -> Iterator[str]:
    for number in range(random.choice((1, 1, 2))):
        event = random.choice(("INSERT", "INSERT", "UPDATE", "DELETE"))
        record = "OLD" if event == "DELETE" else "NEW"
        where = random.choice(("", "", f" WHERE {record}.{{first}} IS NULL", " WHERE false"))
        doing = random.choice(
            (
                "DO ALSO NOTHING",
                "DO INSTEAD NOTHING",
                "DO ALSO INSERT INTO public.journal VALUES (1)",
                "DO INSTEAD INSERT INTO public.journal VALUES (1)",
            )
        )
        yield f"CREATE RULE r{number} AS ON {event} TO {table}{where} {doing}"
        if random.random() < 0.2:
            word = random.choice(("DISABLE RULE", "ENABLE REPLICA RULE", "ENABLE ALWAYS RULE"))
            yield f"ALTER TABLE {table} {word} r{number}"


def _ruled(
    random: Random, kind: str, schema: str | None, name: str, _: Sequence[Column]
) -> Relation:
    table = _dotted(schema, name)
    statements = (f"CREATE TABLE {table} ({{columns}})", *_rules(random, table))
    return Relation(kind, statements, (schema, name), (table,))


def _ruled_leaf(
    random: Random, kind: str, schema: str | None, name: str, columns: Sequence[Column]
) -> Relation:
    """Partitions with a rule on one of them: whose rules apply is the server's affair."""
    below = _partitioned(random, "partitioned", schema, name, columns)
    ruled = random.choice(below.holders)
    statements = (*below.statements, *_rules(random, ruled))
    return Relation(kind, statements, below.subject, below.holders, below.leaves)


def _no_table(
    random: Random, kind: str, schema: str | None, name: str, _: Sequence[Column]
) -> Relation:
    it, base = _dotted(schema, name), _beside(schema, name, "base")
    made = {
        "materialized": (
            f"CREATE TABLE {base} ({{columns}})",
            f"CREATE MATERIALIZED VIEW {it} AS SELECT * FROM {base}",
        ),
        "foreign": (f"CREATE FOREIGN TABLE {it} ({{plain}}) SERVER elsewhere",),
        "sequence": (f"CREATE TABLE {base} ({{columns}})", f"CREATE SEQUENCE {it}"),
        "composite": (f"CREATE TABLE {base} ({{columns}})", f"CREATE TYPE {it} AS ({{plain}})"),
        "index": (
            f"CREATE TABLE {base} ({{columns}})",
            f"CREATE INDEX {quoted(name)} ON {base} ({{first}})",
        ),
        "absent": (f"CREATE TABLE {base} ({{columns}})",),
        "elsewhere": (f"CREATE TABLE {_dotted('tools', name)} ({{columns}})",),
        "temporary": (f"CREATE TEMP TABLE {quoted(name)} ({{columns}})",),
    }[kind.removeprefix("other:")]
    holder = {
        "materialized": it,
        "foreign": it,
        "elsewhere": _dotted("tools", name),
        "temporary": quoted(name),
    }
    where = (None if kind in ("other:elsewhere", "other:temporary") else schema, name)
    return Relation(kind, made, where, (holder.get(kind.removeprefix("other:"), base),))


_MAKERS = {
    "table": _table,
    "unlogged": _table,
    "dropped": _table,
    "namesake": _table,
    "trigger": _table,
    "rls": _table,
    "typed": _typed,
    "child": _inherited,
    "parent": _inherited,
    "partitioned": _partitioned,
    "view": _view,
    "computing view": _computing_view,
    "view of partitions": _view_of_partitions,
    "ruled": _ruled,
    "ruled partitions": _ruled_leaf,
    "other": _no_table,
}

ALL = (
    *["table"] * 24,
    "unlogged",
    "dropped",
    "namesake",
    "trigger",
    "rls",
    *["typed"] * 2,
    *["child", "parent"] * 2,
    *["partitioned"] * 10,
    *["view"] * 6,
    *["computing view"] * 2,
    "view of partitions",
    *["ruled"] * 4,
    "ruled partitions",
    *(
        f"other:{word}"
        for word in (
            "materialized",
            "foreign",
            "sequence",
            "composite",
            "index",
            "absent",
            "elsewhere",
            "temporary",
        )
    ),
)
"""Every kind, the usual ones more often."""

FLOWING = (
    *["table"] * 20,
    "unlogged",
    "dropped",
    "trigger",
    *["typed"] * 2,
    *["child", "parent"],
    *["partitioned"] * 6,
    *["ruled"] * 2,
)
"""What a model can be of, whose arbiter Alembic is to make."""
