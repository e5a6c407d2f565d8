"""The check of a large table looks at a sample first: it changes what is read, and nothing of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.inference import ConflictTarget, Element
from alembic_upsert_guard.rows import RowsOfKey, read_rows
from alembic_upsert_guard.rows.postgresql.relation import find_relation

if TYPE_CHECKING:
    from alembic_upsert_guard.findings import RowsReport
    from tests.project import Project

ROWS = 200_000
FILLED = f"""
    INSERT INTO visits (a, b, note) SELECT {{a}}, {{b}}, '' FROM generate_series(0, {ROWS} - 1) AS i
"""
VISITS = "CREATE TABLE visits (id bigserial PRIMARY KEY, a int, b int NOT NULL, note text)"
LARGE = "UPDATE pg_class SET reltuples = {} WHERE oid = 'visits'::regclass"


def read(project: Project, estimate: int) -> tuple[RowsReport, list[str]]:
    """What is reported of a table that is believed to have so many rows, and the statements that count hashes."""
    project.sql(LARGE.format(estimate))
    sent: list[str] = []
    key = RowsOfKey(
        table=TableName(None, "visits"),
        target=ConflictTarget((Element("a"), Element("b"))),
        nulls="warn",
    )
    with project.engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: sent.append(args[2]))
        report = read_rows(connection, key, sample=5, reveal=True)
    return report, [statement for statement in sent if "count(DISTINCT" in statement]


@pytest.mark.parametrize(
    ("a", "b", "groups", "counting"),
    [
        (f"i % {ROWS // 2}", f"i % {ROWS // 2}", ROWS // 2, ["a sample"]),
        (f"nullif(i % {ROWS // 2}, 0)", f"i % {ROWS // 2}", ROWS // 2 - 1, ["a sample"]),
        ("i", "0", 0, ["a sample", "all"]),
        ("i / 2 * 2 + CASE WHEN i < 200 THEN 0 ELSE i % 2 END", "0", 100, ["a sample", "all"]),
    ],
    ids=["every second, apart", "the same, and NULL", "none", "a few, on one page"],
)
def test_the_report_is_the_same(
    project: Project, a: str, b: str, groups: int, counting: list[str]
) -> None:
    """Hashes of all rows are counted where the sample does not show that many rows are surplus."""
    project.sql(VISITS, FILLED.format(a=a, b=b))
    counted, statements = read(project, 1000)
    assert len(statements) == 1
    assert counted.groups == groups
    sampled, statements = read(project, 3 * ROWS)
    assert sampled == counted
    kinds = ["a sample" if "TABLESAMPLE" in each else "all" for each in statements]
    assert kinds == counting


def test_which_tables_can_be_sampled(project: Project) -> None:
    """A table and a partitioned one, by the numbers of its partitions, where each of them is known."""
    project.sql(
        "CREATE TABLE parent (a int) PARTITION BY LIST (a)",
        "CREATE TABLE part_1 PARTITION OF parent FOR VALUES IN (1)",
        "CREATE TABLE part_2 PARTITION OF parent FOR VALUES IN (2)",
        "CREATE VIEW looked_at AS SELECT * FROM parent",
        "UPDATE pg_class SET reltuples = 7 WHERE relname IN ('part_1', 'part_2', 'looked_at')",
    )

    def estimate(name: str) -> float | None:
        with project.engine.connect() as connection:
            relation = find_relation(connection, TableName(None, name))
        assert relation is not None
        return relation.estimated_rows

    assert [estimate(name) for name in ("part_1", "parent", "looked_at")] == [7, 14, None]
    project.sql("UPDATE pg_class SET reltuples = -1 WHERE relname = 'part_2'")
    assert [estimate(name) for name in ("part_1", "parent")] == [7, None]
