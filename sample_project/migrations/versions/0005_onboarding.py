"""Profiles, and the function that ends an onboarding.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# PL/pgSQL plans a statement when it first runs: this succeeds whatever profiles looks like
FINALIZE_ONBOARDING = """
CREATE FUNCTION finalize_onboarding(p_auth_user_id uuid, p_display_name text)
RETURNS uuid
LANGUAGE plpgsql
AS $$
DECLARE
    profile_id uuid;
BEGIN
    INSERT INTO profiles (auth_user_id, display_name, onboarded_at)
    VALUES (p_auth_user_id, p_display_name, now())
    ON CONFLICT (auth_user_id) DO UPDATE SET
        display_name = EXCLUDED.display_name,
        onboarded_at = EXCLUDED.onboarded_at
    RETURNING id INTO profile_id;
    RETURN profile_id;
END;
$$
"""


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("auth_user_id", sa.Uuid(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("onboarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(FINALIZE_ONBOARDING)


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION finalize_onboarding(uuid, text)")
    op.drop_table("profiles")
