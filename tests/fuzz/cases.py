"""Cases: a relation with what it offers, and keys declared on it; and each case with one thing less."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from .keys import key_of, model_source, names_in
from .kinds import KINDS
from .offers import offers_of
from .relations import Column, Relation, relation_of, rendered
from .world import LONG, is_done, prelude_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from .keys import Key
    from .offers import Offer

__all__ = ["KEYS_OF_A_CASE", "Case", "case_of", "keys_of", "known_kinds", "made"]

KEYS_OF_A_CASE = 5

_NAMES = (
    "a",
    "b",
    "c",
    "Mixed",
    "two words",
    "per%cent",
    "co:lon",
    'quo"te',
    "order",
    "ünï",
    LONG,
    "a.b",
    "x?",
    "lower",
    "LOWER",
    "key_1",
    "row_count",
    "oid",
)


@dataclass(frozen=True)
class Case:
    """A relation, its columns, and what it offers."""

    relation: Relation
    columns: tuple[Column, ...]
    offers: tuple[Offer, ...]

    def ddl(self) -> list[str]:
        """Return the statements that make it, in order."""
        made = [rendered(s, self.columns) for s in self.relation.statements]
        for offer in self.offers:
            made += [rendered(s, self.columns) for s in offer.statements]
        return [*made, *self.relation.afterwards]

    def row(self) -> dict[str, str]:
        """Return SQL of a value for each column of the subject that takes one."""
        names = names_in(self.relation, self.columns)
        return {
            name: column.kind.value
            for number, (name, column) in enumerate(zip(names, self.columns, strict=True))
            if column.kind.value and number not in self.relation.without_value
        }

    def smaller(self, key: Key) -> Iterator[Case]:
        """Yield the case with one thing less; what the key names stays."""
        named = key.source.replace('""', '"').replace("\\:", ":")
        for number in range(len(self.offers)):
            yield replace(self, offers=self.offers[:number] + self.offers[number + 1 :])
        if self.relation.afterwards:
            yield replace(self, relation=replace(self.relation, afterwards=()))
        for number, column in enumerate(self.columns):
            if column.not_null:
                columns = list(self.columns)
                columns[number] = replace(column, not_null=False)
                yield replace(self, columns=tuple(columns))
        if len(self.columns) > 1 and not self.relation.renamed and not self.relation.without_value:
            for number, column in enumerate(self.columns):
                if not re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", named):
                    yield replace(self, columns=self.columns[:number] + self.columns[number + 1 :])

    def told(self, key: Key) -> list[str]:
        """Return the case as people reproduce it: the database, then the model."""
        ddl = self.ddl()
        model = [f"t = {model_source(self.relation, self.columns)}", f"t <- {key.source}"]
        return [*(f"{statement};" for statement in (*prelude_of([*ddl, *model]), *ddl)), *model]


def known_kinds(connection: Connection) -> list[str]:
    """Return the kinds of columns that the server has."""
    return [
        name
        for name, kind in KINDS.items()
        if is_done(
            connection,
            f"CREATE TEMP TABLE probe (c {kind.sql}{kind.suffix})",
            "DROP TABLE probe",
        )
    ]


_USUAL = ("int", "text", "varchar", "bool", "text", "int", "jsonb", "timestamp")


def _columns_of(random: Random, kinds: Sequence[str]) -> tuple[Column, ...]:
    names = random.sample(_NAMES, 4) if random.random() < 0.3 else ["a", "b", "c", "d"]
    usual = [kind for kind in _USUAL if kind in kinds]
    return tuple(
        Column(
            name,
            KINDS[random.choice(kinds) if random.random() < 0.6 else random.choice(usual)],
            not_null=random.random() < 0.5,
        )
        for name in names[: random.choice((1, 2, 3, 3, 4))]
    )


def case_of(
    seed: str, kinds: Sequence[str], relations: Sequence[str], version: int, suffix: str = ""
) -> tuple[Case, Random]:
    """Return a case, always the same one for the same seed, and where more is drawn from."""
    random = Random(seed)  # noqa: S311 - no secret
    columns = _columns_of(random, kinds)
    relation = relation_of(random, relations, columns, suffix)
    offered = tuple(offers_of(random, relation, columns, version, suffix))
    return Case(relation, columns, offered), random


def keys_of(random: Random, case: Case, number: int = KEYS_OF_A_CASE) -> list[Key]:
    """Return keys for the case."""
    return [key_of(random, case.relation, case.columns, case.offers) for _ in range(number)]


def made(connection: Connection, case: Case) -> Case | None:
    """Make the case in the connection's transaction; return it with the offers that the server takes.

    None: it does not take the relation. The rest of the offers is left out: not everything drawn can be made.
    """
    if not is_done(connection, *(rendered(s, case.columns) for s in case.relation.statements)):
        return None
    taken = [
        offer
        for offer in case.offers
        if is_done(connection, *(rendered(s, case.columns) for s in offer.statements))
    ]
    is_done(connection, *case.relation.afterwards)
    return replace(case, offers=tuple(taken))
