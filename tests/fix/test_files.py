"""How a changed file gets onto the disk, and into a diff."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.edits.files import NotWrittenError, diff_of, read_writable, write
from alembic_upsert_guard.edits.plan import ChangedFile

if TYPE_CHECKING:
    from pathlib import Path


def changed(path: Path, after: bytes = b"after\n") -> ChangedFile:
    return ChangedFile(str(path), path.read_bytes(), after)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models.py"
    path.write_bytes(b"before\n")
    return path


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755])
def test_the_mode_stays(file: Path, mode: int) -> None:
    """Whoever could read it still can, and nobody else."""
    file.chmod(mode)

    write(changed(file))

    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"after\n", mode)


def test_nothing_else_is_left_in_the_folder(file: Path) -> None:
    """The file took the place of the old one at once."""
    write(changed(file))

    assert list(file.parent.iterdir()) == [file]


def test_a_link_stays_one(file: Path) -> None:
    """And leads to the changed file."""
    link = file.with_name("link.py")
    link.symlink_to(file)

    write(changed(link))

    assert link.is_symlink()
    assert file.read_bytes() == b"after\n"


def test_a_file_that_was_changed_meanwhile_is_left(file: Path) -> None:
    """An editor has saved it since it was read."""
    planned = changed(file)
    file.write_bytes(b"edited\n")

    with pytest.raises(NotWrittenError, match="changed since it was read"):
        write(planned)

    assert file.read_bytes() == b"edited\n"


def test_a_file_that_cannot_be_replaced_is_left(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left beside it."""

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)

    with pytest.raises(NotWrittenError, match="it cannot be written: Permission denied"):
        write(changed(file))

    assert (list(file.parent.iterdir()), file.read_bytes()) == ([file], b"before\n")


def test_an_installed_package_is_not_written(tmp_path: Path) -> None:
    """The next installation would take it away."""
    path = tmp_path / "site-packages" / "models.py"
    path.parent.mkdir()
    path.write_bytes(b"")

    assert read_writable(str(path)) == "its file is that of an installed package"


def test_a_diff_of_a_file_without_a_last_line_end(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As git writes it."""
    monkeypatch.chdir(file.parent)
    file.write_bytes(b"one\r\ntwo")

    lines = b"".join(diff_of(changed(file, b"one\r\n1.5\r\ntwo")))

    assert lines == (
        b"--- a/models.py\n+++ b/models.py\n@@ -1,2 +1,3 @@\n one\r\n+1.5\r\n two\n"
        b"\\ No newline at end of file\n"
    )
