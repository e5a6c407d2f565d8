"""Models and call sites as Python source: one module of models, one of upserts, a line each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

__all__ = ["SCHEMAS", "Batch", "batch"]

SCHEMAS = (None, None, "s1", "s2")
TABLES = 12
CALLS = 9
"""As many tables a batch, and call sites a table."""

_COLUMNS = ("a", "b", "c", "d")
"""Two integers, a string, and a string that may be NULL; beside them ``id`` and ``flag``."""

_EXPRESSIONS = (
    "lower(c)",
    "upper(c)",
    "coalesce(d, '')",
    "(a + b)",
    "(c || '-')",
    "((c)::varchar)",
    "(flag = true)",
    '(c COLLATE "C")',
    "(NOT flag)",
)
_PREDICATES = ("flag", "d IS NULL", "a > 0", "c = 'x'", "c = 'x' AND flag", "true", "1 = 1")
_SPELLED = {
    "lower(c)": "LOWER(c)",
    "d IS NULL": "(d is null)",
    "a > 0": "a>0",
    "coalesce(d, '')": "coalesce(d,'')",
}
"""The same in other letters: the parser prints them alike."""

_VALUES = "id=1, a=1, b=1, c='c', flag=True"


@dataclass
class Unique:
    """What a model is unique on, as far as calls are made from it."""

    elements: tuple[str, ...]
    where: str | None = None
    name: str | None = None


@dataclass
class Model:
    """One mapped class."""

    number: int
    table: str
    schema: str | None
    primary_key: tuple[str, ...]
    arguments: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    uniques: list[Unique] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The class."""
        arguments = [*self.arguments, repr({"schema": self.schema})]
        lines = [
            f"class T{self.number}(Base):",
            f"    __tablename__ = {self.table!r}",
            f"    __table_args__ = ({', '.join(arguments)},)",
        ]
        for name, kind in (("id", "int"), ("a", "int"), ("b", "int"), ("c", "str")):
            options = ["primary_key=True"] if name in self.primary_key else []
            options += [self.columns[name]] if name in self.columns else []
            lines.append(f"    {name}: Mapped[{kind}] = mapped_column({', '.join(options)})")
        lines += ["    d: Mapped[str | None]", "    flag: Mapped[bool]"]
        return "\n".join(lines)


@dataclass
class Batch:
    """Two modules; the second has one upsert a line, each the body of a function ``call_<number>``."""

    models: str
    calls: list[tuple[str, Model]]

    def service(self, models: str) -> str:
        """The module of upserts.

        :param models: the name of the module of models.
        """
        lines = [
            "from sqlalchemy import func, text",
            "from sqlalchemy.dialects.postgresql import insert",
            "from alembic_upsert_guard import conflict_target",
            f"from {models} import *",
            *(f"def call_{number}(): return {call}" for number, (call, _) in enumerate(self.calls)),
        ]
        return "\n".join(lines) + "\n"

    @staticmethod
    def number_at(line: int) -> int:
        """The number of the call on a line of the module, counted from 1."""
        return line - 5


_HEAD = """\
from sqlalchemy import Index, MetaData, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from alembic_upsert_guard import UpsertKey


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={convention})


"""

_CONVENTIONS = (
    None,
    {
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def batch(random: Random) -> Batch:
    """Return models and calls; the same for the same state of `random`."""
    # two tables of one name in two schemas
    names = [f"t{number // 2}" for number in range(TABLES)]
    models = []
    taken: set[tuple[str | None, str]] = set()
    for number, name in enumerate(names):
        schema = random.choice(SCHEMAS)
        table = name if (schema, name) not in taken else f"{name}_{number}"
        taken.add((schema, table))
        models.append(_model(random, number, table, schema))
    calls = [(_call(random, model), model) for model in models for _ in range(CALLS)]
    convention = random.choice(_CONVENTIONS)
    source = _HEAD.format(convention=convention) + "\n\n\n".join(m.source for m in models) + "\n"
    return Batch(source, calls)


# -- models


def _model(random: Random, number: int, table: str, schema: str | None) -> Model:
    primary_key = random.choice([("id",), ("id",), ("id",), ("a", "b"), ("c",)])
    model = Model(number, table, schema, primary_key)
    if random.random() < 0.15:
        deferrable = random.choice([", deferrable=True", ""])
        name = f"pk_of_{table}_{number}"
        keys = ", ".join(map(repr, primary_key))
        model.arguments.append(f"PrimaryKeyConstraint({keys}, name={name!r}{deferrable})")
        model.names.append(name)
    model.uniques.append(Unique(primary_key))
    kinds = [_constraint, _constraint, _index, _index, _column, _key]
    chosen = random.choices(kinds, k=random.choice([0, 1, 1, 2, 3]))
    # a key after what it would refuse beside it
    for place, make in enumerate(sorted(chosen, key=lambda kind: kind is _key)):
        make(random, model, f"{table}_{number}_{place}")
    return model


def _constraint(random: Random, model: Model, suffix: str) -> None:
    columns = tuple(random.sample(_COLUMNS, random.choice([1, 2, 2, 3])))
    name = random.choice([None, f"uq_{suffix}", f"uq_{suffix}"])
    if any(u.elements == columns and u.name is None for u in model.uniques):
        name = name or f"uq_{suffix}"  # a naming convention would give both one name
    options = [f"name={name!r}"] if name else []
    options += random.choice([[], [], [], [], ["deferrable=True"], ["initially='DEFERRED'"]])
    options += random.choice([[], [], ["postgresql_include=['flag']"]])
    listed = ", ".join([*map(repr, columns), *options])
    model.arguments.append(f"UniqueConstraint({listed})")
    model.uniques.append(Unique(columns, None, name))
    model.names += [name] if name else [f"{model.table}_{'_'.join(columns)}_key"]


def _index(random: Random, model: Model, suffix: str) -> None:
    elements = _elements(random)
    where = random.choice([None, None, *_PREDICATES])
    unique = random.random() < 0.85
    options = [f"unique={unique}"]
    options += [f"postgresql_where=text({where!r})"] if where else []
    options += random.choice([[], [], ["postgresql_include=['flag']"]])
    name = f"ix_{suffix}"
    rendered = []
    for element in elements:
        if element in _COLUMNS:
            order = random.choice(["", "", " DESC"])
            rendered.append(f"text({element + order!r})" if order else repr(element))
        else:
            rendered.append(f"text({element!r})")
    model.arguments.append(f"Index({', '.join([repr(name), *rendered, *options])})")
    if unique:
        model.uniques.append(Unique(elements, where, name))
    model.names.append(name)


def _column(random: Random, model: Model, suffix: str) -> None:
    del suffix
    name = random.choice(_COLUMNS[:3])
    option = random.choice(["unique=True", "unique=True, index=True"])
    if name in model.primary_key or any(u.elements == (name,) for u in model.uniques):
        return
    model.columns[name] = option
    model.uniques.append(Unique((name,)))
    model.names.append(f"{model.table}_{name}_key")


def _key(random: Random, model: Model, suffix: str) -> None:
    elements = _elements(random)
    if any(element.endswith(('"C")', "true)", "NOT flag)")) for element in elements):
        elements = ("a", "c")
    where = random.choice([None, None, None, "flag", "d IS NULL"])
    name = random.choice([None, f"key_{suffix}"])
    if any(set(u.elements) == set(elements) for u in model.uniques):
        return  # a key refuses a deferrable one beside it
    options = [f"where=text({where!r})"] if where else []
    options += [f"name={name!r}"] if name else []
    options += random.choice([[], [], ["as_index=True"]])
    rendered = [repr(e) if e in _COLUMNS else f"text({e!r})" for e in elements]
    model.arguments.append(f"UpsertKey({', '.join([*rendered, *options])})")
    model.uniques.append(Unique(elements, where, name))
    model.names += [name or f"uq_{model.table}_{'_'.join(elements)}"]


def _elements(random: Random) -> tuple[str, ...]:
    columns = random.sample(_COLUMNS, random.choice([1, 1, 2, 3]))
    if random.random() < 0.3:
        columns[0] = random.choice(_EXPRESSIONS)
    return tuple(columns)


# -- calls


def _call(random: Random, model: Model) -> str:
    kind = random.choices(
        ["elements", "constraint", "object", "nothing", "conflict_target"], [70, 15, 5, 5, 5]
    )[0]
    if kind == "constraint":
        return _by_name(random, model)
    if kind == "object":
        return _sqlalchemy(random, model, f"constraint=T{model.number}.__table__.primary_key")
    if kind == "nothing":
        if random.random() < 0.5:
            return f"insert(T{model.number}).values({_VALUES}).on_conflict_do_nothing()"
        return _sql(random, model, "ON CONFLICT DO NOTHING")
    target = random.choice(model.uniques)
    elements, where = _varied(random, target)
    if kind == "conflict_target":
        # it compares SQL as it is spelled, and raises at the first call where that differs
        as_declared = {spelled: sql for sql, spelled in _SPELLED.items()}
        listed = "".join(f", {_python(as_declared.get(e, e))}" for e in elements)
        return _sqlalchemy(random, model, f"**conflict_target(T{model.number}{listed})")
    if random.random() < 0.5:
        listed = ", ".join(map(_python, elements))
        predicate = "" if where is None else f", index_where=text({where!r})"
        return _sqlalchemy(random, model, f"index_elements=[{listed}]{predicate}")
    predicate = "" if where is None else f" WHERE {where}"
    clause = f"ON CONFLICT ({', '.join(elements)}){predicate} "
    return _sql(random, model, clause + random.choice(["DO NOTHING", "DO UPDATE SET flag = true"]))


def _varied(random: Random, target: Unique) -> tuple[list[str], str | None]:
    """The target of something unique, as it is or with a slip."""
    elements, where = list(target.elements), target.where
    random.shuffle(elements)
    slip = random.choice(
        [
            "none",
            "none",
            "none",
            "fewer",
            "more",
            "bare",
            "other",
            "predicate",
            "spelled",
            "collated",
        ]
    )
    if slip == "fewer" and len(elements) > 1:
        elements.pop()
    elif slip == "more":
        elements += [c for c in random.sample(_COLUMNS, 1) if c not in elements]
    elif slip == "bare":
        where = None
    elif slip == "other":
        elements = list(_elements(random))
    elif slip == "predicate":
        where = random.choice(_PREDICATES)
    elif slip == "spelled":
        elements = [_SPELLED.get(e, e) for e in elements]
        where = None if where is None else _SPELLED.get(where, where)
    elif slip == "collated" and "c" in elements:
        elements[elements.index("c")] = 'c COLLATE "C"'
    return elements, where


def _by_name(random: Random, model: Model) -> str:
    usual = [f"{model.table}_pkey", f"pk_{model.table}", f"uq_{model.table}_a", "nobody"]
    name = random.choice([*model.names, *model.names, *usual])
    if random.random() < 0.5:
        return _sqlalchemy(random, model, f"constraint={name!r}")
    return _sql(random, model, f'ON CONFLICT ON CONSTRAINT "{name}" DO NOTHING')


def _sqlalchemy(random: Random, model: Model, target: str) -> str:
    statement = f"insert(T{model.number}).values({_VALUES})"
    if random.random() < 0.5:
        return f"{statement}.on_conflict_do_nothing({target})"
    return f"{statement}.on_conflict_do_update({target}, set_={{'flag': True}})"


def _sql(random: Random, model: Model, clause: str) -> str:
    schema = model.schema or random.choice([None, "public"])
    table = model.table if schema is None else f"{schema}.{model.table}"
    sql = f"INSERT INTO {table} (id, a, b, c, flag) VALUES (1, 1, 1, 'c', true) {clause}"
    return repr(sql)


def _python(element: str) -> str:
    return repr(element) if element in (*_COLUMNS, "id") else f"text({element!r})"
