"""Shapes of call sites, and what each has to be resolved to: text files that a person reads and adds to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic_upsert_guard.upserts.scan import JudgedUpsert

FOLDER = Path(__file__).parent


@dataclass
class Shape:
    """One block of a file; the form is described at the top of ``sqlalchemy.txt``."""

    title: str
    files: dict[str, list[str]] = field(default_factory=dict)
    expected: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write its files."""
        for name, lines in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def shapes() -> list[Shape]:
    """Every shape, in the order of the files."""
    return [shape for path in sorted(FOLDER.glob("*.txt")) for shape in _read(path)]


def _read(path: Path) -> list[Shape]:
    found: list[Shape] = []
    lines: list[str] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("=== "):
            found.append(Shape(f"{path.stem}: {line[4:]}"))
            lines = found[-1].files.setdefault("service.py", [])
        elif line.startswith("### "):
            lines = found[-1].files.setdefault(line[4:], [])
        elif line == "---":
            if lines is found[-1].expected:  # the one before was the file's own, as in Astro's
                lines = list(found[-1].files.values())[-1]
                lines += ["---", *found[-1].expected]
                found[-1].expected.clear()
            lines = found[-1].expected
        elif lines is not None:
            lines.append(line)
    for shape in found:
        shape.expected = [line for line in shape.expected if line and line != "nothing"]
    return found


def described(judged: JudgedUpsert) -> str:
    """An upsert as the files write it."""
    upsert = judged.upsert
    table = upsert.table_name or "?"
    name = table if upsert.schema is None else f"{upsert.schema}.{table}"
    where = "" if upsert.where is None else f" WHERE {upsert.where}"
    return f"{judged.resolution} {name} ({', '.join(upsert.elements)}){where}"
