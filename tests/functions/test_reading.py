"""Where upserts stand in functions, and what is said of statements that nobody can read."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, event, make_url, text

from alembic_upsert_guard.upserts.scan.sql.routines import Routine, read_routine
from alembic_upsert_guard.upserts.upsert import call_site_member
from tests.functions.judging import body

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from tests.functions.judging import Database

UNIQUE = "CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, tenant int);"
UPSERT = "INSERT INTO users (email) VALUES ('a') ON CONFLICT (email) DO NOTHING"
BARE = "INSERT INTO users (tenant) VALUES (1) ON CONFLICT (tenant) DO NOTHING"

ONBOARDING = (
    Path(__file__).parents[2] / "sample_project" / "migrations" / "versions" / "0005_onboarding.py"
)


def places(database: Database, script: str) -> list[tuple[str, int, str]]:
    """Function, line and resolution of each call site."""
    sites = map(call_site_member, database.judged(script).upserts)
    return [(site["path"], site["line"], site["resolution"]) for site in sites]


def resolutions(database: Database, script: str) -> list[str]:
    return [resolution for _, _, resolution in places(database, script)]


# -- the sample project's fourth system


@pytest.fixture
def onboarding(database: Database) -> Database:
    """The database after migration 0005."""
    spec = importlib.util.spec_from_file_location("onboarding_0005", ONBOARDING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with (
        database.engine.begin() as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        module.upgrade()
    return database


FINALIZE = "SELECT finalize_onboarding('00000000-0000-0000-0000-000000000001', 'Ada')"


def test_finalize_onboarding_is_named_before_anybody_calls_it(onboarding: Database) -> None:
    """The function from a report in the field: 42P10 at its first call, named by the check before it."""
    site, fact = onboarding.only("")
    assert site == {
        "source": "functions",
        "path": "public.finalize_onboarding(uuid, text)",
        "line": 7,
        "schema": None,
        "table": "profiles",
        "elements": ["auth_user_id"],
        "where": None,
        "constraint": None,
        "resolution": "unserved",
    }
    assert fact.startswith("the upsert into profiles (auth_user_id) fails with 42P10: ")
    assert onboarding.answer(FINALIZE) == "42P10"


def test_finalize_onboarding_is_served_after_the_fix(onboarding: Database) -> None:
    """The twin, with the one unique constraint that was missing."""
    site, fact = onboarding.only(
        "ALTER TABLE profiles ADD CONSTRAINT profiles_auth_user_id_unique UNIQUE (auth_user_id)"
    )
    assert (site["resolution"], fact) == ("served", "")
    assert onboarding.answer(FINALIZE) is None


# -- where they stand


def test_the_line_is_that_of_on_conflict_as_psql_counts(database: Database) -> None:
    """Neither a comment nor a string that says ON CONFLICT is taken for it."""
    script = """CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
      -- ON CONFLICT (tenant)
      INSERT INTO users (email)
      VALUES ('on conflict (id)')
      ON CONFLICT (email) DO NOTHING;
    END $$;"""
    assert places(database, UNIQUE + script) == [("public.f()", 5, "served")]


def test_every_upsert_of_a_function_is_one(database: Database) -> None:
    """In the order of the source, two of one line included."""
    assert places(database, UNIQUE + body(f"{UPSERT};\n  {BARE}; {UPSERT}")) == [
        ("public.f()", 4, "served"),
        ("public.f()", 5, "unserved"),
        ("public.f()", 5, "served"),
    ]


def test_overloads_are_distinguished_by_their_arguments(database: Database) -> None:
    """The path has the types as regprocedure writes them."""
    script = body(UPSERT, head="f(who int, what text[]) RETURNS void") + body(
        BARE, head="f(who uuid) RETURNS void"
    )
    assert places(database, UNIQUE + script) == [
        ("public.f(integer, text[])", 4, "served"),
        ("public.f(uuid)", 4, "unserved"),
    ]


def test_names_of_functions_are_quoted_where_they_have_to_be(database: Database) -> None:
    """So that the path can be pasted into SQL."""
    script = 'CREATE SCHEMA "My App";' + body(UPSERT, head='"My App"."F"() RETURNS void')
    assert places(database, UNIQUE + script) == [('"My App"."F"()', 4, "served")]


def test_an_sql_function_is_read(database: Database) -> None:
    """Its lines count from the first of the body."""
    script = f"CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$\n SELECT 1;\n {BARE}; $$;"
    assert places(database, UNIQUE + script) == [("public.f()", 3, "unserved")]


def test_a_body_of_sql_s_own_is_read(database: Database) -> None:
    """BEGIN ATOMIC is stored as a tree: the line is that of the body as the server prints it."""
    script = f"CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC SELECT 1; {BARE}; END;"
    ((path, line, resolution),) = places(database, UNIQUE + script)
    assert (path, resolution) == ("public.f()", "unserved")
    with database.engine.connect() as connection:
        printed = connection.scalar(text("SELECT pg_get_function_sqlbody('f'::regproc)"))
    assert "ON CONFLICT" in printed.splitlines()[line - 1]


def test_a_body_of_sql_s_own_is_bound_when_it_is_made(database: Database) -> None:
    """Its table was looked up then, so the function's search_path changes nothing."""
    script = f"""CREATE SCHEMA app; CREATE TABLE app.users (email text);
        CREATE FUNCTION f() RETURNS void LANGUAGE sql SET search_path = app BEGIN ATOMIC {UPSERT}; END;"""
    assert resolutions(database, UNIQUE + script) == ["served"]


def test_a_procedure_is_read(database: Database) -> None:
    """CALL runs its statements as a function does, COMMIT between them or not."""
    script = (
        f"CREATE PROCEDURE p(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN\n {BARE}; COMMIT; END $$;"
    )
    assert places(database, UNIQUE + script) == [("public.p(integer)", 2, "unserved")]


def test_a_trigger_function_is_read(database: Database) -> None:
    """NEW in values and in SET is no part of the conflict target."""
    statement = "INSERT INTO users (email) VALUES (NEW.email) ON CONFLICT (email) DO UPDATE SET tenant = NEW.tenant"
    script = body(f"{statement}; RETURN NEW", head="f() RETURNS trigger")
    assert resolutions(database, UNIQUE + script) == ["served"]


def test_types_of_other_schemas_are_no_obstacle(database: Database) -> None:
    """Declarations are not part of the statement that is asked about."""
    script = (
        "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('glad'); CREATE TABLE app.t (m app.mood);"
    )
    function = body(UPSERT, declare="a app.mood; b app.t%ROWTYPE; c app.t.m%TYPE;")
    assert resolutions(database, UNIQUE + script + function) == ["served"]


def test_an_upsert_in_a_common_table_expression(database: Database) -> None:
    """Each INSERT of a WITH is one call site."""
    statement = f"WITH new AS ({BARE} RETURNING id) {UPSERT.replace('VALUES (', 'SELECT (')}"
    assert resolutions(database, UNIQUE + body(statement)) == ["unserved", "served"]


def test_returning_into_a_variable(database: Database) -> None:
    """INTO is PL/pgSQL's and goes before the statement is asked about."""
    statement = UPSERT.replace(
        "DO NOTHING", "DO UPDATE SET email = EXCLUDED.email RETURNING users.id INTO STRICT n"
    )
    assert resolutions(database, UNIQUE + body(statement, declare="n int;")) == ["served"]


def test_return_query_and_a_loop_over_the_rows(database: Database) -> None:
    """Statements that PL/pgSQL takes rows from are read like others."""
    statement = (
        f"RETURN QUERY {UPSERT} RETURNING users.id; "
        f"FOR n IN {BARE} RETURNING users.id LOOP RETURN NEXT n; END LOOP"
    )
    script = body(statement, declare="n int;", head="f() RETURNS SETOF int")
    assert resolutions(database, UNIQUE + script) == ["served", "unserved"]


def test_branches_and_handlers(database: Database) -> None:
    """IF, ELSE, blocks and EXCEPTION are all walked, whichever runs."""
    statement = f"IF true THEN {UPSERT}; ELSE {BARE}; END IF; BEGIN {UPSERT}; EXCEPTION WHEN OTHERS THEN {BARE}; END"
    assert resolutions(database, UNIQUE + body(statement)) == [
        "served",
        "unserved",
        "served",
        "unserved",
    ]


def test_a_row_of_several_columns_is_set(database: Database) -> None:
    """SET (a, b) = ROW(...) plans as written."""
    statement = UPSERT.replace(
        "DO NOTHING", "DO UPDATE SET (email, tenant) = ROW(EXCLUDED.email, 1)"
    )
    assert resolutions(database, UNIQUE + body(statement)) == ["served"]


def test_an_alias_of_the_table_in_the_target(database: Database) -> None:
    """The target may name the table by its alias, and is inferred as the column."""
    statement = (
        "INSERT INTO users AS u (email) VALUES ('a') "
        "ON CONFLICT (lower(u.email)) DO UPDATE SET tenant = u.tenant"
    )
    script = "CREATE UNIQUE INDEX l ON users (lower(email));"
    assert resolutions(database, UNIQUE + script + body(statement)) == ["served"]


def test_signs_of_templates_are_plain_signs_in_a_name(database: Database) -> None:
    """$, {} and % are in names, and no driver's parameters."""
    script = 'CREATE TABLE sums$of ("{a}%" int UNIQUE);'
    statement = 'INSERT INTO sums$of VALUES (1) ON CONFLICT ("{a}%") DO NOTHING'
    site, _ = database.only(script + body(statement))
    assert (site["table"], site["elements"], site["resolution"]) == ("sums$of", ["{a}%"], "served")


def test_columns_that_take_no_value_are_not_in_the_way(database: Database) -> None:
    """Generated, identity and failing defaults: the plan evaluates none of them."""
    script = """CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a int UNIQUE NOT NULL,
                                b int GENERATED ALWAYS AS (a + 1) STORED, c int DEFAULT 1 / 0);"""
    statement = "INSERT INTO t (id, a, b, c) OVERRIDING SYSTEM VALUE VALUES (1, 1, DEFAULT, 2)"
    statement += " ON CONFLICT (a) DO UPDATE SET c = EXCLUDED.c"
    site, fact = database.only(script + body(statement))
    assert (site["resolution"], fact) == ("served", "")
    assert database.answer("SELECT f()") is None


def test_a_domain_that_takes_no_null_is_not_in_the_way(database: Database) -> None:
    """Nothing of the values is evaluated, so a NOT NULL domain refuses nothing."""
    script = (
        "CREATE DOMAIN code AS text NOT NULL CHECK (VALUE <> ''); CREATE TABLE t (a code UNIQUE);"
    )
    statement = "INSERT INTO t (a) VALUES ('x') ON CONFLICT (a) DO NOTHING"
    assert resolutions(database, script + body(statement)) == ["served"]


def test_functions_without_an_upsert_are_none(database: Database) -> None:
    """ON CONFLICT inside of strings makes no call site."""
    script = body(
        "INSERT INTO users (email) VALUES ('ON CONFLICT'); RAISE NOTICE 'on conflict (a)'"
    )
    assert places(database, UNIQUE + script) == []


# -- what nobody sees


@pytest.mark.parametrize(
    "statement",
    [
        "EXECUTE format('INSERT INTO %I (email) VALUES ($1) ON CONFLICT (email) DO NOTHING', t) USING 'a'",
        "EXECUTE 'INSERT INTO ' || quote_ident(t) || ' VALUES (1) ON CONFLICT DO NOTHING'",
        "EXECUTE current_setting('a.b')",
        "EXECUTE format(t, 1)",
        "EXECUTE format('%s', t)",
        "EXECUTE 'INSERT INTO users ' || t",
        "EXECUTE 'SET LOCAL x.y = 1; ' || t",
        "t := t || ' ON CONFLICT (email) DO NOTHING'; EXECUTE t",
        "t := 'INSERT INTO users (email) SELECT '; t := t || current_user; EXECUTE t",
        "SELECT 'INSERT' INTO t; EXECUTE t",
        "EXECUTE format('INSERT INTO users (email) VALUES (1) ON CONFLICT (%I) DO NOTHING', t)",
        "EXECUTE format('INSERT INTO users (%I) VALUES (1) ON CONFLICT (email) DO NOTHING', t)",
    ],
)
def test_a_statement_put_together_at_run_time_is_named(database: Database, statement: str) -> None:
    """A warning: it may be an upsert, and what it is, is known in the call only."""
    judged = database.judged(UNIQUE + body(statement, declare="t text := 'SELECT 1';"))
    (finding,) = judged.findings
    (site,) = map(call_site_member, judged.upserts)
    assert (finding.code, finding.severity, finding.table) == ("unresolved-upsert", "warning", None)
    assert (site["table"], site["elements"], site["resolution"]) == (None, [], "unresolved")


@pytest.mark.parametrize(
    "statement",
    [
        "EXECUTE 'SELECT 1'",
        "EXECUTE format('CREATE TABLE %I (a int) %s', t, t)",
        "EXECUTE 'DROP TABLE IF EXISTS ' || t",
        "EXECUTE format('INSERT INTO %I VALUES (%L)', t, t)",
        "EXECUTE 'INSERT INTO users (email) VALUES (' || quote_literal(t) || ')'",
        "t := 'ANALYZE ' || current_user; EXECUTE t",
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO public",
    ],
)
def test_a_statement_that_can_be_no_upsert_is_not(database: Database, statement: str) -> None:
    """The twin: its constant parts already say that it is none."""
    assert places(database, UNIQUE + body(statement, declare="t text := 'SELECT 1';")) == []


def test_a_constant_that_is_executed_is_judged(database: Database) -> None:
    """EXECUTE of a constant is known beforehand."""
    assert resolutions(database, UNIQUE + body(f"EXECUTE $q${BARE}$q$")) == ["unserved"]


@pytest.mark.parametrize(
    ("key", "resolution"), [("email", "served"), ("tenant, email", "unserved")]
)
@pytest.mark.parametrize(
    "statement",
    [
        "DO 'BEGIN INSERT INTO users (email) VALUES (1) ON CONFLICT ({}) DO NOTHING; END'",
        "EXECUTE format('INSERT INTO users (email) VALUES (%L) ON CONFLICT ({}) DO NOTHING', now())",
        "EXECUTE 'INSERT INTO users (email) VALUES (' || 1 || ') ON CONFLICT ({}) DO NOTHING'",
    ],
)
def test_what_is_put_in_beside_table_and_target_is_judged(
    database: Database, statement: str, key: str, resolution: str
) -> None:
    """A value is put in, or a block sees nothing of the function around it: the target is certain."""
    script = body(statement.format(key))
    assert resolutions(database, UNIQUE + script) == [resolution]


def test_no_variable_is_known_in_it(database: Database) -> None:
    """EXECUTE sees no variables, so `email` is the column there."""
    script = body(f"EXECUTE $q${UPSERT}$q$", declare="email text := 'a';")
    assert resolutions(database, UNIQUE + script) == ["served"]
    assert database.answer("SELECT f()") is None


def test_a_constant_of_a_variable_is_judged(database: Database) -> None:
    """A variable that is set once, to a constant, has that value at EXECUTE."""
    script = body("EXECUTE q", declare=f"q text := $q${BARE}$q$;")
    assert resolutions(database, UNIQUE + script) == ["unserved"]


def test_a_parameter_that_is_executed_is_named(database: Database) -> None:
    """Its text comes from the caller."""
    script = body("EXECUTE q", head="f(q text) RETURNS void")
    assert resolutions(database, UNIQUE + script) == ["unresolved"]


def test_another_language_is_named_once(database: Database) -> None:
    """At its first ON CONFLICT: what is not read is said, and not for each line."""
    script = """
        CREATE FUNCTION handle() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
        CREATE LANGUAGE other HANDLER handle;
        CREATE FUNCTION f() RETURNS void LANGUAGE other AS $$
            execute("INSERT INTO users VALUES (1) ON CONFLICT (email) DO NOTHING")
            execute("INSERT INTO users VALUES (2) ON CONFLICT (email) DO NOTHING") $$;
    """
    site, fact = database.only(script)
    assert (site["line"], site["resolution"]) == (2, "unresolved")
    assert fact == "the function is written in other, which is not read"


BROKEN = "SET check_function_bodies = off;"


def test_a_broken_statement_is_one_finding(database: Database) -> None:
    """check_function_bodies = off lets it in; the parser's words are reported."""
    script = BROKEN + body(UPSERT.replace("VALUES", "VALEUS")) + "RESET check_function_bodies;"
    site, fact = database.only(UNIQUE + script)
    assert site["resolution"] == "unresolved"
    assert fact.startswith("the statement does not read as SQL: syntax error at or near")


def test_a_broken_statement_hides_no_other_function(database: Database) -> None:
    """Each function is read by itself."""
    script = BROKEN + body("INSERT ON CONFLICT (a) DO 'x") + "RESET check_function_bodies;"
    script += body(BARE, head="g() RETURNS void")
    assert resolutions(database, UNIQUE + script) == ["unresolved", "unserved"]


ROLE = """
    DO $$ BEGIN CREATE ROLE guest_of_the_guard; EXCEPTION WHEN duplicate_object THEN END $$;
"""


def test_a_body_cut_off_anywhere_is_read_without_an_error() -> None:
    """Whatever the catalog holds, reading ends with sites and no exception."""
    source = f"""DECLARE q text := 'x'; BEGIN EXECUTE format('INSERT %I', q) USING 1; {UPSERT};
        q := q || (lower('x')); EXECUTE (q); DO $x$ on conflict $x$; END"""
    for language in ("sql", "plpgsql", "other"):
        for at in range(len(source)):
            assert isinstance(read_routine(Routine(language=language, source=source[at:])), list)
            assert isinstance(read_routine(Routine(language=language, source=source[:at])), list)


def test_a_table_that_the_role_may_not_use_is_unresolved(database: Database) -> None:
    """42501 says nothing of an arbiter, and the session keeps its role."""
    script = ROLE + "CREATE SCHEMA vault; CREATE TABLE vault.t (a int UNIQUE);"
    database.run(script + body("INSERT INTO vault.t VALUES (1) ON CONFLICT (a) DO NOTHING"))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET ROLE guest_of_the_guard")
        judged = database.judge(connection)
        assert connection.scalar(text("SELECT current_user")) == "guest_of_the_guard"
        connection.rollback()
    assert [j.resolution for j in judged.upserts] == ["unresolved"]
    assert "42501: permission denied for schema vault" in judged.findings[0].fact


# -- whose functions, and at what cost


def test_functions_of_extensions_are_not_asked(database: Database) -> None:
    """They are their authors' to correct."""
    script = body(BARE) + body(BARE, head="mine() RETURNS void")
    judged = database.judged(UNIQUE + script + "ALTER EXTENSION plpgsql ADD FUNCTION f();")
    assert [j.upsert.place.path for j in judged.upserts] == ["public.mine()"]


def statements(connection: Connection) -> list[str]:
    """Those that are executed from now on."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    return seen


def test_two_thousand_functions_take_a_few_statements(database: Database) -> None:
    """The number of round trips does not grow with the number of functions."""
    script = UNIQUE + "".join(
        body(f"{(UPSERT, BARE)[n % 2]} -- {n}\n", head=f"f_{n}() RETURNS void") for n in range(2000)
    )
    database.run(script)
    with database.engine.connect() as connection:
        seen = statements(connection)
        judged = database.judge(connection)
    assert len(judged.upserts) == 2000
    assert len(judged.findings) == 1000
    assert len(seen) <= 6, seen


def test_as_many_targets_take_hardly_more(database: Database) -> None:
    """Different tables go into one batch, whose locks are released at once."""
    script = "".join(
        f"CREATE TABLE t_{n} (a int UNIQUE);"
        + body(
            f"INSERT INTO t_{n} VALUES (1) ON CONFLICT (a) DO NOTHING", head=f"f_{n}() RETURNS void"
        )
        for n in range(1500)
    )
    database.run(script)
    with database.engine.connect() as connection:
        seen = statements(connection)
        judged = database.judge(connection)
        locks = connection.scalar(
            text(
                "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation::regclass::text ~ '^t_'"
            )
        )
    assert {j.resolution for j in judged.upserts} == {"served"}
    assert len(seen) <= 10, seen
    assert locks == 0


def test_nothing_is_written_and_the_transaction_goes_on(database: Database) -> None:
    """No row, no number of a sequence, and search_path stays as the caller had set it."""
    database.run(UNIQUE + body(UPSERT) + "ALTER FUNCTION f() SET search_path = public, pg_catalog;")
    with database.engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO users (email) VALUES ('mine')")
        connection.exec_driver_sql("SET LOCAL search_path = public")
        sequence = "SELECT last_value FROM users_id_seq"
        before = connection.scalar(text(sequence))
        database.judge(connection)
        assert connection.scalar(text("SELECT count(*) FROM users")) == 1
        assert connection.scalar(text(sequence)) == before
        assert connection.scalar(text("SHOW search_path")) == "public"


def test_a_read_only_transaction_is_enough(database: Database) -> None:
    """So that a check can run against a standby or with a reader's rights."""
    database.run(UNIQUE + body(BARE))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        assert [j.resolution for j in database.judge(connection).upserts] == ["unserved"]


def test_a_connection_that_commits_each_statement_will_do(database: Database) -> None:
    """AUTOCOMMIT has no transaction to undo, and nothing needs one."""
    database.run(UNIQUE + body(BARE))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert [j.resolution for j in database.judge(connection).upserts] == ["unserved"]


def test_psycopg_3_answers_alike(database: Database, url: str) -> None:
    """Server-side binding changes no verdict."""
    database.run(UNIQUE + body(UPSERT) + body(BARE, head="g() RETURNS void"))
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        judged = database.judge(connection)
    engine.dispose()
    assert judged == database.judged()


def test_a_role_that_may_not_ask_learns_why(database: Database) -> None:
    """42501 is the reason of an unresolved site, and no error of the function."""
    database.run(UNIQUE + body(BARE) + ROLE + "REVOKE USAGE ON LANGUAGE plpgsql FROM public;")
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET ROLE guest_of_the_guard")
        judged = database.judge(connection)
    assert [j.resolution for j in judged.upserts] == ["unresolved"]
    assert "42501: permission denied for language plpgsql" in judged.findings[0].fact
