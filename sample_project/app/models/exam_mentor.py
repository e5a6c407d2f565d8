"""System 5: the exam mentor, a whole schema."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


def _in_a_day() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=1)


class User(Base):
    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    email: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())


class StudySession(Base):
    __tablename__ = "study_sessions"
    __table_args__ = (
        # the page of a person lists their sessions
        Index("idx_study_sessions_user_id", "user_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    exam_type: Mapped[str]
    current_state: Mapped[str] = mapped_column(server_default="INTAKE")
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    details: Mapped[dict[str, Any] | None] = mapped_column("metadata")
    current_context: Mapped[dict[str, Any] | None] = mapped_column(server_default=text("'{}'"))
    agent_history: Mapped[list[dict[str, Any]] | None] = mapped_column(server_default=text("'{}'"))


class Topic(Base):
    __tablename__ = "topics"
    __table_args__ = (
        # a session shows its topics
        Index("idx_topics_session_id", "session_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    session_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("study_sessions.id", ondelete="CASCADE")
    )
    name: Mapped[str]
    status: Mapped[str | None] = mapped_column(server_default="pending")
    mastery_score: Mapped[int | None] = mapped_column(server_default="0")


class Misconception(Base):
    __tablename__ = "misconceptions"
    __table_args__ = (
        # the mentor reads what a person believes before every answer
        Index("idx_misconceptions_user_id", "user_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    topic_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("topics.id", ondelete="CASCADE"))
    description: Mapped[str | None]
    detected_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())


class PlanCache(Base):
    __tablename__ = "plan_cache"
    __table_args__ = (
        # beside the unique constraint: nobody saw that it was there twice
        Index("idx_plan_cache_key", "cache_key"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    cache_key: Mapped[str] = mapped_column(unique=True)
    plan: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[dt.datetime | None] = mapped_column(default=_in_a_day)


class TutorChat(Base):
    __tablename__ = "tutor_chats"
    __table_args__ = (
        UniqueConstraint("user_id", "topic_id"),
        Index("idx_tutor_chats_user_topic", "user_id", "topic_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    user_id: Mapped[str]
    topic_id: Mapped[str]
    messages: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    explanation: Mapped[str | None]
    last_updated: Mapped[dt.datetime] = mapped_column(server_default=func.now())


class Quiz(Base):
    __tablename__ = "quizzes"
    __table_args__ = (
        # documented as one quiz a person and topic; the index that came is a plain one
        Index("idx_quizzes_user_topic", "user_id", "topic_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    user_id: Mapped[str]
    topic_id: Mapped[str]
    questions: Mapped[list[Any]]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
