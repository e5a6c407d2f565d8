"""How the rows are mended that stand in the way of a key: by hand, in SQL.

Each keeps one row a key, in a total order (the last column settles a draw).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mend:
    story: str
    statement: str
    surplus_rows: int


PATTERN_QUALITY = Mend(
    story="the latest measurement of each pattern stays, the others go into an archive",
    statement="""
CREATE SCHEMA archive;
CREATE TABLE archive.pattern_quality_metrics (LIKE pattern_quality_metrics);
WITH surplus AS (
    DELETE FROM pattern_quality_metrics
    WHERE id NOT IN (
        SELECT DISTINCT ON (pattern_id) id
        FROM pattern_quality_metrics
        ORDER BY pattern_id, measurement_timestamp DESC, id DESC
    )
    RETURNING *
)
INSERT INTO archive.pattern_quality_metrics SELECT * FROM surplus;
""",
    surplus_rows=1_085,
)

ONBOARDING = Mend(
    story="the newest profile of each person stays",
    statement="""
DELETE FROM profiles
WHERE id NOT IN (
    SELECT DISTINCT ON (auth_user_id) id
    FROM profiles
    ORDER BY auth_user_id, created_at DESC, id DESC
);
""",
    surplus_rows=1,
)

QUIZZES = Mend(
    story="the newest quiz of each person and topic stays, as readers always took it",
    statement="""
DELETE FROM quizzes
WHERE id NOT IN (
    SELECT DISTINCT ON (user_id, topic_id) id
    FROM quizzes
    ORDER BY user_id, topic_id, created_at DESC, id DESC
);
""",
    surplus_rows=3,
)

# what the mends leave behind, dropped when the play is over
LEFTOVERS = """
DROP TABLE archive.pattern_quality_metrics;
DROP SCHEMA archive;
"""
