"""The five systems, in the order in which they are played."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg2
from sqlalchemy import create_engine, pool
from sqlalchemy.orm import Session

from sample_project.app import exam_answers, exam_mentor, onboarding, pattern_quality

from . import browser
from .offer import Offer
from .project import above, below, lines_of
from .supabase import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stage import Stage

IMPORT = "from alembic_upsert_guard import UpsertKey"
ANA = UUID("a0000000-0000-4000-8000-000000000001")
BEN = UUID("b0000000-0000-4000-8000-000000000002")


@dataclass(frozen=True)
class Scene:
    title: str
    key: str
    story: str
    before: str
    after: str
    play: Callable[[Stage], None]
    needs_postgresql: str = ""
    """What of it only PostgreSQL has; empty: nothing."""


def generated(stage: Stage, offer: Offer, *, name: str) -> list[str]:
    check = [
        f"# {offer.deduplication}",
        f"op.validate_upsert_key({offer.table!r}, {offer.columns!r})",
    ]
    if stage.database.is_postgresql:
        return [
            *check,
            f"op.create_unique_constraint({name!r}, {offer.table!r}, {offer.columns!r})",
        ]
    return [
        *check,
        f"with op.batch_alter_table({offer.table!r}, schema=None) as batch_op:",
        f"batch_op.create_unique_constraint({name!r}, {offer.columns!r})",
    ]


def kept_and_archived(offer: Offer, newest_by: str) -> str:
    """The rows, those in the archive, and how many of these are older than the one that stayed."""
    return (
        f"SELECT (SELECT count(*) FROM {offer.table}), "
        f"(SELECT count(*) FROM {offer.archive}), (SELECT count(*) FROM {offer.table} AS kept "
        f"JOIN {offer.archive} AS archived USING ({', '.join(offer.columns)}) "
        f"WHERE kept.{newest_by} > archived.{newest_by})"
    )


def play_exam_answers(stage: Stage) -> None:
    supabase = Client(stage.database.sqlalchemy_url)
    submit = partial(exam_answers.submit_exam, supabase, ANA)

    stage.check_is_clean("all is well, it says; but")
    stage.fails(
        "an exam is submitted",
        "42P10",
        lines_of("app/exam_answers.py", ".upsert(", ".execute()"),
        partial(submit, [7, 12]),
    )
    stage.declares(
        "app/models/exam_answers.py",
        above("from sqlalchemy import func, text", IMPORT),
        below(
            '    __tablename__ = "user_mistakes"',
            "    __table_args__ = (",
            '        UpsertKey("user_id", "question_id",',
            '                  name="user_mistakes_user_question_unique"),',
            "    )",
        ),
    )
    stage.check_fails("user_mistakes (user_id, question_id)")
    stage.generates(
        "upsert key of user_mistakes",
        lines=generated(
            stage,
            Offer("user_mistakes", ["user_id", "question_id"], order_by="updated_at"),
            name="user_mistakes_user_question_unique",
        ),
    )
    stage.upgrades()
    stage.works(
        "the exam is submitted",
        partial(submit, [7, 12]),
        fact="two mistakes, each counted once",
        query="SELECT question_id, times_wrong FROM user_mistakes ORDER BY question_id",
        leaves=[(7, 1), (12, 1)],
    )
    stage.works(
        "another is submitted",
        partial(submit, [12, 31]),
        fact="question 12 is counted twice, 31 is new, 7 is as it was",
        query="SELECT question_id, times_wrong FROM user_mistakes ORDER BY question_id",
        leaves=[(7, 1), (12, 2), (31, 1)],
    )
    stage.check_is_clean()


def play_lesson_progress(stage: Stage) -> None:
    supabase = Client(stage.database.sqlalchemy_url)
    source = "web/lesson_progress.ts"
    visit = (supabase, str(ANA), "limits")
    first, later = "2025-01-06T09:00:00+00:00", "2025-03-03T18:30:00+00:00"

    # two tabs: both look before either inserts
    seen_by_this_tab = browser.find_progress(*visit)
    stage.works(
        "a lesson is opened in another tab",
        partial(browser.start_lesson_unless_found, *visit, first, browser.find_progress(*visit)),
        fact="it looked, found nothing, inserted",
        query="SELECT count(*) FROM lesson_progress",
        leaves=1,
    )
    insert_after_looking = partial(
        browser.start_lesson_unless_found, *visit, later, seen_by_this_tab
    )
    stage.fails(
        "this tab found nothing too, and inserts",
        "23505",
        lines_of(source, ".insert("),
        insert_after_looking,
    )
    stage.fails("it tries again: 409 for ever", "23505", [], insert_after_looking)
    for step in ("the upsert of the mended page", "and once more"):
        stage.works(
            step,
            partial(browser.start_lesson, *visit, later),
            fact="one row, and started_at is still that of the first visit",
            query="SELECT count(*), count(CASE WHEN started_at < '2025-02-01' THEN 1 END) "
            "FROM lesson_progress",
            leaves=(1, 1),
        )
    stage.shows(lines_of(source, "onConflict:"))
    stage.declares(
        "app/models/lesson_progress.py",
        above("from sqlalchemy import UniqueConstraint, func, text", IMPORT),
        below(
            '        UniqueConstraint("user_id", "lesson_id", '
            'name="lesson_progress_user_id_lesson_id_key"),',
            '        UpsertKey("user_id", "lesson_id"),',
        ),
    )
    stage.check_is_clean("the constraint there serves the key: there is nothing to generate")


def play_pattern_quality(stage: Stage) -> None:
    metrics = "pattern_quality_metrics"
    offer = Offer(metrics, ["pattern_id"], order_by="measurement_timestamp")
    stage.database.run(
        "INSERT INTO patterns (name) SELECT 'pattern ' || n FROM generate_series(1, 1085) AS n"
    )

    def backfill(version: str, store: Callable[..., None]) -> None:
        with closing(psycopg2.connect(stage.database.libpq_url)) as connection:
            pattern_quality.backfill(connection, version, store)

    def backfill_twice(versions: tuple[str, str], store: Callable[..., None]) -> None:
        for version in versions:
            backfill(version, store)

    stage.check_is_clean("all is well, it says; but")
    stage.works(
        "two backfills, as the code stood",
        partial(backfill_twice, ("v1", "v2"), pattern_quality.store_scores),
        fact="1,085 patterns, 2,170 rows: the docstring says upsert, the code inserts",
        query=f"SELECT count(*) FROM {metrics}",
        leaves=2_170,
    )
    stage.fails(
        "a backfill by the upsert that was meant",
        "42P10",
        lines_of(
            "app/pattern_quality.py",
            "INSERT INTO",
            "quality_score = EXCLUDED.quality_score,",
            within="def upsert_scores",
        ),
        partial(backfill, "v3", pattern_quality.upsert_scores),
    )
    stage.declares(
        "app/models/pattern_quality.py",
        above("from sqlalchemy import BigInteger, Identity, text", IMPORT),
        below(
            f'    __tablename__ = "{metrics}"',
            f'    __table_args__ = (UpsertKey("pattern_id", name="{metrics}_pattern_id_unique"),)',
        ),
    )
    stage.check_fails(f"{metrics} (pattern_id)")
    revision = stage.generates(
        f"upsert key of {metrics}",
        lines=generated(stage, offer, name=f"{metrics}_pattern_id_unique"),
    )
    stage.upgrade_is_refused(offer, "1,085 surplus rows")
    rows_and_archive = (
        "SELECT json_build_array(count(*), md5(string_agg(m::text, ' ' ORDER BY id)), "
        f"to_regclass('{offer.archive}')) FROM {metrics} AS m"
    )
    before = stage.answer(rows_and_archive)
    deduplicates = partial(
        stage.deduplicates,
        offer,
        fact="1,085 rows, the latest measurement of each pattern; 1,085 archived",
        query=kept_and_archived(offer, "measurement_timestamp"),
        leaves=(1_085, 1_085, 1_085),
    )
    stage.takes(offer, revision)
    deduplicates()
    stage.restores(
        offer,
        fact="2,170 rows, each as it was, and no archive",
        query=rows_and_archive,
        leaves=before,
    )
    deduplicates()
    stage.works(
        "two backfills, as the code was mended",
        partial(backfill_twice, ("v3", "v4"), pattern_quality.upsert_scores),
        fact="1,085 patterns, 1,085 rows, all of the last backfill",
        query=f"SELECT array_agg(n || ' ' || version) FROM "
        f"(SELECT count(*) AS n, version FROM {metrics} GROUP BY version) AS versions",
        leaves=["1085 v4"],
    )
    stage.check_is_clean(keeps=offer.archive)


def play_onboarding(stage: Stage) -> None:
    supabase = Client(stage.database.sqlalchemy_url)
    offer = Offer("profiles", ["auth_user_id"], order_by="created_at")
    finalize = partial(onboarding.finalize_onboarding, supabase)

    def sign_up(*people: UUID) -> None:
        for person in people:
            onboarding.sign_up(supabase, person)

    stage.check_is_clean("all is well, it says, and the function was created; but")
    stage.works(
        "two people sign up",
        partial(sign_up, ANA, BEN),
        fact="two profiles",
        query="SELECT count(*) FROM profiles",
        leaves=2,
    )
    stage.fails(
        "one ends the onboarding",
        "42P10",
        lines_of("migrations/versions/0005_onboarding.py", "INSERT INTO", "ON CONFLICT"),
        partial(finalize, ANA, "Ana"),
    )
    stage.works(
        "and signs up again, in despair",
        partial(sign_up, ANA),
        fact="a profile stands twice",
        query="SELECT count(*) FROM profiles",
        leaves=3,
    )
    stage.declares(
        "app/models/onboarding.py",
        above("from sqlalchemy import func, text", IMPORT),
        below(
            '    __tablename__ = "profiles"',
            "    __table_args__ = (",
            '        UpsertKey("auth_user_id", name="profiles_auth_user_id_unique"),',
            "    )",
        ),
    )
    stage.check_fails("profiles (auth_user_id)")
    revision = stage.generates(
        "upsert key of profiles",
        lines=generated(stage, offer, name="profiles_auth_user_id_unique"),
    )
    stage.upgrade_is_refused(offer, "1 surplus row", str(ANA))
    stage.takes(offer, revision)
    stage.deduplicates(
        offer,
        fact="2 profiles, the newest of each person; 1 archived",
        query=kept_and_archived(offer, "created_at"),
        leaves=(2, 1, 1),
    )
    for step, name in (("the onboarding ends", "Ana"), ("and ends again, renamed", "Ana B.")):
        stage.works(
            step,
            partial(finalize, ANA, name),
            fact=f"one profile, named {name}",
            query=f"SELECT array_agg(display_name) FROM profiles WHERE auth_user_id = '{ANA}'",
            leaves=[name],
        )
    stage.check_is_clean(keeps=offer.archive)


def rows_are_hidden(stage: Stage) -> None:
    """Row level security, which SQLite does not have."""
    if not stage.database.is_postgresql:
        return
    stage.holds(
        "is on for these; it hides nothing from the guard, and changes no answer",
        "SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relrowsecurity",
        ["quizzes", "tutor_chats", "users"],
        step="row level security",
    )


def archive_is_hidden(stage: Stage, offer: Offer) -> None:
    if not stage.database.is_postgresql:
        return
    stage.holds(
        "is on for the archive too, without a policy: it shows nobody what was hidden",
        "SELECT json_build_array(relrowsecurity, (SELECT count(*) FROM pg_policy "
        f"WHERE polrelid = c.oid)) FROM pg_class AS c WHERE c.oid = '{offer.archive}'::regclass",
        [True, 0],
        step="row level security",
    )


def play_exam_mentor(stage: Stage) -> None:
    engine = create_engine(stage.database.sqlalchemy_url, poolclass=pool.NullPool)
    source = "app/exam_mentor.py"
    offer = Offer("quizzes", ["user_id", "topic_id"], order_by="created_at")

    def saves(upsert: Callable[..., None], *values: Any) -> Callable[[], None]:
        def act() -> None:
            with Session(engine) as session, session.begin():
                upsert(session, *values)

        return act

    def upsert_three(*words: str) -> None:
        for word in words:
            saves(exam_mentor.log_in, "ana")()
            saves(exam_mentor.cache_plan, "ana/calculus", {"plan": word})()
            saves(exam_mentor.add_to_chat, "ana", "limits", [word])()

    def upsert_four(word: str) -> None:
        upsert_three(word)
        saves(exam_mentor.save_quiz, "ana", "limits", [word])()

    def take_quizzes() -> None:
        for user, topic, questions in (
            ("ana", "limits", ["first"]),
            ("ana", "limits", ["second"]),
            ("ana", "limits", ["third"]),
            ("ana", "integrals", ["only"]),
            ("ben", "limits", ["first"]),
            ("ben", "limits", ["second"]),
        ):
            saves(exam_mentor.add_quiz, user, topic, questions)()

    stage.check_is_clean("all is well, it says; but")
    stage.works(
        "login, plan cache and chat, twice each",
        partial(upsert_three, "one", "two"),
        fact="one row each, and the chats are merged: three of the four upserts work",
        query="SELECT (SELECT count(*) FROM users), (SELECT CAST(plan AS text) FROM plan_cache), "
        "(SELECT CAST(messages AS text) FROM tutor_chats)",
        leaves=(1, '{"plan": "two"}', '["one", "two"]'),
    )
    stage.works(
        "six quizzes, as the code stood",
        take_quizzes,
        fact="six rows for three pairs: documented as an upsert, the code inserts",
        query="SELECT count(*) FROM quizzes",
        leaves=6,
    )
    stage.fails(
        "a quiz saved as the documentation says",
        "42P10",
        lines_of(source, "statement.on_conflict", "index_elements", within="def save_quiz"),
        saves(exam_mentor.save_quiz, "ana", "limits", ["fourth"]),
    )
    rows_are_hidden(stage)
    stage.declares(
        "app/models/exam_mentor.py",
        above("from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text", IMPORT),
        below(
            '    __tablename__ = "users"',
            '    __table_args__ = (UpsertKey("name", nulls="distinct"),)',
        ),
        below(
            '        Index("idx_plan_cache_key", "cache_key"),', '        UpsertKey("cache_key"),'
        ),
        below(
            '        Index("idx_tutor_chats_user_topic", "user_id", "topic_id"),',
            '        UpsertKey("user_id", "topic_id"),',
        ),
        below(
            '        Index("idx_quizzes_user_topic", "user_id", "topic_id"),',
            '        UpsertKey("user_id", "topic_id"),',
        ),
    )
    stage.check_fails("quizzes (user_id, topic_id)", "index idx_quizzes_user_topic")
    revision = stage.generates(
        "upsert keys of the exam mentor",
        lines=generated(stage, offer, name="uq_quizzes_user_id_topic_id"),
        silent_on=["'users'", "'plan_cache'", "'tutor_chats'"],
    )
    stage.upgrade_is_refused(offer, "3 surplus rows")
    stage.takes(offer, revision)
    stage.deduplicates(
        offer,
        fact="3 quizzes, the newest of each person and topic, as readers took it; 3 archived",
        query=kept_and_archived(offer, "created_at"),
        leaves=(3, 3, 3),
    )
    archive_is_hidden(stage, offer)
    for step, word in (("all four upserts", "three"), ("and once more", "four")):
        stage.works(
            step,
            partial(upsert_four, word),
            fact="still one row each, the quiz is the last one saved",
            query="SELECT CAST(questions AS text), (SELECT count(*) FROM users), "
            "(SELECT count(*) FROM plan_cache), (SELECT count(*) FROM tutor_chats) "
            "FROM quizzes ORDER BY user_id, topic_id",
            leaves=[(f'["{quiz}"]', 1, 1, 1) for quiz in ("only", word, "second")],
        )
    stage.check_is_clean(keeps=offer.archive)


SCENES = (
    Scene(
        title="Exam answers",
        key="user_mistakes (user_id, question_id)",
        story="Every submission fails. The code is right: the database lacks the constraint.",
        before="42P10",
        after="upserts, a mistake is counted again",
        play=play_exam_answers,
    ),
    Scene(
        title="Lesson progress",
        key="lesson_progress (user_id, lesson_id)",
        story="The constraint is there, but the code looks first and inserts after.",
        before="23505, for ever",
        after="upserts, nothing to generate",
        play=play_lesson_progress,
    ),
    Scene(
        title="Pattern quality",
        key="pattern_quality_metrics (pattern_id)",
        story="A docstring says upsert over a plain INSERT: each backfill doubles the table.",
        before="42P10, 1,085 surplus rows",
        after="1,085 rows, 1,085 archived",
        play=play_pattern_quality,
        needs_postgresql="the backfill is written for psycopg2",
    ),
    Scene(
        title="Onboarding",
        key="profiles (auth_user_id)",
        story="A PL/pgSQL function upserts. Creating it succeeds; every call fails.",
        before="42P10 in a function",
        after="the call succeeds, 1 row archived",
        play=play_onboarding,
        needs_postgresql="the upsert is inside a PL/pgSQL function",
    ),
    Scene(
        title="Exam mentor",
        key="users (name), plan_cache (cache_key), tutor_chats and quizzes (user_id, topic_id)",
        story="Four upsert keys: three are satisfied, one has a plain index for a unique one.",
        before="42P10, a history of quizzes",
        after="four of four upsert, 3 rows archived",
        play=play_exam_mentor,
    ),
)
