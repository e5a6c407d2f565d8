"""Where the command keeps what a scan read: a folder of the project's, signed with a secret of the user's."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ..upserts.scan.cache import ScanCache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..upserts.scan.newer_python import NewerPython
    from .project import Project

__all__ = ["CacheOptions", "cache_of"]

_FOLDER = Path(".upsert_guard") / "cache"
_PACKAGES = (
    *("alembic-upsert-guard", "pathspec", "postgast", "sqlglot"),
    *("tree-sitter", "tree-sitter-javascript", "tree-sitter-typescript"),
)
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """Whether anything is kept, and where."""

    is_used: bool = True
    folder: str | None = None
    """None: ``.upsert_guard/cache`` beside the configuration."""


def cache_of(
    project: Project, options: CacheOptions, newer_python: NewerPython | None
) -> ScanCache | None:
    """Return what earlier scans of the project kept; None: nothing is kept.

    The secret is in the user's cache folder, ``$XDG_CACHE_HOME`` or ``~/.cache``, and is made where it is not there:
    what a repository brings along is not signed with it. Without a place for the secret nothing is kept.
    """
    secret = _secret() if options.is_used else None
    if secret is None:
        return None
    within = None if options.folder else project.pyproject.parent
    folder = Path(options.folder or "") if within is None else within / _FOLDER
    versions = _versions() if newer_python is None else f"{_versions()} {newer_python.identity}"
    return ScanCache(folder, secret, versions, within)


def _secret() -> bytes | None:
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        path = folder / "alembic-upsert-guard" / "secret"
        return _read_secret(path) if path.exists() else _made_secret(path)
    except (OSError, RuntimeError):  # there is no home, or it is read-only
        return None


def _read_secret(path: Path) -> bytes | None:
    status = path.lstat()
    is_own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    if not (stat.S_ISREG(status.st_mode) and is_own):
        return None
    secret = path.read_bytes()
    return secret if len(secret) == _SECRET_BYTES else None


def _made_secret(path: Path) -> bytes | None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
        new.replace(
            path
        )  # another run may have made one meanwhile: then what it signs now is read by nobody
    finally:
        new.unlink(missing_ok=True)
    return _read_secret(path)


def _versions() -> str:
    """The version of everything that reads files; of this package its files too, which change while it is worked on."""
    newest = max(_changes_in(str(Path(__file__).parents[1])), default=0)
    packages = " ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    return f"{sys.version} {packages} {newest}"


def _changes_in(folder: str) -> Iterator[int]:
    """When each file of Python below a folder was changed; empty: it is in an archive, and is no folder."""
    if not Path(folder).is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.stat().st_mtime_ns
            elif entry.is_dir(follow_symlinks=False) and entry.name != "__pycache__":
                yield from _changes_in(entry.path)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
