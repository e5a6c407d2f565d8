"""What a stranger types from the installed package to the first true finding: two commands, with models and without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Answer(Base):
    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[int]
"""
SERVICE = """
from models import Answer
from sqlalchemy.dialects.postgresql import insert

def remember(session, question):
    session.execute(insert(Answer).values(question=question).on_conflict_do_nothing(index_elements=["question"]))
"""
SUPABASE = """
def remember(supabase, question):
    supabase.table("answers").upsert({"question": question}, on_conflict="question").execute()
"""

pytestmark = pytest.mark.slow


def types(folder: Path, command: str) -> tuple[int, str]:
    """The exit code and what a shell in `folder` printed."""
    programs = Path(sys.executable).parent
    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(folder), "PGAPPNAME": "stranger"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_with_models(tmp_path: Path) -> None:
    """`pip install`, which this package has behind it, and one command; no configuration, no database."""
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "service.py").write_text(SERVICE)

    code, printed = types(tmp_path, "upsert-guard scan . --metadata models:Base.metadata")

    assert code == 1, printed
    assert "service.py:6" in printed
    assert "error[undeclared-upsert]: upsert key answers (question)" in printed
    assert 'Add UpsertKey("question")' in printed


def test_without_models(tmp_path: Path, url: str) -> None:
    """A database with the table and a folder with the code; the finding is gone with the index that it asks for."""
    (tmp_path / "service.py").write_text(SUPABASE)
    check = f"upsert-guard check --database '{url}' --code ."
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE answers (id serial PRIMARY KEY, question int)")

    code, printed = types(tmp_path, check)

    assert code == 1, printed
    assert "service.py:3" in printed
    assert "answers (question)" in printed
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX one_a_question ON answers (question)")
    engine.dispose()
    assert types(tmp_path, check)[0] == 0
