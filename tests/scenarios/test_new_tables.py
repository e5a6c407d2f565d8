"""A table that the database does not have: everything is in its creation, and there are no rows to read."""

from __future__ import annotations

from tests.project import Project, goes_red, goes_round

EVERY_KIND = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (
            UpsertKey("tenant", "email"),
            UpsertKey("kind", as_index=True),
            UpsertKey("tenant", where=text("email LIKE '100%' AND kind <> 'a \\\\:b'")),
        )
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]
        kind: Mapped[str]

    declare_upsert_key(Account, func.lower(Account.email), "kind")
    declare_upsert_key(Account, func.replace(Account.email, "%", " :x"), where=Account.kind != "%:y")
"""
NULLABLE = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email"{nulls}),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str | None]
"""


def test_keys_of_every_kind_are_created_with_the_table(project: Project) -> None:
    """One revision, nothing but creations, and the per cent signs and colons arrive."""
    project.models(EVERY_KIND)

    revision = goes_red(project)
    assert set(revision.calls("upgrade")) == {"op.create_table", "op.create_index"}
    assert "validate_upsert_key" not in revision.text
    goes_round(project, revision)
    predicates = project.rows(
        "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indpred IS NOT NULL"
    )
    assert sorted(predicates) == [
        ("(((email)::text ~~ '100%'::text) AND ((kind)::text <> 'a :b'::text))",),
        ("((kind)::text <> '%:y'::text)",),
    ]
    assert "USING btree (replace((email)::text, '%'::text, ' :x'::text))" in "".join(
        project.uniques()
    )


def test_keys_of_every_kind_are_created_with_the_table_on_sqlite(sqlite_project: Project) -> None:
    """The same on SQLite, where Alembic does not see expression indexes afterwards."""
    sqlite_project.models(EVERY_KIND)

    revision = goes_red(sqlite_project)
    assert set(revision.calls("upgrade")) == {"op.create_table", "op.create_index"}
    goes_round(sqlite_project, revision)
    made = "\n".join(sqlite_project.uniques())
    assert "email LIKE '100%' AND kind <> 'a :b'" in made
    assert "(replace(email, '%', ' :x')) WHERE " in made
    assert "kind != '%:y'" in made


def test_keys_of_every_kind_are_created_with_the_table_in_batch_mode(
    sqlite_project: Project,
) -> None:
    """render_as_batch puts the indexes in a block, and the per cent signs and colons arrive all the same."""
    sqlite_project.configure(render_as_batch="True")
    sqlite_project.models(EVERY_KIND)

    revision = goes_red(sqlite_project)
    assert "validate_upsert_key" not in revision.text
    goes_round(sqlite_project, revision)
    made = "\n".join(sqlite_project.uniques())
    assert "email LIKE '100%' AND kind <> 'a :b'" in made
    assert "(replace(email, '%', ' :x')) WHERE " in made
    assert "kind != '%:y'" in made


def test_a_nullable_key_is_warned_of(project: Project) -> None:
    """NULLs never conflict: one warning a key, until the model states what they mean."""
    project.models(NULLABLE.format(nulls=""))
    warned = project.check()
    assert (
        "WARNI [alembic.autogenerate.upsert_guard] nullable-key: upsert key accounts (tenant, email)"
        in warned.err
    )
    assert len(warned.detected()) == 1

    for stated in ("distinct", "not_distinct", "forbid"):
        project.models(NULLABLE.format(nulls=f', nulls="{stated}"'))
        assert "nullable-key" not in project.check().said


def test_the_warning_leaves_the_exit_alone(project: Project) -> None:
    """A nullable key that is served is warned of, and ``alembic check`` is green."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar, UNIQUE (tenant, email))"
    )
    project.models(NULLABLE.format(nulls=""))

    check = project.check()
    assert check.code == 0
    assert "nullable-key" in check.err


def test_nulls_not_distinct_is_refused_on_sqlite(sqlite_project: Project) -> None:
    """The constraint would be made, and be another: a text, no traceback, no revision."""
    sqlite_project.models(NULLABLE.format(nulls=', nulls="not_distinct"'))

    refused = sqlite_project.alembic("revision", "--autogenerate", "-m", "r")
    assert refused.code != 0
    assert (
        'FAILED: upsert key accounts (tenant, email) states nulls="not_distinct", which sqlite does not have'
        in refused.out
    )
    assert "Traceback" not in refused.said
    assert not list((sqlite_project.path / "migrations" / "versions").glob("*.py"))
