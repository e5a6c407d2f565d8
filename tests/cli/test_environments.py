"""Several Alembic environments in one tree: each upsert is held against the models of its own."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.command.project import find_project
from alembic_upsert_guard.command.scan import ScanOptions, Writing, scan_project
from alembic_upsert_guard.command.scan_cache import CacheOptions
from alembic_upsert_guard.errors import CannotRunError

if TYPE_CHECKING:
    from pathlib import Path

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
        ("name = 'a'", "an environment has a config, which is a path"),
        ("config = 'a'\npath = 'b'", "an environment has the unknown key path: there are config, "),
        ("config = 'a'\npaths = 'b'", "paths of .* is a list of strings"),
    ],
)
def test_what_an_environment_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, message: str
) -> None:
    """Exit 2, with the reason."""
    (tmp_path / "pyproject.toml").write_text(f"[[tool.upsert_guard.environments]]\n{entry}\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(CannotRunError, match=message):
        scan_project(find_project([]), OPTIONS)
