"""``op.deduplicate_upsert_key(..., batch_size=N)`` through the real ``alembic`` command, and as a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import render_python_code
from alembic.operations.ops import UpgradeOps
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.migration.toimpl.way_out import way_out
from tests.online.faults import another_session, inject_faults, upgrade_with
from tests.online.revisions import ANSWERS, UNIQUE, made, revision
from tests.online.test_scripts import script, version
from tests.online.waiting import until
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from tests.project import Project

ROWS = (
    "INSERT INTO answers (user_id, question_id) SELECT mod(n, 5), 1 FROM generate_series(1, 15) n"
)
LINE = (
    "op.deduplicate_upsert_key('answers', ['user_id', 'question_id'], keep='last', order_by=['id'], "
    "archive_table='archive', batch_size=4{options})"
)
IN_BATCHES = LINE.replace("{options}", "")
BACK = (
    "op.restore_deduplicated_rows('answers', ['user_id', 'question_id'], archive_table='archive')"
)
KEPT = [(n,) for n in range(11, 16)]
GONE = [(n,) for n in range(1, 11)]


@pytest.fixture
def answers(project: Project) -> Project:
    """A project with ten surplus rows, and a revision that has yet to run."""
    project.sql(ANSWERS, ROWS)
    revision(project, IN_BATCHES, BACK)
    return project


def test_an_upgrade_commits_each_batch_and_the_downgrade_brings_all_back(answers: Project) -> None:
    """Ten rows, four a transaction; the second upgrade has nothing to do."""
    ran = answers.upgrade()

    assert (
        "Deduplicated upsert key answers (user_id, question_id): 10 surplus rows moved to archive"
        in ran.err
    )
    assert answers.rows("SELECT id FROM answers ORDER BY id") == KEPT
    assert answers.rows("SELECT id FROM archive ORDER BY id") == GONE
    assert answers.rows("SELECT count(*) FROM archive GROUP BY xmin ORDER BY 1") == [
        (2,),
        (4,),
        (4,),
    ]
    answers.downgrade()
    assert answers.rows("SELECT id FROM answers ORDER BY id") == GONE + KEPT
    answers.upgrade()


def _statement_of_the_second_batch(answers: Project) -> int:
    """Its number, from 1, among those of the upgrade; the rows are as they were."""
    inject_faults(answers)
    counted = answers.path / "counted"
    assert upgrade_with(answers, "count", counted=str(counted)).code == 0
    statements = counted.read_text().splitlines()
    blocks = [n for n, line in enumerate(statements, 1) if line.startswith("DO ")]
    answers.sql("DROP TABLE answers, archive, alembic_version", ANSWERS, ROWS)
    return blocks[2]


def test_an_upgrade_that_is_killed_between_batches_is_resumed(answers: Project) -> None:
    """Half of the statements are through; the same command does the rest, and builds what is below."""
    revision(answers, f"{IN_BATCHES}\n{UNIQUE}", BACK)
    number = _statement_of_the_second_batch(answers)

    assert upgrade_with(answers, f"kill:{number + 1}").code != 0
    assert answers.rows("SELECT count(*) FROM archive") == [(4,)]
    ran = upgrade_with(answers, "")
    assert ran.code == 0, ran.said
    assert "6 surplus rows moved to archive" in ran.err
    assert answers.rows("SELECT id FROM archive ORDER BY id") == GONE
    assert len(made(answers)) == 1


def test_a_session_that_is_ended_in_a_batch_is_told_as_such(answers: Project) -> None:
    """The transaction cannot be rolled back any more, and that is not the reason that is printed."""
    ran = upgrade_with(answers, f"terminate:{_statement_of_the_second_batch(answers)}")

    assert ran.code != 0
    assert "Traceback" not in ran.said
    assert (
        "op.deduplicate_upsert_key('answers'): the connection to the database was lost. Run the upgrade again"
        in " ".join(ran.said.split())
    )
    assert answers.rows("SELECT count(*) FROM archive") == [(4,)]


def test_a_writer_in_the_middle_of_a_transaction_is_not_waited_for(answers: Project) -> None:
    """It has written rows of other keys, and its lock would stop a deduplication in one transaction."""
    with another_session(
        answers, "BEGIN", "INSERT INTO answers (user_id, question_id) VALUES (9, 9)"
    ):
        answers.upgrade()
        assert answers.rows("SELECT id FROM answers ORDER BY id") == KEPT


def test_a_row_that_another_session_holds_is_tried_again(answers: Project) -> None:
    """Under a short lock_timeout, with pauses."""
    with another_session(answers, "BEGIN", "UPDATE answers SET note = 'mine' WHERE id = 5"):
        upgrade = answers.begin("upgrade", "head")
        until(
            answers, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'transactionid'"
        )
        assert not upgrade.done()
        # nobody queues for long behind what the batch has locked
        until(
            answers, "SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'transactionid'"
        )
        assert not upgrade.done()
    assert upgrade.result().code == 0
    assert answers.rows("SELECT id FROM archive ORDER BY id") == GONE


def test_a_transaction_that_env_py_began_is_refused_before_anything(answers: Project) -> None:
    """Alembic cannot leave it, and batches need commits of their own."""
    answers.edit("migrations/env.py", ").connect() as", ").begin() as")

    ran = answers.alembic("upgrade", "head")
    assert ran.code != 0
    said = " ".join(ran.said.split())
    assert (
        "op.deduplicate_upsert_key('answers') runs outside a transaction, and the connection is in one"
        in said
    )
    assert answers.rows("SELECT count(*) FROM answers") == [(15,)]


def test_what_the_database_says_of_a_batch_comes_with_what_is_done(answers: Project) -> None:
    """A trigger that fails in the last batch."""
    answers.sql(
        "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$",
        "CREATE TRIGGER fails BEFORE DELETE ON answers FOR EACH ROW WHEN (OLD.id = 10) EXECUTE FUNCTION fails()",
    )
    ran = answers.alembic("upgrade", "head")

    assert ran.code != 0
    assert "Traceback" not in ran.said
    said = " ".join(ran.said.split())
    assert "could not be deduplicated, this batch was undone; " in said
    assert "surplus rows of the batches before it stay done, and the upgrade resumes there" in said
    assert "not this one" in said


def test_what_the_database_says_of_the_reading_changed_nothing(answers: Project) -> None:
    """No batch has begun: an order that fails on a row."""
    line = IN_BATCHES.replace("['id']", "[sa.text('1 / (id - 3)')]")
    revision(answers, line)
    ran = answers.alembic("upgrade", "head")

    assert ran.code != 0
    assert (
        "could not be deduplicated, nothing was changed. The database says: division by zero"
        in " ".join(ran.said.split())
    )


TIMEOUT = "SET statement_timeout = {}"
UNPUBLISHED = "ALTER TABLE answers REPLICA IDENTITY {}"


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(
    ("made", "hint", "above", "below"),
    [
        (
            f"ALTER DATABASE {{}} {TIMEOUT.format(10)}",
            "put op.execute('SET statement_timeout = 0') above it",
            TIMEOUT.format(0),
            "SELECT 1",
        ),
        (
            "ALTER TABLE answers DROP CONSTRAINT answers_pkey; CREATE PUBLICATION published FOR TABLE answers",
            "put op.execute('ALTER TABLE ... REPLICA IDENTITY FULL') above it, and the same with DEFAULT below",
            UNPUBLISHED.format("FULL"),
            UNPUBLISHED.format("DEFAULT"),
        ),
    ],
    ids=["statement_timeout", "no replica identity"],
)
def test_the_way_out_that_is_named_is_one(
    answers: Project, made: str, hint: str, above: str, below: str, *, batched: bool
) -> None:
    """What stops it is not in the rows; pasted, the line lets it through."""
    answers.sql(
        "INSERT INTO answers (user_id, question_id) SELECT 9, mod(n, 2) FROM generate_series(1, 20000) AS n",
        made.format(answers.engine.url.database),
    )
    answers.engine.dispose()
    line = IN_BATCHES.replace("batch_size=4", f"batch_size={9000 if batched else None}")
    revision(answers, line)
    ran = answers.alembic("upgrade", "head")
    assert ran.code != 0
    assert hint in " ".join(ran.out.split())

    revision(answers, f"op.execute({above!r})\n{line}\nop.execute({below!r})")
    answers.upgrade()
    assert answers.rows("SELECT count(*) FROM answers") == [(7,)]


def test_a_role_that_may_make_no_temporary_table_is_told_what_it_needs(answers: Project) -> None:
    """It owns the table, and that is not enough."""
    database = answers.engine.url.database
    answers.sql(
        "DROP ROLE IF EXISTS migrating",
        "CREATE ROLE migrating",
        "ALTER TABLE answers OWNER TO migrating",
        "GRANT ALL ON SCHEMA public TO migrating",
        f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
    )
    answers.edit(
        "migrations/env.py",
        "context.run_migrations()",
        "context.execute('SET ROLE migrating'); context.run_migrations()",
    )
    ran = answers.alembic("upgrade", "head")
    assert "The role that migrates needs SELECT and DELETE on the table" in ran.out
    assert "TEMPORARY on the database" in " ".join(ran.out.split())


HOLDING_ON = (
    "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not %', OLD; END $$",
    "CREATE TRIGGER fails BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION fails()",
)
COLLIDING = (
    "CREATE TABLE c (ref text REFERENCES t, n int, PRIMARY KEY (ref, n))",
    "INSERT INTO c SELECT id, 1 FROM t",
)


@pytest.mark.parametrize(
    ("made_too", "order"),
    [((), "[sa.text('k::int')]"), (HOLDING_ON, "[]"), (COLLIDING, "[]")],
    ids=["the reading", "a trigger", "a key of a referring table"],
)
def test_no_value_is_in_what_fails_where_values_are_kept_back(
    project: Project, made_too: tuple[str, ...], order: str
) -> None:
    """Nor in the traceback that ``--raiseerr`` prints."""
    project.sql(
        "CREATE TABLE t (id text PRIMARY KEY, k text)",
        "INSERT INTO t VALUES ('secret1', 'secret'), ('secret2', 'secret')",
        *made_too,
    )
    revision(
        project,
        f"op.deduplicate_upsert_key('t', ['k'], keep='last', order_by={order}, repoint=True, batch_size=1, "
        "reveal=False)",
    )
    ran = project.alembic("--raiseerr", "upgrade", "head")

    assert ran.code != 0
    assert "upsert key t (k)" in ran.said
    assert "secret" not in ran.said


def test_sqlite_does_it_in_one_transaction(sqlite_project: Project) -> None:
    """Where a transaction keeps every other writer out anyway."""
    sqlite_project.sql(
        "CREATE TABLE answers (id integer PRIMARY KEY, user_id int, question_id int)",
        "INSERT INTO answers VALUES (1, 1, 1), (2, 1, 1), (3, 2, 1)",
    )
    revision(sqlite_project, LINE.replace("{options}", ", pause=5, max_lag=1"), BACK)
    sqlite_project.upgrade()
    assert sqlite_project.rows("SELECT id FROM answers ORDER BY id") == [(2,), (3,)]


# -- scripts


def test_a_script_commits_each_batch_and_then_writes_the_version(answers: Project) -> None:
    """psql runs it; what is below it in the revision runs in the transaction that Alembic begins."""
    line = LINE.replace("{options}", ", pause=0.01, max_lag=5")
    revision(answers, f"{line}\nop.add_column('answers', sa.Column('x', sa.Integer))")
    ran = in_psql(answers, script(answers))

    assert ran.code == 0, ran.err
    assert "10 surplus rows moved to archive" in ran.err
    assert answers.rows("SELECT id FROM archive ORDER BY id") == GONE
    assert answers.rows("SELECT count(*) FROM archive GROUP BY xmin ORDER BY 1") == [
        (2,),
        (4,),
        (4,),
    ]
    assert version(answers) == ["h01"]
    answers.sql("DROP TABLE alembic_version", "ALTER TABLE answers DROP x")
    assert in_psql(answers, script(answers)).code == 0


def test_a_script_that_stops_in_a_batch_writes_no_version(answers: Project) -> None:
    """A shell that goes on after errors comes to the proof; without the trigger the script resumes."""
    answers.sql(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER keep BEFORE DELETE ON answers FOR EACH ROW WHEN (OLD.id = 10) EXECUTE FUNCTION keep()",
    )
    written = script(answers)
    ran = in_psql(answers, f"\\set ON_ERROR_STOP off\n{written}")

    assert "kept 1 of 2 surplus rows; this batch was undone" in ran.err
    assert "was not deduplicated to the end: the version was not written" in ran.err
    assert answers.rows("SELECT count(*) FROM archive") == [(8,)]
    assert version(answers) == []
    answers.sql("DROP TRIGGER keep ON answers")
    answers.sql("DROP TABLE alembic_version")
    assert in_psql(answers, written).code == 0
    assert answers.rows("SELECT id FROM archive ORDER BY id") == GONE


# -- arguments


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "batch_size=0): batch_size is a whole number of rows, 1 or more"),
        ({"batch_size": "9"}, "batch_size='9'): batch_size is a whole number of rows, 1 or more"),
        ({"batch_size": 9.5}, "batch_size=9.5): batch_size is a whole number of rows, 1 or more"),
        ({"batch_size": True}, "batch_size=True): batch_size is a whole number of rows, 1 or more"),
        ({"batch_size": 9, "pause": "1"}, "pause='1'): pause is a number of seconds, 0 or more"),
        ({"batch_size": 9, "pause": -1}, "pause=-1): pause is a number of seconds, 0 or more"),
        (
            {"batch_size": 9, "max_lag": 0},
            "max_lag=0): max_lag is a number of seconds, more than 0",
        ),
        ({"pause": 1}, "pause is about batches; add batch_size"),
        ({"max_lag": 1}, "max_lag is about batches; add batch_size"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(options: dict[str, Any], words: str) -> None:
    """Before any statement is sent."""
    with pytest.raises(CommandError) as refused:
        _operation(**options)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("options", "rendered"),
    [
        ({}, ""),
        ({"batch_size": 500}, ", batch_size=500"),
        ({"batch_size": 500, "pause": 0.5, "max_lag": 3}, ", batch_size=500, pause=0.5, max_lag=3"),
    ],
)
def test_batches_are_rendered_as_they_are_written(options: dict[str, Any], rendered: str) -> None:
    """Arguments at their default are left out."""
    written = render_python_code(UpgradeOps(ops=[_operation(**options)]))
    assert written.strip().splitlines()[-2 if "###" in written else -1].strip() == (
        f"op.deduplicate_upsert_key('t', ['k'], keep='last', order_by=['id']{rendered})"
    )


def _operation(**options: Any) -> Any:
    import alembic_upsert_guard.migration.operations as of_ours  # noqa: PLC0415

    return of_ours.DeduplicateUpsertKeyOp("t", ["k"], keep="last", order_by="id", **options)


@pytest.mark.parametrize("changes_rows", [True, False])
def test_who_only_reads_rows_is_not_told_of_the_replica_identity(*, changes_rows: bool) -> None:
    """55000 is many things, such as a foreign table whose wrapper has no handler."""
    refused = Exception("cannot update table")
    refused.sqlstate = "55000"  # type: ignore[attr-defined] # as psycopg 3 has it
    said = way_out(DBAPIError("", None, refused), needs="SELECT", changes_rows=changes_rows)
    assert ("REPLICA IDENTITY FULL" in said) == changes_rows
