"""Measurements outlive their patterns: the foreign key goes.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_constraint(
        "pattern_quality_metrics_pattern_id_fkey", "pattern_quality_metrics", type_="foreignkey"
    )


def downgrade() -> None:
    op.create_foreign_key(
        "pattern_quality_metrics_pattern_id_fkey",
        "pattern_quality_metrics",
        "patterns",
        ["pattern_id"],
        ["id"],
    )
