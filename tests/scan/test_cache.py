"""What a scan keeps for the next one: used where nothing changed, and never trusted where anything is wrong."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import DeclaredTables, file_reader, scan
from alembic_upsert_guard.upserts.scan.cache import ScanCache
from alembic_upsert_guard.upserts.scan.codec import decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alembic_upsert_guard.upserts.scan import ScanReport

SAVE = "INSERT INTO accounts (tenant) VALUES (1) ON CONFLICT (tenant, email) DO NOTHING;\n"
SERVICE = """\
from sqlalchemy.dialects.postgresql import insert
from names import KEYS
insert(Account).on_conflict_do_nothing(index_elements=KEYS)
"""


class Project:
    """A folder with a cache, and how many files of it were parsed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.code = folder / "code"
        self.cache = folder / "cache"
        self.code.mkdir()
        (self.code / "save.sql").write_text(SAVE)
        (self.code / "save.py").write_text(SERVICE)
        (self.folder / "names.py").write_text("KEYS = ['tenant', 'email']\n")
        self.parsed: list[str] = []
        read = file_reader.FileReader.read

        def counted(reader: file_reader.FileReader, path: str) -> file_reader.Outcome:
            self.parsed.append(path)
            return read(reader, path)

        monkeypatch.setattr(file_reader.FileReader, "read", counted)

    def scan(self, secret: bytes = b"own", versions: str = "1") -> ScanReport:
        self.parsed.clear()
        cache = ScanCache(self.cache, secret, versions)
        return scan([self.code], DeclaredTables(()), cache=cache)

    def kept(self) -> Path:
        (path,) = self.cache.glob("*.json")
        return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def elements(report: ScanReport) -> list[tuple[str, ...]]:
    """Of each upsert."""
    return [judged.upsert.elements for judged in report.upserts]


def test_the_second_scan_parses_nothing(project: Project) -> None:
    """And says the same of every file."""
    first = project.scan()
    assert len(project.parsed) == 2

    assert project.scan() == first
    assert project.parsed == []
    assert elements(first) == [("tenant", "email"), ("tenant", "email")]


CHANGES: dict[str, Callable[[Project], object]] = {
    "a file": lambda p: (p.code / "save.sql").write_text(SAVE.replace("tenant, email", "e_mail")),
    "an imported file outside": lambda p: (p.folder / "names.py").write_text("KEYS = ['x', 'y']\n"),
    "an import leads elsewhere": lambda p: (p.code / "names.py").write_text("KEYS = ['x', 'y']\n"),
    "a new file": lambda p: (p.code / "other.py").write_text("x = 1\n"),
    "a file that is gone": lambda p: (p.code / "save.sql").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_read_again(project: Project, change: str) -> None:
    """A file's own content, that of a file it imports, and which file that is."""
    before = project.scan()
    CHANGES[change](project)

    after = project.scan()

    assert project.parsed
    assert (elements(after) != elements(before)) is (change != "a new file")


@pytest.mark.parametrize("other", [{"secret": b"theirs"}, {"versions": "2"}])
def test_what_others_kept_is_not_used(project: Project, other: dict[str, str]) -> None:
    """A repository may bring a cache along; another version may read more."""
    project.scan(**other)  # type: ignore[arg-type]

    project.scan()

    assert len(project.parsed) == 2


def test_a_cache_that_hides_an_upsert_is_not_used(project: Project) -> None:
    """Whoever writes into the folder does not know the secret."""
    report = project.scan()
    signature, _, body = project.kept().read_bytes().partition(b"\n")
    document = json.loads(body)
    document["outcomes"] = dict.fromkeys(document["outcomes"])
    project.kept().write_bytes(signature + b"\n" + json.dumps(document).encode())

    assert project.scan() == report
    assert len(project.parsed) == 2


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b"\xff\n{}", b"0" * 64 + b"\n[]"])
def test_a_broken_cache_is_read_over(project: Project, content: bytes) -> None:
    """And the next scan has one again."""
    report = project.scan()
    project.kept().write_bytes(content)

    assert project.scan() == report
    assert len(project.parsed) == 2
    project.scan()
    assert project.parsed == []


def test_a_link_is_not_followed(project: Project, tmp_path: Path) -> None:
    """A cache folder that leads elsewhere is neither read nor written into."""
    (tmp_path / "elsewhere").mkdir()
    project.cache.symlink_to(tmp_path / "elsewhere")

    project.scan()

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_no_link_leads_out_of_the_project(project: Project, tmp_path: Path) -> None:
    """A folder between, as ``.upsert_guard`` is, is none either; a folder that a user names may be behind one."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    folder = tmp_path / "link" / "cache"

    scan([project.code], DeclaredTables(()), cache=ScanCache(folder, b"own", "1", tmp_path))
    assert list((tmp_path / "elsewhere").iterdir()) == []

    scan([project.code], DeclaredTables(()), cache=ScanCache(folder, b"own", "1"))
    assert [each.name for each in (tmp_path / "elsewhere").iterdir()] == ["cache"]


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what it was then would be known by what it was before."""
    read = file_reader.FileReader.read

    def edited(reader: file_reader.FileReader, path: str) -> file_reader.Outcome:
        (project.code / "save.sql").write_text(SAVE.replace("tenant, email", "email"))
        return read(reader, path)

    with monkeypatch.context() as patch:
        patch.setattr(file_reader.FileReader, "read", edited)
        assert ("email",) in elements(project.scan())
    (project.code / "save.sql").write_text(SAVE)

    assert elements(project.scan()) == [("tenant", "email"), ("tenant", "email")]


def test_a_folder_that_cannot_be_made_is_no_error(project: Project) -> None:
    """A file is in its place, as a read-only folder would be."""
    project.cache.write_text("")

    assert elements(project.scan()) == [("tenant", "email"), ("tenant", "email")]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_no_error(project: Project) -> None:
    """As in a container that mounts the code so."""
    project.cache.mkdir(mode=0o500)

    assert elements(project.scan()) == [("tenant", "email"), ("tenant", "email")]


def test_git_does_not_see_it(project: Project) -> None:
    """As with pytest's and ruff's."""
    project.scan()

    assert (project.cache / ".gitignore").read_text().splitlines()[-1] == "*"


def test_models_are_part_of_the_key(project: Project) -> None:
    """Files are read with them: a class of theirs leads to its table."""
    project.scan()
    cache = ScanCache(project.cache, b"own", "1")
    project.parsed.clear()

    scan([project.code], replace(DeclaredTables(()), default_schema="app"), cache=cache)

    assert len(project.parsed) == 2


@pytest.mark.parametrize(
    "document",
    [
        {"is": "os:system"},
        {"is": "alembic_upsert_guard.errors:CannotRunError"},
        {"is": "alembic_upsert_guard.upserts.upsert:call_site_member"},
        {"is": "alembic_upsert_guard.upserts.target:Constraint"},
        {"is": "alembic_upsert_guard.upserts.upsert:Source", "member": "NONE"},
        {},
    ],
)
def test_nothing_but_values_is_made(document: dict[str, str]) -> None:
    """No function is called, and nothing is imported."""
    with pytest.raises(ValueError, match=r"there is no|Constraint|Source"):
        decoded(document)


def test_only_plain_values_are_kept() -> None:
    """What JSON would change on its way is refused."""
    with pytest.raises(TypeError):
        encoded({"a": 1})
