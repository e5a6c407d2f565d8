"""The rows: refused before anything is changed, by the equality of the index, with the report of the check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.inference import ConflictTarget
from alembic_upsert_guard.rows import RowsOfKey, read_rows
from tests.mysql.test_scenarios import CHECK, KEY, TABLE, declare
from tests.project import goes_red
from tests.rows.test_arrivals import between, of_another_connection
from tests.rules.answers import target_of

if TYPE_CHECKING:
    from alembic_upsert_guard.findings import RowsReport
    from tests.mysql.rules import MySQLRules
    from tests.project import Project

ROWS = (
    "INSERT INTO accounts (tenant, email, name) VALUES (1, 'a@x', 'A'), (1, 'A@X', 'B'), (2, 'b', 'it''s'), "
    "(2, 'b', NULL), (2, 'b', ''), (3, 'c', NULL)"
)
FIRST_LINE = (
    "upsert key accounts (tenant, email) does not hold: 2 duplicate groups, 3 surplus rows; "
    "what changed the schema above the check stays"
)


def refused(project: Project) -> str:
    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "Traceback" not in ran.said
    return ran.said


def test_rows_are_refused_with_the_report(mysql_project: Project) -> None:
    """Groups, rows, the SELECT that lists them; no line that could not run here."""
    mysql_project.sql(TABLE, ROWS)
    declare(mysql_project)
    goes_red(mysql_project)
    said = refused(mysql_project)

    assert FIRST_LINE in said
    assert "tenant = 2, email = 'b': 3 rows, id 3, 4, 5" in said
    assert "email = 'a@x': 2 rows, id 1, 2" in said.lower()
    assert "deduplicate_upsert_key" not in said
    assert "nothing was changed" not in said
    assert "has committed each statement that changed the schema" in said
    (listing,) = {line.strip() for line in said.splitlines() if line.startswith("  SELECT")}
    listed = {(int(t), e.lower(), int(n)) for t, e, n in mysql_project.rows(listing.rstrip(";"))}
    assert listed == {(1, "a@x", 2), (2, "b", 3)}
    assert "UNIQUE" not in "".join(mysql_project.uniques())

    mysql_project.sql("DELETE FROM accounts WHERE id IN (2, 4, 5)")
    mysql_project.upgrade()
    assert mysql_project.check().code == 0


def test_values_are_kept_back(mysql_project: Project) -> None:
    """``upsert_guard_reveal=False``: the report has counts only."""
    mysql_project.sql(TABLE, ROWS)
    mysql_project.configure(upsert_guard_reveal="False")
    declare(mysql_project)
    goes_red(mysql_project)
    said = refused(mysql_project)

    assert FIRST_LINE in said
    assert "a@x" not in said.lower()


def test_the_check_can_be_skipped_and_says_so(mysql_project: Project) -> None:
    """The server then refuses, with its own message."""
    mysql_project.sql(TABLE, ROWS)
    declare(mysql_project)
    goes_red(mysql_project)
    ran = mysql_project.alembic("-x", "upsert_guard_validate=off", "upgrade", "head")

    assert "Skipped the check of the rows of upsert key accounts (tenant, email)" in ran.err
    assert "1062" in ran.err
    assert "does not hold" not in ran.said


def test_checks_come_before_all_that_need_not_come_before_them(mysql_project: Project) -> None:
    """What is made above a check that refuses would stay; a column that the key needs has to."""
    mysql_project.sql(TABLE, ROWS, "CREATE TABLE plans (id int AUTO_INCREMENT PRIMARY KEY)")
    declare(mysql_project, KEY + "Index('ix_name', 'name')")
    with (mysql_project.path / "models.py").open("a") as models:
        models.write(
            "\n\nclass Plan(Base):\n"
            "    __tablename__ = 'plans'\n"
            "    __table_args__ = (UpsertKey('code'),)\n"
            "    id: Mapped[int] = mapped_column(primary_key=True)\n"
            "    code: Mapped[int | None]\n"
            "    note: Mapped[int | None]\n"
        )
    revision = goes_red(mysql_project)

    calls = revision.calls("upgrade")
    assert revision.written("upgrade")[0] == CHECK
    assert calls.count("op.validate_upsert_key") == 2
    of_plans = [line for line in revision.lines("upgrade") if "'plans'" in line]
    added = [n for n, line in enumerate(of_plans) if "sa.Column('code'" in line]
    checked = [n for n, line in enumerate(of_plans) if line.startswith("op.validate_upsert_key")]
    assert added < checked
    refused(mysql_project)
    assert mysql_project.rows("SHOW COLUMNS FROM plans LIKE 'code'") == []


@pytest.mark.parametrize("reveal", [True, False])
def test_rows_that_arrive_are_reported_as_by_the_check(
    mysql_project: Project, *, reveal: bool
) -> None:
    """The build fails with 1062, and what made it fail is reported as before it."""
    mysql_project.sql(TABLE)
    mysql_project.configure(upsert_guard_reveal=str(reveal))
    declare(mysql_project)
    goes_red(mysql_project)
    between(mysql_project, of_another_connection(ROWS))
    ran = mysql_project.alembic("upgrade", "head")

    assert ran.code != 0
    assert FIRST_LINE in ran.said
    assert "The rows arrived after the check" in ran.said
    assert ("tenant = 2, email = 'b'" in ran.said) == reveal
    if not reveal:
        assert "a@x" not in ran.said.lower()
    assert mysql_project.rows("SELECT * FROM alembic_version") == []

    mysql_project.sql("DELETE FROM accounts WHERE id IN (2, 4, 5)")
    mysql_project.edit(
        "migrations/versions/r01_r.py",
        "meanwhile.exec_driver_sql(",
        "(",
    )
    mysql_project.upgrade()


# -- what is equal


def read(my: MySQLRules, elements: str, nulls: str = "warn", table: str = "t") -> RowsReport:
    target = ConflictTarget(target_of(elements).elements)
    key = RowsOfKey(table=TableName(None, table), target=target, nulls=nulls)
    return read_rows(my.connection, key, sample=5, reveal=True)


def of_type(my: MySQLRules, type_: str, *values: str) -> RowsReport:
    my.given(f"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a {type_})")
    my.connection.exec_driver_sql(
        "INSERT INTO t (a) VALUES " + ", ".join(f"({value})" for value in values)
    )
    return read(my, "(a)")


@pytest.mark.parametrize(
    ("type_", "values", "groups"),
    [
        ("varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", ("'a'", "'A'", "'a '"), 1),
        ("varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", ("'a'", "'A'", "'b'"), 0),
        ("varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", ("'a'", "'a '"), 1),
        ("varbinary(9)", ("'a'", "'a '"), 0),
        ("binary(4)", ("'a'", "'a\\0'"), 1),
        ("char(4)", ("'a'", "'a '"), 1),
        ("decimal(9, 2)", ("1.0", "1.00"), 1),
        ("double", ("0e0", "-0e0"), 1),
        ("datetime", ("'2026-01-01'", "'2026-01-01 00:00:00'"), 1),
        ("enum('x', 'y')", ("'x'", "1"), 1),
        ("int", ("NULL", "NULL"), 0),
    ],
)
def test_equal_is_what_the_index_takes_as_equal(
    my: MySQLRules, type_: str, values: tuple[str, ...], groups: int
) -> None:
    """The build of the index agrees."""
    assert of_type(my, type_, *values).groups == groups
    built: Any = None
    try:
        my.connection.exec_driver_sql("CREATE UNIQUE INDEX uq ON t (a)")
        built = 0
    except Exception as error:  # noqa: BLE001 - whatever the driver calls it
        assert "1062" in str(error)  # noqa: PT017
        built = 1
    assert built == groups


VALUES = (
    *(
        "a",
        "A",
        "a ",
        "a\t",
        "a\0",
        "",
        " ",
        "\0",
        "ä",
        "á",
        "ae",
        "ss",
        "ß",
        "ﬁ",
        "fi",
        "\u0131",
        "i",
        "I",
    ),
    *("İ", "Ǆ", "ǆ", "e\u0301", "é", "\u200b", "\uff21"),
)
"""What collations fold, pad, or distinguish."""

COLLATIONS = {
    "mysql": ("0900_ai_ci", "0900_as_cs", "0900_bin", "general_ci", "unicode_ci", "bin"),
    "mariadb": (
        "uca1400_ai_ci",
        "general_ci",
        "general_nopad_ci",
        "unicode_ci",
        "bin",
        "nopad_bin",
    ),
}


def test_rows_are_grouped_as_the_index_compares_them(my: MySQLRules) -> None:
    """As many groups as the index lets in, under every collation, in columns of every kind."""
    kinds = ["varchar(20)", "char(20)", *(["text", "varchar(3000)"] if my.is_mariadb else [])]
    types = [
        f"{kind} CHARACTER SET utf8mb4 COLLATE utf8mb4_{collation}"
        for kind in kinds
        for collation in COLLATIONS["mariadb" if my.is_mariadb else "mysql"]
    ]
    for type_ in (*types, "varbinary(20)", "binary(6)"):
        my.given(f"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a {type_} NOT NULL)")
        # the one that is known to differ: docs/rows.md
        sorts_nul_apart = "general_nopad_ci" in type_
        values = [(value,) for value in VALUES if not (sorts_nul_apart and "\0" in value)]
        insert = "INSERT IGNORE INTO t (a) VALUES (%s)"
        my.connection.exec_driver_sql(insert, values)
        surplus = read(my, "(a)").surplus
        my.connection.exec_driver_sql("DELETE FROM t")
        my.connection.exec_driver_sql("CREATE UNIQUE INDEX uq ON t (a)")
        my.connection.exec_driver_sql(insert, values)
        kept = my.connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one()
        assert surplus == len(values) - kept, type_


def test_padding_counts_where_the_collation_says_so(my: MySQLRules) -> None:
    """MySQL's own default does not pad, MariaDB's does; both say which."""
    collation = "utf8mb4_nopad_bin" if my.is_mariadb else "utf8mb4_0900_ai_ci"
    type_ = f"varchar(9) CHARACTER SET utf8mb4 COLLATE {collation}"
    assert of_type(my, type_, "'a'", "'a '").groups == 0
    assert of_type(my, type_, "'a'", "'a'").groups == 1


def test_rows_with_null_are_counted_apart(my: MySQLRules) -> None:
    """They form no group, and the listing has them where they are forbidden."""
    my.given("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a int, b int)")
    my.connection.exec_driver_sql(
        "INSERT INTO t (a, b) VALUES (1, NULL), (1, NULL), (NULL, NULL), (2, 2), (2, 2), (3, 3)"
    )
    report = read(my, "(a, b)")
    assert (report.groups, report.surplus, report.null_rows) == (1, 1, 3)
    assert [group.values for group in report.sample] == [(2, 2)]

    forbidding = read(my, "(a, b)", "forbid")
    assert forbidding.refuses
    listed = my.connection.exec_driver_sql(forbidding.listing.rstrip(";")).all()
    assert sorted(map(str, listed)) == sorted(["(1, None, 2)", "(None, None, 1)", "(2, 2, 2)"])


def test_the_rows_of_an_expression_are_grouped_by_it(my: MySQLRules) -> None:
    """By the report and by its listing."""
    my.only_mysql("has indexes on expressions")
    my.given("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, s varchar(9), b int)")
    my.connection.exec_driver_sql(
        "INSERT INTO t (s, b) VALUES ('xa', 1), ('xb', 1), (NULL, 1), ('ya', 1)"
    )
    report = read(my, "(left(s, 1), b)", "forbid")
    assert (report.groups, report.surplus, report.null_rows) == (1, 1, 1)
    assert report.sample[0].identities == ((1,), (2,))
    listed = my.connection.exec_driver_sql(report.listing.rstrip(";")).all()
    assert sorted(map(str, listed)) == sorted(["('x', 1, 2)", "(None, 1, 1)"])


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        ("varchar(3000)", "Specified key was too long"),
        ("text", "without a key length"),
        ("json", "supports indexing only via generated columns"),
    ],
)
def test_what_cannot_be_indexed_is_refused_with_the_servers_message(
    my: MySQLRules, type_: str, words: str
) -> None:
    """Before a row is read; MariaDB makes all of them unique by a hash."""
    my.given(f"CREATE TABLE t (id int PRIMARY KEY, a {type_} NOT NULL) CHARACTER SET utf8mb4")
    report = read(my, "(a)")
    if my.is_mariadb:
        assert not report.refuses
    else:
        assert words in str(report.obstacle)


def test_the_check_commits_nothing_and_leaves_nothing(my: MySQLRules) -> None:
    """The caller's transaction is rolled back afterwards, its rows with it."""
    my.given("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a int NOT NULL)")
    my.connection.commit()
    my.connection.exec_driver_sql("INSERT INTO t (a) VALUES (1), (1)")
    assert read(my, "(a)").groups == 1
    my.connection.rollback()
    assert read(my, "(a)").groups == 0
