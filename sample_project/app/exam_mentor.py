"""System 5: the exam mentor's upserts, and the quizzes that were none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from .models import PlanCache, Quiz, TutorChat, User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def log_in(session: Session, name: str) -> None:
    """The person of that name is known."""
    statement = insert(User).values(name=name)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"name": statement.excluded.name}
        )
    )


def cache_plan(session: Session, cache_key: str, plan: dict[str, Any]) -> None:
    """The plan is cached for a day from now."""
    statement = insert(PlanCache).values(cache_key=cache_key, plan=plan)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["cache_key"],
            set_={
                "plan": statement.excluded.plan,
                "created_at": statement.excluded.created_at,
                "expires_at": statement.excluded.expires_at,
            },
        )
    )


def add_to_chat(session: Session, user_id: str, topic_id: str, messages: Sequence[str]) -> None:
    """The messages stand at the end of the chat of that person on that topic."""
    statement = insert(TutorChat).values(
        user_id=user_id, topic_id=topic_id, messages=list(messages)
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "topic_id"],
            set_={
                "messages": func.jsonb_concat(TutorChat.messages, statement.excluded.messages),
                "last_updated": func.now(),
            },
        )
    )


def add_quiz(session: Session, user_id: str, topic_id: str, questions: Sequence[str]) -> None:
    """Save the quiz, one for each person and topic.

    As it stood: so says the documentation, and the code inserts.
    """
    session.execute(
        insert(Quiz).values(user_id=user_id, topic_id=topic_id, questions=list(questions))
    )


def save_quiz(session: Session, user_id: str, topic_id: str, questions: Sequence[str]) -> None:
    """The person has this quiz on that topic, and no other.

    As it was mended: the code does what the documentation says.
    """
    statement = insert(Quiz).values(user_id=user_id, topic_id=topic_id, questions=list(questions))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "topic_id"],
            set_={
                "questions": statement.excluded.questions,
                "created_at": statement.excluded.created_at,
            },
        )
    )


def quiz_of(session: Session, user_id: str, topic_id: str) -> list[Any] | None:
    """The newest quiz: readers had learnt to live with a history."""
    return session.scalar(
        select(Quiz.questions)
        .where(Quiz.user_id == user_id, Quiz.topic_id == topic_id)
        .order_by(Quiz.created_at.desc())
        .limit(1)
    )
