"""A unique index over new rows: new duplicates are kept out while old ones are fixed, and it goes in the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import render_python_code
from alembic.operations.ops import UpgradeOps
from alembic.util import CommandError
from sqlalchemy.exc import IntegrityError

from alembic_upsert_guard.migration.operations import CreateUniqueIndexConcurrentlyOp
from alembic_upsert_guard.online.new_rows import predicate_of_same
from tests.docs.test_pages import blocks
from tests.online.faults import inject_faults, upgrade_with
from tests.online.revisions import ANSWERS, MADE, UNIQUE, made, revision
from tests.online.test_attempts_on_duplicates import KEPT, TWICE, arriving
from tests.online.test_partitions import TREE, state
from tests.rows.test_obstacles import role
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from tests.project import Project

ELEMENTS = "'answers', ['user_id', 'question_id']"
NEW = f"op.create_unique_index_concurrently('uq_new', {ELEMENTS}, new_rows_by='id')"
NOT_NEW = "op.drop_unique_index_concurrently('uq_new', 'answers')"
INDEX = (
    "CREATE UNIQUE INDEX uq_new ON public.answers USING btree (user_id, question_id)"
    " WHERE (id > '{}'::bigint)"
)
ROW = "INSERT INTO answers (user_id, question_id) VALUES ({}, {})"


def test_new_duplicates_are_refused_and_old_ones_are_not(project: Project) -> None:
    """Neither is a new row that equals an old one."""
    project.sql(ANSWERS, TWICE, TWICE)
    revision(project, NEW, NOT_NEW)
    ran = project.alembic("upgrade", "head")
    assert ran.code == 0, ran.said
    assert "keeping duplicates out of rows whose id is greater than 6" in ran.err
    assert made(project) == [INDEX.format(6)]
    project.sql(ROW.format(1, 1), ROW.format(8, 8))
    with pytest.raises(IntegrityError, match="uq_new"):
        project.sql(ROW.format(8, 8))
    project.downgrade()
    assert made(project) == []


def test_the_whole_way_in_one_revision_killed_before_any_statement(project: Project) -> None:
    """Index, deduplication, constraint, drop: the next run keeps the index that is there, and ends without it."""
    revision(project, f"{NEW}\n{KEPT}\n{UNIQUE}\n{NOT_NEW}")
    inject_faults(project)
    reset = ("DROP TABLE IF EXISTS answers, a, alembic_version", ANSWERS, TWICE, TWICE)
    project.sql(*reset)
    counted = project.path / "counted"
    assert upgrade_with(project, "count", counted=str(counted)).code == 0
    count = len(counted.read_text().splitlines())
    for number in range(6, count + 1, 7):
        project.sql(*reset)
        assert upgrade_with(project, f"kill:{number}").code != 0
        project.sql(ROW.format(number + 100, 1))
        again = upgrade_with(project, "")
        assert again.code == 0, f"before statement {number}: {again.said}"
        assert made(project) == [MADE], f"before statement {number}"
        assert "still there" not in again.err


def test_the_example_of_the_page(project: Project) -> None:
    """As docs/online.md shows it, there and back."""
    (example,) = (block for block in blocks("online.md") if block.name == "new rows")
    project.sql(ANSWERS, TWICE, TWICE)
    revision(project, "", "")
    path = project.path / "migrations" / "versions" / "h01.py"
    path.write_text(path.read_text().partition("\n\ndef upgrade")[0] + "\n\n" + example.text)
    project.upgrade()
    (constraint,) = made(project)
    assert constraint.endswith("UNIQUE (user_id, question_id)")
    project.downgrade()
    assert made(project) == []
    assert project.rows("SELECT count(*) FROM answers") == [(6,)]


def test_an_earlier_runs_index_is_kept_with_its_value(project: Project) -> None:
    """The one of this run would have fewer rows."""
    project.sql(ANSWERS, TWICE)
    revision(project, f"{NEW}\nop.execute('SELECT 1 / 0')")
    assert project.alembic("upgrade", "head").code != 0
    project.sql(ROW.format(8, 8))
    project.edit("migrations/versions/h01.py", "1 / 0", "1")
    project.upgrade()
    assert made(project) == [INDEX.format(3)]


def test_an_index_of_that_name_over_other_rows_is_refused(project: Project) -> None:
    """It is somebody else's."""
    project.sql(
        ANSWERS, TWICE, "CREATE UNIQUE INDEX uq_new ON answers (user_id, question_id) WHERE id < 2"
    )
    revision(project, NEW)
    ran = project.alembic("upgrade", "head")
    out = " ".join(ran.out.split())
    assert "the index uq_new of answers is something else" in out
    assert "replace=True" not in out, "new_rows_by takes no replace"


def test_left_behind_it_is_reported(project: Project) -> None:
    """When the version is written, and what makes all rows unique is there."""
    project.sql(ANSWERS, TWICE)
    revision(project, f"{NEW}\n{UNIQUE}")
    ran = project.alembic("upgrade", "head")
    assert ran.code == 0, ran.said
    assert "uq_new on answers is still there, though uq_answers has all rows" in ran.err
    assert NOT_NEW in ran.err


def test_where_all_rows_are_unique_or_there_are_none_nothing_is_made(project: Project) -> None:
    """As on the second run of a revision whose version was not written."""
    project.sql(ANSWERS)
    revision(project, NEW)
    ran = project.alembic("upgrade", "head")
    assert "is not made: the table has no rows" in ran.err
    project.alembic("stamp", "base")
    project.sql(
        TWICE, "ALTER TABLE answers ADD CONSTRAINT uq_answers UNIQUE (user_id, question_id)"
    )
    ran = project.alembic("upgrade", "head")
    assert "is not made: uq_answers has all rows already" in ran.err
    assert made(project) == [MADE]


@pytest.mark.parametrize("times", [2, 3])
def test_new_rows_that_arrive_before_it_is_ready(project: Project, times: int) -> None:
    """The next build begins after them; after three the upgrade stops, and leaves nothing."""
    project.sql(ANSWERS, TWICE)
    arriving(project, times, NEW, row="(7, 7, ''), (7, 7, '')")
    ran = project.alembic("upgrade", "head")
    assert (ran.code == 0) == (times < 3), ran.said
    assert made(project) == ([INDEX.format(7)] if times < 3 else [])
    assert ("3 builds met new rows that share a key" in ran.out) == (times == 3)


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        ("int", "5", "'5'::bigint"),
        ("numeric", "1.5", "1.5"),
        (
            "timestamptz",
            "2026-01-02 03:04:05+00",
            "'2026-01-02 03:04:05+00'::timestamp with time zone",
        ),
        ("text", "it''s", "'it''s'::text"),
    ],
)
def test_columns_of_other_types_with_a_predicate(
    project: Project, type_: str, value: str, shown: str
) -> None:
    """Found again by a second run, whatever the server makes of the value."""
    project.sql(
        f'CREATE TABLE answers ("At:" {type_}, user_id int, question_id int, gone bool)',
        f"INSERT INTO answers VALUES ('{value}', 1, 1)",
        f"ALTER DATABASE \"{project.engine.url.database}\" SET timezone = 'UTC'",
    )
    new = NEW.replace("'id'", "'At:', where='NOT gone'")
    revision(project, f"{new}\n{new}")
    project.upgrade()
    (index,) = made(project)
    assert index.partition(" WHERE ")[2].startswith(f'((NOT gone) AND ("At:" > {shown}')


@pytest.mark.parametrize(
    ("type_", "old", "new", "shown"),
    [
        ("char(5)", "abc", "abd", "'abc  '::bpchar"),
        ("bit(4)", "0101", "1010", """'0101'::"bit\""""),
        ("inet", "10.0.0.1", "10.0.0.2", "'10.0.0.1'::inet"),
    ],
)
def test_columns_whose_values_a_cast_changes(
    project: Project, type_: str, old: str, new: str, shown: str
) -> None:
    """Old rows stay out of the index, and the second run finds it."""
    row = "INSERT INTO answers VALUES ('{}', 1, 1)"
    project.sql(
        f"CREATE TABLE answers (at {type_}, user_id int, question_id int)",
        row.format(old),
        row.format(old),
    )
    by_at = NEW.replace("'id'", "'at'")
    revision(project, f'{by_at}\nop.execute("{row.format(new)}")\n{by_at}')
    project.upgrade()
    assert [line.partition(" WHERE ")[2] for line in made(project)] == [f"(at > {shown})"]


@pytest.mark.parametrize(
    ("type_", "old", "new"),
    [
        ("bool", "false", "true"),
        ("numeric", "5", "6.5"),
        ("numeric", "5.5", "6"),
        ("numeric", "-1.5", "2.5"),
    ],
)
def test_the_index_is_found_again_by_a_greatest_value_that_is_printed_otherwise(
    project: Project, type_: str, old: str, new: str
) -> None:
    """Words, and numbers with and without quotes."""
    row = "INSERT INTO answers VALUES ('{}', 1, {})"
    project.sql(
        f"CREATE TABLE answers (at {type_}, user_id int, question_id int)",
        row.format(old, 1),
        row.format(old, 1),
    )
    by_at = NEW.replace("'id'", "'at'")
    revision(project, by_at)
    project.upgrade()
    (first,) = made(project)
    project.sql(row.format(new, 2) if type_ != "bool" else row.format(old, 2))
    project.alembic("stamp", "base")
    project.upgrade()
    assert made(project) == [first]


@pytest.mark.parametrize("policy", ["question_id < 2", "false"])
def test_a_role_that_sees_a_part_of_the_rows_is_refused(project: Project, policy: str) -> None:
    """The greatest value that it sees need not be the greatest, and no row that it sees need not be none."""
    project.sql(
        ANSWERS,
        TWICE,
        "ALTER TABLE answers ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE answers FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY part ON answers USING ({policy})",
    )
    revision(project, NEW)
    with role(project) as name:
        ran = project.alembic("upgrade", "head")
        out = " ".join(ran.out.split())
        assert "uq_new on answers was not made, nothing was changed: row level security" in out
        assert f"hides rows of answers from the role {name}" in out
        assert made(project) == []


def test_an_owner_who_sees_all_rows_makes_it(project: Project) -> None:
    """The twin: without FORCE the policies are not the owner's."""
    project.sql(
        ANSWERS,
        TWICE,
        "ALTER TABLE answers ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY part ON answers USING (false)",
    )
    revision(project, NEW)
    with role(project):
        project.upgrade()
        assert made(project) == [INDEX.format(3)]


def test_a_column_in_which_no_old_row_has_a_value(project: Project) -> None:
    """As one that was added without a default for what is there: whatever gets a value is new."""
    project.sql(ANSWERS, TWICE, TWICE)
    by_note = NEW.replace("'id'", "'deleted_at'")
    row = "INSERT INTO answers (user_id, question_id, deleted_at) VALUES (1, 1, now())"
    revision(project, f"{by_note}\nop.execute('{row}')\n{by_note}")
    ran = project.upgrade()
    assert "keeping duplicates out of rows whose deleted_at is not NULL" in ran.err
    assert made(project)[0].endswith(" WHERE (deleted_at IS NOT NULL)")
    with pytest.raises(IntegrityError, match="uq_new"):
        project.sql(row)


@pytest.mark.parametrize(
    ("type_", "value"),
    [("timestamptz", "infinity"), ("float8", "NaN"), ("numeric", "NaN"), ("bool", "true")],
)
def test_what_nothing_can_be_greater_than_is_refused(
    project: Project, type_: str, value: str
) -> None:
    """The index would have no row, and would keep nothing out."""
    project.sql(
        f"CREATE TABLE answers (at {type_}, user_id int, question_id int)",
        f"INSERT INTO answers VALUES ('{value}', 1, 1)",
    )
    revision(project, NEW.replace("'id'", "'at'"))
    ran = project.alembic("upgrade", "head")
    assert "uq_new on answers was not made, nothing was changed" in ran.out
    assert "at has no value beyond the greatest one that is there" in " ".join(ran.out.split())
    assert made(project) == []


def test_random_uuids_are_refused_and_those_that_grow_are_taken(project: Project) -> None:
    """New rows would not be in the index, and nothing would say so."""
    by_at = NEW.replace("'id'", "'at'")
    project.sql(
        "CREATE TABLE answers (at uuid, user_id int, question_id int)",
        "INSERT INTO answers VALUES (gen_random_uuid(), 1, 1)",
    )
    revision(project, by_at)
    ran = project.alembic("upgrade", "head")
    assert "at holds random UUIDs (version 4)" in " ".join(ran.out.split())
    assert made(project) == []

    project.sql("UPDATE answers SET at = '01999999-0000-7000-8000-000000000000'")
    project.upgrade()
    assert len(made(project)) == 1


def test_the_greatest_value_is_held_back_where_values_are(project: Project) -> None:
    """It is a row's."""
    project.sql(ANSWERS, TWICE, "UPDATE answers SET note = 'a secret'")
    project.configure(upsert_guard_reveal="False")
    revision(project, NEW.replace("'id'", "'note'"))
    ran = project.upgrade()
    assert "whose note is greater than in any that is there" in ran.err
    assert "secret" not in ran.said


def test_a_type_is_compared_by_its_own_operator(project: Project) -> None:
    """As those of extensions are, such as a ULID: the system has none for them."""
    less, more, equal = (f"(a.v {sign} b.v)" for sign in ("<", ">", "="))
    functions = [
        f"CREATE FUNCTION {name}(a ulid, b ulid) RETURNS {result} IMMUTABLE LANGUAGE sql AS 'SELECT {body}'"
        for name, result, body in [
            ("lt", "bool", less),
            ("le", "bool", f"NOT {more}"),
            ("eq", "bool", equal),
            ("ge", "bool", f"NOT {less}"),
            ("gt", "bool", more),
            ("cmp", "int", f"{more}::int - {less}::int"),
        ]
    ]
    operators = [
        f"CREATE OPERATOR {sign} (LEFTARG = ulid, RIGHTARG = ulid, FUNCTION = {name})"
        for name, sign in [("lt", "<"), ("le", "<="), ("eq", "="), ("ge", ">="), ("gt", ">")]
    ]
    project.sql(
        "CREATE TYPE ulid AS (v text)",
        *functions,
        *operators,
        "CREATE OPERATOR CLASS ulids DEFAULT FOR TYPE ulid USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, "
        "OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 cmp(ulid, ulid)",
        "CREATE TABLE answers (at ulid, user_id int, question_id int)",
        "INSERT INTO answers VALUES (ROW('01A'), 1, 1), (ROW('01B'), 1, 1)",
    )
    by_at = NEW.replace("'id'", "'at'")
    revision(project, f"{by_at}\n{by_at}")
    project.upgrade()
    operator = project.rows(
        "SELECT CAST(CAST(d.refobjid AS regoperator) AS text) FROM pg_depend d JOIN pg_class c ON c.oid = d.objid "
        "WHERE c.relname = 'uq_new' AND d.refclassid = CAST('pg_operator' AS regclass)"
    )
    assert operator == [(">(ulid,ulid)",)]


def test_rows_of_tables_that_inherit_are_none_of_its_rows(project: Project) -> None:
    """Nor is their greatest value: rows up to it would be taken for old ones."""
    project.sql(ANSWERS, TWICE, "CREATE TABLE heirs () INHERITS (answers)")
    project.sql("INSERT INTO heirs (id, user_id, question_id) VALUES (1000, 1, 1)")
    revision(project, NEW)
    project.upgrade()
    assert made(project) == [INDEX.format(3)]


def test_on_a_partitioned_table(project: Project) -> None:
    """Parts that have an older value go with the parent's, where a partition meets new duplicates."""
    project.sql(*TREE, "ALTER TABLE answers ADD note text", "ALTER TABLE answers ADD id bigserial")
    arriving(project, 3, NEW, row="(3, 1003, ''), (3, 1003, '')")
    project.upgrade()
    parts = state(project)
    assert len(parts) == 6
    assert all(valid for _, valid, *_ in parts)
    predicates = project.rows(
        "SELECT DISTINCT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indisunique AND indpred IS NOT NULL"
    )
    assert len(predicates) == 1


def test_a_script_leaves_it_out_and_says_so(project: Project) -> None:
    """The rest of it runs."""
    project.sql(ANSWERS, TWICE)
    revision(project, f"{NEW}\n{UNIQUE}\n{NOT_NEW}")
    ran = project.alembic("upgrade", "head", "--sql")
    assert "uq_new on answers over new rows: a script for postgresql cannot do what" in ran.err
    assert (
        "-- uq_new on answers over new rows: op.create_unique_index_concurrently is left" in ran.out
    )
    assert in_psql(project, ran.out).code == 0
    assert made(project) == [MADE]


def test_autogenerate_drops_what_was_left_behind(project: Project) -> None:
    """No model has it."""
    project.models("""
        class Answer(Base):
            __tablename__ = "answers"
            id: Mapped[int] = mapped_column(primary_key=True)
            user_id: Mapped[int]
            question_id: Mapped[int]
            __table_args__ = (UpsertKey("user_id", "question_id"),)
    """)
    project.revise()
    project.upgrade()
    project.sql(INDEX.format(6))
    assert "op.drop_index(" in project.revise().text.partition("def downgrade")[0]


def test_both_arguments_are_written_as_a_person_types_them() -> None:
    """In a revision; ``alembic check`` prints the names."""
    operation = CreateUniqueIndexConcurrentlyOp(
        "uq", "t", ["a"], new_rows_by="id", attempts_on_duplicates=2
    )
    assert render_python_code(UpgradeOps([operation])).splitlines()[1].strip() == (
        "op.create_unique_index_concurrently('uq', 't', ['a'], new_rows_by='id', attempts_on_duplicates=2)"
    )
    names = ("create_unique_index_concurrently", None, "t", "uq", ("a",))
    assert operation.to_diff_tuple() == names


@pytest.mark.parametrize("options", [{"new_rows_by": ""}, {"new_rows_by": "id", "replace": True}])
def test_what_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    """Where the operation is made."""
    with pytest.raises(CommandError, match="new_rows_by is the name of a column"):
        CreateUniqueIndexConcurrentlyOp("uq", "t", ["a"], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("predicate", "is_same"),
    [
        ("(id > '5'::bigint)", True),
        ("(id > '12345678901'::bigint)", True),
        ("(id < '5'::bigint)", False),
        ("(id > other)", False),
        ("((id > '5'::bigint) AND gone)", False),
        ("(id > '5'::bigint) OR (id = '1'::bigint)", False),
        (None, False),
    ],
)
def test_the_same_but_for_its_constant(predicate: str | None, is_same: bool) -> None:
    """Anything else in the predicate makes it another index."""
    shape = [True, "btree", 2, ["a", "b"], "0 0", "1 1", "0 0", None, False]
    ours = json.dumps([*shape[:7], "(id > '7'::bigint)", False])
    theirs = json.dumps([*shape[:7], predicate, False])
    assert predicate_of_same(theirs, ours, "7") == (predicate if is_same else None)
    other = json.dumps([*shape[:6], "1 0", predicate, False])
    assert predicate_of_same(other, ours, "7") is None
