"""System 3: how good each pattern is, by the latest measurement."""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, Identity, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class Pattern(Base):
    __tablename__ = "patterns"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]


class PatternQualityMetric(Base):
    __tablename__ = "pattern_quality_metrics"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    # no foreign key: revision 0004 dropped it
    pattern_id: Mapped[int] = mapped_column(BigInteger)
    quality_score: Mapped[float]
    confidence: Mapped[float]
    measurement_timestamp: Mapped[dt.datetime]
    version: Mapped[str]
    # `metadata` itself belongs to SQLAlchemy
    details: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"))
