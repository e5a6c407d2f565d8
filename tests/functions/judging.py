"""What the tests ask of a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.upserts.upsert import call_site_member

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from alembic_upsert_guard.upserts.functions import JudgedFunctions


@dataclass
class Database:
    """One database and the judge."""

    engine: Engine
    judge: Callable[..., JudgedFunctions]

    def run(self, script: str) -> None:
        """A script as a DBA writes it, committed."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(script, execution_options={"no_parameters": True})

    def judged(self, script: str = "") -> JudgedFunctions:
        """What is said after the script has run."""
        if script:
            self.run(script)
        with self.engine.connect() as connection:
            return self.judge(connection)

    def only(self, script: str) -> tuple[dict[str, Any], str]:
        """The one call site, and the fact of its finding; empty where it has none."""
        judged = self.judged(script)
        (upsert,) = judged.upserts
        return call_site_member(upsert), "".join(finding.fact for finding in judged.findings)

    def answer(self, call: str) -> str | None:
        """The SQLSTATE of a call, which is undone; None: it passes."""
        with self.engine.connect() as connection:
            try:
                connection.exec_driver_sql(call)
            except DBAPIError as error:
                return str(error.orig.pgcode)  # type: ignore[union-attr]
        return None


def body(statement: str, *, declare: str = "", head: str = "f() RETURNS void") -> str:
    """A PL/pgSQL function around one statement, which is in its line 4."""
    return (
        f"CREATE FUNCTION {head} LANGUAGE plpgsql AS $$\n"
        f"DECLARE {declare}\nBEGIN\n  {statement};\nEND $$;\n"
    )
