"""``op.deduplicate_upsert_key`` through the real ``alembic`` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.online.revisions import revision
from tests.rows.test_preflight import ACCOUNTS, TABLE

if TYPE_CHECKING:
    from tests.project import Project

ROWS = """
    INSERT INTO accounts (tenant, email)
    VALUES (1, 'a'), (1, 'a'), (1, 'b'), (2, 'a'), (2, 'a'), (2, 'a'), (NULL, 'a'), (NULL, 'a')
"""
SURPLUS = [(1, 1, "a"), (4, 2, "a"), (5, 2, "a")]
KEPT = [(2, 1, "a"), (3, 1, "b"), (6, 2, "a"), (7, None, "a"), (8, None, "a")]


@pytest.fixture(params=["postgresql", "sqlite"])
def either(request: pytest.FixtureRequest) -> Project:
    """A project with duplicates, on each kind of database."""
    project: Project = request.getfixturevalue(
        "project" if request.param == "postgresql" else "sqlite_project"
    )
    key_type = "serial" if request.param == "postgresql" else "integer NOT NULL"
    project.sql(TABLE.replace("serial", key_type), ROWS)
    project.models(ACCOUNTS.replace("{key}", ', as_index=True, nulls="distinct"'))
    return project


def mend(project: Project, **arguments: str) -> None:
    """Generate the revision and let the lines that it offers run, with `arguments` in the place of theirs."""
    revision = project.revise()
    text = revision.text.replace("# op.", "op.")
    for name, source in arguments.items():
        before, _, rest = text.partition("op.deduplicate_upsert_key(")
        line, newline, after = rest.partition("\n")
        assert name not in line
        text = f"{before}op.deduplicate_upsert_key({line.removesuffix(')')}, {name}={source}){newline}{after}"
    revision.path.write_text(text)


def accounts(project: Project, table: str = "accounts") -> list[tuple[object, ...]]:
    return project.rows(f"SELECT id, tenant, email FROM {table} ORDER BY id")


def test_the_offered_line_keeps_the_last_row_and_archives_the_others(either: Project) -> None:
    """Pasted as it is, it lets the upgrade through."""
    mend(either)
    ran = either.upgrade()

    assert accounts(either) == KEPT
    assert accounts(either, "accounts_duplicates") == SURPLUS
    assert (
        "Deduplicated upsert key accounts (tenant, email): 3 surplus rows moved to accounts_duplicates"
        in ran.err
    )


def test_the_archive_says_why_when_and_for_what(either: Project) -> None:
    """Each row in it names the row that stayed in its place."""
    mend(either)
    either.upgrade()

    why = "SELECT upsert_guard_kept, upsert_guard_reason, upsert_guard_archived_at IS NOT NULL FROM accounts_duplicates"
    assert [tuple(row[:2]) for row in either.rows(f"{why} ORDER BY id")] == [
        ("id = 2", "upsert key accounts (tenant, email)"),
        ("id = 6", "upsert key accounts (tenant, email)"),
        ("id = 6", "upsert key accounts (tenant, email)"),
    ]


def test_down_brings_every_row_back_and_up_goes_again(either: Project) -> None:
    """Downgrade ends where it began, and the archive is gone with its last row."""
    before = accounts(either)
    mend(either)
    either.upgrade()
    either.downgrade()

    assert accounts(either) == before
    with pytest.raises(Exception, match="accounts_duplicates"):
        accounts(either, "accounts_duplicates")
    either.upgrade()
    assert accounts(either) == KEPT


def test_a_way_back_that_finds_no_row_of_its_key_says_whose_there_are(either: Project) -> None:
    """Elements in another order are another key, and what was archived stays where it is."""
    mend(either)
    path = next((either.path / "migrations" / "versions").glob("*.py"))
    back = "op.restore_deduplicated_rows('accounts', ['tenant', 'email']"
    either.edit(str(path), back, back.replace("'tenant', 'email'", "'email', 'tenant'"))
    either.upgrade()

    ran = either.downgrade()

    assert (
        "No row of upsert key accounts (email, tenant) is in accounts_duplicates, so none comes back; it has rows of "
        "upsert key accounts (tenant, email)"
    ) in ran.err
    assert accounts(either, "accounts_duplicates") == SURPLUS


def test_a_way_back_above_the_drop_says_where_it_belongs(either: Project) -> None:
    """What is unique keeps the rows out; moved below, it goes through."""
    mend(either)
    path = next((either.path / "migrations" / "versions").glob("*.py"))
    either.upgrade()
    below = path.read_text()
    (back,) = (line for line in below.splitlines() if "op.restore" in line)
    above, _, rest = below.partition("def downgrade():\n")
    path.write_text(f"{above}def downgrade():\n{back}\n{rest.replace(back, '    pass')}")

    refused = either.alembic("downgrade", "-1")
    assert "Put this line below the one that drops what is unique" in " ".join(refused.out.split())
    path.write_text(below)
    either.downgrade()


def test_an_archive_is_nothing_that_autogenerate_drops(either: Project) -> None:
    """The models do not know it, and the second revision is empty all the same."""
    mend(either)
    either.upgrade()

    assert either.check().code == 0
    assert either.revise().is_empty


def test_an_archive_with_a_dot_in_its_name_is_refused(either: Project) -> None:
    """It is no schema: the archive is in the schema of its table."""
    mend(either)
    either.edit(
        str(next((either.path / "migrations" / "versions").glob("*.py"))),
        "archive_table='accounts_duplicates'",
        "archive_table='attic.accounts_duplicates'",
    )

    ran = either.alembic("upgrade", "head")
    assert ran.code != 0
    assert "its name has no dot in it: write archive_table='accounts_duplicates'" in " ".join(
        ran.said.split()
    )
    assert "Traceback" not in ran.said
    assert either.rows("SELECT count(*) FROM accounts") == [(8,)]


@pytest.mark.parametrize("name", ["surplus", "gone", "kept", "child"])
def test_a_table_on_sqlite_may_be_named_as_we_name_its_rows(
    sqlite_project: Project, name: str
) -> None:
    """Of one that is named surplus it said that a trigger kept -2 rows."""
    sqlite_project.sql(
        f"CREATE TABLE {name} (id integer PRIMARY KEY, k int, up int REFERENCES {name})",
        f"INSERT INTO {name} VALUES (1, 1, NULL), (2, 1, 1), (3, 2, 2)",
    )
    line = f"op.deduplicate_upsert_key({name!r}, ['k'], keep='first', order_by=[], repoint=True)"
    revision(sqlite_project, line)
    sqlite_project.upgrade()
    assert sqlite_project.rows(f"SELECT id, up FROM {name}") == [(1, None), (3, 1)]


UUIDS = """
    CREATE TABLE lines (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), sku text, price int)
"""
LINES = """
    class Line(Base):
        __tablename__ = "lines"
        __table_args__ = (UpsertKey("sku", nulls="distinct"),)
        id: Mapped[sa.Uuid] = mapped_column(Uuid, primary_key=True)
        sku: Mapped[str | None]
        price: Mapped[int | None]
"""


def test_the_last_by_a_random_id_is_never_offered(project: Project) -> None:
    """The revision's comment says nothing, the refusal leaves the choice open, and the line fails until it is made."""
    project.sql(UUIDS, "INSERT INTO lines (sku, price) VALUES ('a', 1), ('a', 2)")
    project.models(LINES)
    revision = project.revise()
    assert "deduplicate" not in revision.text
    out = project.alembic("upgrade", "head").out
    (line,) = (line.strip() for line in out.splitlines() if "op.deduplicate" in line)
    assert line.endswith("  # instead of the dots, one or more of 'price'")

    revision.path.write_text(
        revision.text.replace("    op.validate", f"    {line}\n    op.validate", 1)
    )
    assert "order_by=[...]): name the columns by which the last row of each key" in " ".join(
        project.alembic("upgrade", "head").out.split()
    )

    revision.path.write_text(
        revision.path.read_text().replace("order_by=[...]", "order_by=['price']")
    )
    project.upgrade()
    assert project.rows("SELECT price FROM lines") == [(2,)]
