"""Keys whose SQL the planner reads otherwise than it is written, and tables that refuse ON CONFLICT.

Each is held through what a project does: autogenerate, ``upsert-guard check``, and the upsert that
:func:`.conflict_target` makes; each has a twin one word away that works.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    collate,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from alembic_upsert_guard import UpsertKey, conflict_target
from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.catalog.postgresql import read
from alembic_upsert_guard.migration.context import LOGGER
from alembic_upsert_guard.verdict.check import check_keys

if TYPE_CHECKING:
    from alembic_upsert_guard.findings import Finding
    from alembic_upsert_guard.verdict.checked import CheckedKey
    from tests.rules.answers import PostgreSQLRules

T = "CREATE TABLE t (a int NOT NULL, s text NOT NULL, flag boolean NOT NULL)"
SAME = "CREATE FUNCTION same(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'"


@dataclass
class Project:
    """A database, and the one table of a model."""

    pg: PostgreSQLRules
    caplog: pytest.LogCaptureFixture
    metadata: MetaData

    @property
    def table(self) -> Table:
        return self.metadata.tables["t"]

    def declares(self, *elements: Any, where: Any = None, **options: Any) -> None:
        """The model has this key and no other."""
        options.setdefault("nulls", "distinct")
        self.metadata = MetaData()
        Table(
            "t",
            self.metadata,
            Column("a", Integer, nullable=False),
            Column("s", Text, nullable=False),
            Column("flag", Boolean, nullable=False),
            UpsertKey(*elements, where=where, **options),
        )

    def create_all(self) -> None:
        """The database as the model makes it."""
        self.pg.given(SAME)
        self.metadata.create_all(self.pg.connection)

    def upserts(self) -> str:
        """What the database answers to the application."""
        values = {"a": 1, "s": "x", "flag": True}
        upsert = (
            insert(self.table).values(values).on_conflict_do_nothing(**conflict_target(self.table))
        )
        compiled = upsert.compile(self.pg.connection, compile_kwargs={"literal_binds": True})
        return self.pg.attempt(str(compiled).replace("%%", "%"))

    def checks(self) -> tuple[CheckedKey, list[Finding]]:
        """What ``upsert-guard check`` says."""
        answer = check_keys(self.pg.connection, [self.metadata], rows=False)
        (key,) = answer.keys
        return key, list(answer.findings)

    def generates(self) -> list[Any]:
        """What ``alembic revision --autogenerate`` would write about the table; its lines are in `said`."""
        self.caplog.clear()
        only_t = {"include_name": lambda name, kind, _: kind != "table" or name == "t"}
        context = MigrationContext.configure(self.pg.connection, opts=only_t)
        with self.caplog.at_level(logging.INFO, LOGGER):
            return list(compare_metadata(context, self.metadata))

    @property
    def said(self) -> list[str]:
        return [r.getMessage() for r in self.caplog.records if r.name == LOGGER]

    def is_refused(self, *words: str) -> None:
        """The upsert fails, the check knows, and autogenerate says what to write instead."""
        assert self.upserts() == "42P10"
        key, (finding,) = self.checks()
        assert (key.verdict.value, key.arbiters, finding.code) == ("short", (), "missing-arbiter")
        with pytest.raises(CommandError) as refused:
            self.generates()
        for each in words:
            assert each in str(refused.value)
            assert each in f"{finding.fact} {finding.hint}"

    def is_served(self, *arbiters: str) -> None:
        """The upsert works, the check names exactly these arbiters, and nothing is left to do."""
        assert self.upserts() == "ok"
        key, findings = self.checks()
        assert (key.verdict.value, sorted(key.arbiters), findings) == (
            "satisfied",
            sorted(arbiters),
            [],
        )
        assert self.generates() == []


@pytest.fixture
def project(pg: PostgreSQLRules, caplog: pytest.LogCaptureFixture) -> Project:
    """A database of this test's, and a model without a table."""
    return Project(pg, caplog, MetaData())


FLAG = [
    "(flag = true)",
    "(true = flag)",
    "(flag <> false)",
    "(NOT NOT flag)",
    "(flag AND true)",
    "(flag OR false)",
    "(CASE WHEN true THEN flag END)",
]
READ_AS_COLUMNS = [
    *((sql, "flag") for sql in FLAG),
    ("same(s)", "s"),
    # clauses.c, eval_const_expressions: NULLIF from 14 on
    pytest.param("nullif(s, NULL)", "s", marks=pytest.mark.since(14)),
]


@pytest.mark.parametrize(("sql", "column"), READ_AS_COLUMNS)
def test_sql_that_the_planner_reads_as_a_column(project: Project, sql: str, column: str) -> None:
    """No index made of the SQL serves it: it is refused before a revision is written. The column itself is served."""
    project.declares("a", text(sql))
    project.create_all()
    project.is_refused(f'write the column itself: "{column}"', sql)

    project.declares("a", column, name="uq")
    project.create_all()
    project.is_served("uq")


@pytest.mark.parametrize(("sql", "column"), READ_AS_COLUMNS)
def test_an_index_on_the_column_serves_the_sql(project: Project, sql: str, column: str) -> None:
    """The reverse: what the database infers is not called missing, and nothing is made beside it."""
    project.declares("a", text(sql))
    project.pg.given(SAME, T, f"CREATE UNIQUE INDEX theirs ON t (a, {column})")
    project.is_served("theirs")

    project.pg.given(SAME, T, "CREATE UNIQUE INDEX theirs ON t (a)")
    project.is_refused(f'write the column itself: "{column}"')


def test_sql_that_stays_what_it_is(project: Project) -> None:
    """The twin of all of these: IS TRUE is not simplified, an index of it is an index of the target."""
    project.declares("a", text("(flag IS TRUE)"), name="uq")
    project.create_all()
    project.is_served("uq")


@pytest.mark.parametrize(
    ("wrapped", "bare"),
    [
        ('(s COLLATE "C")', 's COLLATE "C"'),
        ('(s collate "POSIX")', 's COLLATE "POSIX"'),
        ('(lower(s) COLLATE "C")', 'lower(s) COLLATE "C"'),
    ],
)
def test_parentheses_around_collate(project: Project, wrapped: str, bare: str) -> None:
    """CREATE INDEX takes them off and ON CONFLICT keeps them; without them the key is served."""
    project.declares("a", text(wrapped))
    project.create_all()
    project.is_refused(f"write the element without parentheses around COLLATE: {bare}")

    project.declares("a", text(bare), name="uq")
    project.create_all()
    project.is_served("uq")


def test_a_collation_by_sqlalchemy(project: Project) -> None:
    """``collate()`` has none of those parentheses."""
    project.declares("a", collate(Column("s", Text), "C"), name="uq")
    project.create_all()
    project.is_served("uq")


@pytest.mark.parametrize(
    ("where", "other"),
    [
        ("a > 0 OR NULL", "a < 0 OR NULL"),
        ("flag = true", "flag = false"),
        ("NOT NOT flag", "NOT flag"),
    ],
)
def test_a_predicate_that_the_planner_simplifies(project: Project, where: str, other: str) -> None:
    """It simplifies those of indexes as well: such a key is served by its own index, and not by another."""
    project.declares("a", where=text(where), name="uq")
    project.create_all()
    project.is_served("uq")

    project.declares("a", where=text(other), name="uq")
    assert project.upserts() == "42P10"
    assert project.checks()[0].verdict.value == "short"


@pytest.mark.parametrize("where", ["true", "TRUE", "1 = 1", "NOT false", "a = a", "false", "1 = 2"])
def test_a_constant_predicate_is_at_rest(project: Project, where: str) -> None:
    """The server drops a predicate that is true; the index is found again, and served."""
    project.declares("a", where=text(where), name="uq")
    project.create_all()
    project.is_served("uq")


@pytest.mark.parametrize("where", ["true", "1 = 1"])
def test_a_constant_predicate_is_served_by_a_whole_index(project: Project, where: str) -> None:
    """It covers every row, too; one that covers some does not serve."""
    project.declares("a", where=text(where))
    project.pg.given(SAME, T, "CREATE UNIQUE INDEX theirs ON t (a)")
    assert project.upserts() == "ok"
    key, findings = project.checks()
    assert (key.verdict.value, key.arbiters, findings) == ("satisfied", ("theirs",), [])

    project.pg.given(SAME, T, "CREATE UNIQUE INDEX theirs ON t (a) WHERE flag")
    assert project.upserts() == "42P10"
    assert project.checks()[0].verdict.value == "short"


def test_an_expression_in_other_constants_is_the_same(project: Project) -> None:
    """Constants are folded on both sides: the index serves, is named, and no second one is made."""
    project.declares(text("(a + 2)"))
    project.pg.given(T, "CREATE UNIQUE INDEX theirs ON t ((a + (1 + 1)))")
    project.is_served("theirs")

    project.pg.given(T, "CREATE UNIQUE INDEX theirs ON t ((a + (1 + 2)))")
    assert project.upserts() == "42P10"
    assert project.checks()[0].verdict.value == "short"
    assert "validate_upsert_key" in [operation[0] for operation in project.generates()]


# -- rules


@pytest.mark.parametrize(
    "rule",
    [
        "ON INSERT TO t DO ALSO DELETE FROM o",
        "ON INSERT TO t WHERE NEW.a > 5 DO INSTEAD DELETE FROM o",
        "ON UPDATE TO t DO ALSO DELETE FROM o",
        "ON UPDATE TO t DO INSTEAD NOTHING",
    ],
)
@pytest.mark.parametrize("elements", [("a",), (func.lower(Column("s", Text)),)])
def test_rules_refuse_on_conflict(project: Project, rule: str, elements: tuple[Any, ...]) -> None:
    """With INSERT or UPDATE rules every upsert fails, keys of plain columns too; a DELETE rule does no harm."""
    project.declares(*elements, name="uq")
    project.create_all()
    project.pg.connection.exec_driver_sql("CREATE TABLE o ()")
    project.pg.connection.exec_driver_sql(f"CREATE RULE stop AS {rule}")
    assert project.upserts() == "0A000"
    key, (finding,) = project.checks()
    assert (key.verdict.value, key.arbiters, finding.code) == ("short", (), "missing-arbiter")
    assert "refuses every INSERT with ON CONFLICT" in finding.fact
    assert "the rule stop" in finding.fact
    assert "trigger" in finding.hint
    assert project.generates() == []
    assert [line for line in project.said if line.startswith("missing-arbiter: ")]

    project.pg.connection.exec_driver_sql("DROP RULE stop ON t")
    project.pg.connection.exec_driver_sql("CREATE RULE stop AS ON DELETE TO t DO INSTEAD NOTHING")
    project.is_served("uq")


def test_a_disabled_insert_rule_refuses_nothing(project: Project) -> None:
    """Of rules that are switched off, the server looks at those on UPDATE all the same."""
    project.declares("a", name="uq")
    project.create_all()
    connection = project.pg.connection
    connection.exec_driver_sql("CREATE TABLE o ()")
    connection.exec_driver_sql("CREATE RULE stop AS ON INSERT TO t DO ALSO DELETE FROM o")
    connection.exec_driver_sql("ALTER TABLE t DISABLE RULE stop")
    project.is_served("uq")

    connection.exec_driver_sql("CREATE RULE stop_too AS ON UPDATE TO t DO ALSO DELETE FROM o")
    connection.exec_driver_sql("ALTER TABLE t DISABLE RULE stop_too")
    assert project.upserts() == "0A000"
    assert project.checks()[0].verdict.value == "short"


def test_a_rule_that_turns_the_insert_into_nothing(project: Project) -> None:
    """There is no plan, and nothing is written: not known to be served, and not called short either."""
    project.declares("a", name="uq")
    project.create_all()
    connection = project.pg.connection
    connection.exec_driver_sql("CREATE RULE gone AS ON INSERT TO t DO INSTEAD NOTHING")
    assert project.upserts() == "ok"
    key, (finding,) = project.checks()
    assert (key.verdict.value, finding.code) == ("unknown", "unproven-arbiter")
    assert "the rule gone" in finding.fact

    connection.exec_driver_sql("DROP RULE gone ON t")
    connection.exec_driver_sql(
        "CREATE RULE gone AS ON INSERT TO t WHERE NEW.a > 5 DO INSTEAD NOTHING"
    )
    project.is_served("uq")


# -- views


BASE = T.replace("TABLE t", "TABLE base")


@pytest.mark.parametrize(
    ("view", "verdict", "answer"),
    [
        ("SELECT * FROM base", "satisfied", "ok"),
        ("SELECT DISTINCT * FROM base", "short", "55000"),
        ("SELECT a, s, flag FROM base GROUP BY 1, 2, 3", "short", "55000"),
        ("SELECT * FROM base UNION ALL SELECT * FROM base", "short", "55000"),
    ],
)
def test_a_view_that_takes_no_insert(
    project: Project, view: str, verdict: str, answer: str
) -> None:
    """It is short, and not unknown; one that is updatable is the table behind it."""
    project.declares("a")
    project.pg.given(BASE, "CREATE UNIQUE INDEX uq ON base (a)", f"CREATE VIEW t AS {view}")
    assert project.upserts() == answer
    key, findings = project.checks()
    assert key.verdict.value == verdict
    assert [finding.code for finding in findings] == ["missing-arbiter"] * (verdict == "short")
    assert all("takes no INSERT" in finding.fact for finding in findings)


@pytest.mark.parametrize(
    ("rule", "answer", "verdict"),
    [
        (
            "ON INSERT TO t DO INSTEAD INSERT INTO base VALUES (NEW.a, NEW.s, NEW.flag)",
            "0A000",
            "short",
        ),
        ("ON INSERT TO t WHERE NEW.a > 5 DO INSTEAD NOTHING", "55000", "short"),
        ("ON INSERT TO base DO ALSO DELETE FROM o", "0A000", "short"),
        ("ON INSERT TO t DO ALSO DELETE FROM o", "ok", "satisfied"),
        ("ON UPDATE TO t DO ALSO DELETE FROM o", "ok", "satisfied"),
    ],
)
def test_rules_of_views(project: Project, rule: str, answer: str, verdict: str) -> None:
    """INSTEAD of an INSERT they refuse ON CONFLICT, and so do those of the table behind; ALSO they do not."""
    project.declares("a")
    project.pg.given(
        BASE,
        "CREATE TABLE o ()",
        "CREATE UNIQUE INDEX uq ON base (a)",
        "CREATE VIEW t AS SELECT * FROM base",
        f"CREATE RULE stop AS {rule}",
    )
    assert project.upserts() == answer
    assert project.checks()[0].verdict.value == verdict


# -- what is named


def test_every_arbiter_is_listed(project: Project) -> None:
    """Beside the index that text shows, a partial one whose predicate folds to true; any other is none."""
    project.declares("a", name="uq")
    project.create_all()
    project.pg.connection.exec_driver_sql("CREATE UNIQUE INDEX also ON t (a) WHERE a = a OR 1 = 1")
    key, _ = project.checks()
    assert sorted(key.arbiters) == ["also", "uq"]

    project.pg.connection.exec_driver_sql("DROP INDEX also")
    project.pg.connection.exec_driver_sql("CREATE UNIQUE INDEX also ON t (a) WHERE a = a OR 1 = 2")
    key, _ = project.checks()
    assert key.arbiters == ("uq",)


def test_every_arbiter_of_a_partial_key_is_listed(project: Project) -> None:
    """Indexes whose predicates the key's implies, in whatever words, and one on all rows."""
    project.declares("a", where=text("a > 5"), name="uq")
    project.create_all()
    project.pg.connection.exec_driver_sql("CREATE UNIQUE INDEX weaker ON t (a) WHERE 3 < a")
    project.pg.connection.exec_driver_sql("CREATE UNIQUE INDEX whole ON t (a)")
    project.pg.connection.exec_driver_sql("CREATE UNIQUE INDEX other ON t (a) WHERE a > 7")
    key, _ = project.checks()
    assert sorted(key.arbiters) == ["uq", "weaker", "whole"]


@pytest.mark.parametrize(
    ("index", "named"), [("(lower(s))", "index near (lower(s))"), ("(lower('x'), a)", None)]
)
def test_the_nearest_miss_is_an_expression_of_the_column(
    project: Project, index: str, named: str | None
) -> None:
    """An index on ``lower(s)`` is what the key on ``s`` was meant for, often enough; one on other columns is not."""
    project.declares("s")
    project.pg.given(T, f"CREATE UNIQUE INDEX near ON t {index}")
    _, (finding,) = project.checks()
    assert finding.code == "missing-arbiter"
    assert ("nearest is" in finding.fact) == (named is not None)
    assert named is None or named in finding.fact


# -- who cannot be asked


def _as_nobody(project: Project, *granted: str) -> None:
    connection = project.pg.connection
    database = connection.exec_driver_sql("SELECT current_database()").scalar_one()
    for statement in (
        f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "CREATE ROLE upsert_nobody",
        *granted,
        "SET LOCAL ROLE upsert_nobody",
    ):
        connection.exec_driver_sql(statement)


def test_equal_text_is_no_proof_where_nobody_can_be_asked(project: Project) -> None:
    """Neither a copy nor the table: not known. With the privilege to INSERT the planner settles it."""
    project.declares(text("lower(s)"), name="uq")
    project.create_all()
    _as_nobody(project)
    key, (finding,) = project.checks()
    assert (key.verdict.value, finding.code, finding.severity) == (
        "unknown",
        "unproven-arbiter",
        "warning",
    )
    assert project.generates() == []
    assert [line for line in project.said if line.startswith("unproven-arbiter: ")]

    project.create_all()
    _as_nobody(project, "GRANT SELECT, INSERT ON t TO upsert_nobody")
    project.is_served("uq")


def test_a_copy_proves_what_the_table_may_not_be_asked(project: Project) -> None:
    """A role that may read and not write, but make temporary tables: its index is the one that the copy serves."""
    project.declares(text("lower(s)"), name="uq")
    project.create_all()
    connection = project.pg.connection
    connection.exec_driver_sql("CREATE ROLE upsert_nobody")
    connection.exec_driver_sql("GRANT SELECT ON t TO upsert_nobody")
    connection.exec_driver_sql("SET LOCAL ROLE upsert_nobody")
    key, findings = project.checks()
    assert (key.verdict.value, key.arbiters, findings) == ("satisfied", ("uq",), [])

    project.declares(text("upper(s)"), name="uq")
    key, _ = project.checks()
    assert key.verdict.value == "short"  # the planner refuses before privileges are asked for


def test_text_that_is_refused_though_it_is_the_index(project: Project) -> None:
    """No copy can be made, the index reads as the key does, and the planner refuses: short, and a warning."""
    project.declares(text("(flag AND true)"), name="uq")
    project.create_all()
    _as_nobody(project, "GRANT SELECT, INSERT ON t TO upsert_nobody")
    key, (finding,) = project.checks()
    assert (key.verdict.value, finding.code) == ("short", "missing-arbiter")
    assert project.generates() == []
    assert [line for line in project.said if line.startswith("missing-arbiter: ")]


# -- what is read, and what it costs


@pytest.mark.since(15, "the statement of 19 names columns of 15")
def test_not_null_columns_reach_the_judge_from_19_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are columns that cannot be NULL, and not columns that are numbered; older servers need none of it."""
    project.pg.given("CREATE TABLE t (a int NOT NULL, b int)", "CREATE UNIQUE INDEX uq ON t (a)")
    connection = project.pg.connection
    name = TableName(None, "t")
    assert read(connection, [name])[name].traits.not_null == frozenset()

    monkeypatch.setattr(connection.dialect, "server_version_info", (19, 0))
    traits = read(connection, [name])[name].traits
    assert (traits.not_null, traits.auto_increment) == (frozenset({"a"}), frozenset())


@pytest.mark.since(18, "a NOT NULL can be NOT VALID")
def test_a_not_null_that_is_not_valid_proves_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: rows that were there may have NULL in the column, until the constraint is validated."""
    project.pg.given(
        "CREATE TABLE t (a int)", "ALTER TABLE t ADD CONSTRAINT a_is_there NOT NULL a NOT VALID"
    )
    connection = project.pg.connection
    monkeypatch.setattr(connection.dialect, "server_version_info", (19, 0))
    name = TableName(None, "t")
    assert read(connection, [name])[name].traits.not_null == frozenset()

    connection.exec_driver_sql("ALTER TABLE t VALIDATE CONSTRAINT a_is_there")
    assert read(connection, [name])[name].traits.not_null == frozenset({"a"})


def _statements(project: Project, number: int, *elements: str) -> int:
    """How many statements it takes to check that many tables with one such key each."""
    metadata = MetaData()
    for table in range(number):
        Table(
            f"t{table}",
            metadata,
            Column("a", Integer, nullable=False),
            Column("s", Text, nullable=False),
            UpsertKey(*(text(e) for e in elements), nulls="distinct"),
        )
    project.pg.given("SELECT 1")
    metadata.create_all(project.pg.connection)
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        # what is done is undone, whatever the number of keys
        if not arguments[2].startswith(("SAVEPOINT", "ROLLBACK TO", "RELEASE")):
            sent.append(arguments[2])

    event.listen(project.pg.connection, "before_cursor_execute", note)
    answer = check_keys(project.pg.connection, [metadata], rows=False)
    event.remove(project.pg.connection, "before_cursor_execute", note)
    assert {key.verdict.value for key in answer.keys} == {"satisfied"}
    return len(sent)


def test_all_keys_are_asked_about_in_one_round_trip(project: Project) -> None:
    """Twenty keys that hold SQL send what one does; keys of plain columns send nothing but the read."""
    assert _statements(project, 20, "lower(s)", "a") == _statements(project, 1, "lower(s)", "a")
    assert _statements(project, 20, "s", "a") == 1  # the catalog
