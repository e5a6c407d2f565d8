"""The play from start to end: an empty database, the history, five scenes, and back to nothing."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser
from time import monotonic
from typing import TYPE_CHECKING

from .database import ENDING_SIGNALS, database_to_play_on
from .errors import CannotPlayError, NotAsToldError
from .narration import Narrator
from .plain import play_plain_sql
from .project import throw_away_copy
from .scenes import SCENES
from .stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from .database import Database

SOURCES = "app", "web", "migrations"
CALL_SITES = (
    "app/exam_answers.py:31:37: error[undeclared-upsert]: upsert key user_mistakes (user_id, question_id)",
    "app/exam_mentor.py:22:19: warning[undeclared-upsert]: upsert key users (name)",
    "app/exam_mentor.py:32:19: warning[undeclared-upsert]: upsert key plan_cache (cache_key)",
    "app/exam_mentor.py:49:19: warning[undeclared-upsert]: upsert key tutor_chats (user_id, topic_id)",
    "app/exam_mentor.py:76:19: error[undeclared-upsert]: upsert key quizzes (user_id, topic_id)",
    "app/pattern_quality.py:56:13: error[undeclared-upsert]: upsert key pattern_quality_metrics (pattern_id)",
    "migrations/versions/0005_onboarding.py:24:5: error[undeclared-upsert]: upsert key profiles (auth_user_id)",
    "web/lesson_progress.ts:44:6: warning[undeclared-upsert]: upsert key lesson_progress (user_id, lesson_id)",
)
UNSERVED = (
    "app/exam_answers.py:31:37: error[unserved-upsert]: the upsert into user_mistakes (user_id, question_id)",
    "app/exam_mentor.py:76:19: error[unserved-upsert]: the upsert into quizzes (user_id, topic_id)",
    "app/pattern_quality.py:56:13: error[unserved-upsert]: the upsert into pattern_quality_metrics (pattern_id)",
    "migrations/versions/0005_onboarding.py:24:5: error[unserved-upsert]: the upsert into profiles (auth_user_id)",
    "0 upsert keys, 8 upserts in ",
    ": 4 errors.",
)
LEFT_OUT_ON_SQLITE = "app/pattern_quality.py", "migrations/versions/0005_onboarding.py"
FUNCTION = "public.finalize_onboarding(uuid, text):7: error[unserved-function]: the upsert into profiles (auth_user_id)"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 all went as told, 1 a step did not, 2 there was nothing to play on."""
    parser = ArgumentParser(prog="python -m sample_project", description=__doc__)
    parser.add_argument(
        "--sqlite", action="store_true", help="on SQLite, as far as it can express the systems"
    )
    parser.add_argument(
        "--sql",
        action="store_true",
        help="the same systems as they were: SQL migrations, no models",
    )
    options = parser.parse_args(arguments)
    on_sqlite = options.sqlite
    narrator = Narrator()
    for number in ENDING_SIGNALS:
        signal.signal(number, _end_in_order)
    try:
        with database_to_play_on(os.environ.get("DATABASE_URL"), on_sqlite=on_sqlite) as database:
            if options.sql:
                _play_plain_sql(database, narrator)
            else:
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
        stage.guard_finds(
            "scan", *SOURCES, mentioned=CALL_SITES, fact="each system's upsert, and no key"
        )
        if database.is_postgresql:
            fact = "a call that nobody has made yet"
            stage.guard_finds("functions", mentioned=[FUNCTION], fact=fact)
            fact = "four of the eight, without a declared key"
            stage.guard_finds("check", "--code", *SOURCES, mentioned=UNSERVED, fact=fact)
        rows = []
        for number, scene in enumerate(SCENES, start=1):
            scene_began = monotonic()
            narrator.heading(number, scene.title, scene.key, scene.story)
            if scene.needs_postgresql and not database.is_postgresql:
                narrator.line(f"   Left out on SQLite: {scene.needs_postgresql}.")
                continue
            scene.play(stage)
            rows.append((scene.title, scene.before, scene.after, monotonic() - scene_began))
        narrator.line()
        if database.is_postgresql:
            stage.guard_finds_nothing("scan", *SOURCES, summary="8 upserts in ")
            stage.guard_finds_nothing("functions", summary="1 upsert in functions: nothing to do.")
            stage.guard_finds_nothing("check", "--rows", summary="8 upsert keys: nothing to do.")
            stage.guard_finds_nothing(
                "check", "--code", *SOURCES, summary="8 upsert keys, 8 upserts"
            )
        else:
            left_out = [site for site in CALL_SITES if site.startswith(LEFT_OUT_ON_SQLITE)]
            stage.guard_finds(
                "scan", *SOURCES, mentioned=left_out, fact="the two that were left out"
            )
            stage.guard_finds_nothing("check", "--rows", summary="6 upsert keys: nothing to do.")
        stage.downgrades_to_nothing()
    narrator.line()
    narrator.summary(rows)
    narrator.line(f"Everything went as described, in {monotonic() - began:.0f} seconds.")


def _play_plain_sql(database: Database, narrator: Narrator) -> None:
    began = monotonic()
    narrator.line(f"Five systems without models, {database.describe()}.")
    play_plain_sql(database, narrator)
    narrator.line(f"Everything went as described, in {monotonic() - began:.0f} seconds.")


def _end_in_order(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
