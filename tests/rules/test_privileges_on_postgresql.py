"""docs/privileges.md, by roles that have been granted what a row of it says, and one privilege less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.util import CommandError
from sqlalchemy import text

from alembic_upsert_guard.catalog.reading import execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.answers import PostgreSQLRules

DDL = (
    "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, state varchar NOT NULL)",
    "CREATE UNIQUE INDEX i ON t (a) WHERE state = 'open'",
    "INSERT INTO t VALUES (1, 1, 'open'), (2, 1, 'shut'), (3, 1, 'shut')",
    "CREATE ROLE migrator",
)


def validate(op: Any) -> None:
    op.validate_upsert_key("t", ["a"], where=text("state = 'open'"))


def verify(op: Any) -> None:
    op.verify_upsert_key("t", ["a"], where=text("state = 'open'"))


def deduplicate(op: Any) -> None:
    op.deduplicate_upsert_key("t", ["a"], keep="last", order_by=["id"])


@pytest.mark.parametrize(
    ("directive", "grants", "taken"),
    [
        (validate, ["SELECT"], "SELECT"),
        (verify, ["SELECT", "INSERT"], "INSERT"),
        (verify, ["SELECT", "INSERT"], "SELECT"),
        (deduplicate, ["SELECT", "DELETE"], "DELETE"),
        (deduplicate, ["SELECT", "DELETE"], "SELECT"),
        (deduplicate, ["SELECT", "DELETE"], "TEMPORARY"),
    ],
)
def test_a_directive_needs_what_the_page_says(
    pg: PostgreSQLRules, directive: Callable[[Any], None], grants: list[str], taken: str
) -> None:
    """It goes through with these privileges, and fails with one of them taken away."""
    database = pg.connection.exec_driver_sql("SELECT current_database()").scalar()
    for statement in (
        *DDL,
        f"GRANT {', '.join(grants)} ON t TO migrator",
        f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
        f"GRANT TEMPORARY ON DATABASE {database} TO migrator",
    ):
        execute(pg.connection, statement)
    op = Operations(MigrationContext.configure(pg.connection))
    on = f"DATABASE {database}" if taken == "TEMPORARY" else "t"

    def run() -> None:
        with pg.connection.begin_nested() as savepoint:
            execute(pg.connection, "SET LOCAL ROLE migrator")
            directive(op)
            savepoint.rollback()

    run()
    execute(pg.connection, f"REVOKE {taken} ON {on} FROM migrator")
    with pytest.raises(CommandError):
        run()
