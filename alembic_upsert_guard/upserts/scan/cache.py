"""What a scan read, kept for the next one of the same files: JSON, signed with a secret that no repository can know."""

from __future__ import annotations

import hmac
import json
import os
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .codec import decoded, encoded
from .files import digest_of, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .file_reader import Glance, Outcome
    from .source_tree import SourceTree

__all__ = ["ScanCache"]

_IGNORE = "# written by upsert-guard\n*\n"
"""Of the folder's ``.gitignore``: git leaves the folder out, whatever the project's own says."""

_KEPT = 8
"""Files that a folder holds at most: a scan of other paths, or with other models, has one of its own."""


class ScanCache:
    """A folder of what scans read. Whatever is wrong with it, the files are read as if there were none."""

    def __init__(
        self, folder: Path, secret: bytes, versions: str, within: Path | None = None
    ) -> None:
        """Nothing is read or written yet.

        :param secret: what the files are signed with; one that another secret signed is no file of ours.
        :param versions: of everything that reads files; what others read is not taken over.
        :param within: the project's folder, out of which no link between the two may lead; None: a user named it.
        """
        self._folder = folder
        below = [] if within is None else folder.relative_to(within).parts[:-1]
        self._folders = [folder, *(folder.parents[n] for n in range(len(below)))]
        self._secret = secret
        self._versions = versions

    def key(
        self,
        glances: Mapping[str, Glance],
        listings: Sequence[tuple[str, Sequence[str]]],
        known_by: tuple[object, ...],
    ) -> str:
        """Return what a scan is known by: the content of every file, the models, and the versions of what reads them.

        :param glances: by path.
        :param listings: the names in every folder, for a file that appears may be what an import leads to.
        :param known_by: the models that each is read by.
        :raises TypeError: a value of the models is none that JSON can hold.
        """
        files = [(path, glance.digest, glance.size) for path, glance in glances.items()]
        listed = [*sorted(listings), *_listings_above(listings)]
        every = [self._versions, str(Path.cwd()), sorted(files), listed, encoded(known_by)]
        return sha256(json.dumps(every).encode()).hexdigest()

    def load(self, key: str) -> dict[str, Outcome] | None:
        """Return what the files of a key hold; None: it is not known, or what it depends on has changed."""
        try:
            document = self._document(key)
            if document is None or not _is_current(document):
                return None
            outcomes: dict[str, Outcome] = {
                path: decoded(outcome) for path, outcome in document["outcomes"].items()
            }
        except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
            return None
        return outcomes

    def store(
        self,
        key: str,
        outcomes: Mapping[str, Outcome],
        tree: SourceTree,
        glances: Mapping[str, Glance],
    ) -> None:
        """Keep what the files hold, as far as the folder can be written into.

        :param glances: what the key was made of; where a file is another one by now, nothing is kept.
        """
        if any(_digest(path) != each.digest for path, each in glances.items() if each.digest):
            return
        try:
            document = {
                "outcomes": {path: encoded(outcome) for path, outcome in outcomes.items()},
                "read_files": tree.read_files,
                "looked_up": tree.looked_up,
            }
            body = json.dumps(document).encode()
            if self._is_link():
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(self._folder / ".gitignore", _IGNORE.encode())
            _write(self._path(key), self._signature(key, body) + b"\n" + body)
            self._forget_oldest()
        except (
            OSError,
            TypeError,
        ):  # only others may write there, or a value is none of the plain ones
            return

    def _document(self, key: str) -> dict[str, Any] | None:
        path = self._path(key)
        if self._is_link() or path.is_symlink():
            return None
        stored = read_bytes(str(path))
        if isinstance(stored, str):
            return None
        signature, _, body = stored.partition(b"\n")
        if not hmac.compare_digest(signature, self._signature(key, body)):
            return None
        document: dict[str, Any] = json.loads(body)
        return document

    def _is_link(self) -> bool:
        return any(folder.is_symlink() for folder in self._folders)

    def _path(self, key: str) -> Path:
        return self._folder / f"scan-{key[:32]}.json"

    def _signature(self, key: str, body: bytes) -> bytes:
        return hmac.new(self._secret, key.encode() + body, sha256).hexdigest().encode()

    def _forget_oldest(self) -> None:
        stored = sorted(self._folder.glob("scan-*.json"), key=lambda path: path.stat().st_mtime)
        for path in stored[:-_KEPT]:
            path.unlink(missing_ok=True)


def _listings_above(
    listings: Sequence[tuple[str, Sequence[str]]],
) -> Iterator[tuple[str, list[str]]]:
    """The names in the folders around those that were walked, up to the one that holds the repository."""
    walked = {Path(folder).absolute() for folder, _ in listings}
    tops = {folder for folder in walked if folder.parent not in walked}
    above: set[Path] = set()
    for top in tops:
        around = [top, *top.parents]
        end = next((n for n, folder in enumerate(around) if (folder / ".git").exists()), 0)
        above.update(around[1 : end + 1])
    for folder in sorted(above):
        with suppress(OSError):
            yield str(folder), sorted(e.name for e in folder.iterdir() if e.name[:1] != ".")


def _is_current(document: Mapping[str, Any]) -> bool:
    """Whether what readers read and looked for beside the files of the scan is as it was."""
    return all(
        Path(path).is_file() == was_file for path, was_file in document["looked_up"].items()
    ) and all(_digest(path) == digest for path, digest in document["read_files"].items())


def _digest(path: str) -> str | None:
    source = read_bytes(path)
    return digest_of(source) if isinstance(source, bytes) else None


def _write(path: Path, content: bytes) -> None:
    """Put a file in its place as a whole, over whatever is there; a link there is replaced, and not followed."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
