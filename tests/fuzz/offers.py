"""What the database offers: indexes and constraints of every kind, whole or left over from an accident."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .kinds import CONSTANTS, ODD, Family
from .world import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from .relations import Column, Relation

__all__ = ["Offer", "Predicate", "Term", "offers_of", "predicate_of", "spelled", "term_of"]


@dataclass(frozen=True)
class Term:
    """One element: a column, or a family of expressions over one."""

    column: int
    """The column's position."""
    family: Family = ()
    """Empty: the column itself."""
    tail: str = ""
    """Collation and operator class."""


Predicate = tuple[tuple[int, Family], ...]
"""Families over columns by position, joined by AND; position -1: no column is in it. Empty: no predicate."""


@dataclass(frozen=True)
class Offer:
    """One index or constraint."""

    statements: tuple[str, ...]
    terms: tuple[Term, ...]
    predicate: Predicate = ()


def spelled(random: Random, family: Family, column: Column | None) -> str:
    """Return one of the family's spellings in SQL; the first is the likeliest."""
    sql = [spelling for spelling in family if not spelling.startswith("=")]
    chosen = sql[0] if random.random() < 0.4 else random.choice(sql)
    return chosen if column is None else chosen.replace("{c}", quoted(column.name))


def term_of(random: Random, columns: Sequence[Column]) -> Term:
    """Return an element over one of the columns."""
    position = random.randrange(len(columns))
    kind = columns[position].kind
    if random.random() < 0.01:
        return Term(position, ODD)
    if kind.expressions and random.random() < 0.55:
        tail = random.choice(kind.tails) if kind.tails and random.random() < 0.1 else ""
        return Term(position, random.choice(kind.expressions), tail)
    tail = random.choice(kind.tails) if kind.tails and random.random() < 0.2 else ""
    return Term(position, tail=tail)


def predicate_of(random: Random, columns: Sequence[Column]) -> Predicate:
    """Return a predicate over the columns."""
    parts = []
    for _ in range(random.choice((1, 1, 1, 2))):
        position = random.randrange(len(columns))
        families = columns[position].kind.predicates
        if not families or random.random() < 0.06:
            parts.append((-1, CONSTANTS))
        else:
            parts.append((position, random.choice(families)))
    return tuple(parts)


def offers_of(
    random: Random, relation: Relation, columns: Sequence[Column], version: int, suffix: str = ""
) -> Iterator[Offer]:
    """Yield what the relation's holders have, some of it twice in another form.

    :param suffix: what the names end in.
    """
    made: list[Offer] = []
    for number in range(random.choice((0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3))):
        terms = _terms(random, columns)
        predicate = predicate_of(random, columns) if random.random() < 0.3 else ()
        if made and random.random() < 0.35:
            terms, predicate = random.choice(made).terms, random.choice(made).predicate
            terms = tuple(replace(t, tail="") if random.random() < 0.5 else t for t in terms)
        offer = _Maker(random, relation, columns, version).offer(
            f"i{number}{suffix}", terms, predicate
        )
        made.append(offer)
        yield offer


def _terms(random: Random, columns: Sequence[Column]) -> tuple[Term, ...]:
    terms = [term_of(random, columns) for _ in range(random.choice((1, 1, 1, 2, 2, 3)))]
    return tuple(dict.fromkeys(terms))


@dataclass(frozen=True)
class _Maker:
    """Spells one offer."""

    random: Random
    relation: Relation
    columns: Sequence[Column]
    version: int

    def offer(self, name: str, terms: tuple[Term, ...], predicate: Predicate) -> Offer:
        holder = self.random.choice(self.relation.holders)
        bare = all(not term.family and not term.tail for term in terms)
        form = self.random.choice(("index", "index", "index", "plain", "exclude", "temporal"))
        if bare and not predicate and self.random.random() < 0.6:
            form = self.random.choice(("constraint", "constraint", "primary", "using"))
        if form in ("constraint", "primary"):
            return Offer((self._constraint(form, name, holder, terms),), terms)
        if form == "exclude" and self.random.random() < 0.4:
            return Offer((self._exclusion(name, holder, terms),), terms)
        if form == "temporal" and self.version >= 18 and len(terms) > 1:
            return Offer((self._temporal(name, holder, terms),), terms)
        if form == "using":
            return Offer(tuple(self._using(name, holder, terms)), terms)
        return Offer(tuple(self._index(form, name, holder, terms, predicate)), terms, predicate)

    def _listed(self, terms: Sequence[Term]) -> str:
        return ", ".join(self._term(term) for term in terms)

    def _term(self, term: Term) -> str:
        column = self.columns[term.column]
        sql = spelled(self.random, term.family, column) if term.family else quoted(column.name)
        return sql + term.tail

    def _nulls(self) -> str:
        rare = self.version >= 15 and self.random.random() < 0.15
        return " NULLS NOT DISTINCT" if rare else ""

    def _included(self, terms: Sequence[Term]) -> str:
        left = [c.name for n, c in enumerate(self.columns) if n not in {t.column for t in terms}]
        rare = left and self.random.random() < 0.12
        return f" INCLUDE ({quoted(self.random.choice(left))})" if rare else ""

    def _deferrable(self) -> str:
        waits = (" DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED", " NOT DEFERRABLE")
        return self.random.choice(waits) if self.random.random() < 0.2 else ""

    def _constraint(self, form: str, name: str, holder: str, terms: Sequence[Term]) -> str:
        word = "PRIMARY KEY" if form == "primary" else f"UNIQUE{self._nulls()}"
        return (
            f"ALTER TABLE {holder} ADD CONSTRAINT {name} {word} ({self._listed(terms)})"
            f"{self._included(terms)}{self._deferrable()}"
        )

    def _exclusion(self, name: str, holder: str, terms: Sequence[Term]) -> str:
        method, operator = self.random.choice((("btree", "="), ("gist", "&&"), ("gist", "=")))
        listed = ", ".join(f"{self._term(term)} WITH {operator}" for term in terms)
        return f"ALTER TABLE {holder} ADD CONSTRAINT {name} EXCLUDE USING {method} ({listed})"

    def _temporal(self, name: str, holder: str, terms: Sequence[Term]) -> str:
        word = self.random.choice(("UNIQUE", "PRIMARY KEY"))
        return (
            f"ALTER TABLE {holder} ADD CONSTRAINT {name} {word} "
            f"({self._listed(terms)} WITHOUT OVERLAPS){self._deferrable()}"
        )

    def _using(self, name: str, holder: str, terms: Sequence[Term]) -> Iterator[str]:
        yield f"CREATE UNIQUE INDEX {name} ON {holder} ({self._listed(terms)}){self._nulls()}"
        word = self.random.choice(("UNIQUE", "PRIMARY KEY"))
        yield f"ALTER TABLE {holder} ADD CONSTRAINT {name} {word} USING INDEX {name}{self._deferrable()}"

    def _index(
        self, form: str, name: str, holder: str, terms: Sequence[Term], predicate: Predicate
    ) -> Iterator[str]:
        unique = "" if form == "plain" else "UNIQUE "
        orders = ("", "", "", " DESC", " NULLS FIRST", " DESC NULLS LAST")
        listed = ", ".join(self._term(term) + self.random.choice(orders) for term in terms)
        only = bool(self.relation.leaves) and self.random.random() < 0.25
        where = self._where(predicate)
        rest = f"({listed}){self._included(terms)}{self._nulls() if unique else ''}{where}"
        yield f"CREATE {unique}INDEX {name} ON {'ONLY ' if only else ''}{holder} {rest}"
        schema = holder.rpartition(".")[0] if not holder.endswith('"') else _schema_of(holder)
        qualified = f"{schema}.{name}" if schema else name
        if only and holder not in self.relation.leaves and self.random.random() < 0.6:
            for leaf in self.relation.leaves:
                yield f"CREATE {unique}INDEX {name}_part ON {leaf} {rest}"
                yield f"ALTER INDEX {qualified} ATTACH PARTITION {qualified}_part"
        elif not only and self.random.random() < 0.12:
            lost = self.random.choice(
                ("indisvalid = false", "indisvalid = false, indisready = false")
            )
            yield f"UPDATE pg_index SET {lost} WHERE indexrelid = '{qualified}'::regclass"

    def _where(self, predicate: Predicate) -> str:
        if not predicate:
            return ""
        parts = [
            spelled(self.random, family, None if position < 0 else self.columns[position])
            for position, family in predicate
        ]
        if len(parts) > 1:
            parts = [f"({part})" for part in parts]
        return f" WHERE {' AND '.join(parts)}"


def _schema_of(holder: str) -> str:
    """The schema of a name that ends in a quote, as SQL."""
    for schema in ("tools", '"Od""d %:s"'):
        if holder.startswith(f"{schema}."):
            return schema
    return ""
