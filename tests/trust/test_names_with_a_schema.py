"""Nothing of the system is named in our statements by a bare name: an overload of another role's would run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import postgast
import pytest

from alembic_upsert_guard.rows.programs import program
from alembic_upsert_guard.sqltext import PINNED, reference_dialect
from tests.trust.grammar import bare_names
from tests.trust.journey import prepare, recorded, travel

if TYPE_CHECKING:
    from tests.project import Project

PROGRAMS = {
    "check.sql": (
        "told",
        "relation_name",
        "totals",
        "totals_of_only",
        "index_on",
        "wide",
        "listing",
        "nulls",
    ),
    "deduplicate.sql": (
        "told",
        "relation_name",
        "elements",
        "condition",
        "ordering",
        "direction",
        "archive",
        "repoint",
    ),
    "restore.sql": ("told", "relation_name", "archive"),
}


@pytest.mark.parametrize("concurrently", [False, True], ids=["plain", "concurrently"])
def test_every_statement_that_is_sent_names_the_system_with_its_schema(
    project: Project, *, concurrently: bool
) -> None:
    """Check, autogenerate, upgrade, deduplication, restoration, builds, verification and scripts."""
    statements = prepare(project)

    scripts = travel(project, concurrently=concurrently)

    sent = recorded(statements)
    assert len(sent) > 20
    assert {
        statement: bare for statement in sent if (bare := bare_names(readable(statement)))
    } == {}
    blocks = [
        each for script in scripts for each in postgast.split(script) if "$upsert_guard" in each
    ]
    assert blocks
    assert [bare for block in blocks for bare in bare_names(block)] == []


def readable(statement: str) -> str:
    """The statement with placeholders that PostgreSQL's grammar knows, in place of psycopg2's."""
    return re.sub(r"%\(\w+\)s", "NULL", statement).replace("%%", "%")


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_name_the_system_where_other_roles_make_nothing(name: str) -> None:
    """What is not named with its schema stands under the pinned path."""
    block = program(name, reference_dialect(), dict.fromkeys(PROGRAMS[name], "x"))

    assert bare_names(block) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_that_pin_no_path_are_found(name: str) -> None:
    """The twin: without its first line, each of them calls what others have made."""
    block = program(name, reference_dialect(), dict.fromkeys(PROGRAMS[name], "x"))

    assert bare_names(block.replace(PINNED, "", 1)) != []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM pg_catalog.pg_class",
        "SELECT pg_catalog.count(*) FROM pg_class",
        "SELECT 1 = 2",
        "SELECT NULL::text",
        "SELECT 1 IN (2)",
        "SELECT 1 BETWEEN 1 AND 2",
        "SELECT NULLIF(1, 2)",
        "SELECT CASE 1 WHEN 2 THEN 3 END",
        "SELECT a IS DISTINCT FROM b FROM c",
        "SELECT 1 FROM a JOIN b USING (c)",
        "SELECT 'a' LIKE 'b'",
        "SELECT 1 OPERATOR(pg_catalog.=) ANY (SELECT 2)",
    ],
)
def test_bare_names_are_found(statement: str) -> None:
    """Each kind of look-up by the search path, the last one as the twin that has none."""
    expected = 0 if "ANY" in statement else 1

    assert len(bare_names(statement)) == expected
