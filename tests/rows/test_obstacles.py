"""What no unique index can be made of is a finding of its own, reported before any DDL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from tests.rows.test_preflight import NULLS, TWICE, revised
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.project import Project, Ran

OTHER_KEY = (
    "What can be done:\n"
    "  - make the key of what can be indexed: an expression such as func.md5(...) or func.left(..., 200), "
    "another type, a shorter column; and declare that\n"
)

CHECK = "op.validate_upsert_key('things', ['thing'])"

THINGS = """
    class Anything(types.UserDefinedType):
        cache_ok = True

        def __init__(self, name="json"):
            self.name = name

        def get_col_spec(self, **_):
            return self.name

    class Thing(Base):
        __tablename__ = "things"
        __table_args__ = ({keys},)
        id: Mapped[int] = mapped_column(primary_key=True)
        thing: Mapped[str | None] = mapped_column({type})
"""

# a third of a page holds 2,704 bytes of an index row
TOO_WIDE = """
    INSERT INTO things (thing)
    SELECT string_agg(md5(n::text), '' ORDER BY n) FROM generate_series(1, 125) n
"""


def things(
    project: Project,
    sql_type: str,
    *rows: str,
    keys: str = 'UpsertKey("thing")',
    model_type: str = "",
    by_hand: str = "",
) -> Project:
    """A table of things of one type, and a revision that has yet to be applied: generated, or as a person wrote it.

    Where no table takes an index on the key, none is generated.
    """
    project.sql(f"CREATE TABLE things (id serial PRIMARY KEY, thing {sql_type})", *rows)
    model = model_type or f'Anything("{sql_type}")'
    project.models(THINGS.replace("{keys}", keys).replace("{type}", model))
    if by_hand:
        refused = project.alembic("revision", "--autogenerate", "-m", "r")
        assert "can never be served" in refused.said
        written(project, by_hand)
    else:
        project.revise()
    return project


def state(project: Project) -> list[object]:
    """All that an upgrade could have changed."""
    return [
        project.uniques(),
        project.rows("SELECT version_num FROM alembic_version"),
        project.rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
    ]


def refused_untouched(project: Project, *arguments: str) -> Ran:
    """The upgrade fails without a traceback, and all is as it was before."""
    before = state(project)
    ran = project.alembic(*arguments, "upgrade", "head")
    assert ran.code != 0, ran.said
    assert "Traceback" not in ran.said
    assert sorted(map(str, state(project))) == sorted(map(str, before))
    return ran


def assert_is_an_obstacle(ran: Ran, key: str, words: str, way: str = "") -> None:
    """The consequence, the database's message and the way out, and nothing besides."""
    first, _, database, _, *ways = ran.out.split("FAILED: ")[1].splitlines()
    assert first == (f"{key} does not hold: no unique index can be made on it; nothing was changed")
    assert database.startswith("The database says: ")
    assert words in database
    wanted = f"What can be done:\n{way}" if way else OTHER_KEY
    assert "".join(f"{line}\n" for line in ways) == wanted


@contextmanager
def role(project: Project, *grants: str) -> Iterator[str]:
    """A role that migrates: it owns the tables and may create; the commands run as it until the end."""
    url = make_url(project.url)
    name = f"migrator_{url.database}"
    tables = project.rows(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('r', 'p') "
        "AND relnamespace = 'public'::regnamespace"
    )
    project.sql(
        f"CREATE ROLE {name} LOGIN PASSWORD '{name}'",
        f"GRANT ALL ON SCHEMA public TO {name}",
        *(f"ALTER TABLE {table} OWNER TO {name}" for (table,) in tables),
        *(grant.replace("{role}", name) for grant in grants),
    )
    project.url = url.set(username=name, password=name).render_as_string(hide_password=False)
    try:
        yield name
    finally:
        project.url = url.render_as_string(hide_password=False)
        project.sql(f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


@contextmanager
def role_without_temporary(project: Project) -> Iterator[str]:
    """A role that migrates and that must not make temporary tables."""
    database = make_url(project.url).database
    with role(project, f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC') as name:
        assert project.rows(f"SELECT has_database_privilege('{name}', '{database}', 'TEMP')") == [
            (False,)
        ]
        yield name


@pytest.mark.parametrize("sql_type", ["json", "xml", "point", "xid"])
@pytest.mark.parametrize("rows", ["no rows", "rows"])
def test_a_type_without_an_order_is_a_finding(project: Project, sql_type: str, rows: str) -> None:
    """A B-tree index does not take it, whatever is in the table."""
    # a server may be built without libxml, and then takes NULL alone
    one = {"json": "'{}'", "xml": "NULL", "point": "'(1,2)'", "xid": "'7'"}[sql_type]
    two_rows = f"INSERT INTO things (thing) VALUES ({one}), ({one})"
    statements = [two_rows] if rows == "rows" else []
    ran = refused_untouched(things(project, sql_type, *statements, by_hand=CHECK))

    assert_is_an_obstacle(ran, "upsert key things (thing)", f"data type {sql_type} has no default")


def test_an_order_named_for_a_type_that_has_it_is_none(project: Project) -> None:
    """The twin of the types without one: jsonb."""
    project = things(project, "jsonb", "INSERT INTO things (thing) VALUES ('{}'), ('[]')")

    project.upgrade()
    assert project.check().code == 0


def test_duplicates_of_a_type_with_an_order_are_duplicates(project: Project) -> None:
    """Two spellings of one jsonb are one key."""
    spelled = """INSERT INTO things (thing) VALUES ('{"a":1,"b":2}'), ('{"b": 2, "a": 1}')"""
    ran = refused_untouched(things(project, "jsonb", spelled))

    assert "does not hold: 1 duplicate group, 1 surplus row; nothing was changed" in ran.out


@pytest.mark.parametrize("sql_type", ["text", "varchar(5000)"])
def test_a_value_too_wide_for_an_index_is_a_finding(project: Project, sql_type: str) -> None:
    """4,000 bytes that do not compress: the database would say so after it had begun."""
    ran = refused_untouched(things(project, sql_type, TOO_WIDE, model_type="Text"))

    assert_is_an_obstacle(ran, "upsert key things (thing)", "index row size")


def test_a_value_too_wide_is_found_among_duplicates(project: Project) -> None:
    """Mending the duplicates first would be for nothing."""
    twice = "INSERT INTO things (thing) VALUES ('a'), ('a')"
    ran = refused_untouched(things(project, "text", twice, TOO_WIDE, model_type="Text"))

    assert_is_an_obstacle(ran, "upsert key things (thing)", "index row size")


def test_a_long_value_that_compresses_fits(project: Project) -> None:
    """100,000 times the same letter take some hundred bytes in an index."""
    long = "INSERT INTO things (thing) VALUES (repeat('a', 100000)), ('a')"
    project = things(project, "text", long, model_type="Text")

    project.upgrade()
    assert project.check().code == 0


def test_long_values_that_compress_are_compared(project: Project) -> None:
    """Two of them are a duplicate, and the report shows the beginning alone."""
    long = "INSERT INTO things (thing) SELECT repeat('a', 100000) FROM generate_series(1, 2)"
    ran = refused_untouched(things(project, "text", long, model_type="Text"))

    assert "1 duplicate group, 1 surplus row" in ran.out
    assert f"  thing = '{'a' * 56}...: 2 rows, id 1, 2\n" in ran.out


def test_a_value_that_does_not_compress_is_too_wide_where_storage_forbids_it(
    project: Project,
) -> None:
    """STORAGE EXTERNAL: the same 100,000 letters do not fit, in the column's own way of being stored."""
    long = "INSERT INTO things (thing) VALUES (repeat('a', 100000))"
    external = "ALTER TABLE things ALTER COLUMN thing SET STORAGE EXTERNAL"
    project = things(project, "text", external, long, model_type="Text")
    made = "BEGIN; CREATE UNIQUE INDEX probe ON things (thing); ROLLBACK;"

    the_build_refuses = in_psql(project, made).code != 0
    ran = project.alembic("upgrade", "head")
    assert (ran.code != 0) == the_build_refuses, ran.said
    assert "Traceback" not in ran.said


def test_a_wide_value_outside_the_predicate_does_not_count(project: Project) -> None:
    """The index of a partial key never holds it."""
    partial = 'UpsertKey("thing", where=text("id > 1"))'
    project = things(
        project, "text", TOO_WIDE, "INSERT INTO things (thing) VALUES ('a')", keys=partial
    )

    project.upgrade()
    assert project.check().code == 0


def test_an_expression_that_is_not_immutable_is_a_finding(project: Project) -> None:
    """Its value depends on the session, and no index takes it."""
    project = things(
        project,
        "timestamptz",
        "INSERT INTO things (thing) VALUES (now())",
        keys='UpsertKey(func.to_char(text("thing"), text("\'YYYY\'")))',
        model_type="DateTime(timezone=True)",
        by_hand="op.validate_upsert_key('things', [sa.text(\"to_char(thing, 'YYYY')\")])",
    )

    ran = refused_untouched(project)
    assert_is_an_obstacle(
        ran,
        "upsert key things (to_char(thing, 'YYYY'))",
        "functions in index expression must be marked IMMUTABLE",
    )


def test_a_predicate_that_is_not_immutable_is_a_finding(project: Project) -> None:
    """The same for the rows that a partial key is about."""
    partial = 'UpsertKey("thing", where=text("thing > now()"))'
    ran = refused_untouched(
        things(
            project,
            "timestamptz",
            keys=partial,
            model_type="DateTime(timezone=True)",
            by_hand="op.validate_upsert_key('things', ['thing'], where='thing > now()')",
        )
    )

    assert_is_an_obstacle(
        ran,
        "upsert key things (thing) WHERE thing > now()",
        "functions in index predicate must be marked IMMUTABLE",
    )


def test_a_partitioned_table_whose_key_lacks_the_partition_column_is_a_finding(
    project: Project,
) -> None:
    """The check that a person wrote above a creation that cannot succeed."""
    project.sql(
        "CREATE TABLE things (id int NOT NULL, thing text NOT NULL) PARTITION BY LIST (id)",
        "CREATE TABLE things_1 PARTITION OF things FOR VALUES IN (1)",
        "INSERT INTO things VALUES (1, 'a')",
    )
    written(
        project,
        "op.validate_upsert_key('things', ['thing'])",
        "op.create_unique_constraint('uq_things_thing', 'things', ['thing'])",
    )

    ran = refused_untouched(project)
    way = (
        "  - make a key that holds what the table is partitioned by, LIST (id); and declare that\n"
    )
    assert_is_an_obstacle(
        ran, "upsert key things (thing)", "partitioned table must include all", way
    )


@pytest.mark.parametrize(
    ("made", "reason", "way"),
    [
        (
            "CREATE TABLE things (id int)",
            'column "thing" does not exist',
            "add the column in a line above this one, or correct the key",
        ),
        (
            "CREATE VIEW things AS SELECT 1 AS id, 'a' AS thing",
            "an index is not supported for views",
            "check the key of the table that is behind it",
        ),
    ],
)
def test_what_another_key_does_not_help_has_a_way_out_of_its_own(
    project: Project, made: str, reason: str, way: str
) -> None:
    """Of a view the database said that a column ctid is missing."""
    project.sql(made)
    written(project, CHECK)
    ran = refused_untouched(project)
    assert_is_an_obstacle(ran, "upsert key things (thing)", reason, f"  - {way}\n")


def test_a_partitioned_table_whose_key_has_the_partition_column_is_read_whole(
    project: Project,
) -> None:
    """One key with an equal in each of two partitions is none; two in one partition are refused."""
    project.sql(
        "CREATE TABLE things (id int NOT NULL, thing text NOT NULL) PARTITION BY LIST (id)",
        "CREATE TABLE things_1 PARTITION OF things FOR VALUES IN (1)",
        "CREATE TABLE things_2 PARTITION OF things FOR VALUES IN (2)",
        "INSERT INTO things VALUES (1, 'a'), (2, 'a'), (2, 'b'), (2, 'b')",
    )
    written(
        project,
        "op.validate_upsert_key('things', ['id', 'thing'])",
        "op.create_unique_constraint('uq_things_thing', 'things', ['id', 'thing'])",
    )

    ran = refused_untouched(project)
    assert "does not hold: 1 duplicate group, 1 surplus row" in ran.out
    assert "id = 2, thing = 'b': 2 rows" in ran.out


def test_an_obstacle_shows_no_value_when_values_are_kept_back(project: Project) -> None:
    """The width is shown, the text is not."""
    project.configure(upsert_guard_reveal="False")
    ran = refused_untouched(things(project, "text", TOO_WIDE, model_type="Text"))

    (value,) = project.rows("SELECT thing FROM things")
    assert_is_an_obstacle(ran, "upsert key things (thing)", "index row size")
    assert str(value[0])[:20] not in ran.said


@pytest.mark.parametrize("sql_type", ["json", "text"])
def test_a_script_stops_at_an_obstacle_before_any_ddl(project: Project, sql_type: str) -> None:
    """psql ends with an error that names the key, as ``alembic upgrade`` does."""
    rows = TOO_WIDE if sql_type == "text" else "INSERT INTO things (thing) VALUES ('{}')"
    project = things(project, sql_type, rows, by_hand=CHECK if sql_type == "json" else "")
    online = refused_untouched(project).out.split("FAILED: ")[1].splitlines()[0]
    before = project.uniques()
    script = project.alembic("upgrade", "head", "--sql").out
    project.sql("DROP TABLE alembic_version")

    ran = in_psql(project, script)
    assert ran.code != 0
    assert online in ran.err
    assert project.uniques() == before


@pytest.mark.parametrize("reveal", ["True", "False"])
def test_without_the_temporary_privilege_duplicates_are_refused(
    project: Project, reveal: str
) -> None:
    """The index cannot be tried; the rows are read all the same."""
    project.configure(upsert_guard_reveal=reveal)
    revised(project, TWICE)
    with role_without_temporary(project):
        ran = refused_untouched(project)

    assert "accounts (tenant, email) does not hold: 2 duplicate groups, 3 surplus rows" in ran.out
    assert ("  tenant = 2, email = 'a': 3 rows, id 4, 5, 6\n" in ran.out) == (reveal == "True")


def test_without_the_temporary_privilege_a_clean_upgrade_goes_through(project: Project) -> None:
    """And rows with NULL in the key are counted."""
    revised(project, NULLS)
    with role_without_temporary(project):
        ran = project.upgrade()
        assert "uq_accounts_tenant_email" in "".join(project.uniques())

    assert "upsert key accounts (tenant, email): 2 rows with NULL in the key" in ran.err


def test_without_the_temporary_privilege_a_type_without_an_order_is_one_clear_error(
    project: Project,
) -> None:
    """The message is that of the reading, and there is no traceback."""
    things(project, "json", "INSERT INTO things (thing) VALUES ('{}')", by_hand=CHECK)
    with role_without_temporary(project):
        ran = refused_untouched(project)

    assert "upsert key things (thing)" in ran.out
    assert "type json" in ran.out


def written(project: Project, *upgrade: str) -> None:
    """A revision that a person wrote, with these statements in ``upgrade()``."""
    revision = project.alembic("revision", "-m", "r", "--rev-id", "r00")
    assert revision.code == 0, revision.said
    (path,) = (project.path / "migrations" / "versions").glob("r00*.py")
    body = "".join(f"\n    {line}" for line in upgrade)
    source = path.read_text().replace("def upgrade():\n    pass", f"def upgrade():{body}", 1)
    path.write_text(source)
    # alembic makes its own table before the first upgrade
    assert project.alembic("stamp", "base").code == 0
