"""Exam mentor: a session remembers its context, plans are cached for a day.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column(
        "study_sessions",
        sa.Column(
            "current_context",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=True,
        ),
    )
    op.add_column(
        "study_sessions",
        sa.Column(
            "agent_history",
            postgresql.ARRAY(postgresql.JSONB()),
            server_default=sa.text("'{}'"),
            nullable=True,
        ),
    )
    op.create_table(
        "plan_cache",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("cache_key", sa.Text(), nullable=False),
        sa.Column("plan", postgresql.JSONB(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cache_key"),
    )
    op.create_index("idx_plan_cache_key", "plan_cache", ["cache_key"])


def downgrade() -> None:
    op.drop_table("plan_cache")
    op.drop_column("study_sessions", "agent_history")
    op.drop_column("study_sessions", "current_context")
