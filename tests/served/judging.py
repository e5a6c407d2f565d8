"""One database, files beside it, and what is said of their upserts."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.upserts.code import CheckedCode
from alembic_upsert_guard.upserts.models import declared_tables
from alembic_upsert_guard.upserts.scan import call_site_member, scan

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from sqlalchemy import Engine, MetaData

    from alembic_upsert_guard.findings import Finding

STATEMENTS = re.compile(
    r"^(?:ALTER TABLE|CREATE UNIQUE INDEX|DROP INDEX|REINDEX) .*;$", re.MULTILINE
)


@dataclass
class Database:
    """One database and the check."""

    engine: Engine
    folder: Path
    metadata: tuple[MetaData, ...] = ()

    def run(self, *statements: str) -> None:
        """What a DBA runs, each statement by itself."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def tries(self, statement: str) -> None:
        """What fails and leaves something behind, such as an INVALID index."""
        try:
            self.run(statement)
        except DBAPIError:
            return
        raise AssertionError(f"it passed: {statement}")

    def judged(self, source: str, name: str = "app.sql") -> CheckedCode:
        """What is said of one file."""
        path = self.folder / name
        path.write_text(textwrap.dedent(source))
        declared = declared_tables(*self.metadata) if self.metadata else None
        checked = CheckedCode(scan([path], declared), declared)
        with self.engine.connect() as connection:
            checked.judge(connection)
        return checked

    def only(self, source: str, name: str = "app.sql") -> tuple[dict[str, Any], Finding | None]:
        """The one call site, and its finding where it has one."""
        checked = self.judged(source, name)
        (upsert,) = checked.upserts
        findings = checked.findings()
        assert len(findings) < 2, findings
        return call_site_member(upsert), findings[0] if findings else None

    def answer(self, statement: str) -> str | None:
        """The SQLSTATE of the real upsert, which is undone; None: it passes."""
        with self.engine.connect() as connection:
            try:
                connection.execute(text(statement))
            except DBAPIError as error:
                return str(error.orig.pgcode)  # type: ignore[union-attr]
        return None


def statements_in(hint: str) -> list[str]:
    """What a hint says to run, in its order, without the query that lists rows."""
    return STATEMENTS.findall(hint)
