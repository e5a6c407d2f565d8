"""The play from start to end: an empty database, the history, five scenes, and back to nothing."""

from __future__ import annotations

import os
import signal
import sys
from time import monotonic
from typing import TYPE_CHECKING

from .database import ENDING_SIGNALS, database_to_play_on
from .errors import CannotPlayError, NotAsToldError
from .narration import Narrator
from .project import throw_away_copy
from .scenes import SCENES
from .stage import Stage

if TYPE_CHECKING:
    from types import FrameType

    from .database import Database


def main() -> int:
    """The exit code: 0 all went as told, 1 a step did not, 2 there was nothing to play on."""
    narrator = Narrator()
    for number in ENDING_SIGNALS:
        signal.signal(number, _end_in_order)
    try:
        with database_to_play_on(os.environ.get("DATABASE_URL")) as database:
            _play_on(database, narrator)
    except CannotPlayError as error:
        print(f"{error}.", file=sys.stderr)
        return 2
    except NotAsToldError as error:
        narrator.broken(error.step, error.expected, error.came)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


def _play_on(database: Database, narrator: Narrator) -> None:
    began = monotonic()
    narrator.line(f"One application, five systems, {database.describe()}.")
    narrator.line("✗ is what users saw, or what the guard sees before the deploy. ✓ is what works.")
    with throw_away_copy(database.sqlalchemy_url) as project:
        stage = Stage(narrator, database, project)
        stage.upgrades("the history so far, and no model declares an upsert key")
        rows = []
        for number, scene in enumerate(SCENES, start=1):
            scene_began = monotonic()
            narrator.heading(number, scene.title, scene.key, scene.story)
            scene.play(stage)
            rows.append((scene.title, scene.before, scene.after, monotonic() - scene_began))
        narrator.line()
        stage.downgrades_to_nothing()
    narrator.line()
    narrator.summary(rows)
    narrator.line(f"All went as told, in {monotonic() - began:.0f} seconds.")


def _end_in_order(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
