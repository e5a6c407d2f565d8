"""An arbiter that is replaced by one of the same name where each statement commits: killed anywhere, run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.project import Project

MODELS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "code", name="uq_own", as_index={as_index}),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[int]
        code: Mapped[int]
"""
COLUMNS = (
    "id integer NOT NULL PRIMARY KEY, tenant int NOT NULL, email int NOT NULL, code int NOT NULL"
)
TABLE = f"CREATE TABLE accounts ({COLUMNS})"
CONSTRAINT = f"CREATE TABLE accounts ({COLUMNS}, CONSTRAINT uq_own UNIQUE (tenant, email))"
INDEX = "CREATE UNIQUE INDEX uq_own ON accounts (tenant, email)"
KILLED = "__import__('os')._exit(9)"


def goes_through_after_each_kill(project: Project, *statements: str, engine: str = "") -> None:
    """The revision is killed after each of its lines; the same upgrade run again ends where one does that never was."""
    project.configure(upsert_guard_contract="'same'")
    project.edit("migrations/env.py", "NullPool)", f"NullPool, {engine})")
    project.models(MODELS.replace("{as_index}", str(statements[-1] == INDEX)))
    project.sql(*statements)
    revision = project.revise()
    lines = revision.text.splitlines()
    calls = [n for n, line in enumerate(lines) if line.startswith("    op.")]
    calls = [n for n in calls if n < lines.index("def downgrade():")]
    assert len(calls) >= 4, revision.text
    project.upgrade()
    wanted = project.uniques()
    assert "_new" not in "".join(wanted)
    for call in calls[1:]:
        project.sql("DROP TABLE accounts", "DROP TABLE alembic_version", *statements)
        revision.path.write_text(
            "\n".join([*lines[: call + 1], f"    {KILLED}", *lines[call + 1 :]])
        )
        assert project.alembic("upgrade", "head").code == 9
        assert project.rows("SELECT * FROM alembic_version") == []
        revision.path.write_text(revision.text)
        project.upgrade()
        assert project.uniques() == wanted, lines[call]


def test_on_mariadb(mariadb_project: Project) -> None:
    """Each statement commits by itself."""
    goes_through_after_each_kill(mariadb_project, CONSTRAINT)


def test_on_sqlite(sqlite_project: Project) -> None:
    """Python's driver begins no transaction at DDL; nothing can be renamed, so the index is created twice."""
    goes_through_after_each_kill(sqlite_project, TABLE, INDEX)


@pytest.mark.parametrize("statements", [(CONSTRAINT,), (TABLE, INDEX)], ids=["constraint", "index"])
def test_on_postgresql(project: Project, statements: tuple[str, ...]) -> None:
    """In AUTOCOMMIT."""
    goes_through_after_each_kill(project, *statements, engine="isolation_level='AUTOCOMMIT'")


def test_what_has_another_shape_is_not_taken_for_it(sqlite_project: Project) -> None:
    """An index of the temporary name on other columns: SQLite's own error comes out."""
    sqlite_project.configure(upsert_guard_contract="'same'")
    sqlite_project.models(MODELS.replace("{as_index}", "True"))
    sqlite_project.sql(TABLE, INDEX)
    sqlite_project.revise()
    sqlite_project.sql("CREATE UNIQUE INDEX uq_own_new ON accounts (code, id)")
    ran = sqlite_project.alembic("upgrade", "head")

    assert ran.code != 0
    assert "index uq_own_new already exists" in ran.err
