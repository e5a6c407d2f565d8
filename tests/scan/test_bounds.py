"""Statements made to hang or to crash: each is read, or said not to be, and the file beside it is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan.sql import read_sql
from alembic_upsert_guard.upserts.scan.sql.grammar import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic_upsert_guard.upserts.scan import ScanReport

SAVE = "INSERT INTO accounts (tenant) VALUES (1) ON CONFLICT (tenant, email) DO NOTHING;\n"
N = 20_000

VALUES = {
    "rows": "(1)" + ", (1)" * N,
    "placeholders": "(%s)" + ", (%s)" * N,
    "parentheses": f"({'(' * N}1{')' * N})",
    "case": f"({'CASE WHEN a THEN ' * N}1{' END' * N})",
    "sum": f"({' + '.join('a' * N)})",
    "casts": f"(1{'::int' * N})",
    "sum of 300,000": f"({'+'.join('a' * 15 * N)})",
}
"""What is given to a parser as it is overflows its stack, or takes it minutes."""

INSERTS = {
    "PostgreSQL": "INSERT INTO accounts AS a VALUES {} ON CONFLICT (tenant, email) DO UPDATE SET x = 1",
    "SQLite": "INSERT OR IGNORE INTO accounts VALUES {} ON CONFLICT (tenant, email) DO NOTHING",
    "MySQL": "INSERT IGNORE INTO accounts VALUES {} ON DUPLICATE KEY UPDATE x = 1",
    "a CTE": (
        "WITH a AS (INSERT INTO accounts VALUES {} ON CONFLICT (tenant, email) DO NOTHING RETURNING 1) SELECT 1"
    ),
}


@pytest.mark.parametrize("insert", INSERTS)
@pytest.mark.parametrize("values", VALUES)
def test_the_rows_do_not_matter(
    scanned: Callable[..., ScanReport], insert: str, values: str
) -> None:
    """Table and target are read, however much is between them."""
    report = scanned(long_sql=INSERTS[insert].format(VALUES[values]), good_sql=SAVE)

    assert report.problems == ()
    elements = () if insert == "MySQL" else ("tenant", "email")
    assert [(j.upsert.table_name, j.upsert.elements) for j in report.upserts] == [
        ("accounts", ("tenant", "email")),
        ("accounts", elements),
    ]


@pytest.mark.parametrize(
    "predicate",
    [" OR ".join(["a"] * N), f"{'NOT ' * N}a", f"{'(a OR ' * N}a{')' * N}", "+".join(["a"] * N)],
    ids=["or", "not", "nested", "sum"],
)
def test_a_target_too_deep_is_unresolved(
    scanned: Callable[..., ScanReport], predicate: str
) -> None:
    """Its table is known, and it is no guess."""
    report = scanned(
        long_sql=f"INSERT INTO accounts VALUES (1) ON CONFLICT (tenant) WHERE {predicate} DO NOTHING"
    )

    (judged,) = report.upserts
    assert (judged.upsert.table_name, str(judged.resolution)) == ("accounts", "unresolved")
    assert judged.findings[0].fact == "it is too long, or nested too deeply, to be read"


@pytest.mark.parametrize("terms", [20, 60])
def test_a_sum_of_more_levels_than_protobuf_reads(terms: int) -> None:
    """A text put together of sixty pieces is nothing rare, and the parser's tree of it is not decoded."""
    values = " || ".join(["'a'"] * terms)
    (upsert,) = read_sql(f"INSERT INTO t VALUES ({values}) ON CONFLICT (a) DO NOTHING")

    assert [e.label for e in upsert.target.elements] == ["a"]  # type: ignore[union-attr]


def test_a_long_statement_reads_as_a_short_one() -> None:
    """Every upsert in it, whatever its INSERT looks like; a name and an alias, quoted, with a schema."""
    template = (
        'WITH a AS (INSERT INTO "my""s".value AS v (x) SELECT {0} ON CONFLICT (x) WHERE y DO UPDATE SET x = 1), '
        "b AS (INSERT INTO b DEFAULT VALUES ON CONFLICT ON CONSTRAINT c DO NOTHING) "
        "INSERT INTO d (x) OVERRIDING USER VALUE VALUES (1) ON CONFLICT DO NOTHING"
    )
    short = read_sql(template.format("1"))
    long = read_sql(template.format(" + ".join("1" * LONGEST)))

    assert len(short) == 3
    assert [(u.table, u.target) for u in long] == [(u.table, u.target) for u in short]


@pytest.mark.parametrize(
    "body",
    [
        "IF a THEN " * 3000 + SAVE + "END IF; " * 3000,
        SAVE + "PERFORM " + "+".join("a" * 15 * N) + ";",
    ],
    ids=["blocks", "sum"],
)
def test_a_function_too_deep_is_unresolved_or_read(
    scanned: Callable[..., ScanReport], body: str
) -> None:
    """Its upsert is seen."""
    head = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
    report = scanned(f_sql=f"{head}{body} END $$;\n", good_sql=SAVE)

    assert report.problems == ()
    assert len(report.upserts) == 2


MANY = {
    "statements.sql": SAVE * 5_000,
    "unended.sql": SAVE * 5_000 + "'",
    "clauses.sql": "INSERT INTO t VALUES (1) " + "ON CONFLICT (a) " * N,
    "rule.sql": f"CREATE RULE r AS ON INSERT TO t DO ({'SELECT 1;' * N}{SAVE})",
    "options.ts": "const T = 't', o = {onConflict: 'a'};\n" + "c.from(T).upsert(r, o);\n" * 5_000,
    "string.py": f'SAVE = """{SAVE * 5_000}"""\n',
    "calls.py": (
        "from sqlalchemy.dialects.postgresql import insert\nfrom sqlalchemy import Table\nT = Table('t', m)\n"
        + "insert(T).on_conflict_do_nothing(index_elements=['a'])\n" * 5_000
    ),
    "comments.sql": "-- upsert-guard: ignore[undeclared-upsert]\n" * 5_000 + SAVE * 5_000,
}
"""Work for each of many, on a file as long as they are many."""


@pytest.mark.parametrize("name", MANY)
def test_many_do_not_hang(tmp_path: Path, name: str) -> None:
    """In a process with a generous time; squares of these numbers take far longer."""
    (tmp_path / name).write_text(MANY[name])
    program = (
        "import sys; from alembic_upsert_guard.upserts.scan import DeclaredTables, scan;"
        "r = scan([sys.argv[1]], DeclaredTables(())); print(len(r.upserts), len(r.problems))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    sites, problems = map(int, ran.stdout.split())
    assert problems == 0
    assert sites == {"clauses.sql": N, "rule.sql": 1}.get(name, 5_000)


def test_constants_that_double_do_not_hang(scanned: Callable[..., ScanReport]) -> None:
    """Forty templates, each with the one before in it twice: a million millions of parts."""
    lines = [
        "const c0 = ``;",
        *(f"const c{n} = `${{c{n - 1}}}${{c{n - 1}}}`;" for n in range(1, 35)),
    ]
    call = "supabase.from('accounts').upsert(row, { onConflict: c34 });"

    begun = process_time()
    report = scanned(doubling_ts="\n".join([*lines, call]), good_sql=SAVE)

    assert process_time() - begun < 10
    assert report.problems == ()
    assert [j.resolution.value for j in report.upserts][:1] == ["unresolved"]
