"""`python -m tests.recording` plays the first scene of the sample project, and draws what it printed: docs/demo.svg."""

from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from sample_project.demo.database import database_to_play_on
from sample_project.demo.narration import Narrator
from sample_project.demo.project import throw_away_copy
from sample_project.demo.scenes import SCENES
from sample_project.demo.stage import Stage

PICTURE = Path(__file__).parents[1] / "docs" / "demo.svg"
WIDTH = 108
THEME = TerminalTheme(
    (27, 30, 32),
    (238, 238, 238),
    [
        *((0, 0, 0), (255, 123, 114), (126, 211, 133), (230, 190, 110)),
        *((121, 184, 255), (200, 160, 255), (110, 205, 215), (238, 238, 238)),
    ],
)
"""Readable where it is dim, too; black to white, as terminals number them."""

FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>make demo: alembic check is red, a revision adds the constraint, and the upsert works</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs>{lines}
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath></defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""
"""Rich's own, without its fonts from another host."""


class Cropped(Console):
    """A terminal on which a line that is too long ends with an ellipsis."""

    def print(self, *objects: object, **options: object) -> None:
        """Print without folding."""
        super().print(*objects, no_wrap=True, overflow="ellipsis", **options)  # type: ignore[arg-type]


def recording() -> str:
    """Return the picture of the first scene, played on a server that starts for it."""
    console = Cropped(
        record=True, width=WIDTH, file=io.StringIO(), highlight=False, markup=False, emoji=False
    )
    narrator = Narrator(console)
    with (
        database_to_play_on(None, on_sqlite=False) as database,
        throw_away_copy(database.sqlalchemy_url) as project,
    ):
        project.alembic("upgrade", "head")
        scene = SCENES[0]
        narrator.heading(1, scene.title, scene.key, scene.story)
        scene.play(Stage(narrator, database, project))
    drawn = console.export_svg(title="make demo", theme=THEME, code_format=FORMAT, unique_id="demo")
    return re.sub(r" +$", "", drawn, flags=re.MULTILINE)


def lines_of(svg: str) -> list[str]:
    """Return the lines of text in a picture, from the top down; what was cropped ends with an ellipsis."""
    rows: dict[float, str] = {}
    for x, y, text in re.findall(
        r'<text class="demo-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg
    ):
        column = round(float(x) / 12.2)
        rows[float(y)] = rows.get(float(y), "").ljust(column) + unescape(text)
    return [rows[y].replace("\xa0", " ").rstrip() for y in sorted(rows) if rows[y].strip("\xa0 \n")]


if __name__ == "__main__":
    PICTURE.write_text(recording(), encoding="utf-8")
