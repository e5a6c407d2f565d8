"""`python -m sample_project` goes as told, or says where it did not."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import psycopg

REPOSITORY = Path(__file__).parents[1]
PLAY = [sys.executable, "-m", "sample_project"]

REFUSED = ["✗ alembic upgrade head", "refused, nothing changed", "✓ the rows are mended"]
# every step that tells, in order; between them stands what is quoted
STORY = {
    "Exam answers": [
        "✓ alembic check",
        "✗ an exam is submitted",
        "ERROR 42P10: ",
        "+ from alembic_upsert_guard import UpsertKey",
        "✗ alembic check",
        "op.validate_upsert_key('user_mistakes', ['user_id', 'question_id'])",
        "✓ alembic upgrade head",
        "✓ the exam is submitted",
        "✓ another is submitted",
        "✓ alembic check",
    ],
    "Lesson progress": [
        "✗ this tab found nothing too, and inserts",
        "ERROR 23505: ",
        "✗ it tries again: 409 for ever",
        "ERROR 23505: ",
        "✓ the upsert of the mended page",
        "✓ and once more",
        "+ from alembic_upsert_guard import UpsertKey",
        "✓ alembic check",
        "there is nothing to generate",
    ],
    "Pattern quality": [
        "✓ alembic check",
        "✗ a backfill by the upsert that was meant",
        "ERROR 42P10: ",
        "+ from alembic_upsert_guard import UpsertKey",
        "✗ alembic check",
        "op.validate_upsert_key('pattern_quality_metrics', ['pattern_id'])",
        *REFUSED,
        "✓ alembic upgrade head",
        "✓ two backfills, as the code was mended",
        "✓ alembic check",
    ],
    "Onboarding": [
        "✓ alembic check",
        "✗ one ends the onboarding",
        "ERROR 42P10: ",
        "+ from alembic_upsert_guard import UpsertKey",
        "✗ alembic check",
        "op.validate_upsert_key('profiles', ['auth_user_id'])",
        *REFUSED,
        "✓ alembic upgrade head",
        "✓ the onboarding ends",
        "✓ and ends again, renamed",
        "✓ alembic check",
    ],
    "Exam mentor": [
        "✓ alembic check",
        "✗ a quiz saved as the documentation says",
        "ERROR 42P10: ",
        "+ from alembic_upsert_guard import UpsertKey",
        "✗ alembic check",
        "op.validate_upsert_key('quizzes', ['user_id', 'topic_id'])",
        *REFUSED,
        "✓ alembic upgrade head",
        "✓ all four upserts",
        "✓ and once more",
        "✓ alembic check",
        "✓ alembic downgrade base",
    ],
}


def play(directory: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        PLAY,
        cwd=directory,
        env=os.environ | {"DATABASE_URL": ""} | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def scenes(output: str) -> dict[str, str]:
    """The text of each scene by the title in its heading."""
    parts = re.split(r"^\d  (.+?): ", output, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def first_missing(steps: list[str], text: str) -> str | None:
    """The first step that does not stand behind those before it."""
    for step in steps:
        _, found, text = text.partition(step)
        if not found:
            return step
    return None


def test_every_system_fails_first_and_works_after_its_key_is_declared() -> None:
    played = play()

    assert played.returncode == 0, played.stdout + played.stderr
    scene_of = scenes(played.stdout)
    assert list(scene_of) == list(STORY)
    for title, scene in scene_of.items():
        assert first_missing(STORY[title], scene) is None, scene


def test_a_step_that_does_not_go_as_told_ends_the_play_with_1(tmp_path: Path) -> None:
    """An upsert that succeeds where 42P10 was told: here, on the primary key."""
    shutil.copytree(REPOSITORY / "sample_project", tmp_path / "sample_project")
    submission = tmp_path / "sample_project" / "app" / "exam_answers.py"
    source = submission.read_text(encoding="utf-8")
    told, otherwise = 'on_conflict="user_id,question_id"', 'on_conflict="id"'
    assert told in source
    submission.write_text(source.replace(told, otherwise), encoding="utf-8")

    played = play(tmp_path)

    assert played.returncode == 1
    assert re.search("✗ an exam is submitted +did not go as told", played.stdout)
    assert "an error 42P10" in played.stdout
    assert "success" in played.stdout


def test_a_database_with_tables_in_it_is_refused_by_their_names(
    postgresql: psycopg.Connection, url: str
) -> None:
    postgresql.execute("CREATE TABLE orders (id int)")
    postgresql.commit()

    played = play(DATABASE_URL=url)

    assert played.returncode == 2
    assert "names a database with tables in it: orders." in played.stderr
    assert played.stdout == ""


def test_an_empty_database_of_yours_is_played_on_and_left_empty(
    postgresql: psycopg.Connection, url: str
) -> None:
    played = play(DATABASE_URL=url)

    assert played.returncode == 0, played.stdout + played.stderr
    left = postgresql.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
        "UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'archive'"
    )
    assert left.fetchall() == []


def test_ctrl_c_leaves_no_server_behind() -> None:
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        playing = subprocess.Popen(
            PLAY,
            cwd=REPOSITORY,
            env=os.environ | {"DATABASE_URL": "", "TMPDIR": folder, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert playing.stdout is not None
        next(line for line in playing.stdout if "alembic upgrade head" in line)
        assert servers_in(folder)

        playing.send_signal(signal.SIGINT)
        _, errors = playing.communicate(timeout=60)

        assert playing.returncode == 130, errors
        assert not servers_in(folder)
        assert not [*Path(folder).glob("ug-*"), *Path(folder).glob("sample-project-*")]


def servers_in(folder: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "postgres" and folder in " ".join(process.info["cmdline"] or [])
    ]
