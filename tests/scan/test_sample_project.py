"""The five systems: each upsert is found at its line, and named where no key declares it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import MetaData

import sample_project
from alembic_upsert_guard import declare_upsert_key
from alembic_upsert_guard.upserts.models import declared_tables
from alembic_upsert_guard.upserts.scan import Resolution, ScanReport, scan
from sample_project.app.models import Base

PROJECT = Path(sample_project.__file__).parent

UPSERTS = [
    ("app/exam_answers.py", 31, "user_mistakes", ("user_id", "question_id")),
    ("app/exam_mentor.py", 22, "users", ("name",)),
    ("app/exam_mentor.py", 32, "plan_cache", ("cache_key",)),
    ("app/exam_mentor.py", 49, "tutor_chats", ("user_id", "topic_id")),
    ("app/exam_mentor.py", 76, "quizzes", ("user_id", "topic_id")),
    ("app/pattern_quality.py", 56, "pattern_quality_metrics", ("pattern_id",)),
    ("migrations/versions/0005_onboarding.py", 24, "profiles", ("auth_user_id",)),
    ("web/lesson_progress.ts", 44, "lesson_progress", ("user_id", "lesson_id")),
]

MODELLED = ["users", "plan_cache", "tutor_chats", "lesson_progress"]
"""Those that unique constraints of the models serve all the same."""


@pytest.fixture
def fixed() -> MetaData:
    """The models with the keys that their upserts need."""
    metadata = MetaData()
    for table in Base.metadata.tables.values():
        table.to_metadata(metadata)
    for _, _, table_name, elements in UPSERTS:
        declare_upsert_key(metadata.tables[table_name], *elements)
    return metadata


def scanned(metadata: MetaData) -> ScanReport:
    """What the application, its page and its revisions hold."""
    return scan(
        [PROJECT / "app", PROJECT / "migrations", PROJECT / "web"], declared_tables(metadata)
    )


def test_every_system_is_found_at_its_line() -> None:
    """All of them, and nothing else; before the fix no key is declared."""
    report = scanned(Base.metadata)

    found = [
        (Path(u.place.path).relative_to(PROJECT).as_posix(), u.place.line, u.table_name, u.elements)
        for u in (judged.upsert for judged in report.upserts)
    ]
    assert found == UPSERTS
    assert {f.code for f in report.findings} == {"undeclared-upsert"}
    assert len(report.findings) == len(UPSERTS)
    modelled = [j.upsert.table_name for j in report.upserts if j.resolution is Resolution.MODELLED]
    assert modelled == MODELLED
    assert [f.table for f in report.findings if f.severity == "warning"] == MODELLED
    assert report.problems == ()


def test_the_hint_names_the_class_of_the_system() -> None:
    """The line to paste, and where."""
    report = scanned(Base.metadata)

    assert report.findings[0].hint == (
        'add UpsertKey("user_id", "question_id") to __table_args__ of class UserMistake '
        "(sample_project.app.models.exam_answers)"
    )


def test_after_the_fix_nothing_is_found(fixed: MetaData) -> None:
    """Every upsert finds its key."""
    report = scanned(fixed)

    assert {judged.resolution for judged in report.upserts} == {Resolution.DECLARED}
    assert report.findings == ()
