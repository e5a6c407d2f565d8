"""What the planner's answer makes of an upsert; where a call can be made, it answers the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import create_engine

from alembic_upsert_guard.upserts.functions import JudgedFunctions, judge_functions
from tests.functions.judging import body

if TYPE_CHECKING:
    from tests.functions.judging import Database

TABLE = "CREATE TABLE users (id serial PRIMARY KEY, email text, tenant int, live bool, note text);"
UNIQUE = TABLE + "CREATE UNIQUE INDEX u ON users (email);"
UPSERT = "INSERT INTO users (email) VALUES ('a') ON CONFLICT (email) DO NOTHING"


def test_a_unique_index_on_the_elements_serves(database: Database) -> None:
    """The site names the function, the line and the target; the call goes through."""
    site, fact = database.only(UNIQUE + body(UPSERT))
    assert site == {
        "source": "functions",
        "path": "public.f()",
        "line": 4,
        "schema": None,
        "table": "users",
        "elements": ["email"],
        "where": None,
        "constraint": None,
        "resolution": "served",
    }
    assert fact == ""
    assert database.answer("SELECT f()") is None


def test_without_one_the_finding_says_what_a_call_answers(database: Database) -> None:
    """42P10 and the server's sentence, as an error at the line of ON CONFLICT."""
    (finding,) = database.judged(TABLE + body(UPSERT)).findings
    assert (finding.code, finding.severity) == ("unserved-function", "error")
    assert (finding.schema, finding.table, finding.elements) == (None, "users", ("email",))
    assert finding.fact == (
        "the upsert into users (email) fails with 42P10: there is no unique or exclusion constraint matching the ON "
        "CONFLICT specification"
    )
    assert finding.location is not None
    assert (finding.location.path, finding.location.line) == ("public.f()", 4)
    assert database.answer("SELECT f()") == "42P10"


def test_the_hint_is_the_line_to_paste(database: Database) -> None:
    """The key of the model first: its revision makes the arbiter."""
    (finding,) = database.judged(TABLE + body(UPSERT)).findings
    assert finding.hint.startswith('add UpsertKey("email") to the model of users and run alembic ')


def test_the_hint_spells_expressions_and_predicates(database: Database) -> None:
    """Both as `sa.text`, in the words of the statement."""
    statement = UPSERT.replace("(email) DO", "(lower(email)) WHERE live DO")
    (finding,) = database.judged(TABLE + body(statement)).findings
    assert 'UpsertKey(sa.text("lower(email)"), where=sa.text("live"))' in finding.hint


def test_an_index_in_another_order_serves(database: Database) -> None:
    """Inference compares sets of elements."""
    statement = "INSERT INTO users (email) VALUES ('a') ON CONFLICT (email, tenant) DO NOTHING"
    site, _ = database.only(
        TABLE + "CREATE UNIQUE INDEX u ON users (tenant, email);" + body(statement)
    )
    assert (site["resolution"], site["elements"]) == ("served", ["email", "tenant"])


def test_an_expression_serves_its_like(database: Database) -> None:
    """An index on lower(email) is inferred for ON CONFLICT (lower(email))."""
    script = TABLE + "CREATE UNIQUE INDEX u ON users (lower(email));"
    site, _ = database.only(script + body(UPSERT.replace("(email) DO", "(lower(email)) DO")))
    assert (site["resolution"], site["elements"]) == ("served", ["lower(email)"])


def test_a_partial_index_serves_its_predicate(database: Database) -> None:
    """And one that it follows from, as the planner proves it."""
    script = TABLE + "CREATE UNIQUE INDEX u ON users (email) WHERE tenant > 5;"
    statement = UPSERT.replace("(email) DO", "(email) WHERE tenant > 10 DO")
    site, _ = database.only(script + body(statement))
    assert (site["resolution"], site["where"]) == ("served", "tenant > 10")


def test_a_partial_index_serves_no_upsert_without_it(database: Database) -> None:
    """A target without WHERE implies no predicate: 42P10."""
    site, fact = database.only(
        TABLE + "CREATE UNIQUE INDEX u ON users (email) WHERE live;" + body(UPSERT)
    )
    assert site["resolution"] == "unserved"
    assert "42P10" in fact


def test_a_plain_index_serves_nothing(database: Database) -> None:
    """Only unique indexes are inferred."""
    site, _ = database.only(TABLE + "CREATE INDEX i ON users (email);" + body(UPSERT))
    assert site["resolution"] == "unserved"


def test_a_deferrable_constraint_is_taken_by_the_planner_and_not_by_a_call(
    database: Database,
) -> None:
    """EXPLAIN accepts it, the executor answers 55000: the verdict is the call's."""
    script = TABLE + "ALTER TABLE users ADD CONSTRAINT late UNIQUE (email) DEFERRABLE;"
    site, fact = database.only(script + body(UPSERT))
    assert site["resolution"] == "unserved"
    assert "fails with 55000: late is DEFERRABLE" in fact
    assert database.answer("SELECT f()") == "55000"


def test_a_constraint_by_name_serves(database: Database) -> None:
    """ON CONSTRAINT has no elements to infer from."""
    script = TABLE + "ALTER TABLE users ADD CONSTRAINT mine UNIQUE (email);"
    site, _ = database.only(script + body(UPSERT.replace("(email) DO", "ON CONSTRAINT mine DO")))
    assert (site["resolution"], site["elements"]) == ("served", [])


def test_a_constraint_that_is_not_there_does_not(database: Database) -> None:
    """42704, in the server's words."""
    site, fact = database.only(TABLE + body(UPSERT.replace("(email) DO", "ON CONSTRAINT mine DO")))
    assert site["resolution"] == "unserved"
    assert fact == (
        "the upsert into users on constraint mine fails with 42704: "
        'constraint "mine" for table "users" does not exist'
    )


def test_an_index_is_no_constraint(database: Database) -> None:
    """ON CONSTRAINT takes names of constraints only, though the index would serve its columns."""
    site, _ = database.only(UNIQUE + body(UPSERT.replace("(email) DO", "ON CONSTRAINT u DO")))
    assert site["resolution"] == "unserved"


EXCLUSION = """
    CREATE TABLE slots (span int4range, note text);
    ALTER TABLE slots ADD CONSTRAINT apart EXCLUDE USING gist (span WITH &&);
"""


def test_an_exclusion_constraint_takes_do_nothing(database: Database) -> None:
    """By its name, as the manual has it."""
    site, _ = database.only(
        EXCLUSION
        + body("INSERT INTO slots VALUES ('[1,2)') ON CONFLICT ON CONSTRAINT apart DO NOTHING")
    )
    assert site["resolution"] == "served"


def test_an_exclusion_constraint_takes_no_do_update(database: Database) -> None:
    """42809: it names no single row to update."""
    site, fact = database.only(
        EXCLUSION
        + body(
            "INSERT INTO slots VALUES ('[1,2)') ON CONFLICT ON CONSTRAINT apart DO UPDATE SET note = 'x'"
        )
    )
    assert site["resolution"] == "unserved"
    assert "fails with 42809" in fact
    assert database.answer("SELECT f()") == "42809"


def test_a_bare_do_nothing_needs_no_arbiter(database: Database) -> None:
    """Every conflict is skipped, whichever index finds it."""
    site, _ = database.only(TABLE + body(UPSERT.replace(" (email) DO", " DO")))
    assert (site["resolution"], site["elements"]) == ("served", [])


def test_a_bare_do_nothing_fails_beside_a_deferrable_constraint(database: Database) -> None:
    """Every unique index is an arbiter then, and a deferrable one raises 55000."""
    script = TABLE + "ALTER TABLE users ADD CONSTRAINT late UNIQUE (tenant) DEFERRABLE;"
    site, fact = database.only(script + body(UPSERT.replace(" (email) DO", " DO")))
    assert site["resolution"] == "unserved"
    assert "without a conflict target fails with 55000" in fact
    assert database.answer("SELECT f()") == "55000"


def test_a_table_that_is_not_there(database: Database) -> None:
    """42P01, as a call answers."""
    site, fact = database.only(body(UPSERT))
    assert (site["table"], site["resolution"]) == ("users", "unserved")
    assert 'fails with 42P01: relation "users" does not exist' in fact


def test_a_schema_that_is_not_there(database: Database) -> None:
    """42P01 with the name as it is written."""
    site, fact = database.only(body(UPSERT.replace("users", "gone.users")))
    assert (site["schema"], site["resolution"]) == ("gone", "unserved")
    assert 'relation "gone.users" does not exist' in fact


def test_a_column_that_is_not_there(database: Database) -> None:
    """42703 rather than a missing arbiter."""
    site, fact = database.only(TABLE + body(UPSERT.replace("(email) DO", "(mail) DO")))
    assert site["resolution"] == "unserved"
    assert 'column "mail" does not exist' in fact


def test_a_view_is_judged_by_the_table_behind_it(database: Database) -> None:
    """An updatable view passes the insert on, and its arbiter with it."""
    script = UNIQUE + "CREATE VIEW people AS SELECT id, email FROM users;"
    site, _ = database.only(script + body(UPSERT.replace("users", "people")))
    assert (site["table"], site["resolution"]) == ("people", "served")


def test_a_view_without_an_arbiter_behind_it(database: Database) -> None:
    """The twin: the table behind the view has no unique index."""
    script = TABLE + "CREATE VIEW people AS SELECT id, email FROM users;"
    site, _ = database.only(script + body(UPSERT.replace("users", "people")))
    assert site["resolution"] == "unserved"


def test_a_view_that_takes_no_rows(database: Database) -> None:
    """DISTINCT makes a view that cannot be inserted into, which is what the finding says."""
    script = TABLE + "CREATE VIEW people AS SELECT DISTINCT email FROM users;"
    site, fact = database.only(script + body(UPSERT.replace("users", "people")))
    assert site["resolution"] == "unserved"
    assert "cannot insert into view" in fact


def test_a_partitioned_table_is_judged_as_the_planner_does(database: Database) -> None:
    """Its own constraint is inferred for all of its partitions."""
    script = """
        CREATE TABLE users (email text, tenant int, UNIQUE (email, tenant)) PARTITION BY LIST (tenant);
        CREATE TABLE users_1 PARTITION OF users FOR VALUES IN (1);
    """
    site, _ = database.only(script + body(UPSERT.replace("(email) DO", "(email, tenant) DO")))
    assert site["resolution"] == "served"


def test_quoted_names_are_as_they_are_written(database: Database) -> None:
    """Spaces, hyphens and per cent signs survive, without the quotes."""
    script = 'CREATE TABLE "User Data" ("E-mail" text UNIQUE, "%s" int);'
    statement = (
        """INSERT INTO "User Data" ("E-mail") VALUES ('a') ON CONFLICT ("E-mail") DO NOTHING"""
    )
    site, _ = database.only(script + body(statement))
    assert (site["table"], site["elements"], site["resolution"]) == (
        "User Data",
        ["E-mail"],
        "served",
    )


# -- names


def test_a_schema_in_the_statement_is_reported(database: Database) -> None:
    """It is part of the call site; a bare name has none."""
    script = "CREATE SCHEMA app; CREATE TABLE app.users (email text UNIQUE);"
    site, _ = database.only(script + body(UPSERT.replace("users", "app.users")))
    assert (site["schema"], site["resolution"]) == ("app", "served")


def test_a_search_path_of_the_function_finds_its_table(database: Database) -> None:
    """SET search_path of the function decides which table a bare name is."""
    script = UNIQUE + "CREATE SCHEMA app; CREATE TABLE app.users (email text);"
    database.run(script + body(UPSERT) + "ALTER FUNCTION f() SET search_path = app, public;")
    site, _ = database.only("")
    assert (site["schema"], site["resolution"]) == ("app", "unserved")


def test_a_search_path_that_finds_nothing(database: Database) -> None:
    """With an empty path a bare name is no table: 42P01."""
    site, fact = database.only(UNIQUE + body(UPSERT) + "ALTER FUNCTION f() SET search_path = '';")
    assert site["resolution"] == "unserved"
    assert "42P01" in fact


def test_each_function_has_the_search_path_of_its_own(database: Database) -> None:
    """The setting of one does not stay for the next."""
    script = UNIQUE + "CREATE SCHEMA app; CREATE TABLE app.users (email text);" + body(UPSERT)
    other = body(UPSERT, head="g() RETURNS void SET search_path = app")
    assert [j.resolution for j in database.judged(script + other).upserts] == [
        "served",
        "unserved",
    ]


def test_a_function_that_moves_its_search_path_is_unresolved(database: Database) -> None:
    """Which table a bare name is depends on the statements before it."""
    site, fact = database.only(UNIQUE + body(f"SET LOCAL search_path = app; {UPSERT}"))
    assert site["resolution"] == "unresolved"
    assert fact.startswith("the function changes search_path itself")


def test_a_schema_in_the_statement_is_known_wherever_it_moves(database: Database) -> None:
    """The twin: a qualified name needs no search_path."""
    statement = f"SET LOCAL search_path = app; {UPSERT.replace('users', 'public.users')}"
    site, _ = database.only(UNIQUE + body(statement))
    assert site["resolution"] == "served"


def test_a_temporary_table_of_the_function_is_unresolved(database: Database) -> None:
    """It exists only while the function runs."""
    statement = f"CREATE TEMP TABLE users (email text UNIQUE) ON COMMIT DROP; {UPSERT}"
    site, fact = database.only(body(statement))
    assert site["resolution"] == "unresolved"
    assert fact.startswith("the function makes users itself")


def test_a_temporary_table_hides_one_that_lacks_the_arbiter(database: Database) -> None:
    """pg_temp comes first in every search_path, so the finding would be a false error."""
    statement = f"CREATE TEMPORARY TABLE IF NOT EXISTS users (email text UNIQUE); {UPSERT}"
    site, _ = database.only(TABLE + body(statement))
    assert site["resolution"] == "unresolved"


def test_a_temporary_table_of_another_function(database: Database) -> None:
    """Another function of the session may have made it before the call."""
    site, fact = database.only(
        body("CREATE TEMP TABLE users (email text UNIQUE)") + body(UPSERT, head="g() RETURNS void")
    )
    assert site["resolution"] == "unresolved"
    assert fact.endswith("it may be a temporary table that a function makes")


def test_pg_temp_is_of_the_session(database: Database) -> None:
    """Nothing of another session's temporary schema can be looked up."""
    site, fact = database.only(body(UPSERT.replace("users", "pg_temp.users")))
    assert site["resolution"] == "unresolved"
    assert "temporary" in fact


# -- variables


def test_a_variable_in_the_predicate_is_unresolved(database: Database) -> None:
    """Its value is known in the call only, and the predicate may follow from it or not."""
    statement = UPSERT.replace("(email) DO", "(email) WHERE tenant = which DO")
    site, fact = database.only(UNIQUE + body(statement, declare="which int := 1;"))
    assert site["resolution"] == "unresolved"
    assert fact == "which in the conflict target is a value of the call: no plan is made without it"


def test_a_parameter_of_an_sql_function_is_one(database: Database) -> None:
    """A name that is no column is a parameter there."""
    script = (
        UNIQUE
        + f"""CREATE FUNCTION f(which int) RETURNS void LANGUAGE sql AS $$
        {UPSERT.replace("(email) DO", "(email) WHERE tenant = which DO")} $$;"""
    )
    site, _ = database.only(script)
    assert site["resolution"] == "unresolved"


def test_a_numbered_parameter_is_one(database: Database) -> None:
    """$1 is a parameter as well."""
    statement = UPSERT.replace("(email) DO", "(email) WHERE tenant = $1 DO")
    judged = database.judged(UNIQUE + body(statement, head="f(int) RETURNS void"))
    assert [j.resolution for j in judged.upserts] == ["unresolved"]


def test_a_row_of_a_trigger_is_one(database: Database) -> None:
    """NEW.tenant has a value per row."""
    statement = UPSERT.replace("(email) DO", "(email) WHERE tenant = NEW.tenant DO")
    site, fact = database.only(UNIQUE + body(statement, head="f() RETURNS trigger"))
    assert site["resolution"] == "unresolved"
    assert fact.startswith("new.tenant in the conflict target")


def test_a_column_of_the_result_makes_the_target_ambiguous(database: Database) -> None:
    """RETURNS TABLE (email) declares a variable of that name: 42702 at each call."""
    script = UNIQUE + body(UPSERT, head="f() RETURNS TABLE (email text)")
    site, fact = database.only(script)
    assert site["resolution"] == "unserved"
    assert 'fails with 42702: column reference "email" is ambiguous' in fact
    assert database.answer("SELECT * FROM f()") == "42702"


def test_a_declared_variable_does_too(database: Database) -> None:
    """42702 from plpgsql.variable_conflict = error, the default."""
    site, _ = database.only(UNIQUE + body(UPSERT, declare="email text := 'a';"))
    assert site["resolution"] == "unserved"
    assert database.answer("SELECT f()") == "42702"


def test_a_variable_of_an_inner_block_may(database: Database) -> None:
    """Its scope is not followed: no error where the call goes through."""
    statement = f"DECLARE email text; BEGIN NULL; END; {UPSERT}"
    site, _ = database.only(UNIQUE + body(statement))
    assert site["resolution"] == "unresolved"
    assert database.answer("SELECT f()") is None


def test_use_column_takes_the_column(database: Database) -> None:
    """#variable_conflict use_column ends the ambiguity."""
    script = body(UPSERT, head="f() RETURNS TABLE (email text)").replace(
        "$$\n", "$$\n#variable_conflict use_column\n", 1
    )
    site, _ = database.only(UNIQUE + script)
    assert site["resolution"] == "served"
    assert database.answer("SELECT * FROM f()") is None


def test_a_setting_of_the_function_takes_the_column(database: Database) -> None:
    """plpgsql.variable_conflict as a SET of the function does the same."""
    head = "f() RETURNS TABLE (email text) SET plpgsql.variable_conflict = use_column"
    site, _ = database.only(UNIQUE + body(UPSERT, head=head))
    assert site["resolution"] == "served"


def test_an_sql_function_takes_the_column(database: Database) -> None:
    """In language sql a column has precedence over a parameter."""
    script = f"CREATE FUNCTION f(email text) RETURNS void LANGUAGE sql AS $$ {UPSERT} $$;"
    site, _ = database.only(UNIQUE + script)
    assert site["resolution"] == "served"
    assert database.answer("SELECT f('b')") is None


# -- other databases


def test_sqlite_has_no_functions() -> None:
    """It stores none, so there is nothing to judge, and no error."""
    with create_engine("sqlite://").connect() as connection:
        assert judge_functions(connection) == JudgedFunctions()
