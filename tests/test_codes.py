"""Codes, pages and tests, one to one; and every page says what a database really does.

A page's fenced blocks are named: ``sql database`` is what is there, ``sql server`` what it then answers,
``python model`` the promise. Under "Fix" come ``python fixed`` (lines of the model that change),
``python migration`` (a revision's two functions) and ``sql after``; a second migration is another way out.
``-- ERROR 42P10: text`` and ``-- 2`` below a statement are its answer. ``python before`` and ``python instead`` are
source lines, as ``scan`` sees them.
"""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from alembic.operations import Operations
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.findings import (
    CODES,
    Circumstance,
    MissingPageError,
    Severity,
    UnknownCodeError,
    code_of,
    page_of,
    pages,
)
from alembic_upsert_guard.inference import Code
from alembic_upsert_guard.upserts.models import declared_tables
from alembic_upsert_guard.upserts.scan import scan
from tests.code_overview import PAGE, overview
from tests.project import _MODELS as MODULE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from tests.project import Project

TESTS = Path(__file__).parent
FOLDER = TESTS.parent / "docs" / "codes"

DESIGNED = {
    "missing-arbiter": "error",
    "predicate-mismatch": "error",
    "deferrable-arbiter": "error",
    "invalid-arbiter": "error",
    "collation-mismatch": "error",
    "unproven-arbiter": "warning",
    "nulls-mismatch": "error",
    "nullable-key": "warning",
    "missing-table": "error",
    "partition-key-missing": "error",
    "rival-unique-key": "warning",
    "duplicate-rows": "error",
    "null-rows": "warning",
    "unread-rows": "error",
    "arbiter-removed": "warning",
    "undeclared-upsert": "error",
    "unserved-upsert": "error",
    "missing-constraint": "error",
    "unread-file": "error",
    "unresolved-upsert": "warning",
    "bound-predicate": "warning",
    "unserved-function": "error",
    "unknown-dialect": "error",
    "stale-ignore": "error",
}

HEADINGS = [
    "Example",
    "What the server answers",
    "Cause",
    "Fix",
    "Suppress it",
    "See also",
]

REPORTED_BY = {
    "check": "`upsert-guard check`",
    "check --rows": "`upsert-guard check --rows`",
    "check --code": "`upsert-guard check --code`",
    "check --log": "`upsert-guard check --log`",
    "scan": "`upsert-guard scan`",
    "functions": "`upsert-guard functions`",
    "autogenerate": "`alembic check`",
    "upgrade": "`alembic upgrade`",
    "pytest": "`pytest --upsert-guard`",
}

NOT_SUPPRESSED = {"arbiter-removed", "stale-ignore"}
"""A log line; the entry itself."""

OF_SOURCE = {code for code, entry in CODES.items() if entry.commands[0] == "scan"}
"""Codes of ``scan``, whose pages show source lines and the comment that suppresses one."""

COMMENTED = OF_SOURCE | {"unserved-upsert"}
"""Codes that a comment in the source suppresses; what a database says of a line takes a database."""

ELSEWHERE = {
    "unproven-arbiter": "it takes a role without TEMPORARY: tests/scenarios/test_doubt.py",
    "unknown-dialect": "it takes another database",
    "rival-unique-key": "it takes MySQL or MariaDB: test_mariadb_answers_as_the_page_says",
}
"""Codes of autogenerate that the example of their page does not bring up."""

NEVER_CLEAN = {"partition-key-missing", "unproven-arbiter", "unserved-upsert"}
"""Alembic takes a partition for a table without a model; another's role lacks TEMPORARY, the test's does not; the last
one's project has no models."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    name: str
    heading: str
    text: str


@dataclass(frozen=True)
class WayOut:
    """What is changed, and what then passes."""

    fixed: str = ""
    migration: str = ""
    after: str = ""


class Page:
    """A page, taken apart."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.text = (FOLDER / f"{code}.md").read_text(encoding="utf-8")
        self.blocks = [
            Block(
                language,
                name,
                self.text[: found.start()].rpartition("\n## ")[2].split("\n")[0],
                text,
            )
            for found in re.finditer(
                r"^```(\w+) ?(\w*)\n(.*?)^```$", self.text, re.DOTALL | re.MULTILINE
            )
            for language, name, text in [found.groups()]
        ]
        self.prose = re.sub(r"^```.*?^```$", "", self.text, flags=re.DOTALL | re.MULTILINE)

    def block(self, name: str) -> str:
        """The blocks of that name, one below the other; empty where there is none."""
        return "\n".join(block.text for block in self.blocks if block.name == name)

    def ways_out(self) -> list[WayOut]:
        """In the order of the page; one of changed lines only is a way of its own."""
        ways: list[WayOut] = []
        for block in self.blocks:
            if block.name == "fixed" or (block.name == "migration" and not self._open(ways)):
                ways.append(WayOut())
            if block.name in ("fixed", "migration", "after"):
                ways = ways or [WayOut()]
                ways[-1] = replace(ways[-1], **{block.name: block.text})
        return ways

    @staticmethod
    def _open(ways: list[WayOut]) -> bool:
        return bool(ways) and not ways[-1].migration and not ways[-1].after


PAGES = {path.stem: Page(path.stem) for path in sorted(FOLDER.glob("*.md"))}


# -- one to one


def test_every_code_of_the_design_has_an_entry() -> None:
    """In the design's order, as bad as the design says."""
    assert [(code, entry.severity.value) for code, entry in CODES.items()] == [*DESIGNED.items()]


def test_a_code_has_another_severity_where_the_design_says_so() -> None:
    """Each such place is a circumstance with a name."""
    assert {code: entry.exceptions for code, entry in CODES.items() if entry.exceptions} == {
        "undeclared-upsert": {
            Circumstance.MODELLED: "warning",
            Circumstance.LOOKED_UP: "warning",
        },
        "unserved-upsert": {Circumstance.LOOKED_UP: "warning"},
        "unserved-function": {Circumstance.LOOKED_UP: "warning"},
        "null-rows": {Circumstance.NULLS_FORBIDDEN: "error"},
        "duplicate-rows": {Circumstance.NOT_COMPARED: "warning"},
        "bound-predicate": {Circumstance.PREPARED: "error"},
    }


def test_what_check_reports_it_reports_with_rows_too() -> None:
    """So that a command's name by itself says whether an entry is for it."""
    for entry in CODES.values():
        assert len(set(entry.commands)) == len(entry.commands) > 0
        assert "check" not in entry.commands or "check --rows" in entry.commands


def test_what_the_judge_says_is_a_code() -> None:
    """The judge's reasons are codes of the table."""
    assert {code.value for code in Code} <= set(CODES)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    """`explain` prints the page."""
    assert sorted(PAGES) == sorted(CODES)
    assert all(page_of(code) == PAGES[code].text for code in CODES)


def test_the_overview_is_written_from_the_table() -> None:
    """`python -m tests.code_overview` writes docs/codes.md again; the site's navigation has each page once."""
    assert PAGE.read_text(encoding="utf-8") == overview()
    navigation = (FOLDER.parents[1] / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.findall(r"- codes/([a-z-]+)\.md", navigation) == sorted(CODES)


def test_every_code_is_named_in_another_test() -> None:
    """A code that no test brings up may as well not be there."""
    texts = [
        path.read_text(encoding="utf-8")
        for path in TESTS.rglob("*")
        if path.suffix in (".py", ".txt") and path != Path(__file__)
    ]
    unnamed = {code for code in CODES if not any(code in text for text in texts)}

    assert unnamed == set()


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("missing-arbitre", "; did you mean missing-arbiter"),
        ("deferable-arbiter", "; did you mean deferrable-arbiter"),
        ("quux", "\n"),
    ],
)
def test_an_unknown_code_is_answered_with_near_ones_and_all(wrong: str, near: str) -> None:
    """The error has the codes that are spelt nearly so, then every one."""
    for ask in (code_of, page_of):
        with pytest.raises(UnknownCodeError) as raised:
            ask(wrong)
        said = str(raised.value)
        assert said.startswith(f"'{wrong}' is no finding code{near}")
        assert said.endswith(f"\nThe codes: {', '.join(CODES)}")


def test_an_installed_page_is_found_beside_the_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel's first, then the checkout's; without either, the message says where they were looked for."""
    monkeypatch.setattr(pages, "_FOLDERS", (tmp_path / "codes", FOLDER))
    assert page_of("stale-ignore") == PAGES["stale-ignore"].text

    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "stale-ignore.md").write_text("# of the wheel\n")
    assert page_of("stale-ignore") == "# of the wheel\n"

    monkeypatch.setattr(pages, "_FOLDERS", (tmp_path / "codes",))
    with pytest.raises(MissingPageError, match="page of null-rows is not installed"):
        page_of("null-rows")


# -- what every page holds


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_has_its_headings(page: Page) -> None:
    """The same ones on each, and below its name what the table says of the code."""
    entry = CODES[page.code]
    assert re.findall(r"^# (.*)", page.prose, re.MULTILINE) == [page.code]
    assert re.findall(r"^##+ (.*)", page.prose, re.MULTILINE) == HEADINGS

    # what `check` reports it reports with its options, `check --functions` what `functions` does, and the options for
    # records what `check --code` does
    beside = {"check --rows": "check", "check --code": "check", "check --functions": "functions"}
    beside |= dict.fromkeys(
        ["check --statements", "check --log", "check --observed"], "check --code"
    )
    reporting = [c for c in entry.commands if beside.get(c) not in entry.commands]
    *first, last = [REPORTED_BY[command] for command in reporting]
    reported_by = f"{', '.join(first)} and {last}" if first else last
    article = "An error" if entry.severity is Severity.ERROR else "A warning"
    meaning = entry.meaning[0].upper() + entry.meaning[1:]
    assert page.text.split("\n")[2] == f"{meaning}. {article}, reported by {reported_by}."


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_link_leads_somewhere(page: Page) -> None:
    """To another page, or to a manual; and every page is led to from one."""
    links = re.findall(r"\]\(([^)]+)\)", page.prose)
    inside = [link for link in links if not link.startswith("https://")]

    assert len(links) > len(inside) > 0
    assert all((FOLDER / link).is_file() for link in inside)
    assert f"{page.code}.md" not in inside


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_what_suppresses_it_is_what_the_commands_read(page: Page) -> None:
    """An entry with its code, a table and a reason; a comment for what is in the source."""
    suppressing = next(part for part in page.text.split("\n## ") if part.startswith("Suppress it"))
    entries = [
        entry
        for block in page.blocks
        if block.language == "toml"
        for entry in tomllib.loads(block.text)["tool"]["upsert_guard"]["ignore"]
    ]
    for entry in entries:
        assert set(entry) - {"until", "path", "elements"} == {"code", "table", "reason"}
        assert entry["code"] in CODES
    assert ("```toml" in suppressing) == (page.code not in NOT_SUPPRESSED)
    if page.code not in NOT_SUPPRESSED:
        assert [entry["code"] for entry in entries] == [page.code]
    comment = f"`# upsert-guard: ignore[{page.code}]`"
    assert (comment in suppressing) == (page.code in COMMENTED)


# -- what the server answers


@dataclass(frozen=True)
class Statement:
    """One statement of a page, and the answer that the page gives."""

    sql: str
    error: tuple[str, str] | None
    rows: str | None


def statements(script: str) -> Iterator[Statement]:
    """A statement ends with a semicolon at the end of a line, outside of a function's body."""
    sql = ""
    answers_shown: list[str] = []
    for line in [*script.splitlines(), ";"]:
        if line.startswith("-- "):
            answers_shown.append(line[3:])
            continue
        ended = sql.endswith(";\n") and sql.count("$$") % 2 == 0
        if ended:
            errors = [answer for answer in answers_shown if answer.startswith("ERROR ")]
            rows = [answer for answer in answers_shown if not answer.startswith("ERROR ")]
            state, _, text = errors[0][len("ERROR ") :].partition(": ") if errors else ("", "", "")
            yield Statement(sql.strip(), (state, text) if errors else None, "\n".join(rows) or None)
            sql, answers_shown = "", []
        sql += f"{line}\n" if line.strip() else ""


def run(connection: Connection, script: str, *, passing: bool = False) -> None:
    """Each statement answers as the page says; or, `passing`, without an error, whatever it says."""
    for statement in statements(script):
        found: tuple[str, str] | None = None
        rows: str | None = None
        try:
            with connection.begin_nested() if connection.in_transaction() else connection.begin():
                result = connection.exec_driver_sql(
                    statement.sql, execution_options={"no_parameters": True}
                )
                if result.returns_rows:
                    rows = "\n".join(", ".join(map(str, row)) for row in result)
        except DBAPIError as error:
            diagnosis = error.orig.diag
            found = (diagnosis.sqlstate, diagnosis.message_primary)
        assert found == (None if passing else statement.error), statement.sql
        if statement.rows is not None and not passing:
            assert rows == statement.rows, statement.sql


def there(project: Project, page: Page) -> None:
    """The database as the page has it."""
    with project.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements(page.block("database")):
            try:
                connection.exec_driver_sql(statement.sql)
                found = None
            except DBAPIError as error:
                found = (error.orig.diag.sqlstate, error.orig.diag.message_primary)
            assert found == statement.error


def answers(project: Project, script: str, *, passing: bool = False) -> None:
    """Run in one transaction, which is rolled back."""
    with project.engine.connect() as connection:
        transaction = connection.begin()
        run(connection, script, passing=passing)
        transaction.rollback()


def fixed(model: str, lines: str) -> str:
    """The model with those lines in place of its own of the same name, or below the table's."""
    source = model
    for line in lines.splitlines():
        name = re.split(r"[:=]", line)[0].strip()
        source, replaced = re.subn(
            rf"^    {name}\s*[:=].*", lambda _, line=line: f"    {line}", source, flags=re.MULTILINE
        )
        if not replaced:
            source = re.sub(
                r"^    __tablename__.*",
                lambda m, line=line: f"{m[0]}\n    {line}",
                source,
                flags=re.MULTILINE,
            )
    return source


def migrate(project: Project, functions: str) -> None:
    """A revision of a person's."""
    (project.path / "migrations" / "versions" / "p.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision = 'p'\ndown_revision = None\n\n{functions}"
    )


WITH_ANSWERS = [page for page in PAGES.values() if page.block("server")]
WITH_REFUSALS = [page for page in PAGES.values() if page.block("refusal")]
WAYS_OUT = [
    pytest.param(page, way, id=f"{page.code}-{number}")
    for page in WITH_ANSWERS
    for number, way in enumerate(page.ways_out(), 1)
    if page.code != "rival-unique-key"
]


def test_the_pages_of_scan_show_source() -> None:
    """No others do."""
    shown = {page.code for page in PAGES.values() if page.block("before")}
    assert shown == OF_SOURCE


def test_all_but_three_pages_show_what_a_server_answers() -> None:
    """The three are about no statement."""
    assert set(PAGES) - {page.code for page in WITH_ANSWERS} == {
        "unknown-dialect",
        "unread-file",
        "stale-ignore",
    }


@pytest.mark.parametrize("page", WITH_ANSWERS, ids=lambda page: page.code)
def test_the_server_answers_as_the_page_says(project: Project, page: Page) -> None:
    """SQLSTATE and text, or the rows where it is silent; and the guard reports the page's code."""
    there(project, page)
    answers(project, page.block("server"))

    if page.block("model"):
        project.models(page.block("model"))
        said = project.check().said
        reports = "autogenerate" in CODES[page.code].commands and page.code not in ELSEWHERE
        assert (page.code in said) == reports, said


@pytest.mark.parametrize(("page", "way"), WAYS_OUT)
def test_the_way_out_leads_out(project: Project, page: Page, way: WayOut) -> None:
    """The migration runs, the upsert passes, the guard is content; and the way back is one."""
    if "deduplicate" in way.migration and not hasattr(Operations, "deduplicate_upsert_key"):
        pytest.skip("op.deduplicate_upsert_key is not in this tree yet")
    there(project, page)
    project.models(fixed(page.block("model"), way.fixed))
    if way.migration:
        migrate(project, way.migration)
        project.upgrade()

    if way.after:
        answers(project, way.after)
    else:
        answers(project, page.block("server"), passing=True)

    if page.code not in NEVER_CLEAN:
        check = project.check()
        assert check.code == 0, check.said
    if way.migration:
        project.downgrade()
        project.upgrade()


@pytest.mark.parametrize("page", WITH_REFUSALS, ids=lambda page: page.code)
def test_the_rows_are_refused_as_the_page_says(project: Project, page: Page) -> None:
    """As the report says it."""
    there(project, page)
    (way,) = [way for way in page.ways_out() if "op.validate_upsert_key" in way.migration]
    (check,) = re.findall(r"op\.validate_upsert_key\(.*\)", way.migration)
    migrate(project, f"def upgrade():\n    {check}\n")

    assert page.block("refusal").strip() in project.alembic("upgrade", "head").said


# -- what the source says


@pytest.mark.parametrize("code", [page.code for page in PAGES.values() if page.block("before")])
def test_the_source_line_is_reported_before_and_not_after(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ``scan`` itself, on the page's own model."""
    page = PAGES[code]
    model = page.block("model")
    (mapped,) = re.findall(r"^class (\w+)", model, re.MULTILINE)
    monkeypatch.syspath_prepend(str(tmp_path))

    def codes_of(source: str, models: str) -> set[str]:
        (tmp_path / "shown.py").write_text(MODULE.replace("{base}", "pass") + models)
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, "shown", raising=False)
        metadata = importlib.import_module("shown").Base.metadata
        (tmp_path / "service.py").write_text(
            dedent(f"""\
                from alembic_upsert_guard import conflict_target
                from sqlalchemy.dialects.postgresql import insert
                from shown import {mapped}
            """)
            + source
        )
        return {f.code for f in scan([tmp_path / "service.py"], declared_tables(metadata)).findings}

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert codes_of(page.block("before"), model) == {code}
    comment = f"# upsert-guard: ignore[{code}]"
    commented = re.sub(r"(insert\(.*)", rf"\1  {comment}", page.block("before"))
    assert codes_of(commented, model) == set()
    assert (
        codes_of(page.block("instead"), fixed(model, "".join(w.fixed for w in page.ways_out())))
        == set()
    )


def test_mariadb_answers_as_the_page_says(mariadb_project: Project) -> None:
    """In silence: the other key's row is updated. The guard reports the rival, and not any more after the way out."""
    page = PAGES["rival-unique-key"]
    there, upsert = (block.text for block in page.blocks if block.name == "mariadb")
    rows = "SELECT ext, name FROM accounts ORDER BY ext"
    mariadb_project.sql(*(statement.sql for statement in statements(there)))
    mariadb_project.sql(upsert)
    assert mariadb_project.rows(rows) == [(1, "new")]
    mariadb_project.models(page.block("model"))
    assert page.code in mariadb_project.check().said

    (way,) = page.ways_out()
    migrate(mariadb_project, way.migration)
    mariadb_project.upgrade()
    mariadb_project.models(fixed(page.block("model"), way.fixed))
    check = mariadb_project.check()
    assert check.code == 0, check.said
    assert page.code not in check.said
    mariadb_project.sql(upsert)
    assert mariadb_project.rows(rows) == [(1, "new"), (9, "new")]
    mariadb_project.sql("DELETE FROM accounts WHERE ext = 9")
    mariadb_project.downgrade()


def test_sqlite_answers_as_the_pages_say() -> None:
    """What they quote of it."""
    with create_engine("sqlite://").connect() as connection:
        for sql, text in [
            ("CREATE TABLE t (a int, b int)", None),
            (
                "INSERT INTO t VALUES (1, 1) ON CONFLICT (a) DO NOTHING",
                "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint",
            ),
            ("INSERT INTO invoices VALUES (1)", "no such table: invoices"),
            ("INSERT INTO t VALUES (1, 1), (1, 1)", None),
            ("CREATE UNIQUE INDEX u ON t (a)", "UNIQUE constraint failed"),
            ("CREATE UNIQUE INDEX p ON t (b) WHERE a > 5", None),
            (
                "INSERT INTO t VALUES (1, 1) ON CONFLICT (b) WHERE a > 10 DO NOTHING",
                "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint",
            ),
            ("CREATE TABLE c (a text)", None),
            ("CREATE UNIQUE INDEX n ON c (a)", None),
            ("INSERT INTO c VALUES ('a') ON CONFLICT (a) DO NOTHING", None),
            (
                "INSERT INTO c VALUES ('a') ON CONFLICT (a COLLATE NOCASE) DO NOTHING",
                "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint",
            ),
        ]:
            if text is None:
                connection.exec_driver_sql(sql)
            else:
                with pytest.raises(DBAPIError, match=re.escape(text)):
                    connection.exec_driver_sql(sql)
