"""Batches through the real ``alembic`` command, on tables that are not plain: nothing is lost, and all comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.online.faults import another_session
from tests.online.revisions import revision
from tests.online.test_scripts import script
from tests.online.waiting import until
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from tests.project import Project

TWELVE = "FROM generate_series(1, 12) AS n"
"""Each of four keys three times: eight rows are surplus."""


@dataclass(frozen=True)
class Odd:
    """A table, and how its key is spelled."""

    made: tuple[str, ...]
    table: str
    """As a query names it."""

    arguments: str
    """Of the directive: the table and the elements."""

    options: str = ""
    since: int = 13
    """PostgreSQL's version."""

    surplus: int = 8


ODD = {
    "a partitioned table": Odd(
        (
            "CREATE TABLE t (id int, p int, k int, PRIMARY KEY (id, p)) PARTITION BY LIST (p)",
            "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (0)",
            "CREATE TABLE t2 PARTITION OF t FOR VALUES IN (1) PARTITION BY RANGE (id)",
            "CREATE TABLE t21 PARTITION OF t2 DEFAULT",
            f"INSERT INTO t SELECT n, mod(n, 2), mod(n, 4) {TWELVE}",
        ),
        "t",
        "'t', ['k', 'p']",
    ),
    "a partition": Odd(
        (
            "CREATE TABLE t (id int, p int, k int) PARTITION BY LIST (p)",
            "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (0)",
            f"INSERT INTO t SELECT n, 0, mod(n, 4) {TWELVE}",
        ),
        "t",
        "'t1', ['k']",
    ),
    "columns that the database computes": Odd(
        (
            "CREATE TABLE t (id int PRIMARY KEY, k int, doubled int GENERATED ALWAYS AS (k * 2) STORED)",
            f"INSERT INTO t (id, k) SELECT n, mod(n, 4) {TWELVE}",
        ),
        "t",
        "'t', ['doubled']",
    ),
    "columns that are computed when they are read": Odd(
        (
            "CREATE TABLE t (id int PRIMARY KEY, k int, doubled int GENERATED ALWAYS AS (k * 2) VIRTUAL)",
            f"INSERT INTO t (id, k) SELECT n, mod(n, 4) {TWELVE}",
        ),
        "t",
        "'t', ['k']",
        since=18,
    ),
    "an identity": Odd(
        (
            "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k int)",
            f"INSERT INTO t (k) SELECT mod(n, 4) {TWELVE}",
        ),
        "t",
        "'t', ['k']",
    ),
    "policies that do not bind the owner": Odd(
        (
            "CREATE TABLE t (id int PRIMARY KEY, k int)",
            f"INSERT INTO t SELECT n, mod(n, 4) {TWELVE}",
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY few ON t USING (id < 5)",
        ),
        "t",
        "'t', ['k']",
    ),
    "a trigger at the end of the transaction": Odd(
        (
            "CREATE TABLE t (id int PRIMARY KEY, k int)",
            f"INSERT INTO t SELECT n, mod(n, 4) {TWELVE}",
            (
                "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "IF NOT EXISTS (SELECT FROM t WHERE k = OLD.k) THEN RAISE 'the last one'; END IF; RETURN NULL; END $$"
            ),
            (
                "CREATE CONSTRAINT TRIGGER look AFTER DELETE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
                "EXECUTE FUNCTION look()"
            ),
        ),
        "t",
        "'t', ['k']",
    ),
    "names that are keywords, and names with quotes": Odd(
        (
            'CREATE SCHEMA "my ""own"" schema"',
            """CREATE TABLE "my ""own"" schema"."order"
               ("user" int PRIMARY KEY, "it's ""a"" key" int, "100%(s)s :x" int)""",
            f"""INSERT INTO "my ""own"" schema"."order" SELECT n, mod(n, 4), n {TWELVE}""",
        ),
        '"my ""own"" schema"."order"',
        "'order', ['it\\'s \"a\" key']",
        ", schema='my \"own\" schema'",
    ),
    "NULLs that are equal": Odd(
        (
            "CREATE TABLE t (id int PRIMARY KEY, k int)",
            f"INSERT INTO t SELECT n, nullif(mod(n, 4), 0) {TWELVE}",
        ),
        "t",
        "'t', ['k']",
        ", nulls='not_distinct'",
        since=15,
    ),
    "an expression": Odd(
        (
            "CREATE TABLE t (id int PRIMARY KEY, k text)",
            f"INSERT INTO t SELECT n, CASE WHEN n > 6 THEN 'K' ELSE 'k' END || mod(n, 4) {TWELVE}",
        ),
        "t",
        "'t', [sa.text('lower(k)')]",
    ),
    "a predicate": Odd(
        (
            "CREATE TABLE t (id int PRIMARY KEY, k int, state text)",
            f"INSERT INTO t SELECT n, mod(n, 4), CASE WHEN n > 9 THEN 'dead' ELSE 'it''s :live' END {TWELVE}",
        ),
        "t",
        "'t', ['k']",
        ", where=\"state = 'it''s :live'\"",
        surplus=5,
    ),
    "an array and a jsonb in the key, and a json beside it": Odd(
        (
            "CREATE TABLE t (id int PRIMARY KEY, k int[], d jsonb, j json)",
            f"INSERT INTO t SELECT n, ARRAY[mod(n, 4), NULL], '{{\"a\": 1.0}}', '{{\"a\":  1}}' {TWELVE}",
        ),
        "t",
        "'t', ['k', 'd']",
    ),
    "no primary key": Odd(
        ("CREATE TABLE t (k int, n int)", f"INSERT INTO t SELECT mod(n, 4), n {TWELVE}"),
        "t",
        "'t', ['k']",
    ),
    "a table that others inherit from": Odd(
        (
            "CREATE TABLE t (id int PRIMARY KEY, k int)",
            "CREATE TABLE heir () INHERITS (t)",
            "INSERT INTO heir VALUES (1, 1), (100, 1)",
            f"INSERT INTO t SELECT n, mod(n, 4) {TWELVE}",
        ),
        "ONLY t",
        "'t', ['k']",
    ),
    "a table that is named as what a batch locks": Odd(
        (
            "CREATE TABLE locked (id int PRIMARY KEY, k int)",
            f"INSERT INTO locked SELECT n, mod(n, 4) {TWELVE}",
        ),
        "locked",
        "'locked', ['k']",
    ),
    **{
        f"a table that is named as the session's {name}": Odd(
            (
                f"CREATE TABLE upsert_guard_{name} (id int PRIMARY KEY, k int)",
                f"INSERT INTO upsert_guard_{name} SELECT n, mod(n, 4) {TWELVE}",
            ),
            f"public.upsert_guard_{name}",
            f"'upsert_guard_{name}', ['k']",
        )
        for name in ("list", "locked", "surplus", "links")
    },
    "a primary key of a domain over a collated text": Odd(
        (
            'CREATE DOMAIN name_of AS text COLLATE "C"',
            "CREATE TABLE t (id name_of PRIMARY KEY, k int)",
            f"INSERT INTO t SELECT 'id' || n, mod(n, 4) {TWELVE}",
        ),
        "t",
        "'t', ['k']",
    ),
}


def _revision(project: Project, odd: Odd) -> None:
    back = odd.options if "nulls=" not in odd.options else ""
    revision(
        project,
        f"op.deduplicate_upsert_key({odd.arguments}, keep='first', order_by=[], archive_table='gone', "
        f"batch_size=3{odd.options})",
        f"op.restore_deduplicated_rows({odd.arguments}, archive_table='gone'{back})",
    )


@pytest.mark.parametrize("kind", ODD)
def test_nothing_is_lost_and_all_comes_back(project: Project, kind: str) -> None:
    """Three rows a transaction; archived are the surplus ones, and the downgrade leaves the table as it was."""
    odd = ODD[kind]
    if int(project.rows("SHOW server_version_num")[0][0]) < odd.since * 10_000:
        pytest.skip(f"of PostgreSQL {odd.since}")
    project.sql(*odd.made)
    everything = f"SELECT whole::text FROM {odd.table} AS whole ORDER BY 1".replace(":", "\\:")
    before = project.rows(everything)
    _revision(project, odd)

    ran = project.upgrade()

    assert f": {odd.surplus} surplus rows moved to " in ran.err
    assert len(project.rows(everything)) == len(before) - odd.surplus
    archive = odd.table.rpartition(".")[0]
    sizes = f"SELECT count(*) FROM {archive}{'.' if archive else ''}gone GROUP BY xmin ORDER BY 1"
    assert max(project.rows(sizes)) == (3,)
    assert project.upgrade().code == 0
    project.downgrade()
    assert project.rows(everything) == before


@pytest.mark.parametrize("kind", ODD)
def test_a_script_does_the_same(project: Project, kind: str) -> None:
    """psql runs it, twice, and nothing is left to do the second time."""
    odd = ODD[kind]
    if int(project.rows("SHOW server_version_num")[0][0]) < odd.since * 10_000:
        pytest.skip(f"of PostgreSQL {odd.since}")
    project.sql(*odd.made)
    total = f"SELECT count(*) FROM {odd.table}"
    before = project.rows(total)[0][0]
    _revision(project, odd)
    written = script(project)

    ran = in_psql(project, written)
    assert ran.code == 0, ran.err
    assert f": {odd.surplus} surplus rows moved to " in ran.err
    assert project.rows(total) == [(before - odd.surplus,)]
    project.sql("DROP TABLE alembic_version")
    assert ": 0 surplus rows moved to " in in_psql(project, written).err


def test_a_key_of_a_type_without_equality_is_refused(project: Project) -> None:
    """A json cannot be compared: the server says so before the first batch."""
    project.sql(
        "CREATE TABLE t (id int PRIMARY KEY, k json)",
        f"INSERT INTO t SELECT n, '1' {TWELVE}",
    )
    _revision(project, Odd((), "t", "'t', ['k']"))

    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "could not be deduplicated" in ran.said
    assert "Traceback" not in ran.said
    assert project.rows("SELECT count(*) FROM t") == [(12,)]


def test_two_upgrades_at_once_do_it_once(project: Project) -> None:
    """One of them stops at the other's version, or finds nothing to do; no row is archived twice."""
    project.sql(
        "CREATE TABLE t (id int PRIMARY KEY, k int)",
        f"INSERT INTO t SELECT n, mod(n, 4) {TWELVE.replace('12', '400')}",
        "CREATE TABLE child (ref int REFERENCES t)",
        "CREATE INDEX ON child (ref)",
        "INSERT INTO child SELECT id FROM t",
        # else both may create it, and one of them ends there
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
    )
    revision(
        project,
        "op.deduplicate_upsert_key('t', ['k'], keep='first', order_by=[], archive_table='gone', batch_size=5, "
        "repoint=True)",
    )
    with another_session(project, "BEGIN", "SELECT FROM t WHERE id = 9 FOR UPDATE"):
        both = [project.begin("upgrade", "head") for _ in range(2)]
        until(
            project,
            "SELECT count(*) > 0 FROM pg_stat_activity "
            "WHERE query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()",
        )
    ran = [each.result() for each in both]

    assert 0 in [each.code for each in ran], [each.said for each in ran]
    assert all("Traceback" not in each.said for each in ran)
    assert project.rows("SELECT id FROM t ORDER BY 1") == [(1,), (2,), (3,), (4,)]
    assert project.rows("SELECT id FROM gone ORDER BY 1") == [(n,) for n in range(5, 401)]
    assert project.rows("SELECT count(*), count(DISTINCT ref) FROM child") == [(400, 4)]
    assert project.upgrade().code == 0
