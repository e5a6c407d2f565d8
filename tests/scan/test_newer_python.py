"""Files of a later Python: parsed by another interpreter, whose answer is plain data, and rebuilt as our own nodes."""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.findings import FindingCode
from alembic_upsert_guard.upserts.scan import DeclaredTables, newer_python, scan
from alembic_upsert_guard.upserts.scan.newer_python import (
    NewerPython,
    NewerSyntaxError,
    find_newer_python,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_upsert_guard.upserts.scan import ScanReport

OWN = Path(newer_python.__file__).parents[2]
LATER = """\
type Rows = list[dict]
def save[T: (int, str)](db, rows: Rows, row: T):
    # upsert-guard: ignore[undeclared-upsert]
    db.execute(f"INSERT INTO users (email) VALUES ({row["email"]}) ON CONFLICT (email) DO NOTHING")
"""


@pytest.fixture
def own_python(monkeypatch: pytest.MonkeyPatch) -> Iterator[NewerPython]:
    """This interpreter, taken for a later one."""
    monkeypatch.setattr(newer_python, "sys", SimpleNamespace(version_info=(3, 9)))
    python = NewerPython([sys.executable])
    yield python
    python.close()


def test_what_comes_back_is_what_was_parsed(own_python: NewerPython) -> None:
    """Every file of a folder, with the place of each node, by one process."""
    files = sorted((OWN / "upserts" / "scan").rglob("*.py"))
    assert len(files) > 50
    for path in files:
        source = path.read_bytes()
        tree = own_python.parse(source)
        assert tree is not None
        assert _dumped(tree) == _dumped(ast.parse(source))


@pytest.mark.parametrize(
    "literal",
    ["1e400", "2.5", "2j", "10**9", f"0x{'f' * 900}", "b'\\xff'", "'\\udc80'", "...", "None"],
)
def test_constants_keep_their_value_and_type(own_python: NewerPython, literal: str) -> None:
    """Whatever JSON would make of them."""
    source = f"x = {literal}".encode()
    tree = own_python.parse(source)
    assert tree is not None
    assert _dumped(tree) == _dumped(ast.parse(source))


def test_what_it_refuses_is_refused(own_python: NewerPython) -> None:
    """With its version, message and line; the next file is read."""
    with pytest.raises(NewerSyntaxError) as refused:
        own_python.parse(b"x = 1\nprint 'x'\n")
    assert refused.value.lineno == 2
    assert refused.value.version == "{}.{}".format(*sys.version_info)
    assert own_python.parse(b"x = 1") is not None


@pytest.mark.parametrize(
    "script",
    [
        "exit 3",
        "echo 'not found' >&2; exit 127",
        "echo 3; echo 'no'",
        "printf '7\\n[3, 99]'; exit 0",
        "printf '7\\n[3, 99]7\\n[1, 2]]'; cat",
        'printf \'7\\n[3, 99]34\\n{"tree": {"is": "parse", "a": 1}}\'; cat',
        "printf '7\\n[3, 99]'; exec sleep 60",
        "exec sleep 60",
    ],
)
def test_an_interpreter_that_gives_no_tree_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """It ends, it says something else, it says nothing: the file is not read, and no error is raised."""
    monkeypatch.setattr(newer_python, "_SECONDS", 0.3)
    monkeypatch.setattr(newer_python, "_BEGINNING", 2.0 if "printf" in script else 0.3)
    python = NewerPython([executable(tmp_path / "python3.99", script)])

    assert python.parse(b"x = 1") is None
    assert python.parse(b"x = 1") is None


def test_an_earlier_one_is_none() -> None:
    """And nor is the same version."""
    assert NewerPython([sys.executable]).is_later() is False


def test_none_inside_of_the_tree_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether its folder is there, or a link leads there; its twin outside is found."""
    inside, outside, linked = tmp_path / "tree" / "bin", tmp_path / "bin", tmp_path / "links"
    for folder in (inside, outside, linked):
        folder.mkdir(parents=True)
    executable(inside / "python3.29", "touch ran")
    (linked / "python3.29").symlink_to(inside / "python3.29")
    monkeypatch.setenv("PATH", f"{inside}:{linked}:relative:")
    assert find_newer_python([str(tmp_path / "tree")]) is None

    executable(outside / "python3.29", "")
    monkeypatch.setenv("PATH", f"{inside}:{linked}:{outside}")
    found = find_newer_python([str(tmp_path / "tree")])
    assert found is not None
    assert found.identity.startswith(f"{outside}/python3.29 ")


def test_a_file_of_a_later_python_is_read(tmp_path: Path) -> None:
    """With its upserts and comments, and no unread file; without the other interpreter it is one."""
    python = later_python()
    (tmp_path / "a.py").write_text(LATER)

    report = scanned(tmp_path, python)
    assert [(j.upsert.table_name, j.upsert.place.line) for j in report.upserts] == [("users", 4)]
    if sys.version_info < (3, 12):
        twin = scanned(tmp_path, None)
        assert [f.code for f in twin.findings] == [FindingCode.UNREAD_FILE]


def test_what_neither_takes_names_the_later_version(tmp_path: Path) -> None:
    """The message is its own."""
    python = later_python()
    (tmp_path / "a.py").write_text(LATER.replace("type Rows", "typo Rows"))

    (finding,) = scanned(tmp_path, python).findings
    assert finding.code is FindingCode.UNREAD_FILE
    assert f"it does not parse as Python 3.{sys.version_info.minor}:" not in finding.fact


# -- what the tests are made of


def executable(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def later_python() -> NewerPython:
    """One of this machine; the test is skipped where there is none."""
    names = [f"python3.{minor}" for minor in range(20, max(sys.version_info.minor, 11), -1)]
    versions = sorted(Path.home().glob(".pyenv/versions/*/bin/python3.??"))
    paths = [
        *filter(None, map(shutil.which, names)),
        *(str(p) for p in versions if p.name in names),
    ]
    python = NewerPython(paths)
    if not python.is_later():
        pytest.skip("there is no Python later than 3.12 and than this one")
    return python


def scanned(folder: Path, python: NewerPython | None) -> ScanReport:
    return scan([folder], DeclaredTables(()), newer_python=python)


def _dumped(tree: ast.AST) -> str:
    return ast.dump(tree, include_attributes=True)
