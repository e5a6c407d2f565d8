"""Exam mentor: people log in by name, and need no email; row level security.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.alter_column("users", "email", existing_type=sa.Text(), nullable=True)
    op.add_column("users", sa.Column("name", sa.Text(), nullable=True))
    op.create_unique_constraint("users_name_key", "users", ["name"])
    op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    op.execute('CREATE POLICY "Open to all" ON users FOR ALL USING (true) WITH CHECK (true)')


def downgrade() -> None:
    op.execute('DROP POLICY "Open to all" ON users')
    op.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
    op.drop_column("users", "name")
    # the schema of before cannot hold them
    op.execute("DELETE FROM users WHERE email IS NULL")
    op.alter_column("users", "email", existing_type=sa.Text(), nullable=False)
