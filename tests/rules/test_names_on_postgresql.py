"""PostgreSQL's rules of names, and of who asks."""

from __future__ import annotations

from tests.rules.answers import UNKNOWN, PostgreSQLRules
from tests.rules.ddl import UQ_AB, T

# -- names


def test_a_quoted_name_is_another_column(pg: PostgreSQLRules) -> None:
    """``"A"`` and ``a`` are two."""
    both = 'CREATE TABLE t (a int, "A" int)'
    pg.given(both, 'CREATE UNIQUE INDEX uq ON t ("A")', row="VALUES (1, 1)")
    pg.serves('("A")', "uq")
    pg.refuses("(a)", "missing-arbiter")


def test_a_column_that_is_not_there(pg: PostgreSQLRules) -> None:
    """The parser refuses first, in other words than the planner's."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    pg.refuses('("A")', "missing-arbiter", answer="42703", witness="doubt")
    pg.serves('("a")', "uq")


def test_names_that_need_quotes_are_quoted(pg: PostgreSQLRules) -> None:
    """Spaces, reserved words, per cent signs, colons and quotes in the names of tables and columns."""
    for name in ("My Table", "order", "100%", "a:b", "%(a)s"):
        table = f'CREATE TABLE "{name}" ("{name}" int, "we""ird" int)'
        pg.given(
            table,
            f'CREATE UNIQUE INDEX uq ON "{name}" ("{name}", "we""ird") WHERE "{name}" > 0',
            table=name,
            row="VALUES (1, 1)",
        )
        pg.serves(f'("we""ird", "{name}") WHERE ("{name}")>0', "uq")
        pg.refuses(f'("we""ird", "{name}")', "predicate-mismatch")


def test_a_temporary_table_shadows_the_real_one(pg: PostgreSQLRules) -> None:
    """What the name finds is what is asked; with its schema the other is found."""
    shadowed = (T, UQ_AB, T.replace("TABLE", "TEMP TABLE"))
    pg.given(*shadowed)
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(*shadowed, schema="public")
    pg.serves("(a, b)", "uq")


def test_the_search_path_decides_which_table_is_asked(pg: PostgreSQLRules) -> None:
    """The same name in two schemas: the first one on the path, whatever the other has."""
    two = (T, UQ_AB, "CREATE SCHEMA other", T.replace(" t ", " other.t "))
    pg.given(*two, "SET LOCAL search_path TO other, public")
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(*two, "SET LOCAL search_path TO public, other")
    pg.serves("(a, b)", "uq")
    pg.given(*two, "SET LOCAL search_path TO other", schema="public")
    pg.serves("(a, b)", "uq")
    pg.given(*two, schema="other")
    pg.refuses("(a, b)", "missing-arbiter")


def test_a_temporary_table_does_not_keep_a_predicate_from_being_compared(
    pg: PostgreSQLRules,
) -> None:
    """Named with its schema, the shadowed table's predicate is the same in any spelling."""
    partial = "CREATE UNIQUE INDEX uq ON public.t (a, b) WHERE c > 0"
    pg.given(T, partial, T.replace("TABLE", "TEMP TABLE"), schema="public")
    answers = pg.answers("(a, b) WHERE C>0")
    assert answers[:2] == ("ok", "ok: uq")
    assert answers.judge in ("satisfied: uq", UNKNOWN)
    pg.refuses("(a, b)", "predicate-mismatch")


# -- who asks, and how


NOBODY = ("CREATE ROLE upsert_nobody", "SET LOCAL ROLE upsert_nobody")


def test_a_role_without_privileges_gets_a_doubt(pg: PostgreSQLRules) -> None:
    """The planner answers first where nothing is unique; then privileges are asked for."""
    pg.given(T, *NOBODY)
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(T, UQ_AB, *NOBODY)
    assert pg.answers("(a, b)") == ("42501", "doubt", "satisfied: uq")

    pg.given(T, UQ_AB, NOBODY[0], "GRANT INSERT, SELECT ON t TO upsert_nobody", NOBODY[1])
    pg.row = "(a, b) VALUES (1, 1)"
    assert pg.insert("(a, b)") == "42501"  # the sequence behind the serial
    pg.row = "(id, a, b) VALUES (1, 1, 1)"
    pg.serves("(a, b)", "uq")


def test_a_role_that_may_not_select_gets_a_doubt(pg: PostgreSQLRules) -> None:
    """ON CONFLICT reads the target's columns: INSERT alone is not enough, except without a target."""
    grant = "GRANT INSERT, SELECT (a, b) ON t TO upsert_nobody"
    for granted in (grant.replace(", SELECT (a, b)", ""), grant):
        pg.given(T, UQ_AB, NOBODY[0], granted, NOBODY[1], row="(id, a, b) VALUES (1, 1, 1)")
        assert pg.insert("") == "ok"
        if granted == grant:
            pg.serves("(a, b)", "uq")
        else:
            assert pg.answers("(a, b)") == ("42501", "doubt", "satisfied: uq")


def test_a_role_without_temporary_tables_cannot_compare_text(pg: PostgreSQLRules) -> None:
    """No empty copy can be made: the judge does not guess, and the witness settles."""
    database = pg.connection.exec_driver_sql("SELECT current_database()").scalar_one()
    partial = "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c > 0"
    grant = "GRANT ALL ON t TO upsert_nobody"
    revoke = f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"
    row = "(id, a, b, c) VALUES (1, 1, 1, 1)"
    pg.given(T, partial, NOBODY[0], grant, revoke, NOBODY[1], row=row)
    pg.serves("(a, b) WHERE C>0", "uq", judged=UNKNOWN)
    pg.refuses("(a, b) WHERE C<0", UNKNOWN)

    pg.given(T, partial, NOBODY[0], grant, NOBODY[1], row=row)
    pg.serves("(a, b) WHERE C>0", "uq")


def test_a_read_only_transaction_is_asked_all_the_same(pg: PostgreSQLRules) -> None:
    """EXPLAIN writes nothing; text cannot be compared, as that takes a temporary table."""
    partial = "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c > 0"
    pg.given(T, UQ_AB.replace("uq", "full_one"), partial, "SET TRANSACTION READ ONLY")
    assert pg.answers("(a, b)") == ("25006", "ok: full_one", "satisfied: full_one")
    assert pg.answers("(b)") == ("42P10", "refused", "missing-arbiter")

    pg.given(T, partial, "SET TRANSACTION READ ONLY")
    assert pg.answers("(a, b) WHERE C>0") == ("25006", "ok: uq", UNKNOWN)
    assert pg.answers("(a, b) WHERE C<0") == ("42P10", "refused", UNKNOWN)


def test_a_published_table_without_identity_refuses_updates_alone(pg: PostgreSQLRules) -> None:
    """Inference is content; DO UPDATE is refused for the sake of the subscribers, and DO NOTHING is not."""
    for identity, answer in (("DEFAULT", "55000"), ("FULL", "ok")):
        pg.given(
            T,
            UQ_AB,
            "CREATE PUBLICATION p FOR TABLE t",
            f"ALTER TABLE t REPLICA IDENTITY {identity}",
        )
        pg.serves("(a, b)", "uq")
        assert pg.insert("(a, b)", "DO UPDATE SET c = 1") == answer


def test_a_transaction_in_which_a_key_is_made_finds_it(pg: PostgreSQLRules) -> None:
    """In the same transaction as its DDL, before and after; the rows stay what they were."""
    pg.given(T)
    pg.refuses("(a, b)", "missing-arbiter")
    pg.connection.exec_driver_sql(UQ_AB)
    pg.serves("(a, b)", "uq")
    pg.connection.exec_driver_sql("DROP INDEX uq")
    pg.refuses("(a, b)", "missing-arbiter")
    assert pg.connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 0
