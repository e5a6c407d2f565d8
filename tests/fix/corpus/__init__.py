"""Shapes of models, and what `scan --fix` makes of them; the form is described at the top of ``classes.txt``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent

SERVICE = "from models import *\nfrom sqlalchemy.dialects.postgresql import insert\n\n"


@dataclass
class Shape:
    """One block of a file."""

    title: str
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def before(self) -> str:
        """models.py."""
        return self.parts["models.py"]

    @property
    def after(self) -> str:
        """models.py once the declarations are written; the same where they are refused."""
        return self.parts.get("after", self.before)

    @property
    def left(self) -> list[str]:
        """Why nothing is written."""
        return self.parts.get("left", "").splitlines()

    def write(self, folder: Path) -> Path:
        """Write the files, and return the path of the models."""
        (folder / "service.py").write_text(SERVICE + self.parts["upserts"])
        for name, text in self.parts.items():
            if name.endswith(".py"):
                (folder / name).write_text(text)
        return folder / "models.py"


def shapes() -> list[Shape]:
    """Every shape, in the order of the files."""
    return [shape for path in sorted(FOLDER.glob("*.txt")) for shape in _read(path)]


def _read(path: Path) -> list[Shape]:
    blocks = ("\n" + path.read_text()).split("\n=== ")[1:]
    return [_shape(path.stem, block.rstrip("\n") + "\n") for block in blocks]


def _shape(stem: str, block: str) -> Shape:
    title, _, text = block.partition("\n")
    parts = ("--- models.py\n" + text).split("--- ")[1:]
    named = [part.partition("\n") for part in parts]
    return Shape(f"{stem}: {title}", {name: content for name, _, content in named})
