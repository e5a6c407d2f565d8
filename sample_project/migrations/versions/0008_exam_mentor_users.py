"""Exam mentor: people log in by name, and need no email; row level security.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.alter_column("email", existing_type=sa.Text(), nullable=True)
        users.add_column(sa.Column("name", sa.Text(), nullable=True))
        users.create_unique_constraint("users_name_key", ["name"])
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
        op.execute('CREATE POLICY "Open to all" ON users FOR ALL USING (true) WITH CHECK (true)')


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute('DROP POLICY "Open to all" ON users')
        op.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
    # the schema of before cannot hold them
    op.execute("DELETE FROM users WHERE email IS NULL")
    with op.batch_alter_table("users") as users:
        users.drop_constraint("users_name_key", type_="unique")
        users.drop_column("name")
        users.alter_column("email", existing_type=sa.Text(), nullable=False)
