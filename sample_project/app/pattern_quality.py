"""System 3: the scorer of patterns, and its backfill."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from psycopg2.extras import Json, execute_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg2.extensions import connection as Connection  # noqa: N812


class Score(NamedTuple):
    """One measurement, in the order of the columns."""

    pattern_id: int
    quality_score: float
    confidence: float
    measurement_timestamp: dt.datetime
    version: str
    metadata: Json


def store_scores(connection: Connection, scores: Sequence[Score]) -> None:
    """Upsert the scores of the patterns.

    As it stood: so says the docstring, and the code is a plain INSERT.
    """
    with connection, connection.cursor() as cursor:
        execute_batch(
            cursor,
            """
            INSERT INTO pattern_quality_metrics
                (pattern_id, quality_score, confidence, measurement_timestamp, version, metadata)
            VALUES (%s, %s, %s, %s, %s, %s)
            """,
            scores,
        )


def upsert_scores(connection: Connection, scores: Sequence[Score]) -> None:
    """Every pattern has one row, the score given here.

    As it was mended: the code does what its name says.
    """
    with connection, connection.cursor() as cursor:
        execute_batch(
            cursor,
            """
            INSERT INTO pattern_quality_metrics
                (pattern_id, quality_score, confidence, measurement_timestamp, version, metadata)
            VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (pattern_id) DO UPDATE SET
                quality_score = EXCLUDED.quality_score,
                confidence = EXCLUDED.confidence,
                measurement_timestamp = EXCLUDED.measurement_timestamp,
                version = EXCLUDED.version,
                metadata = EXCLUDED.metadata
            """,
            scores,
        )


def backfill(
    connection: Connection,
    version: str,
    store: Callable[[Connection, Sequence[Score]], None],
) -> None:
    """Every pattern is measured, and the measurements are stored."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM patterns ORDER BY id")
        scores = [_measure(pattern_id, version) for (pattern_id,) in cursor]
    store(connection, scores)


def _measure(pattern_id: int, version: str) -> Score:
    # stands in for the model that reads the pattern
    return Score(
        pattern_id=pattern_id,
        quality_score=pattern_id % 100 / 100,
        confidence=0.9,
        measurement_timestamp=dt.datetime.now(dt.timezone.utc),
        version=version,
        metadata=Json({"source": "backfill"}),
    )
