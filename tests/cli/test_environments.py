"""Several Alembic environments in one tree: each upsert is held against the models of its own."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.command.project import find_project
from alembic_upsert_guard.command.scan import ScanOptions, Writing, scan_project
from alembic_upsert_guard.command.scan_cache import CacheOptions
from alembic_upsert_guard.errors import CannotRunError

if TYPE_CHECKING:
    from alembic_upsert_guard.command.project import Project

ENV = """\
from alembic import context
from app.models import Base
context.configure(url="postgresql+psycopg2://", target_metadata=Base.metadata)
context.run_migrations()
"""
MODELS = """\
from sqlalchemy import Column, Integer, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase
class Base(DeclarativeBase): pass
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    email = Column(Text, unique={email})
    phone = Column(Text, unique={phone})
Table({own!r}, Base.metadata, Column("id", Integer, primary_key=True))
"""
BY_CLASS = """\
from sqlalchemy.dialects.postgresql import insert
from app.models import User
insert(User).on_conflict_do_nothing(index_elements=[User.email])
"""
SQL = "INSERT INTO {} VALUES (1) ON CONFLICT ({}) DO NOTHING;\n"
SETTINGS = """\
[[tool.upsert_guard.environments]]
config = "one/alembic.ini"
[[tool.upsert_guard.environments]]
config = "two/deploy/alembic.ini"
name = "second"
paths = ["two"]
"""
OPTIONS = ScanOptions(
    paths=(".",),
    metadata=(),
    writing=None,
    primary_keys=False,
    cache=CacheOptions(is_used=False),
    migrations=False,
    python=None,
    quiet=True,
)


def tree(folder: Path) -> None:
    """Two services with a package of the same name, and a folder that both use."""
    for service, ini, section in (("one", "", "alembic"), ("two", "deploy/", "second")):
        email = service == "one"
        models = MODELS.format(email=email, phone=not email, own=f"of_{service}")
        for name, text in {
            f"{ini}alembic.ini": f"[{section}]\nscript_location = %(here)s/alembic\nprepend_sys_path = "
            f"{folder / service}\n",
            f"{ini}alembic/env.py": ENV,
            "app/__init__.py": "",
            "app/models.py": models,
            "app/store.py": BY_CLASS,
            "own.sql": SQL.format("users", "phone"),
            "other.sql": SQL.format("of_one", "id"),
            "nobody.sql": SQL.format("of_three", "id"),
        }.items():
            path = folder / service / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    shared = folder / "shared"
    shared.mkdir()
    (shared / "either.sql").write_text(SQL.format("users", "phone"))
    (shared / "neither.sql").write_text(SQL.format("users", "id, email"))
    (folder / "pyproject.toml").write_text(SETTINGS)


@pytest.mark.slow
def test_each_is_held_against_the_models_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables of another environment are its own; outside of the folders an error is one in both."""
    tree(tmp_path)
    monkeypatch.chdir(tmp_path)

    report = scan_project(find_project([]), OPTIONS)

    assert {os.path.normpath(s["path"]): s["resolution"] for s in report.call_sites or ()} == {
        "one/app/store.py": "modelled",
        "two/app/store.py": "undeclared",
        "one/own.sql": "undeclared",
        "two/own.sql": "modelled",
        "one/other.sql": "modelled",
        "two/other.sql": "modelled",
        "one/nobody.sql": "undeclared",
        "two/nobody.sql": "undeclared",
        "shared/either.sql": "modelled",
        "shared/neither.sql": "undeclared",
    }


def one_environment(folder: Path, env: str) -> None:
    (folder / "one" / "alembic").mkdir(parents=True)
    (folder / "one" / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\n")
    (folder / "one" / "alembic" / "env.py").write_text(env)
    (folder / "one" / "own.sql").write_text(SQL.format("users", "id"))
    (folder / "pyproject.toml").write_text(
        SETTINGS.partition('[[tool.upsert_guard.environments]]\nconfig = "two')[0]
    )


CONFIGURED = """\
from alembic import context
from sqlalchemy import Column, Integer, MetaData, Table
models = MetaData()
Table({table}, models, Column("id", Integer, primary_key=True))
context.configure(url="postgresql+psycopg2://", target_metadata=models)
context.run_migrations()
"""


def resolutions(project: Project, options: ScanOptions = OPTIONS) -> list[str]:
    return [str(s["resolution"]) for s in scan_project(project, options).call_sites or ()]


def test_each_env_py_is_given_what_x_gives_and_may_print_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `alembic -x` gives it; nothing that it prints is taken for its models."""
    table = 'context.get_x_argument(as_dictionary=True)["table"]'
    late = "import atexit\natexit.register(print, 'the end')\nprint('the beginning')\n"
    one_environment(tmp_path, late + CONFIGURED.format(table=table))
    monkeypatch.chdir(tmp_path)

    assert resolutions(find_project([], x=["table=users"])) == ["modelled"]
    assert resolutions(find_project([], x=["table=others"])) == ["undeclared"]


@pytest.mark.skipif(os.name == "nt", reason="there is no fork")
@pytest.mark.parametrize(
    ("end", "expected"), [("", ["modelled"]), ("os._exit(7)\n", "its process ended with 7")]
)
def test_what_a_project_starts_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, expected: list[str] | str
) -> None:
    """A process has the output of the one that started it, and a thread keeps its process alive."""
    started = "import os, time\nif os.fork() == 0:\n    os.close(2), time.sleep(30), os._exit(0)\n"
    waits = "import threading\nthreading.Thread(target=time.sleep, args=(30,)).start()\n"
    env = started + end + waits + CONFIGURED.format(table="'users'")
    one_environment(tmp_path, env)
    monkeypatch.chdir(tmp_path)
    begun = time.monotonic()

    if isinstance(expected, str):
        with pytest.raises(CannotRunError, match=expected):
            resolutions(find_project([]))
    else:
        assert resolutions(find_project([])) == expected
    assert time.monotonic() - begun < 25


def test_the_folder_that_it_runs_in_holds_nothing_that_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder beside the configuration may be called like a package."""
    one_environment(tmp_path, CONFIGURED.format(table="'users'"))
    (tmp_path / "one" / "alembic" / "__init__.py").write_text("raise SystemExit('not this one')\n")
    (tmp_path / "one" / "json.py").write_text("raise SystemExit('nor this one')\n")
    monkeypatch.chdir(tmp_path)

    assert resolutions(find_project([])) == ["modelled"]


def test_what_fails_in_one_is_told_with_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with its place, from the folder of the configuration."""
    one_environment(tmp_path, "1 / 0\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(CannotRunError) as failed:
        scan_project(find_project([]), OPTIONS)
    assert str(failed.value).startswith(
        f"{Path('one', 'alembic.ini')}: env.py did not run to its end: ZeroDivisionError"
    )
    assert "alembic/env.py:1" in str(failed.value)


@pytest.mark.parametrize("chosen", ["-c", "-n", "--metadata"])
def test_who_asks_for_one_is_told_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    """The environments of the settings are left aside."""
    one_environment(tmp_path, "1 / 0\n")
    (tmp_path / "one" / "alembic" / "env.py").write_text(CONFIGURED.format(table="'users'"))
    (tmp_path / "pyproject.toml").write_text(SETTINGS.replace("one/alembic.ini", "nowhere.ini"))
    (tmp_path / "models_of_one.py").write_text(
        "from sqlalchemy import Column, Integer, MetaData, Table\n"
        "models = MetaData()\nTable('users', models, Column('id', Integer, primary_key=True))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])

    project = {
        "-c": find_project(["one/alembic.ini"]),
        "-n": find_project([], "other"),
        "--metadata": find_project([]),
    }[chosen]
    named = ("models_of_one:models",) if chosen == "--metadata" else ()
    # without an alembic.ini here, a section alone leads to no models
    expected = "read" if chosen == "-n" else "modelled"
    assert resolutions(project, replace(OPTIONS, metadata=named)) == [expected]


def test_declarations_are_written_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its models are imported here; a configuration that is not there is named."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(CannotRunError, match="name it with -c"):
        scan_project(find_project([]), replace(OPTIONS, writing=Writing.FIX))
    with pytest.raises(CannotRunError, match=r"there is no configuration one/alembic\.ini"):
        scan_project(find_project([]), OPTIONS)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("name = 'a'", "an environment lacks its config, the path of Alembic's configuration"),
        ("config = 'a'\nname = 1", "name of the environment a is a string"),
        ("config = 'a'\npath = 'b'", "an environment has the unknown key path: there are config, "),
        ("config = 'a'\n[tool.upsert_guard]\nmetadata = 'b'", "state it in each of environments"),
        (
            "config = 'pyproject.toml'\npaths = ['b']",
            "pyproject.toml: there is no file or folder b",
        ),
        ("config = 'a'\npaths = 'b'", "paths of the environment a is a list of strings"),
    ],
)
def test_what_an_environment_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, message: str
) -> None:
    """Exit 2, with the reason."""
    entry, _, more = entry.partition("\n[tool.upsert_guard]\n")
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.upsert_guard]\n{more}\n[[tool.upsert_guard.environments]]\n{entry}\n"
    )
    monkeypatch.chdir(tmp_path)

    with pytest.raises(CannotRunError, match=message):
        scan_project(find_project([]), OPTIONS)
