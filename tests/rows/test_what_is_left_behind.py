"""The check reads rows and leaves nothing: no setting, no table, no lock, and a transaction that can be used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.rows.test_obstacles import role_without_temporary, written
from tests.rows.test_preflight import TABLE, TWICE, revised

if TYPE_CHECKING:
    from tests.project import Project

CLEAN = "INSERT INTO accounts (tenant, email) SELECT n / 10, (n % 10)::text FROM generate_series(1, 3000) n"
WIDE = """
    INSERT INTO accounts (tenant, email)
    SELECT 1, repeat('a', 20000) UNION ALL SELECT 1, repeat('b', 20000)
"""
TOO_WIDE = """
    INSERT INTO accounts (tenant, email)
    SELECT 1, string_agg(md5(n::text), '' ORDER BY n) FROM generate_series(1, 125) n
"""
MANY = (
    "INSERT INTO accounts (tenant, email) SELECT 1, (n % 3)::text FROM generate_series(1, 12000) n"
)
FAILS = "INSERT INTO accounts (tenant, email) VALUES (1, 'no number')"

VALIDATE = "op.validate_upsert_key('accounts', ['tenant', 'email'])"
OF_A_NUMBER = "op.validate_upsert_key('accounts', [sa.text('CAST(email AS int)')])"
# every setting there is, temporary relations, locks on the table, the sequence
STATE = """
    SELECT name || ' = ' || setting FROM pg_settings
    UNION ALL SELECT 'temporary ' || relname FROM pg_class WHERE relpersistence = 't'
    UNION ALL SELECT 'lock ' || mode FROM pg_locks WHERE relation = 'accounts'::regclass
              AND pid = pg_backend_pid() AND mode <> 'AccessShareLock'
    UNION ALL SELECT 'sequence ' || last_value FROM accounts_id_seq
    UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements
    ORDER BY 1
"""
OURS = """
    SET work_mem = '5MB';
    SET enable_hashagg = off;
    SET enable_seqscan = off;
    SET enable_bitmapscan = off
"""
SCANS = "SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'accounts'"


def refused(statement: str = VALIDATE) -> tuple[str, ...]:
    """The lines of a revision that continues after a refusal."""
    return (
        "from alembic.util import CommandError",
        "try:",
        f"    {statement}",
        "    raise AssertionError('it was let through')",
        "except CommandError:",
        "    pass",
    )


PASSES = pytest.param(CLEAN, (VALIDATE,), id="clean rows")
CASES = [
    PASSES,
    pytest.param("SELECT 1", (VALIDATE,), id="no rows"),
    pytest.param(WIDE, (VALIDATE,), id="wide rows"),
    pytest.param(TWICE, refused(), id="few duplicates"),
    pytest.param(MANY, refused(), id="many duplicates"),
    pytest.param(TOO_WIDE, refused(), id="a row too wide"),
    pytest.param(FAILS, refused(OF_A_NUMBER), id="a row that an expression fails on"),
    pytest.param(CLEAN, refused(VALIDATE.replace("email", "mail")), id="no such column"),
]


def saw(project: Project, query: str, *lines: str, before: str = "SELECT 1") -> list[list[str]]:
    """What `query` says before and after `lines`, run in ``upgrade()``; the upgrade goes through."""
    written(
        project,
        "op.execute('CREATE TABLE made_before (a int)')",
        f"op.execute({before!r})",
        "bind = op.get_bind()",
        f"query = {query!r}",
        "before = bind.exec_driver_sql(query).all()",
        *lines,
        "after = bind.exec_driver_sql(query).all()",
        "op.execute('CREATE TABLE made_after (a int)')",
        "import json, pathlib",
        "seen = [[[str(value) for value in row] for row in rows] for rows in (before, after)]",
        "pathlib.Path('seen.json').write_text(json.dumps(seen))",
    )
    project.upgrade()
    seen = json.loads((project.path / "seen.json").read_text())
    return [[" ".join(row) for row in rows] for rows in seen]


def in_autocommit(*lines: str) -> tuple[str, ...]:
    """The lines in a block of their own, each statement a transaction."""
    return ("with op.get_context().autocommit_block():", *(f"    {line}" for line in lines))


@pytest.mark.parametrize(("rows", "lines"), CASES)
@pytest.mark.parametrize("before", ["SELECT 1", OURS], ids=["its own settings", "ours"])
def test_the_session_is_as_it_was(
    project: Project, rows: str, lines: tuple[str, ...], before: str
) -> None:
    """Every setting, no temporary table, no lock that keeps a writer out, no number drawn from the sequence."""
    project.sql(TABLE, rows)

    was, now = saw(project, STATE, *lines, before=before)
    assert now == was
    assert ("work_mem = 5120" in now) == (before == OURS)


@pytest.mark.parametrize(("rows", "lines"), CASES)
def test_the_session_is_as_it_was_in_an_autocommit_block(
    project: Project, rows: str, lines: tuple[str, ...]
) -> None:
    """Where each statement is a transaction of its own."""
    project.sql(TABLE, rows)

    was, now = saw(project, STATE, *in_autocommit(*lines), before=OURS)
    assert now == was


@pytest.mark.parametrize("block", ["transaction", "autocommit"])
@pytest.mark.parametrize(("rows", "lines"), CASES)
def test_operations_around_the_check_are_committed(
    project: Project, rows: str, lines: tuple[str, ...], block: str
) -> None:
    """A revision that catches the refusal continues, and both of its halves are there."""
    project.sql(TABLE, rows)
    counted = project.rows("SELECT count(*) FROM accounts")
    saw(project, "SELECT 1", *(lines if block == "transaction" else in_autocommit(*lines)))

    assert project.rows("SELECT to_regclass('made_before'), to_regclass('made_after')") == [
        ("made_before", "made_after")
    ]
    assert project.rows("SELECT count(*) FROM accounts") == counted


@pytest.mark.parametrize("block", ["transaction", "autocommit"])
def test_a_refusal_that_nobody_catches_takes_the_transaction_back(
    project: Project, block: str
) -> None:
    """In an autocommit block what comes before is committed: that is Alembic's, which says so."""
    project.sql(TABLE, TWICE)
    lines = (VALIDATE,) if block == "transaction" else in_autocommit(VALIDATE)
    written(project, "op.execute('CREATE TABLE made_before (a int)')", *lines)

    assert project.alembic("upgrade", "head").code != 0
    (made,) = project.rows("SELECT to_regclass('made_before') IS NOT NULL")
    assert made == (block == "autocommit",)


def test_the_check_sees_what_its_revision_has_written(project: Project) -> None:
    """Rows that are not committed yet count, in the transaction that wrote them."""
    project.sql(TABLE)
    written(project, f"op.execute({TWICE!r})", VALIDATE)

    ran = project.alembic("upgrade", "head")
    assert "does not hold: 2 duplicate groups, 3 surplus rows" in ran.out
    assert project.rows("SELECT count(*) FROM accounts") == [(0,)]


@pytest.mark.parametrize(
    ("rows", "lines"),
    [PASSES, pytest.param(TWICE, refused(), id="few"), pytest.param(MANY, refused(), id="many")],
)
@pytest.mark.parametrize("unique", ["", "UNIQUE "], ids=["an index", "a unique index"])
def test_rows_are_read_from_the_heap(
    project: Project, unique: str, rows: str, lines: tuple[str, ...]
) -> None:
    """An index that holds the whole key is not asked: it may lie."""
    project.sql(TABLE, rows)
    # unique over more than the key, where the key itself is not
    project.sql(f"CREATE {unique}INDEX covers ON accounts (tenant, email, id)")
    project.sql_outside_a_transaction("VACUUM ANALYZE accounts")

    (was,), (now,) = saw(project, SCANS, *lines, before="SET enable_seqscan = off")
    scans = [
        int(after) - int(before) for before, after in zip(was.split(), now.split(), strict=True)
    ]
    assert scans[0] > 0
    assert scans[1] == 0


def test_no_index_is_used_where_all_is_reported(project: Project) -> None:
    """The same by what the server counts for the index itself."""
    project.sql(TABLE, CLEAN, "CREATE INDEX covers ON accounts (tenant, email)")
    project.sql_outside_a_transaction("VACUUM ANALYZE accounts")
    scans = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'covers'"
    was = project.rows(scans)
    saw(
        project,
        "SELECT 1",
        VALIDATE,
        "op.execute('SELECT pg_stat_force_next_flush()')",
        before="SET enable_seqscan = off",
    )

    assert project.rows(scans) == was


def test_an_index_that_lies_hides_no_duplicate(project: Project) -> None:
    """It holds one of two rows and passes for whole, as after a damage; the build reads the table."""
    project.sql(
        TABLE,
        "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a')",
        "CREATE INDEX lies ON accounts (tenant, email) WHERE id = 1",
    )
    project.sql_outside_a_transaction("VACUUM ANALYZE accounts")
    project.sql("UPDATE pg_index SET indpred = NULL WHERE indexrelid = 'lies'::regclass")
    written(project, "op.execute('SET enable_seqscan = off')", VALIDATE)
    with project.engine.connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")
        seen = connection.exec_driver_sql("SELECT count(*) FROM accounts WHERE tenant = 1").scalar()
    assert seen == 1

    assert "1 duplicate group, 1 surplus row" in project.alembic("upgrade", "head").out


@pytest.mark.parametrize(
    ("elements", "options"),
    [
        (["tenant", "email"], ""),
        (["tenant", "email"], ", nulls='forbid'"),
        (["tenant", "email"], ", nulls='not_distinct'"),
        (["tenant", "email"], ", where='tenant > 1'"),
        (["id"], ""),
    ],
    ids=["plain", "forbid", "not_distinct", "partial", "numbers alone"],
)
def test_clean_rows_are_read_once(project: Project, elements: list[str], options: str) -> None:
    """One scan of the table, whatever the key."""
    project.sql(TABLE, CLEAN)

    (was,), (now,) = saw(project, SCANS, f"op.validate_upsert_key('accounts', {elements}{options})")
    assert int(now.split()[0]) - int(was.split()[0]) == 1


def test_clean_rows_are_read_once_in_an_upgrade(project: Project) -> None:
    """The check reads them once, and the build once."""
    revised(project, CLEAN)
    query = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'accounts'"
    path = next((project.path / "migrations" / "versions").glob("*.py"))
    source = path.read_text()
    counted = "bind.exec_driver_sql(query.replace('stat_', 'stat_xact_')).scalar()"
    path.write_text(
        source.replace(
            f"    {VALIDATE}",
            f"    bind, query = op.get_bind(), {query!r}\n    was = {counted}\n    {VALIDATE}\n"
            f"    assert {counted} == was + 1, (was, {counted})",
        )
    )

    project.upgrade()


def test_without_the_temporary_privilege_clean_rows_are_read_once(project: Project) -> None:
    """The key is not hashed then, and still there is one scan, of the heap."""
    project.sql(TABLE, CLEAN, "CREATE INDEX covers ON accounts (tenant, email)")
    written(
        project,
        "bind = op.get_bind()",
        f"query = {SCANS!r}",
        "(seq, idx), = bind.exec_driver_sql(query).all()",
        VALIDATE,
        "assert bind.exec_driver_sql(query).all() == [(seq + 1, idx)]",
    )
    with role_without_temporary(project):
        project.upgrade()


def expected_sample(project: Project, where: str = "true") -> str:
    """The lines of the report by a SELECT that a DBA would write; five groups, the first five rows of each."""
    groups = project.rows(f"""
        SELECT tenant, email, count(*), (array_agg(id ORDER BY id))[1:5]
        FROM accounts WHERE {where} GROUP BY 1, 2 HAVING count(*) > 1 ORDER BY 3 DESC, 1, 2 LIMIT 5
    """)
    return "".join(
        f"  tenant = {tenant}, email = {email!r}: {count:,} rows, id {', '.join(map(str, ids))}"
        f"{', ...' if count > 5 else ''}\n"
        for tenant, email, count, ids in groups
    )


# pairs, and five groups of 10, 20, ... rows more, so that no two of the largest are alike
PAIRS = """
    INSERT INTO accounts (tenant, email)
    SELECT n % 7, 'user ' || n / 2 FROM generate_series(2, {last}) n;
    UPDATE accounts SET tenant = 3
"""
LARGEST = """
    INSERT INTO accounts (tenant, email)
    SELECT 3, 'user ' || g FROM generate_series(1, 5) g, generate_series(1, 10 * g)
"""
SINGLES = (
    "INSERT INTO accounts (tenant, email) SELECT 9, 'single ' || n FROM generate_series(1, 500) n"
)
NULLS = "INSERT INTO accounts (tenant, email) SELECT NULL, 'user ' || n % 9 FROM generate_series(1, 1234) n"


@pytest.mark.parametrize("reveal", ["True", "False"])
@pytest.mark.parametrize(
    "pairs",
    [10, 1_000, 9_849, 9_850, 9_851, 20_000],
    ids=["few", "some", "below ten thousand", "ten thousand", "above ten thousand", "many"],
)
def test_counts_are_exact_however_many_duplicates_there_are(
    project: Project, pairs: int, reveal: str
) -> None:
    """Groups, surplus rows, NULLs and sample, through each way of reading."""
    project.configure(upsert_guard_reveal=reveal)
    project.sql(TABLE, PAIRS.replace("{last}", str(2 * pairs + 1)), LARGEST, SINGLES, NULLS)
    assert project.rows("""
        SELECT count(*), sum(n - 1) FROM (SELECT count(*) AS n FROM accounts WHERE tenant IS NOT NULL
        GROUP BY tenant, email HAVING count(*) > 1) AS offending
    """) == [(pairs, pairs + 150)]
    written(project, VALIDATE)

    out = project.alembic("upgrade", "head").out
    assert f"does not hold: {pairs:,} duplicate groups, {pairs + 150:,} surplus rows; " in out
    assert "1,234 rows with NULL in the key: no upsert ever matches them." in out
    sample = f"{expected_sample(project, 'tenant = 3')}  ... and {pairs - 5:,} more groups\n"
    assert (sample in out) == (reveal == "True")
    assert ("user 5" in out) == (reveal == "True")


def test_counts_are_exact_where_most_rows_are_one_key(project: Project) -> None:
    """One group of fifty thousand rows."""
    project.sql(TABLE, SINGLES, MANY.replace("n % 3", "0").replace("12000", "50000"))
    written(project, VALIDATE)

    out = project.alembic("upgrade", "head").out
    assert "does not hold: 1 duplicate group, 49,999 surplus rows; nothing was changed" in out
    assert expected_sample(project) in out
    assert "more group" not in out


def test_counts_are_exact_where_nulls_are_equal(project: Project) -> None:
    """Many NULL rows that are duplicates of each other."""
    project.sql(TABLE, SINGLES, NULLS.replace("1234", "12345").replace("n % 9", "n % 4 * n % 4"))
    written(project, VALIDATE.replace("])", "], nulls='not_distinct')"))
    groups, surplus = project.rows("""
        SELECT count(*), sum(n - 1) FROM (SELECT count(*) AS n FROM accounts GROUP BY tenant, email) AS g WHERE n > 1
    """)[0]

    out = project.alembic("upgrade", "head").out
    assert f"does not hold: {groups} duplicate groups, {surplus:,} surplus rows; " in out
    assert surplus > 10_000
    assert expected_sample(project) in out


def test_counts_are_exact_in_a_part_of_the_rows(project: Project) -> None:
    """Many duplicates inside the predicate and many outside."""
    project.sql(TABLE, PAIRS.replace("{last}", "30001"), LARGEST, MANY, SINGLES)
    written(project, VALIDATE.replace("])", "], where='tenant > 1')"))

    out = project.alembic("upgrade", "head").out
    assert "WHERE tenant > 1 does not hold: 15,000 duplicate groups, 15,150 surplus rows; " in out
    assert expected_sample(project, "tenant > 1") in out
