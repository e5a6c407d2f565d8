"""Measurements outlive their patterns: the foreign key goes.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("pattern_quality_metrics") as metrics:
        metrics.drop_constraint("pattern_quality_metrics_pattern_id_fkey", type_="foreignkey")


def downgrade() -> None:
    with op.batch_alter_table("pattern_quality_metrics") as metrics:
        metrics.create_foreign_key(
            "pattern_quality_metrics_pattern_id_fkey", "patterns", ["pattern_id"], ["id"]
        )
