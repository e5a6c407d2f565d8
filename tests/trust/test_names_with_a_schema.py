"""Nothing of the system is named in our statements by a bare name: an overload of another role's would run."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import postgast
import pytest

from tests.trust.grammar import bare_names, bare_types
from tests.trust.journey import prepare, recorded, travel, work_on_large_table
from tests.trust.programs import PIN, blocks, procedures
from tests.trust.traps import plant, sprung

if TYPE_CHECKING:
    from tests.project import Project

PROGRAMS = blocks()
PROCEDURES = procedures()


sprung_on_disk = pytest.mark.skipif(
    "DATABASE_URL" in os.environ and "UPSERT_GUARD_TRAPS" not in os.environ,
    reason="traps write files beside the server's: set UPSERT_GUARD_TRAPS where they may",
)

LARGE = """class Mark(Base):
    __tablename__ = "marks"
    __table_args__ = (UpsertKey("k", text("pg_catalog.lower(s)")),)
    id: Mapped[int] = mapped_column(primary_key=True)
    k: Mapped[int]
    s: Mapped[str]

"""

PATHS = ("public", "public, pg_catalog")


@sprung_on_disk
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("concurrently", [False, True], ids=["plain", "concurrently"])
def test_no_overload_of_another_role_is_run(
    project: Project, path: str, *, concurrently: bool
) -> None:
    """Every overload of what we call is planted in public, which comes first where the path says so."""
    prepare(project)
    plant(project)
    project.sql(f"ALTER DATABASE {project.engine.url.database} SET search_path = {path}")
    project.engine.dispose()

    travel(project, concurrently=concurrently)

    assert sprung(project) == []


@sprung_on_disk
@pytest.mark.parametrize("grows", ["integer", "timestamptz"])
def test_no_overload_of_another_role_is_run_on_a_large_table(project: Project, grows: str) -> None:
    """Batches, an index over new rows, and what is said of a column that goes."""
    prepare(project)
    project.edit("models.py", "class Account(Base)", LARGE + "class Account(Base)")
    plant(project)
    project.sql(f"ALTER DATABASE {project.engine.url.database} SET search_path = {PATHS[-1]}")
    project.engine.dispose()

    work_on_large_table(project, grows)

    assert sprung(project) == []


@sprung_on_disk
@pytest.mark.parametrize("path", PATHS)
def test_traps_are_run_by_bare_names(project: Project, path: str) -> None:
    """The twin: what the catalog read once looked like springs them."""
    plant(project)
    project.sql(f"ALTER DATABASE {project.engine.url.database} SET search_path = {path}")
    project.engine.dispose()

    project.rows(
        "/* from upsert-guard */ SELECT quote_ident(relname), format('%I.%I', relname, relname) "
        "FROM pg_catalog.pg_class"
    )

    assert {each.partition(r"\n")[0] for each in sprung(project)} >= {
        "function quote_ident(name)",
        "function format(text, name, name)",
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
    written = [
        each for script in scripts for each in postgast.split(script) if "upsert_guard_" in each
    ]
    assert {each.partition(" ")[0] for each in written} == {"CALL", "CREATE"}
    assert [bare for each in written for bare in (*bare_names(each), *bare_types(each))] == []


def readable(statement: str) -> str:
    """The statement with placeholders that PostgreSQL's grammar knows, and without what a user wrote into an index.

    That is resolved under the user's own path, as the server prints it.
    """
    own = statement.replace("(question = 'q'::text)", "(true)")
    return re.sub(r"%\(\w+\)s", "NULL", own).replace("%%", "%")


@pytest.mark.parametrize(
    "block",
    [*PROGRAMS.values(), *PROCEDURES.values()],
    ids=[*PROGRAMS, *map("{}()".format, PROCEDURES)],
)
def test_programs_name_the_system_where_other_roles_make_nothing(block: str) -> None:
    """What is not named with its schema is under the pinned path."""
    assert [*bare_names(block), *bare_types(block)] == []


def test_bare_types_are_found() -> None:
    """The twin: a domain called text, with a check of its own, would be the variable's type."""
    assert bare_types(
        "DO $$\nDECLARE\n    a pg_catalog.text;\n    b CONSTANT text := '';\nBEGIN\nEND $$"
    ) == ["text"]


@pytest.mark.parametrize(
    "name", sorted(PROGRAMS.keys() - {"answer_statements", "deduplicate_in_batches"})
)
def test_programs_that_pin_no_path_are_found(name: str) -> None:
    """The twin: without that line, each of them calls what others have made; two need none."""
    assert bare_names(PROGRAMS[name].replace(PIN, "", 1)) != []
    assert bare_names(PROCEDURES[name].replace(PIN, "", 1)) != []


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
