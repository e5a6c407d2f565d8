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

from tests.recording import PICTURE, lines_of

if TYPE_CHECKING:
    import psycopg

REPOSITORY = Path(__file__).parents[1]
PLAY = [sys.executable, "-m", "sample_project"]

DEDUPLICATED = "✓ alembic upgrade head", "Deduplicated upsert key "


def refused_until_its_line_is_taken(table: str, columns: list[str], order_by: str) -> list[str]:
    """The revision and the report offer both lines; the play uncomments them, and writes no SQL."""
    key, archive = f"{table!r}, {columns!r}", f"archive_table='{table}_duplicates'"
    deduplication = (
        f"op.deduplicate_upsert_key({key}, keep='last', order_by=[{order_by!r}], {archive})"
    )
    restoration = f"op.restore_deduplicated_rows({key}, {archive})"
    return [
        f"# {deduplication}",
        f"op.validate_upsert_key({key})",
        "✗ alembic upgrade head",
        "refused, nothing changed",
        deduplication,
        restoration,
        "✓ the offered lines are uncommented",
        f"+ {deduplication}",
        f"+ {restoration}",
        *DEDUPLICATED,
    ]


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
        *refused_until_its_line_is_taken(
            "pattern_quality_metrics", ["pattern_id"], "measurement_timestamp"
        ),
        "✓ alembic downgrade -1",
        "2,170 rows, each as it was, and no archive",
        "Restored ",
        *DEDUPLICATED,
        "✓ two backfills, as the code was mended",
        "1,085 patterns, 1,085 rows",
        "✓ alembic check",
        "Kept the archive pattern_quality_metrics_duplicates",
    ],
    "Onboarding": [
        "✓ alembic check",
        "✗ one ends the onboarding",
        "ERROR 42P10: ",
        "+ from alembic_upsert_guard import UpsertKey",
        "✗ alembic check",
        *refused_until_its_line_is_taken("profiles", ["auth_user_id"], "created_at"),
        "✓ the onboarding ends",
        "✓ and ends again, renamed",
        "✓ alembic check",
        "Kept the archive profiles_duplicates",
    ],
    "Exam mentor": [
        "✓ alembic check",
        "✗ a quiz saved as the documentation says",
        "ERROR 42P10: ",
        "+ from alembic_upsert_guard import UpsertKey",
        "✗ alembic check",
        *refused_until_its_line_is_taken("quizzes", ["user_id", "topic_id"], "created_at"),
        "✓ row level security",
        "✓ all four upserts",
        "✓ and once more",
        "✓ alembic check",
        "Kept the archive quizzes_duplicates",
        "✓ alembic downgrade base",
        *["Restored "] * 3,
    ],
}


RECONCILED = [
    "✗ upsert-guard scan app web migrations",
    "app/exam_answers.py:31:37: error[undeclared-upsert]: upsert key user_mistakes (user_id, question_id)",
    "web/lesson_progress.ts:44:6: warning[undeclared-upsert]: upsert key lesson_progress (user_id, lesson_id)",
    "✗ upsert-guard functions",
    "public.finalize_onboarding(uuid, text):7: error[unserved-function]: ",
    "✗ upsert-guard check --code app web migrations",
    "app/exam_answers.py:31:37: error[unserved-upsert]: ",
    *(f"\n{number}  " for number in range(1, 6)),
    "✓ upsert-guard scan app web migrations",
    "✓ upsert-guard functions                    1 upsert in functions: nothing to do.",
    "✓ upsert-guard check --rows                 8 upsert keys: nothing to do.",
    "✓ upsert-guard check --code app web migrations  8 upsert keys, 8 upserts in ",
]
"""What the command says before the scenes and after them."""


LEFT_OUT_ON_SQLITE = {
    "Pattern quality": ["Left out on SQLite: the backfill is written for psycopg2."],
    "Onboarding": ["Left out on SQLite: the upsert is inside a PL/pgSQL function."],
}
NO_ARBITER = "ERROR: ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint"
IN_THE_WORDS_OF_SQLITE = {
    "ERROR 42P10: ": NO_ARBITER,
    "ERROR 23505: ": "ERROR: UNIQUE constraint failed: ",
}
RECONCILED_ON_SQLITE = [
    *RECONCILED[:3],
    *(f"\n{number}  " for number in range(1, 6)),
    "✗ upsert-guard scan app web migrations      the two that were left out",
    "✓ upsert-guard check --rows                 6 upsert keys: nothing to do.",
]


def play(
    directory: Path = REPOSITORY, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PLAY, *arguments],
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
    """What the demo prints, scene by scene; docs/demo.svg shows the first as it is."""
    played = play()

    assert played.returncode == 0, played.stdout + played.stderr
    scene_of = scenes(played.stdout)
    assert list(scene_of) == list(STORY)
    for title, scene in scene_of.items():
        assert first_missing(STORY[title], scene) is None, scene
    assert first_missing(RECONCILED, played.stdout) is None, played.stdout
    _heading, *drawn = lines_of(PICTURE.read_text(encoding="utf-8"))
    printed = scene_of["Exam answers"].splitlines()[1:]
    assert [line.removesuffix("…") for line in drawn] == [
        line[: len(cropped) - 1] if cropped.endswith("…") else line
        for line, cropped in zip(filter(None, printed), drawn, strict=True)
    ], "python -m tests.recording draws docs/demo.svg again"


def test_on_sqlite_as_far_as_it_can_express_the_systems() -> None:
    """The same scenes, in SQLite's words; what only PostgreSQL has is named and left out."""
    played = play(REPOSITORY, "--sqlite")

    assert played.returncode == 0, played.stdout + played.stderr
    scene_of = scenes(played.stdout)
    assert list(scene_of) == list(STORY)
    for title, scene in scene_of.items():
        steps = [step for step in STORY[title] if step != "✓ row level security"]
        told = [IN_THE_WORDS_OF_SQLITE.get(step, step) for step in steps]
        if title == "Exam mentor":  # the one archive there
            told = told[:-2]
        assert first_missing(LEFT_OUT_ON_SQLITE.get(title, told), scene) is None, scene
    assert first_missing(RECONCILED_ON_SQLITE, played.stdout) is None, played.stdout


def test_a_step_that_does_not_go_as_told_ends_the_play_with_1(tmp_path: Path) -> None:
    """An upsert by the primary key, where one by user and question was told."""
    shutil.copytree(REPOSITORY / "sample_project", tmp_path / "sample_project")
    submission = tmp_path / "sample_project" / "app" / "exam_answers.py"
    source = submission.read_text(encoding="utf-8")
    told, otherwise = 'on_conflict="user_id,question_id"', 'on_conflict="id"'
    assert told in source
    submission.write_text(source.replace(told, otherwise), encoding="utf-8")

    played = play(tmp_path)

    assert played.returncode == 1
    assert re.search(r"✗ upsert-guard scan app web migrations +did not go as told", played.stdout)
    assert (
        "app/exam_answers.py:31: upsert key user_mistakes (user_id, question_id)" in played.stdout
    )
    assert "app/exam_answers.py:31: upsert key user_mistakes (id)" in played.stdout


def test_a_database_with_tables_in_it_is_refused_by_their_names(
    postgresql: psycopg.Connection, url: str
) -> None:
    """Exit 2 before anything is touched."""
    postgresql.execute("CREATE TABLE orders (id int)")
    postgresql.commit()

    played = play(DATABASE_URL=url)

    assert played.returncode == 2
    assert "names a database with tables in it: orders." in played.stderr
    assert played.stdout == ""


def test_an_empty_database_of_yours_is_played_on_and_left_empty(
    postgresql: psycopg.Connection, url: str
) -> None:
    """Tables and functions of the demo are gone afterwards."""
    played = play(DATABASE_URL=url)

    assert played.returncode == 0, played.stdout + played.stderr
    left = postgresql.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    assert left.fetchall() == []


def test_ctrl_c_leaves_no_server_behind() -> None:
    """Exit 130; the server and its folders are gone."""
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


PLAIN_SQL = [
    "✓ psql -f migrations/*.sql",
    "✗ 1 an exam is submitted                    ERROR 42P10",
    "✓ 2 a lesson is opened",
    "✗ 3 a backfill that upserts                 ERROR 42P10",
    "✗ 4 an onboarding ends                      ERROR 42P10",
    "✗ 5 a quiz is saved                         ERROR 42P10",
    "✗ upsert-guard check --database URL --code . --functions",
    "./api/exam_answers.py:26: the upsert into user_mistakes (user_id, question_id) fails with 42P10",
    "./api/exam_mentor.py:38: the upsert into quizzes (user_id, topic_id) fails with 42P10",
    "nearest is index idx_quizzes_user_topic (user_id, topic_id): it is not unique",
    "./migrations/005_onboarding.sql:19: the upsert into profiles (auth_user_id) fails with 42P10",
    "./scoring/pattern_quality.py:36: the upsert into pattern_quality_metrics (pattern_id) fails with 42P10",
    "1,085 keys are in several rows",
    "public.finalize_onboarding(uuid, text):7: the upsert into profiles (auth_user_id) fails with 42P10",
    "✓ psql -f fixes/duplicates.sql",
    "✓ ALTER TABLE user_mistakes ADD CONSTRAINT",
    "✓ CREATE UNIQUE INDEX CONCURRENTLY uq_quizzes_user_id_topic_id ON quizzes (user_id, topic_id);",
    "✓ upsert-guard check --database URL --code . --functions  8 upserts in ",
    "nothing to do.",
    "✓ 1 an exam is submitted, once more",
    "✓ 5 a quiz is saved, once more",
    "✓ the rows",
    "Everything went as described",
]
"""What the play without models says, in order."""


def test_without_models_the_failing_systems_are_named_and_the_printed_sql_fixes_them() -> None:
    """Systems 1, 3, 4 and the quizzes of 5, at file and line, and nothing of what works; then every upsert does."""
    played = play(REPOSITORY, "--sql")

    assert played.returncode == 0, played.stdout + played.stderr
    assert first_missing(PLAIN_SQL, played.stdout) is None, played.stdout
    assert played.stdout.count("fails with 42P10") == 5
