"""Generated pairs: what a model declares on a key's columns, and what the database has there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from alembic_upsert_guard import UpsertKey

if TYPE_CHECKING:
    from random import Random

__all__ = ["Case", "generated"]

TABLE = "stock"

_DATABASE = (
    "ALTER TABLE stock ADD CONSTRAINT uq_stock UNIQUE ({columns})",
    "ALTER TABLE stock ADD CONSTRAINT uq_stock UNIQUE ({columns}) DEFERRABLE",
    "ALTER TABLE stock ADD CONSTRAINT stock_{joined}_key UNIQUE ({columns})",
    "ALTER TABLE stock ADD CONSTRAINT stock_{joined}_key UNIQUE ({columns}) DEFERRABLE",
    "ALTER TABLE stock ADD CONSTRAINT theirs UNIQUE ({reversed})",
    "ALTER TABLE stock ADD CONSTRAINT theirs UNIQUE ({columns}) DEFERRABLE INITIALLY DEFERRED",
    "ALTER TABLE stock ADD CONSTRAINT theirs UNIQUE (id, {columns})",
    "CREATE UNIQUE INDEX ix_stock_{joined} ON stock ({columns})",
    "CREATE INDEX ix_stock_{joined} ON stock ({columns})",
    "CREATE UNIQUE INDEX ux_stock ON stock ({columns})",
    "CREATE INDEX ux_stock ON stock ({columns})",
    "CREATE UNIQUE INDEX also_theirs ON stock ({reversed})",
    "CREATE UNIQUE INDEX also_theirs ON stock ({columns}) WHERE id > 0",
    "CREATE UNIQUE INDEX uq_stock ON stock ({columns}) INCLUDE (id)",
    "CREATE UNIQUE INDEX uq_stock ON stock (id)",
)
_ON_SQLITE = tuple(
    statement
    for statement in _DATABASE
    if statement.startswith("CREATE") and "INCLUDE" not in statement
)
_PRIMARY_KEYS = (
    "PRIMARY KEY ({columns})",
    "PRIMARY KEY ({columns}) DEFERRABLE",
    "PRIMARY KEY (id)",
    "PRIMARY KEY (id, {columns})",
)


@dataclass(frozen=True)
class Case:
    """One model beside one database."""

    key: tuple[str, ...]
    primary_key: tuple[str, ...]
    """The model's; empty: it has none."""
    nullable: bool
    """Whether the model lets NULL into the columns outside of its primary key."""
    flags: tuple[str, ...]
    """``unique`` and ``index``, which the model's first column of the key has."""
    declared: tuple[str, ...]
    """What else the model declares on the key's columns."""
    as_index: bool
    ddl: tuple[str, ...]

    def metadata(self, *, with_key: bool) -> MetaData:
        """Return the model, with the upsert key or without."""
        metadata = MetaData()
        Table(
            TABLE,
            metadata,
            Column("id", Integer, nullable=False),
            *(self._column(name) for name in ("a", "b")),
            *([PrimaryKeyConstraint(*self.primary_key)] if self.primary_key else []),
            *(self._item(kind) for kind in self.declared),
            *([UpsertKey(*self.key, as_index=self.as_index)] if with_key else []),
        )
        return metadata

    def _column(self, name: str) -> Column[int]:
        flags = dict.fromkeys(self.flags, True) if name == self.key[0] else {}
        nullable = self.nullable and name not in self.primary_key
        return Column(name, Integer, nullable=nullable, **flags)

    def _item(self, kind: str) -> UniqueConstraint | Index:
        match kind:
            case "constraint":
                return UniqueConstraint(*self.key, name="uq_stock")
            case "unnamed constraint":
                return UniqueConstraint(*self.key)
            case "reversed constraint":
                return UniqueConstraint(*reversed(self.key), name="uq_reversed")
            case "index":
                return Index("ux_stock", *self.key, unique=True)
            case "partial index":
                where = Column("id") > 0
                return Index(
                    "uq_partial", *self.key, unique=True, postgresql_where=where, sqlite_where=where
                )
        raise AssertionError(kind)


@dataclass
class _Drawn:
    random: Random
    key: tuple[str, ...]
    names: set[str] = field(default_factory=set)

    def some(self, choices: tuple[str, ...], at_most: int) -> tuple[str, ...]:
        times = self.random.randint(0, at_most)
        return tuple(self.random.sample(choices, times))

    def ddl(self, *, sqlite: bool) -> tuple[str, ...]:
        words = {
            "columns": ", ".join(self.key),
            "reversed": ", ".join(reversed(self.key)),
            "joined": "_".join(self.key),
        }
        primary = self.some(_PRIMARY_KEYS, 1)
        nullable = self.random.choice(("", " NOT NULL"))
        inline = "".join(f", {each}" for each in primary).format(**words)
        if sqlite:
            inline = inline.replace(" DEFERRABLE", "")
        table = f"CREATE TABLE stock (id int NOT NULL, a int{nullable}, b int{nullable}{inline})"
        made: dict[str, str] = {}
        for statement in self.some(_ON_SQLITE if sqlite else _DATABASE, 3):
            sql = statement.format(**words)
            name = (
                sql.split()[5] if sql.startswith("ALTER") else sql.partition("INDEX ")[2].split()[0]
            )
            made.setdefault(name, sql)
        return (table, *made.values())


def generated(random: Random, *, sqlite: bool = False) -> Case:
    """Return one case: every kind of primary key, constraint and index, in the model and in the database."""
    key = random.choice((("a",), ("a", "b")))
    drawn = _Drawn(random, key)
    kinds = ("constraint", "unnamed constraint", "reversed constraint", "index", "partial index")
    flags = drawn.some(("unique", "index"), 2)
    return Case(
        key=key,
        primary_key=random.choice(((), ("id",), key, key)),
        nullable=random.random() < 0.3,
        flags=tuple(sorted(flags)),
        declared=drawn.some(kinds, 2),
        as_index=random.random() < 0.3,
        ddl=drawn.ddl(sqlite=sqlite),
    )
