"""A project with a test suite of its own, run by a pytest of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

APP = """
import os
from sqlalchemy import NullPool, create_engine, func, text
from sqlalchemy.dialects.postgresql import insert as on_postgresql
from sqlalchemy.dialects.sqlite import insert as on_sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_engine(os.environ["APP_URL"], poolclass=NullPool)
insert = on_postgresql if engine.name == "postgresql" else on_sqlite

class Base(DeclarativeBase):
    pass

class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str | None]
    status: Mapped[str | None]

def save(*elements, **target):
    with engine.begin() as connection:
        row = {"id": 1, "email": "secret@example.org", "name": "secret"}
        target = {"index_elements": elements, **target} if elements or target else {}
        if "constraint" in target:
            del target["index_elements"]
        connection.execute(insert(Account).values(row).on_conflict_do_nothing(**target))
"""
"""``save`` upserts on what it is given, on one line of ``app.py``."""

SAVE = 1 + APP.splitlines().index(
    "        connection.execute(insert(Account).values(row).on_conflict_do_nothing(**target))"
)


@dataclass(frozen=True)
class Outcome:
    """What one run of pytest printed, wrote and returned."""

    code: int
    text: str

    @property
    def section(self) -> list[str]:
        """The lines of ours at the end, without the heading; empty: there is none."""
        _, found, rest = self.text.partition(" upsert guard ")
        lines = rest.splitlines()[1:] if found else []
        end = next((n for n, line in enumerate(lines) if line.startswith("==")), len(lines))
        return [line for line in lines[:end] if " passed in " not in line]


class Suite:
    """A folder with ``app.py`` and tests."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        folder.mkdir()
        self.write("app.py", APP)
        self.write("pytest.ini", "[pytest]\n")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(textwrap.dedent(text))

    def run(self, *arguments: str, tests: str | None = None) -> Outcome:
        """Run pytest in the folder.

        :param tests: the test module, which is written before; None: what is there.
        """
        if tests is not None:
            self.write(
                "test_app.py", f"import pytest\nfrom app import *\n\n{textwrap.dedent(tests)}"
            )
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        environment = {**os.environ, "APP_URL": self.url, "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("PYTEST_ADDOPTS", None)
        for name in [n for n in environment if n.startswith("PYTEST_XDIST")]:
            del environment[name]
        ran = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        return Outcome(ran.returncode, ran.stdout + ran.stderr)

    def recorded(self, file: str = ".upsert_guard/observed.json") -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / file).read_text())
        return document

    def without_counts(self) -> dict[str, Any]:
        document = self.recorded()
        for each in (*document["upserts"], *document["unread"]):
            del each["count"]
        return document
