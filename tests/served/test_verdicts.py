"""Each verdict beside the real upsert, its twin one word away, and the SQL of its hint, run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.served.judging import statements_in

if TYPE_CHECKING:
    from tests.served.judging import Database

USERS = "CREATE TABLE users (id serial PRIMARY KEY, email text, tenant int, live bool)"
ROWS = "INSERT INTO users (email, tenant, live) VALUES ('a', 1, true), ('b', 2, false)"
UPSERT = "INSERT INTO users (email, tenant) VALUES ('n', 9) ON CONFLICT (email) DO NOTHING"
UNIQUE = "ALTER TABLE users ADD CONSTRAINT uq UNIQUE (email)"


def on(target: str) -> str:
    """The upsert with another target."""
    return UPSERT.replace("(email) DO", f"{target} DO")


@dataclass(frozen=True)
class Case:
    """An upsert that is refused, and its twin that is served."""

    name: str
    refused: str
    """The statement that makes it so, beside the table."""
    served: str
    """The twin's."""
    fact: str
    """What the finding says behind the colon of its SQLSTATE."""
    target: str = "(email)"
    state: str = "42P10"
    invalid: bool = False
    """Whether `refused` fails, and leaves its index."""


CASES = [
    Case(
        "nothing",
        "CREATE INDEX i ON users (email)",
        "CREATE UNIQUE INDEX i ON users (email)",
        "nothing is unique on exactly these elements; nearest is index i (email): it is not unique",
    ),
    Case(
        "subset",
        "CREATE UNIQUE INDEX i ON users (email)",
        "CREATE UNIQUE INDEX i ON users (tenant, email)",
        "nothing is unique on exactly these elements; nearest is index i (email): one column too few (tenant)",
        "(email, tenant)",
    ),
    Case(
        "superset",
        "CREATE UNIQUE INDEX i ON users (email, tenant)",
        "CREATE UNIQUE INDEX i ON users (email) INCLUDE (tenant)",
        "nothing is unique on exactly these elements; nearest is index i (email, tenant): one column too many (tenant)",
    ),
    Case(
        "partial",
        "CREATE UNIQUE INDEX i ON users (email) WHERE live",
        "CREATE UNIQUE INDEX i ON users (email)",
        "index i (email) WHERE live is partial, the upsert is not",
    ),
    Case(
        "other predicate",
        "CREATE UNIQUE INDEX i ON users (email) WHERE tenant > 10",
        "CREATE UNIQUE INDEX i ON users (email) WHERE tenant > 1",
        "index i (email) WHERE tenant > 10 is partial, the upsert is WHERE tenant > 5",
        "(email) WHERE tenant > 5",
    ),
    Case(
        "expression",
        "CREATE UNIQUE INDEX i ON users (upper(email))",
        "CREATE UNIQUE INDEX i ON users (lower(email))",
        "nothing is unique on exactly these elements",
        "(lower(email))",
    ),
    Case(
        "collation",
        "CREATE UNIQUE INDEX i ON users (email)",
        'CREATE UNIQUE INDEX i ON users (email COLLATE "C")',
        "index i (email) has another collation or operator class than the key names",
        '(email COLLATE "C")',
    ),
    Case(
        "deferrable",
        f"{UNIQUE} DEFERRABLE",
        UNIQUE,
        "unique constraint uq (email) is DEFERRABLE, and ON CONFLICT fails on it with 55000",
        state="55000",
    ),
    Case(
        "invalid",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON users ((1))",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON users (email)",
        "index i",
        invalid=True,
    ),
]


def prepared(database: Database, case: Case, *, refused: bool) -> None:
    """The table as the case, or its twin, has it."""
    database.run(USERS, ROWS)
    if not case.invalid:
        database.run(case.refused if refused else case.served)
    elif refused:
        database.run("INSERT INTO users (email) VALUES ('a')")
        database.tries(case.served)
        database.run("DELETE FROM users WHERE tenant IS NULL")
    else:
        database.run(case.served)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_database_refuses_is_an_error_and_its_fix_is_one(
    database: Database, case: Case
) -> None:
    """The real upsert fails with that SQLSTATE; after the statements of the hint it passes, and nothing is found."""
    upsert = on(case.target)
    prepared(database, case, refused=True)
    assert database.answer(upsert) == case.state

    site, finding = database.only(f"{upsert};")

    assert site["resolution"] == "unserved"
    assert finding is not None
    assert (finding.code, finding.severity) == ("unserved-upsert", "error")
    assert f"fails with {case.state}: {case.fact}" in finding.fact
    statements = statements_in(finding.hint)
    assert statements
    database.run(*statements)
    assert database.answer(upsert) is None
    assert database.only(f"{upsert};")[1] is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_its_twin_is_served(database: Database, case: Case) -> None:
    """One word away nothing is found, and the real upsert passes."""
    upsert = on(case.target)
    prepared(database, case, refused=False)
    assert database.answer(upsert) is None

    site, finding = database.only(f"{upsert};")

    assert (site["resolution"], finding) == ("served", None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_on_an_empty_table_the_fix_is_one_statement(database: Database, case: Case) -> None:
    """Nobody waits for it, so nothing is concurrent; an INVALID index is built again all the same."""
    upsert = on(case.target)
    prepared(database, case, refused=True)
    database.run("DELETE FROM users")

    _, finding = database.only(f"{upsert};")

    assert finding is not None
    (statement,) = statements_in(finding.hint)
    assert ("CONCURRENTLY" in statement) == case.invalid
    database.run(statement)
    assert database.answer(upsert) is None


def test_on_a_table_with_rows_writers_do_not_wait(database: Database) -> None:
    """The SQL to run builds CONCURRENTLY, and attaches the index afterwards."""
    database.run(USERS, ROWS)
    _, finding = database.only(f"{UPSERT};")
    assert finding is not None
    assert finding.hint == (
        "run, each statement by itself and outside of a transaction:\n"
        "CREATE UNIQUE INDEX CONCURRENTLY uq_users_email ON users (email);\n"
        "ALTER TABLE users ADD CONSTRAINT uq_users_email UNIQUE USING INDEX uq_users_email;"
    )


def test_rows_that_share_a_key_are_counted_and_listed(database: Database) -> None:
    """The query of the hint returns each key of several rows."""
    database.run(USERS, ROWS, "INSERT INTO users (email) VALUES ('a'), ('a'), (NULL), (NULL)")
    _, finding = database.only(f"{UPSERT};")
    assert finding is not None
    assert finding.hint.startswith(
        "merge or delete the duplicate rows first: 1 key is in several rows, list them:\nSELECT "
    )
    (listing,) = [line for line in finding.hint.splitlines() if line.startswith("SELECT ")]
    with database.engine.connect() as connection:
        assert [tuple(row) for row in connection.exec_driver_sql(listing)] == [("a", 3)]


def test_a_good_arbiter_beside_a_deferrable_one_needs_no_other(database: Database) -> None:
    """The deferrable one alone raises 55000: dropping it is the fix."""
    database.run(USERS, UNIQUE, "ALTER TABLE users ADD CONSTRAINT late UNIQUE (email) DEFERRABLE")
    _, finding = database.only(f"{UPSERT};")
    assert finding is not None
    assert finding.hint == "run:\nALTER TABLE users DROP CONSTRAINT late;"
    database.run(*statements_in(finding.hint))
    assert database.only(f"{UPSERT};")[1] is None


def test_an_upsert_that_lacks_a_column_is_the_likelier_fault(database: Database) -> None:
    """The narrower constraint that would serve it forbids rows that the wider one welcomes."""
    database.run(USERS, "CREATE UNIQUE INDEX i ON users (email, tenant)")

    _, finding = database.only(f"{UPSERT};")

    assert finding is not None
    written = "write ON CONFLICT (email, tenant); or, where the upsert is right, run:"
    assert finding.hint.startswith(written)
    assert database.answer(on("(email, tenant)")) is None


@pytest.mark.parametrize(
    "index",
    [
        "CREATE INDEX i ON users (email, tenant)",
        "CREATE UNIQUE INDEX i ON users (email, tenant) WHERE live",
        "CREATE UNIQUE INDEX i ON users (tenant)",
    ],
)
def test_what_is_near_and_serves_nothing_is_not_offered(database: Database, index: str) -> None:
    """Not unique, partial, or on another column."""
    database.run(USERS, index)

    _, finding = database.only(f"{UPSERT};")

    assert finding is not None
    assert finding.hint.startswith("run")


def test_a_deferrable_primary_key_stays_one(database: Database) -> None:
    """Made again without DEFERRABLE, concurrently where there are rows."""
    database.run("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE)", "INSERT INTO t VALUES (1)")
    upsert = "INSERT INTO t VALUES (2) ON CONFLICT (id) DO NOTHING"
    _, finding = database.only(f"{upsert};")
    assert finding is not None
    database.run(*statements_in(finding.hint))
    with database.engine.connect() as connection:
        kinds = "SELECT contype::text || condeferrable::text FROM pg_constraint WHERE conrelid = 't'::regclass"
        assert "pfalse" in connection.exec_driver_sql(kinds).scalars().all()
    assert database.answer(upsert) is None


# -- what no arbiter would change


def test_a_rule_refuses_every_upsert(database: Database) -> None:
    """0A000, though the index is right; without the rule it is served."""
    database.run(USERS, UNIQUE, "CREATE RULE r AS ON UPDATE TO users DO ALSO NOTIFY changed")
    site, finding = database.only(f"{UPSERT};")
    assert (site["resolution"], database.answer(UPSERT)) == ("unserved", "0A000")
    assert finding is not None
    assert "fails with 0A000: INSERT with ON CONFLICT clause cannot be used" in finding.fact
    database.run("DROP RULE r ON users")
    assert database.only(f"{UPSERT};")[1] is None


def test_a_column_that_is_not_there(database: Database) -> None:
    """42703; no arbiter is proposed for a misspelt column."""
    database.run(USERS)
    upsert = on("(mail)")
    _, finding = database.only(f"{upsert};")
    assert finding is not None
    assert (database.answer(upsert), 'fails with 42703: column "mail"' in finding.fact) == (
        "42703",
        True,
    )
    assert finding.hint.startswith("correct the column's name")


def test_a_view_is_judged_by_the_table_behind_it(database: Database) -> None:
    """The hint names the table, since a view has no constraints."""
    database.run(USERS, "CREATE VIEW people AS SELECT * FROM users")
    upsert = UPSERT.replace("INTO users", "INTO people")
    _, finding = database.only(f"{upsert};")
    assert finding is not None
    assert (database.answer(upsert), "the table behind the view" in finding.hint) == ("42P10", True)
    database.run(UNIQUE)
    assert database.only(f"{upsert};")[1] is None


def test_a_partition_column_that_the_target_lacks(database: Database) -> None:
    """Nothing that can be made would serve; with the column it is served."""
    database.run(
        "CREATE TABLE events (day date, key text, UNIQUE (day, key)) PARTITION BY RANGE (day)"
    )
    upsert = "INSERT INTO events VALUES ('2027-01-01', 'a') ON CONFLICT (key) DO NOTHING"
    _, finding = database.only(f"{upsert};")
    assert finding is not None
    assert "partitioned by day, which the upsert lacks" in finding.fact
    assert (statements_in(finding.hint), finding.hint[:25]) == ([], "add the partition columns")
    assert database.only(upsert.replace("(key)", "(key, day)") + ";")[1] is None


def test_row_level_security_changes_no_answer(database: Database) -> None:
    """Policies filter rows; which arbiter is inferred does not depend on them."""
    database.run(USERS, UNIQUE, "ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    assert database.only(f"{UPSERT};")[1] is None
    database.run("ALTER TABLE users DROP CONSTRAINT uq")
    assert database.only(f"{UPSERT};")[0]["resolution"] == "unserved"


# -- constraints by name


@pytest.mark.parametrize("kind", ["CREATE UNIQUE INDEX mine ON users (email)", "SELECT 1"])
def test_a_name_that_no_constraint_has(database: Database, kind: str) -> None:
    """42704: an index of the name is none, and the hint makes one of it."""
    database.run(USERS, kind)
    upsert = on("ON CONSTRAINT mine")
    site, finding = database.only(f"{upsert};")
    assert (site["constraint"], site["resolution"]) == ("mine", "unserved")
    assert finding is not None
    assert (finding.code, finding.severity) == ("missing-constraint", "error")
    assert database.answer(upsert) == "42704"
    if "INDEX" in kind:
        assert "index mine (email) is no constraint" in finding.fact
        database.run(*statements_in(finding.hint))
        assert (database.answer(upsert), database.only(f"{upsert};")[1]) == (None, None)


def test_a_constraint_of_the_name_serves(database: Database) -> None:
    """ON CONSTRAINT is looked up by name and nothing else."""
    database.run(USERS, "ALTER TABLE users ADD CONSTRAINT mine UNIQUE (email)")
    assert database.only(on("ON CONSTRAINT mine") + ";")[1] is None


def test_a_partial_index_of_the_name_becomes_no_constraint(database: Database) -> None:
    """The hint names its elements and its predicate instead, which is served."""
    database.run(USERS, "CREATE UNIQUE INDEX mine ON users (email) WHERE live")
    _, finding = database.only(on("ON CONSTRAINT mine") + ";")
    assert finding is not None
    assert finding.hint == "name its elements instead: ON CONFLICT (email) WHERE live"
    assert database.only(on("(email) WHERE live") + ";")[1] is None


def test_the_other_constraints_are_named(database: Database) -> None:
    """Where the name is wrong, those that the table has are what to choose from."""
    database.run(USERS, UNIQUE)
    _, finding = database.only(on("ON CONSTRAINT mine") + ";")
    assert finding is not None
    assert "unique constraint uq (email)" in finding.hint


def test_a_deferrable_constraint_by_name(database: Database) -> None:
    """55000, and the SQL of the hint makes it good."""
    database.run(USERS, f"{UNIQUE} DEFERRABLE")
    upsert = on("ON CONSTRAINT uq")
    _, finding = database.only(f"{upsert};")
    assert finding is not None
    assert (finding.code, database.answer(upsert)) == ("unserved-upsert", "55000")
    database.run(*statements_in(finding.hint))
    assert database.only(f"{upsert};")[1] is None


def test_an_exclusion_constraint_depends_on_the_action(database: Database) -> None:
    """It serves DO NOTHING and refuses DO UPDATE, which cannot be seen from here."""
    database.run("CREATE TABLE t (a int4range, CONSTRAINT apart EXCLUDE USING gist (a WITH &&))")
    upsert = "INSERT INTO t VALUES ('[1,2)') ON CONFLICT ON CONSTRAINT apart DO NOTHING"
    site, finding = database.only(f"{upsert};")
    assert (site["resolution"], database.answer(upsert)) == ("unresolved", None)
    assert finding is not None
    assert (finding.code, finding.severity) == ("unresolved-upsert", "warning")


# -- tables


def test_a_table_that_is_not_there_is_an_error(database: Database) -> None:
    """missing-table rather than unserved: no arbiter can be added to it."""
    site, finding = database.only(f"{UPSERT};")
    assert site["resolution"] == "unserved"
    assert finding is not None
    assert (finding.code, finding.severity) == ("missing-table", "error")
    assert finding.fact == "the upsert is into users, which is not in the database"


def test_a_table_of_another_schema_is_named(database: Database) -> None:
    """The search path does not find it; with the schema it is served."""
    database.run("CREATE SCHEMA app", "CREATE TABLE app.users (email text UNIQUE)")
    _, finding = database.only(f"{UPSERT};")
    assert finding is not None
    assert finding.fact.endswith("is not found by the search path; there is app.users")
    served = "INSERT INTO app.users (email) VALUES ('a') ON CONFLICT (email) DO NOTHING;"
    assert database.only(served)[1] is None


def test_the_search_path_resolves_a_bare_name(database: Database) -> None:
    """As the connection's, such as a role's own: another table of the name has no say."""
    database.run(USERS, UNIQUE, "CREATE SCHEMA app", "CREATE TABLE app.users (email text)")
    assert database.only(f"{UPSERT};")[1] is None
    name = database.engine.url.database
    database.run(f'ALTER DATABASE "{name}" SET search_path = app')
    database.engine.dispose()
    _, finding = database.only(f"{UPSERT};")
    assert finding is not None
    assert "ALTER TABLE app.users ADD CONSTRAINT" in finding.hint
    database.run(*statements_in(finding.hint))
    assert database.only(f"{UPSERT};")[1] is None


def test_names_in_quotes_are_quoted_in_the_fix(database: Database) -> None:
    """The SQL of the hint runs as it is."""
    database.run('CREATE TABLE "User ""s" ("E-mail" text)')
    upsert = 'INSERT INTO "User ""s" VALUES (\'a\') ON CONFLICT ("E-mail") DO NOTHING'
    _, finding = database.only(f"{upsert};")
    assert finding is not None
    database.run(*statements_in(finding.hint))
    assert (database.answer(upsert), database.only(f"{upsert};")[1]) == (None, None)


def test_a_name_that_is_taken_is_not_taken_twice(database: Database) -> None:
    """The table's plain index has the name that the constraint would have."""
    database.run(USERS, "CREATE INDEX uq_users_email ON users (email)")
    _, finding = database.only(f"{UPSERT};")
    assert finding is not None
    database.run(*statements_in(finding.hint))
    assert database.only(f"{UPSERT};")[1] is None


# -- other targets


def test_an_upsert_without_a_target_needs_anything_unique(database: Database) -> None:
    """With nothing unique it never meets a conflict: rows double."""
    bare = "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING;"
    database.run("CREATE TABLE t (a int)")
    site, finding = database.only(bare)
    assert site["resolution"] == "unserved"
    assert finding is not None
    assert "rows double in silence" in finding.fact
    database.run("ALTER TABLE t ADD UNIQUE (a)")
    assert database.only(bare)[1] is None


SUPABASE = 'supabase.table("t").upsert(row).execute()\n'


def test_supabase_without_columns_takes_the_primary_key(database: Database) -> None:
    """PostgREST's default for on_conflict, as its manual has it."""
    database.run("CREATE TABLE t (tenant int, a int, PRIMARY KEY (tenant, a))")
    site, finding = database.only(SUPABASE, "app.py")
    assert (site["elements"], site["resolution"], finding) == (["tenant", "a"], "served", None)


def test_supabase_without_columns_on_a_table_without_a_primary_key(database: Database) -> None:
    """PostgREST then writes no ON CONFLICT at all."""
    database.run("CREATE TABLE t (tenant int, a int UNIQUE)")
    site, finding = database.only(SUPABASE, "app.py")
    assert site["resolution"] == "unserved"
    assert finding is not None
    assert "no primary key to match rows by: it is a plain INSERT" in finding.fact


BOUND = """
    from sqlalchemy import Column, MetaData, Table, Text
    from sqlalchemy.dialects.postgresql import insert
    t = Table("t", MetaData(), Column("a", Text), Column("state", Text))

    def save(session, state):
        session.execute(
            insert(t).on_conflict_do_nothing(index_elements=["a"], index_where=t.c.state == state)
        )
"""


@pytest.mark.parametrize(
    ("index", "resolution"),
    [
        ("CREATE UNIQUE INDEX i ON t (a)", "served"),
        ("CREATE UNIQUE INDEX i ON t (a) WHERE state = 'open'", "unresolved"),
        ("CREATE INDEX i ON t (a)", "unserved"),
    ],
)
def test_a_predicate_of_bound_values(database: Database, index: str, resolution: str) -> None:
    """A full index serves every predicate; of a partial one nothing is known."""
    database.run("CREATE TABLE t (a text, state text)", index)
    (judged,) = database.judged(BOUND, "app.py").upserts
    assert judged.resolution == resolution


def test_a_default_that_fails_while_it_is_planned(database: Database) -> None:
    """The catalog then decides for columns."""
    database.run("CREATE TABLE t (a int UNIQUE, b int DEFAULT 1 / 0)")
    served = "INSERT INTO t VALUES (1, 1) ON CONFLICT (a) DO NOTHING;"
    assert database.only(served)[1] is None
    assert database.only(served.replace("(a)", "(b)"))[0]["resolution"] == "unserved"


def test_what_cannot_be_read_is_the_scanners_finding(database: Database) -> None:
    """A warning with the scanner's reason, and the site is unresolved."""
    source = (
        "def save(client, table, rows):\n    client.table(table).upsert(rows, on_conflict='a')\n"
    )
    site, finding = database.only(source, "app.py")
    assert site["resolution"] == "unresolved"
    assert finding is not None
    assert (finding.code, finding.severity) == ("unresolved-upsert", "warning")
