"""A system that lacks what Linux has: no process is copied, no pipe is waited for, a path has backslashes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.findings.finding import Location
from alembic_upsert_guard.findings.output import sarif
from alembic_upsert_guard.upserts.scan import workers

if TYPE_CHECKING:
    from pathlib import Path

LACKING = """
import os, select, signal, sys
for module in ("fcntl", "grp", "posix_ipc", "pwd", "resource", "syslog", "termios", "tty"):
    sys.modules[module] = None
for module, names in {
    os: ("fork", "getuid", "geteuid", "getgid", "killpg", "sched_getaffinity", "O_NONBLOCK", "O_NOFOLLOW"),
    signal: ("SIGALRM", "SIGHUP", "setitimer", "alarm", "pthread_kill"),
}.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)

def select_sockets(*_):
    raise OSError(10038, "an operation was attempted on something that is not a socket")

select.select = select_sockets
"""
RUN = """
from alembic_upsert_guard.cli import main
from alembic_upsert_guard.upserts.scan import workers
workers._SHARE = 1
sys.exit(main(sys.argv[1:]))
"""
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
"""
STORE = """\
from models import Account
from sqlalchemy.dialects.postgresql import insert
insert(Account).on_conflict_do_nothing(index_elements=[Account.email])
"""


def scanned(folder: Path, *arguments: str, lacking: str) -> tuple[int, dict[str, object]]:
    """The exit code and the document."""
    ran = subprocess.run(
        [sys.executable, "-c", lacking + RUN, "scan", *arguments, "--format", "json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(folder / "user")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr
    return ran.returncode, json.loads(ran.stdout)


@pytest.mark.slow
def test_a_scan_finds_the_same(tmp_path: Path) -> None:
    """With what it kept, and where declarations are written, too."""
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "service").mkdir()
    for name in ("one.py", "two.py"):
        (tmp_path / "service" / name).write_text(STORE)
    arguments = (".", "--metadata", "models:Base")

    expected = scanned(tmp_path, *arguments, lacking="import sys\n")
    for _ in range(2):
        code, document = scanned(tmp_path, *arguments, lacking=LACKING)
        assert code == expected[0] == 1
        for member in ("findings", "call_sites"):
            assert document[member] == expected[1][member]
    code, _ = scanned(tmp_path, *arguments, "--fix", lacking=LACKING)
    assert code == 0
    assert 'UpsertKey("email")' in (tmp_path / "models.py").read_text()


def test_one_process_reads_where_none_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much there is to read."""
    monkeypatch.delattr(os, "fork", raising=False)

    assert workers.workers_for(1 << 40) == 1


def test_a_later_python_answers_where_no_pipe_is_waited_for() -> None:
    """A thread reads what comes."""
    program = (
        LACKING
        + """
from types import SimpleNamespace
from alembic_upsert_guard.upserts.scan import newer_python
own = sys.executable
newer_python.sys = SimpleNamespace(version_info=(3, 9))
python = newer_python.NewerPython([own])
tree = python.parse(b"x = 1")
python.close()
print(type(tree).__name__, len(tree.body))
silent = newer_python.NewerPython(["/bin/cat"])
newer_python._BEGINNING = 0.1
print(silent.is_later())
"""
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.split() == ["Module", "1", "False"]


def test_paths_have_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every report; in SARIF an absolute one is an address of a file."""
    monkeypatch.setattr(os, "sep", "\\")

    assert Location("app\\store.py", 3).shown_path == "app/store.py"
    assert sarif._uri(Location("app\\a b.py", 3)) == "app/a%20b.py"
    assert sarif._uri(Location("C:\\app\\store.py", 3)) == "file:///C:/app/store.py"
