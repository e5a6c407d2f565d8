"""System 1: the questions that a person got wrong."""

import datetime as dt
import uuid

from sqlalchemy import func, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class UserMistake(Base):
    __tablename__ = "user_mistakes"

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, server_default=text("gen_random_uuid()")
    )
    user_id: Mapped[uuid.UUID]
    question_id: Mapped[int]
    times_wrong: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
