"""Several environments in one scan: a file is read by the models of its own, and its upserts are held against them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from alembic_upsert_guard.upserts.models import declared_tables
from alembic_upsert_guard.upserts.scan import scan, tree_reader
from alembic_upsert_guard.upserts.scan.cache import ScanCache
from alembic_upsert_guard.upserts.scan.environments import ScannedEnvironment

BY_KEY = """\
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert
from elsewhere import metadata
users = Table("users", metadata)
insert(users).on_conflict_do_nothing(index_elements=users.primary_key)
"""
BY_COLUMN = BY_KEY.replace("users.primary_key", "[users.c.mail]")


def environment(*folders: Path, primary_key: str, mail: str = "mail") -> ScannedEnvironment:
    """One whose users have a primary key of their own, and a unique column of the key ``mail``."""
    metadata = MetaData()
    Table(
        "users",
        metadata,
        Column(primary_key, Integer, primary_key=True),
        Column(mail, Text, key="mail", unique=True),
    )
    return ScannedEnvironment(
        declared=declared_tables(metadata), folders=tuple(map(os.path.realpath, folders))
    )


def write(folder: Path, source: str = BY_KEY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "store.py").write_text(source)
    return folder


def found(
    folder: Path, *environments: ScannedEnvironment, cache: ScanCache | None = None
) -> dict[str, tuple[str, str]]:
    """By folder the resolution of its upsert, and the elements."""
    report = scan([folder], environments, cache=cache)
    return {
        Path(each.upsert.place.path or "").parent.name: (
            str(each.resolution),
            ", ".join(each.upsert.elements or ()),
        )
        for each in report.upserts
    }


def test_a_file_is_read_by_the_models_of_its_folder(tmp_path: Path) -> None:
    """Both have a table of the name, with another primary key and other columns."""
    one, two = write(tmp_path / "one"), write(tmp_path / "two")
    environments = environment(one, primary_key="id"), environment(two, primary_key="number")

    assert found(tmp_path, *environments) == {
        "one": ("modelled", "id"),
        "two": ("modelled", "number"),
    }


def test_what_two_of_them_have_another_of_is_not_guessed(tmp_path: Path) -> None:
    """Outside of the folders of both nothing says which table of the name is meant, unless both are the same."""
    shared = write(tmp_path / "shared", BY_COLUMN)
    one = environment(tmp_path / "one", primary_key="id")

    other = environment(tmp_path / "two", primary_key="number", mail="address")
    same = environment(tmp_path / "two", primary_key="id")
    assert found(shared, one, other)["shared"][0] == "unresolved"
    assert found(shared, one, same)["shared"][0] == "modelled"


@pytest.mark.parametrize(
    ("inner", "expected"), [("outer/inner", "number"), ("outer/inner/store.py", "number")]
)
def test_the_innermost_folder_counts(tmp_path: Path, inner: str, expected: str) -> None:
    """Whatever the order of the environments; a path may be a file."""
    write(tmp_path / "outer")
    write(tmp_path / "outer" / "inner")
    of_outer = environment(tmp_path / "outer", primary_key="id")
    of_inner = environment(tmp_path / inner, primary_key="number")

    expect = {"outer": ("modelled", "id"), "inner": ("modelled", expected)}
    assert found(tmp_path, of_outer, of_inner) == expect
    assert found(tmp_path, of_inner, of_outer) == expect


def test_of_two_in_one_folder_the_better_answer_counts(tmp_path: Path) -> None:
    """Two sections of one configuration; an environment elsewhere that has the table is not asked."""
    source = "INSERT INTO users VALUES (1) ON CONFLICT ({}) DO NOTHING;\n"
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "a.sql").write_text(source.format("number"))
    elsewhere = environment(tmp_path / "elsewhere", primary_key="code")
    of_id, of_number = (environment(folder, primary_key=key) for key in ("id", "number"))

    assert found(tmp_path, of_id, of_number, elsewhere)["both"][0] == "modelled"
    (folder / "a.sql").write_text(source.format("code"))
    assert found(tmp_path, of_id, of_number, elsewhere)["both"][0] == "undeclared"


def test_what_was_kept_is_of_the_same_models_in_the_same_folders(tmp_path: Path) -> None:
    """The models of each environment count, and which folder is whose."""
    one, two = write(tmp_path / "tree" / "one"), write(tmp_path / "tree" / "two")
    cache = ScanCache(tmp_path / "cache", b"secret", "1")
    of_one, of_two = environment(one, primary_key="id"), environment(two, primary_key="number")

    def cached(*environments: ScannedEnvironment) -> dict[str, tuple[str, str]]:
        return found(tmp_path / "tree", *environments, cache=cache)

    known = cached(of_one, of_two)
    assert cached(of_one, of_two) == known
    other = environment(two, primary_key="code")
    assert cached(of_one, other)["two"] == ("modelled", "code")
    swapped = environment(two, primary_key="id"), environment(one, primary_key="number")
    assert cached(*swapped) == {"one": ("modelled", "number"), "two": ("modelled", "id")}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process is copied here")
def test_several_processes_read_by_the_same_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them knows all environments."""
    one, two = write(tmp_path / "one"), write(tmp_path / "two")
    environments = environment(one, primary_key="id"), environment(two, primary_key="number")
    alone = found(tmp_path, *environments)

    monkeypatch.setattr(tree_reader, "workers_for", lambda _: 2)

    assert found(tmp_path, *environments) == alone
