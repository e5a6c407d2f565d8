"""System 2: how far a person is in a lesson."""

import datetime as dt
import uuid

from sqlalchemy import UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class LessonProgress(Base):
    __tablename__ = "lesson_progress"
    __table_args__ = (
        # the name that PostgreSQL gave it
        UniqueConstraint("user_id", "lesson_id", name="lesson_progress_user_id_lesson_id_key"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    user_id: Mapped[uuid.UUID]
    lesson_id: Mapped[str]
    is_completed: Mapped[bool] = mapped_column(server_default=text("false"))
    started_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
