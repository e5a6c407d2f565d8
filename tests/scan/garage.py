"""A garage: one table, whatever it is unique on, and one upsert into it, held against its model and a database."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.upserts.models import declared_tables
from alembic_upsert_guard.upserts.scan import Resolution, scan

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from alembic_upsert_guard.findings import Finding

__all__ = ["Answered", "Garage"]

MODELS = """\
import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from alembic_upsert_guard import UpsertKey, conflict_target

class Base(DeclarativeBase):
    pass

class Car(Base):
    __tablename__ = "cars"
    __table_args__ = ({arguments})
    id: Mapped[int] = mapped_column(primary_key=True)
    regno: Mapped[str]
    country: Mapped[str]
    sold: Mapped[bool]
"""

_VALUES = "id=1, regno='a', country='b', sold=False"


@dataclass(frozen=True)
class Answered:
    """What ``scan`` says of one upsert, and what the upsert does."""

    resolution: Resolution
    findings: tuple[Finding, ...]
    sqlstate: str | None
    """None: it succeeds."""

    @property
    def codes(self) -> list[tuple[str, str]]:
        return [(f.code, f.severity) for f in self.findings]

    @property
    def hint(self) -> str:
        (finding,) = self.findings
        return finding.hint


class Garage:
    """A folder with modules, and a database."""

    def __init__(self, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is written yet.

        :param folder: where modules are imported from.
        """
        self._folder = folder
        self._engine = create_engine(url)
        self._monkeypatch = monkeypatch

    def python(self, arguments: str, target: str, *ddl: str) -> Answered:
        """Make the table with these ``__table_args__``, and upsert by SQLAlchemy with this target.

        :param ddl: statements that are run before the upsert.
        """
        source = f"insert(Car).values({_VALUES}).on_conflict_do_nothing({target})"
        return self._answered(arguments, source, *ddl)

    def sql(self, arguments: str, target: str) -> Answered:
        """Make the table, and upsert by SQL with this clause."""
        values = "(id, regno, country, sold) VALUES (1, 'a', 'b', false)"
        return self._answered(
            arguments, f"sa.text({f'INSERT INTO cars {values} {target} DO NOTHING'!r})"
        )

    def statement(self, arguments: str, sql: str) -> Answered:
        """Make the table, and run SQL that upserts by itself."""
        return self._answered(arguments, f"sa.text({sql!r})")

    def dispose(self) -> None:
        """Close what is open."""
        self._engine.dispose()

    def _answered(self, arguments: str, source: str, *ddl: str) -> Answered:
        (self._folder / "garage.py").write_text(MODELS.format(arguments=arguments))
        service = self._folder / "service.py"
        service.write_text(f"import sqlalchemy as sa\nfrom garage import *\nupsert = {source}\n")
        for name in ("garage", "service"):
            self._monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        garage = importlib.import_module("garage")
        report = scan([service], declared_tables(garage.Base.metadata))
        (judged,) = report.upserts
        with self._engine.connect() as connection:
            garage.Base.metadata.create_all(connection)
            # constraints that the service makes are attached, and not created
            upsert: Any = importlib.import_module("service").upsert
            for statement in ddl:
                connection.execute(text(statement))
            try:
                connection.execute(upsert)
            except DBAPIError as error:
                return Answered(judged.resolution, report.findings, error.orig.pgcode)
        return Answered(judged.resolution, report.findings, None)
