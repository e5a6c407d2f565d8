"""The five systems as they were: SQL migrations, no models; one command, the SQL that it prints, and it is clean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2

from sample_project.plain_sql.api import exam_answers, exam_mentor
from sample_project.plain_sql.scoring import pattern_quality

from . import browser
from .errors import NotAsToldError
from .project import Outcome
from .supabase import APIError, Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from .database import Database
    from .narration import Narrator

FOLDER = Path(__file__).parents[1] / "plain_sql"
CHECK = "upsert-guard check --database URL --code . --functions"
ANA = "a0000000-0000-4000-8000-000000000001"
UNSERVED = {
    "./api/exam_answers.py:26": "user_mistakes (user_id, question_id)",
    "./api/exam_mentor.py:38": "quizzes (user_id, topic_id)",
    "./migrations/005_onboarding.sql:19": "profiles (auth_user_id)",
    "./scoring/pattern_quality.py:36": "pattern_quality_metrics (pattern_id)",
    "public.finalize_onboarding(uuid, text):7": "profiles (auth_user_id)",
}
"""Everything that the command finds, by its place; nothing of system 2 and of the other three keys of 5."""

SERVED = {
    "lesson_progress (user_id, lesson_id)",
    "users (name)",
    "plan_cache (cache_key)",
    "tutor_chats (user_id, topic_id)",
}


def play_plain_sql(database: Database, narrator: Narrator) -> None:
    """The play. :raises NotAsToldError: a step went otherwise."""
    migrations = sorted((FOLDER / "migrations").glob("*.sql"))
    for migration in migrations:
        _psql(database, migration.read_text(encoding="utf-8"))
    narrator.passed("psql -f migrations/*.sql", f"{len(migrations)} files, and no error")
    upserts = _upserts(database)
    _fill(database)
    for step, upsert in upserts.items():
        _expect(narrator, step, upsert, fails=step in _FAILING)
    _finds(database, narrator)
    for title, script in (
        ("psql -f fixes/duplicates.sql", _duplicates()),
        *_statements(database),
    ):
        _psql(database, script)
        narrator.passed(title)
    clean = _check(database)
    if clean.exit_code != 0:
        raise NotAsToldError(CHECK, expected="exit 0", came=clean.stdout + clean.stderr)
    narrator.passed(CHECK, clean.stdout.strip().splitlines()[-1])
    for step, upsert in upserts.items():
        _expect(narrator, step, upsert, fails=False)
        _expect(narrator, f"{step}, once more", upsert, fails=False)
    _holds(database, narrator)
    _clears(database)


_FAILING = {
    "1 an exam is submitted",
    "3 a backfill that upserts",
    "4 an onboarding ends",
    "5 a quiz is saved",
}


def _upserts(database: Database) -> dict[str, Callable[[], None]]:
    supabase = Client(database.sqlalchemy_url)
    pair = ("ana", "limits")
    return {
        "1 an exam is submitted": partial(exam_answers.submit_exam, supabase, ANA, [7, 12]),
        "2 a lesson is opened": partial(
            browser.start_lesson, supabase, ANA, "limits", "2025-01-06T09:00:00+00:00"
        ),
        "3 a backfill that upserts": partial(_backfill, database, pattern_quality.upsert_scores),
        "4 an onboarding ends": supabase.rpc(
            "finalize_onboarding", {"p_auth_user_id": ANA, "p_display_name": "Ana"}
        ).execute,
        "5 a login": partial(exam_mentor.log_in, supabase, "ana"),
        "5 a plan is cached": partial(exam_mentor.cache_plan, supabase, "ana/limits", {"n": 1}),
        "5 a chat is saved": partial(exam_mentor.save_chat, supabase, *pair, ["hello"]),
        "5 a quiz is saved": partial(exam_mentor.save_quiz, supabase, *pair, ["last"]),
    }


def _fill(database: Database) -> None:
    """What the systems did as they stood: backfills that insert, a history of quizzes, one profile."""
    database.run("INSERT INTO patterns (name) SELECT 'p' || n FROM generate_series(1, 1085) AS n")
    for _ in range(2):
        _backfill(database, pattern_quality.store_scores)
    supabase = Client(database.sqlalchemy_url)
    for questions in (["first"], ["second"]):
        exam_mentor.add_quiz(supabase, "ana", "limits", questions)
    supabase.table("profiles").insert({"auth_user_id": ANA}).execute()


def _backfill(database: Database, store: Callable[..., None]) -> None:
    with closing(psycopg2.connect(database.libpq_url)) as connection:
        pattern_quality.backfill(connection, "v1", store)


def _psql(database: Database, script: str) -> None:
    with closing(psycopg2.connect(database.libpq_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(script)


def _duplicates() -> str:
    return (FOLDER / "fixes" / "duplicates.sql").read_text(encoding="utf-8")


def _expect(narrator: Narrator, step: str, act: Callable[[], Any], *, fails: bool) -> None:
    try:
        act()
    except (APIError, psycopg2.Error) as error:
        code = error.code if isinstance(error, APIError) else error.pgcode
        if not fails or code != "42P10":
            raise NotAsToldError(
                step, expected="42P10" if fails else "success", came=f"{error}"
            ) from error
        narrator.failed(step, "ERROR 42P10")
        return
    if fails:
        raise NotAsToldError(step, expected="42P10", came="success")
    narrator.passed(step)


def _check(database: Database, *arguments: str) -> Outcome:
    command = ["check", "--database", database.libpq_url, "--code", ".", "--functions", *arguments]
    ran = subprocess.run(
        [sys.executable, "-m", "alembic_upsert_guard", *command],
        cwd=FOLDER,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Outcome(ran.returncode, ran.stdout, ran.stderr)


def _finds(database: Database, narrator: Narrator) -> None:
    """The command names the failing upserts at their places, and no other."""
    ran = _check(database, "--format", "json")
    if ran.exit_code != 1:
        raise NotAsToldError(CHECK, expected="exit 1", came=ran.stdout + ran.stderr)
    document = json.loads(ran.stdout)
    found = {
        f"{finding['location']['path']}:{finding['location']['line']}": _target(finding)
        for finding in document["findings"]
    }
    served = {_target(site) for site in document["call_sites"] if site["resolution"] == "served"}
    if (found, served) != (UNSERVED, SERVED):
        raise NotAsToldError(CHECK, expected=f"{UNSERVED}\n{SERVED}", came=f"{found}\n{served}")
    narrator.failed(CHECK, "five errors, nothing of what works")
    for finding in document["findings"]:
        at = finding["location"]
        narrator.quoted([f"{at['path']}:{at['line']}: {finding['fact']}"], "red")
        narrator.quoted(f"  {line}" for line in finding["hint"].splitlines())


def _target(subject: dict[str, Any]) -> str:
    return f"{subject['table']} ({', '.join(subject['elements'])})"


def _statements(database: Database) -> list[tuple[str, str]]:
    """What the hints say to run once the duplicate rows are gone, each statement once."""
    document = json.loads(_check(database, "--format", "json").stdout)
    lines = [line for finding in document["findings"] for line in finding["hint"].splitlines()]
    run = [line for line in lines if line.startswith(("ALTER TABLE", "CREATE UNIQUE INDEX"))]
    return [(line, line) for line in dict.fromkeys(run)]


def _holds(database: Database, narrator: Narrator) -> None:
    """One row a key, the newest of each."""
    query = (
        "SELECT (SELECT count(*) FROM user_mistakes), (SELECT count(*) FROM lesson_progress), "
        "(SELECT count(*) FROM pattern_quality_metrics), (SELECT count(*) FROM profiles), "
        "(SELECT CAST(min(CAST(questions AS text)) AS text) FROM quizzes), (SELECT count(*) FROM quizzes)"
    )
    expected = (2, 1, 1085, 1, '["last"]', 1)
    [came] = database.rows(query)
    if came != expected:
        raise NotAsToldError("the rows", expected=f"{expected}", came=f"{came}")
    narrator.passed("the rows", "one a key, each as it was upserted last")


def _clears(database: Database) -> None:
    database.run("DROP FUNCTION finalize_onboarding(uuid, text)")
    database.run(f"DROP TABLE {', '.join(database.tables())} CASCADE")
