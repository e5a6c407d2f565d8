"""What the judge says of a key, beside what upserts really leave in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.catalog import TableName, catalog_for
from alembic_upsert_guard.catalog.reading import execute
from alembic_upsert_guard.databases import MARIADB, database_for
from alembic_upsert_guard.inference import Candidate, State, judge
from alembic_upsert_guard.verdict.inferred import inferred_arbiters
from tests.rules.answers import target_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_upsert_guard.catalog import Inferred
    from alembic_upsert_guard.inference import Verdict


class MySQLRules:
    """One table ``t``, made anew for each :meth:`given`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def is_mariadb(self) -> bool:
        return database_for(self.connection.dialect) is MARIADB

    def only_mysql(self, why: str) -> None:
        if self.is_mariadb:
            pytest.skip(f"MySQL alone {why}")

    def only_mariadb(self, why: str) -> None:
        if not self.is_mariadb:
            pytest.skip(f"MariaDB alone {why}")

    def given(self, *ddl: str) -> None:
        """Start over with this schema."""
        for kind in ("VIEW", "TABLE"):
            execute(self.connection, f"DROP {kind} IF EXISTS {'v' if kind == 'VIEW' else 't'}")
        for statement in ddl:
            execute(self.connection, statement)

    def serves(self, target: str, *by: str, rivals: tuple[str, ...] = ()) -> None:
        """The judge finds exactly these arbiters and rivals, and what replaces a witness finds them, too."""
        verdict = self.verdict(target)
        assert verdict.state is State.SATISFIED, verdict
        assert tuple(c.name for c in verdict.arbiters) == by
        assert tuple(c.name for c in verdict.rivals) == rivals
        assert self.inferred(target).arbiters == by

    def refuses(self, target: str, code: str, near: str | None = None) -> None:
        """The judge finds none, and names this near miss."""
        verdict = self.verdict(target)
        assert verdict.state is State.SHORT
        assert verdict.shortfall is not None
        assert str(verdict.shortfall.code) == code
        assert getattr(verdict.shortfall.candidate, "name", None) == near
        assert self.inferred(target).refusal is not None

    def verdict(self, target: str, table: str = "t") -> Verdict:
        """As the inspection does it: the model's arbiter and what is offered, in one spelling."""
        catalog = catalog_for(self.connection.dialect)
        assert catalog is not None
        name = TableName(None, table)
        offered = catalog.read(self.connection, [name])[name]
        wanted = Candidate(None, target_of(target).elements)
        spelling = catalog.normalize(self.connection, name, wanted, offered.candidates)
        return judge(spelling.target, spelling.candidates, offered.traits)

    def inferred(self, target: str, table: str = "t") -> Inferred:
        """What a revision's verification answers."""
        return inferred_arbiters(self.connection, TableName(None, table), target_of(target))

    def rows_after(self, *upserts: str) -> int:
        """How many rows upserts of these values leave in the empty table; each is ``a = 1, b = 2``."""
        execute(self.connection, "DELETE FROM t")
        for values in upserts:
            execute(
                self.connection, f"INSERT INTO t SET {values} ON DUPLICATE KEY UPDATE n = n + 1"
            )
        return int(execute(self.connection, "SELECT count(*) FROM t").scalar_one())
