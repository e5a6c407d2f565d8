"""``upsert-guard scan``: the sample project's five systems, the models it is held against, and what cannot be read."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

import sample_project
from tests.cli.commands import ACCOUNT, could_not_run, guard, heads, report
from tests.project import Project
from tests.scan.test_sample_project import MODELLED, UPSERTS

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE = """
from sqlalchemy.dialects.postgresql import insert
from models import Account

def remember(session, tenant, email):
    session.execute(insert(Account).on_conflict_do_nothing(index_elements=["tenant", "email"]))

def forget(session, email):
    session.execute(
        insert(Account).on_conflict_do_nothing(index_elements=["email"])
    )
"""


@pytest.fixture
def service(sqlite_project: Project) -> Project:
    """A project with a declared and an undeclared upsert; its database does not exist."""
    project = sqlite_project
    project.models(ACCOUNT)
    project.url = "postgresql://nobody@/nowhere?host=/nonexistent"
    (project.path / "service.py").write_text(SERVICE)
    return project


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[Project]:
    """The sample project's code; no database is there."""
    project = Project(tmp_path / "project", "postgresql:///nowhere")
    shutil.rmtree(project.path)
    shutil.copytree(
        Path(sample_project.__file__).parent,
        project.path,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    project.environment["DATABASE_URL"] = "postgresql://nobody@/nowhere?host=/nonexistent"
    yield project
    project.dispose()


def test_the_sample_projects_systems(sample: Project) -> None:
    """Each call site at its line, the undeclared ones named; without a database, and nothing is left behind."""
    before = sorted(sample.path.rglob("*.sql")) + sorted(sample.path.glob("[!.]*"))
    scanned = report(sample, "scan", "app", "migrations", "web")

    found = [
        (s["path"], s["line"], s["table"], tuple(s["elements"])) for s in scanned.call_sites or []
    ]
    assert found == UPSERTS
    resolutions = {s["table"]: s["resolution"] for s in scanned.call_sites or []}
    assert {t for t, r in resolutions.items() if r == "modelled"} == set(MODELLED)
    assert set(resolutions.values()) == {"modelled", "undeclared"}
    assert scanned.code == 1
    assert [(f["code"], f["location"]) for f in scanned.findings] == [
        ("undeclared-upsert", {"path": path, "line": line}) for path, line, _, _ in UPSERTS
    ]
    assert sorted(sample.path.rglob("*.sql")) + sorted(sample.path.glob("[!.]*")) == before

    ran = guard(sample, "scan", "app", "migrations", "web")
    lines = ran.out.splitlines()
    assert lines[0].startswith("app/exam_answers.py:31:37: error[undeclared-upsert]: ")
    assert lines[2:4] == [
        '31 |     supabase.table("user_mistakes").upsert(',
        "   |                                     ^^^^^^",
    ]
    assert lines[-1].startswith("8 upserts in ")
    assert lines[-1].endswith(" files: 4 errors, 4 warnings.")


def test_the_sample_project_is_clean_after_declaring(sample: Project) -> None:
    """With the keys that the hints name."""
    lines = [
        f"declare_upsert_key(Base.metadata.tables[{table!r}], {', '.join(map(repr, elements))})"
        for _, _, table, elements in UPSERTS
    ]
    package = sample.path / "app" / "models" / "__init__.py"
    package.write_text(
        package.read_text()
        + "\nfrom alembic_upsert_guard import declare_upsert_key\n"
        + "\n".join(lines)
        + "\n"
    )
    scanned = report(sample, "scan", "app", "migrations", "web")
    assert (scanned.code, scanned.findings) == (0, [])
    assert {s["resolution"] for s in scanned.call_sites or []} == {"declared"}


def test_the_models_that_env_configures(service: Project) -> None:
    """Without a database; the line to paste, at its place."""
    ran = guard(service, "scan", "service.py")

    assert ran.code == 1
    assert ran.out.splitlines()[0].startswith(
        "service.py:10:25: error[undeclared-upsert]: upsert key accounts (email) is declared by no model"
    )
    assert "Write **conflict_target(Account); or, where the upsert is right, " in ran.out
    assert 'add UpsertKey("email") to __table_args__ of class Account (models)' in ran.out
    assert ran.out.splitlines()[-1] == "2 upserts in 1 file: 1 error."


@pytest.mark.parametrize("named", ["models:Base", "models:Base.metadata", "models:Account"])
def test_named_models(service: Project, named: str) -> None:
    """--metadata: env.py is not run, and need not be there."""
    shutil.rmtree(service.path / "migrations")
    (service.path / "alembic.ini").unlink()
    service.edit("models.py", "\nimport sqlalchemy", "\nprint('noise')\nimport sqlalchemy")
    scanned = report(service, "scan", "service.py", "--metadata", named)
    assert [s["resolution"] for s in scanned.call_sites or []] == ["declared", "undeclared"]
    assert "noise" in scanned.err


def test_models_of_several_bases(service: Project) -> None:
    """--metadata for each; with one of them the table of the other is not known."""
    models = (service.path / "models.py").read_text()
    (service.path / "others.py").write_text(models.replace("accounts", "others"))
    (service.path / "code.py").write_text(
        "from sqlalchemy.dialects.postgresql import insert\n"
        "import models, others\n"
        "insert(models.Account).on_conflict_do_nothing(index_elements=['tenant', 'email'])\n"
        "insert(others.Account).on_conflict_do_nothing(index_elements=['tenant', 'email'])\n"
    )
    names = ("--metadata", "models:Base", "--metadata", "others:Base")
    for asked, expected in ((names, "declared"), (names[:2], "undeclared")):
        scanned = report(service, "scan", "code.py", *asked)
        resolutions = [site["resolution"] for site in scanned.call_sites or []]
        assert resolutions == ["declared", expected]


def test_named_models_are_found_where_alembic_finds_them(service: Project) -> None:
    """prepend_sys_path."""
    (service.path / "src").mkdir()
    (service.path / "models.py").rename(service.path / "src" / "models.py")
    service.edit("alembic.ini", "[alembic]\n", "[alembic]\nprepend_sys_path = %(here)s/src\n")
    scanned = report(service, "scan", "service.py", "--metadata", "models:Base")
    assert len(scanned.call_sites or []) == 2


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("models", "--metadata models: write module:attribute, such as app.models:Base"),
        ("models:", "--metadata models:: write module:attribute, such as app.models:Base"),
        ("nowhere:Base", "--metadata nowhere:Base: ModuleNotFoundError: No module named 'nowhere'"),
        ("models:Nobody", "--metadata models:Nobody: AttributeError: module 'models' has no"),
        ("models:sa.func", "--metadata models:sa.func is a"),
        ("ends:Base", "--metadata ends:Base: SystemExit: 0 (ends.py:1)"),
        ("broken:Base", "--metadata broken:Base: SyntaxError: "),
    ],
)
def test_models_that_cannot_be_imported(service: Project, named: str, message: str) -> None:
    """Exit 2 with the reason; a module that ends the process ends nothing here."""
    (service.path / "ends.py").write_text("raise SystemExit(0)\n")
    (service.path / "broken.py").write_text("class\n")
    assert could_not_run(service, "scan", "service.py", "--metadata", named).startswith(message)


def test_what_cannot_be_read_is_said_and_the_rest_is_scanned(service: Project) -> None:
    """A syntax error with its line, a binary file, another encoding, a link into a circle, a large file, a socket."""
    tree = service.path / "tree"
    tree.mkdir()
    shutil.copy(service.path / "service.py", tree / "a.py")
    (tree / "syntax.py").write_text("x = 1\ninsert(t).on_conflict_do_nothing(\n")
    (tree / "binary.py").write_bytes(b"\0\1\2 on_conflict_do_nothing")
    (tree / "latin.py").write_bytes(b'on_conflict_do_nothing("\xe9")\n')
    with (tree / "large.sql").open("wb") as large:
        large.write(b"ON CONFLICT")
        large.truncate(50 * 1024 * 1024)
    (tree / "loop").symlink_to(tree)
    (tree / "gone.py").symlink_to(tree / "nowhere.py")

    ran = guard(service, "scan", "tree")
    assert ran.code == 1
    assert [line for line in ran.err.splitlines() if "left out" in line] == [
        "tree/gone.py: left out: it is a link that leads nowhere",
        "tree/loop: left out: it is a link to a folder that it is in, and is not followed",
    ]
    # without columns, which are those of what can be shown
    lines = [re.sub(r"^([^:]+:\d+):\d+: ", r"\1: ", head) for head in heads(ran.out)]
    last = ran.out.splitlines()[-1]
    unknown = "what this file holds is not known: "
    begin = [
        "tree/a.py:10: error[undeclared-upsert]: ",
        f"tree/binary.py:1: error[unread-file]: {unknown}it is binary",
        f"tree/large.sql:1: error[unread-file]: {unknown}it has 50 MB, and files of more than 8 MB",
        f"tree/latin.py:1: error[unread-file]: {unknown}it ",
        f"tree/syntax.py:2: error[unread-file]: {unknown}it does not parse as Python 3.",
    ]
    assert len(lines) == len(begin)
    assert all(map(str.startswith, lines, begin)), lines
    assert last == "2 upserts in 5 files, 2 left out: 5 errors."
    found = report(service, "scan", "tree").findings
    assert [f["location"]["path"] for f in found if f["code"] == "unread-file"] == [
        "tree/binary.py",
        "tree/large.sql",
        "tree/latin.py",
        "tree/syntax.py",
    ]
    assert "::error file=tree/syntax.py,line=2,title=unread-file::" in (
        guard(service, "scan", "tree", "--format", "github").out
    )


def test_a_path_that_does_not_exist(service: Project) -> None:
    """Nothing is scanned: a misspelt path must not pass."""
    assert could_not_run(service, "scan", "service.py", "servise.py") == (
        "there is no file or folder servise.py"
    )


def test_without_the_parsers(service: Project) -> None:
    """The extra is named."""
    (service.path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['postgast'] = None\nsys.modules['tree_sitter'] = None\n"
    )
    assert could_not_run(service, "scan", "service.py").endswith(
        "pip install 'alembic-upsert-guard[scan]'"
    )
    assert guard(service, "explain", "missing-arbiter").code == 0


def test_a_comment_suppresses_where_it_is(service: Project) -> None:
    """One that suppresses nothing is a finding, at its line, in its place among the others."""
    service.edit(
        "service.py", '["email"])', '["email"])  # upsert-guard: ignore[undeclared-upsert]'
    )
    scanned = report(service, "scan", "service.py")
    assert (scanned.code, scanned.findings) == (0, [])
    assert [s["resolution"] for s in scanned.call_sites or []] == ["declared", "undeclared"]

    service.edit("service.py", "ignore[undeclared-upsert]", "ignore[bound-predicate]")
    service.edit(
        "service.py", "def forget", "# upsert-guard: ignore[unresolved-upsert]\ndef forget"
    )
    scanned = report(service, "scan", "service.py")
    assert [(f["code"], f["location"]["line"]) for f in scanned.findings] == [
        ("stale-ignore", 8),
        ("undeclared-upsert", 11),
        ("stale-ignore", 11),
    ]
    assert scanned.findings[0]["fact"] == (
        "the comment that ignores unresolved-upsert matches nothing"
    )


def test_env_that_fails_offline_says_the_other_way(service: Project) -> None:
    """--metadata needs no env.py."""
    service.edit("migrations/env.py", "url=url, literal", "url=os.environ['NOT_SET'], literal")
    said = could_not_run(service, "scan", "service.py")
    assert said == (
        "env.py did not run to its end: KeyError: 'NOT_SET' (migrations/env.py:14); "
        "name the models with --metadata module:attribute"
    )


def test_a_file_named_by_bytes(service: Project) -> None:
    """A name that is no UTF-8 is printed all the same, in text and in JSON."""
    if sys.platform == "darwin":
        pytest.skip("its file systems take no such name")
    shutil.copy(service.path / "service.py", os.fsencode(service.path) + b"/caf\xe9.py")
    (service.path / "service.py").unlink()
    assert "caf\\udce9.py:10:25: " in guard(service, "scan", ".").out
    assert "caf\udce9.py" in [
        Path(s["path"]).name for s in report(service, "scan", ".").call_sites or []
    ]


def test_without_models_upserts_are_read_and_judged_by_nothing(service: Project) -> None:
    """Neither configuration nor --metadata: no finding, exit 0, and the summary says how to go on."""
    shutil.rmtree(service.path / "migrations")
    (service.path / "alembic.ini").unlink()
    (service.path / "models.py").unlink()
    (service.path / "pyproject.toml").write_text(
        "[[tool.upsert_guard.ignore]]\ncode = 'undeclared-upsert'\ntable = 'x'\nreason = 'y'\n"
    )
    (service.path / "service.py").write_text(
        "SQL = 'INSERT INTO accounts (email) VALUES (%s) ON CONFLICT (email) DO NOTHING'\n"
        "def save(t): client.table(t).upsert({}, on_conflict='a')  # upsert-guard: ignore[undeclared-upsert]\n"
    )

    scanned = report(service, "scan", "--strict", ".")
    assert (scanned.code, scanned.findings) == (0, [])
    assert [(s["table"], s["resolution"]) for s in scanned.call_sites or []] == [
        ("accounts", "read"),
        (None, "unresolved"),
    ]
    said = guard(service, "scan", "service.py", "--strict")
    assert said.code == 0
    assert said.out == (
        "service.py:2: cannot be read: t comes in as a parameter\n\n"
        "2 upserts in 1 file, 1 that cannot be read: there are no models to hold them against; name them "
        "(--metadata module:attribute), or ask a database (upsert-guard check --database URL --code service.py).\n"
    )


def test_a_schema_of_run_time_is_none_of_the_default_one(service: Project) -> None:
    """Table and target are read; the JSON says that a schema is named and not which, and null is that none is."""
    shutil.rmtree(service.path / "migrations")
    (service.path / "alembic.ini").unlink()
    (service.path / "service.py").write_text(
        "def save(cursor, settings):\n"
        "    cursor.execute(f'INSERT INTO {settings.schema}.users (a) VALUES (1) ON CONFLICT (a) DO NOTHING')\n"
        "    cursor.execute('INSERT INTO users (a) VALUES (1) ON CONFLICT (a) DO NOTHING')\n"
    )

    scanned = report(service, "scan", "service.py")

    assert scanned.findings == []
    assert [
        (s["schema"], s["table"], s["elements"], s["resolution"]) for s in scanned.call_sites or []
    ] == [("?", "users", ["a"], "read"), (None, "users", ["a"], "read")]


def test_without_models_a_file_that_cannot_be_read_is_reported(service: Project) -> None:
    """What it holds is not known, whatever other files hold."""
    shutil.rmtree(service.path / "migrations")
    (service.path / "alembic.ini").unlink()
    (service.path / "broken.py").write_text("def save(:\n    'ON CONFLICT (email)'\n")

    scanned = report(service, "scan", ".")

    assert [(s["table"], s["resolution"]) for s in scanned.call_sites or []]
    assert [f["code"] for f in scanned.findings] == ["unread-file"]
    assert scanned.code == 1


def test_without_models_and_without_upserts_nothing_is_asked_for(service: Project) -> None:
    """A folder that upserts nothing needs neither models nor a database."""
    (service.path / "alembic.ini").unlink()
    (service.path / "service.py").write_text("print('no such thing')\n")

    assert guard(service, "scan", "service.py").out == "0 upserts in 1 file: nothing to do.\n"


def test_a_folder_without_files_is_told_from_one_without_upserts(service: Project) -> None:
    """The folder may be the wrong one."""
    (service.path / "empty").mkdir()

    assert guard(service, "scan", "empty").out == (
        "0 upserts in 0 files: no file of Python, TypeScript, JavaScript or SQL is there.\n"
    )


def test_alembics_talk_of_migrations_is_left_out(service: Project) -> None:
    """Nothing is migrated; what env.py logs itself is on standard error, as ever."""
    log = "import logging; logging.basicConfig(level='INFO'); logging.info('of my own')"
    service.edit("migrations/env.py", "\nimport os\n", f"\n{log}\nimport os\n")

    ran = guard(service, "scan", "service.py")

    assert "of my own" in ran.err
    assert "alembic.runtime" not in ran.err


def test_a_configuration_without_models_is_no_scan(service: Project) -> None:
    """An empty env.py must not pass: the two ways on are named."""
    service.edit("migrations/env.py", "target_metadata=", "target_metadata=None and ")
    assert could_not_run(service, "scan", "service.py") == (
        "env.py configures no target_metadata; name the models with --metadata module:attribute, or ask a database: "
        "upsert-guard check --database URL --code PATH"
    )


DEFAULT = make_url("postgresql://").get_driver_name()
"""The driver of a URL that names none: psycopg from SQLAlchemy 2.1 on."""

BOUND = """
from sqlalchemy.dialects.postgresql import insert
from models import Account

def remember(session):
    session.execute(insert(Account).on_conflict_do_nothing(index_elements=["email"], index_where=Account.email > ""))
"""


@pytest.mark.parametrize(
    ("driver", "severity"),
    [
        ("postgresql+psycopg", "error"),
        ("postgresql+psycopg2", "warning"),
        ("postgresql", "error" if DEFAULT == "psycopg" else "warning"),
        ("sqlite", "warning"),
    ],
)
@pytest.mark.parametrize("metadata", [[], ["--metadata", "models:Base"]], ids=["env", "named"])
def test_a_bound_predicate_is_an_error_where_the_driver_prepares(
    service: Project, driver: str, severity: str, metadata: list[str]
) -> None:
    """As env.py connects, or as sqlalchemy.url says where env.py is not run."""
    (service.path / "service.py").write_text(BOUND)
    service.url = f"{driver}://"
    service.edit("alembic.ini", "sqlalchemy.url =", f"sqlalchemy.url = {driver}://")

    scanned = report(service, "scan", "service.py", *metadata)
    found = [f["severity"] for f in scanned.findings if f["code"] == "bound-predicate"]
    assert found == [severity]
