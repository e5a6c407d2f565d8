"""Two strangers on their way to the first true finding: `pip install` and one command each, with models and without."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

__all__ = ["ROOT", "STRANGERS", "Step", "Stranger", "built_wheel", "walk"]

ROOT = Path(__file__).parents[1]

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


@dataclass(frozen=True)
class Stranger:
    """What somebody has, and types."""

    name: str
    files: dict[str, str]
    schema: str
    """What the database has; empty: there is none."""
    commands: tuple[str, ...]
    """With ``{package}`` for what pip takes, and ``{url}`` for the database."""
    found: tuple[str, ...]
    """What is among the lines of the last command."""


STRANGERS = (
    Stranger(
        "with models",
        {"models.py": MODELS, "service.py": SERVICE},
        "",
        ("pip install {package}", "upsert-guard scan . --metadata models:Base"),
        (
            "service.py:6",
            "error[undeclared-upsert]: upsert key answers (question)",
            'Add UpsertKey("question")',
        ),
    ),
    Stranger(
        "without models",
        {"service.py": SUPABASE},
        "CREATE TABLE answers (id serial PRIMARY KEY, question int)",
        (
            "pip install {package} psycopg2-binary",
            "upsert-guard check --database '{url}' --code .",
        ),
        ("service.py:3", "error[unserved-upsert]", "answers (question) fails with 42P10"),
    ),
)


@dataclass(frozen=True)
class Step:
    """One command that was run."""

    command: str
    """As it is typed, with the name of the package."""
    seconds: float
    code: int
    printed: str
    """Both streams."""


def built_wheel(folder: Path) -> Path:
    """Build the wheel of this tree.

    :raises subprocess.CalledProcessError: it cannot be built.
    """
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def walk(stranger: Stranger, folder: Path, wheel: Path, url: str) -> list[Step]:
    """Return each command of a stranger, run in a fresh environment in `folder`; the next is run if pip succeeds."""
    for name, text in stranger.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    environment = folder / ".venv"
    venv.create(environment, with_pip=True)
    programs = sysconfig.get_path("scripts", vars={"base": str(environment)})
    left_out = ("PYTHONPATH", "VIRTUAL_ENV")
    variables = {name: value for name, value in os.environ.items() if name not in left_out}
    variables["PATH"] = os.pathsep.join([programs, variables["PATH"]])
    steps: list[Step] = []
    for command in stranger.commands:
        began = perf_counter()
        ran = subprocess.run(  # noqa: S602 - as it is typed
            command.format(package=f"'{wheel}[scan]'", url=url),
            shell=True,
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        shown = command.format(package="'alembic-upsert-guard[scan]'", url="URL")
        steps.append(Step(shown, perf_counter() - began, ran.returncode, ran.stdout))
        if ran.returncode and command != stranger.commands[-1]:
            break
    return steps
