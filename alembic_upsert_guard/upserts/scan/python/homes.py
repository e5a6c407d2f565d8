"""In which files of a tree something of a name is found: by their bytes first, so that few are parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..source_tree import SourceTree

__all__ = ["Homes", "Key", "may_inherit", "may_make", "may_use"]

Key = tuple[str, str, int]
"""What is looked for: the file that defines a class or a function, its name, and its line."""

_FILES = 60
"""Files that are parsed for one name, at most: a name that more have says nothing."""
_SIZE = 1_100_000
"""Bytes of the files that are parsed for one name, at most: half a second."""
_HEADER = 1_000
"""Bytes between ``class`` and the last of its bases."""


class Homes:
    """What was found in which files, by their paths: it stays known when their trees are forgotten."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is looked for yet."""
        self._tree = tree
        self._known: dict[tuple[Key, str], tuple[str, ...] | None] = {}

    def of(
        self, key: Key, word: str, is_likely: Callable[[bytes, bytes], bool]
    ) -> tuple[str, ...] | None:
        """Return the files that may have what is looked for; None: too many.

        :param word: a name that all have in them.
        :param is_likely: says by a file's bytes, and the word's, whether it may.
        """
        if (key, word) not in self._known:
            encoded = word.encode()
            found = [
                path
                for path in self._tree.files_mentioning(encoded)
                if is_likely(self._tree.bytes_of(path), encoded)
            ]
            size = sum(len(self._tree.bytes_of(path)) for path in found)
            is_few = len(found) <= _FILES and size <= _SIZE
            self._known[key, word] = tuple(found) if is_few else None
        return self._known[key, word]

    def keep(self, key: Key, word: str, paths: Iterable[str]) -> None:
        """Keep which of the files really have it: the others are not parsed again."""
        self._known[key, word] = tuple(paths)


def may_inherit(source: bytes, word: bytes) -> bool:
    """Return whether a file may have a class that names `word` among its bases, by its bytes."""
    at = source.find(word)
    while at >= 0:
        header = source[max(0, at - _HEADER) : at].rpartition(b"class ")[2]
        if header and b"(" in header and b":" not in header.replace(b"::", b""):
            return True
        at = source.find(word, at + 1)
    return False


def may_use(source: bytes, word: bytes) -> bool:
    """Return whether a file uses a name other than to define or to import it, by its bytes."""
    at = source.find(word)
    while at >= 0:
        before = source[max(0, at - 200) : at]
        after = source[at + len(word) : at + len(word) + 1]
        line = before.rpartition(b"\n")[2].lstrip()
        is_whole = not _is_letter(after) and not _is_letter(before[-1:])
        if is_whole and not line.startswith((b"import ", b"from ", b"def ", b"async def ", b"#")):
            return True
        at = source.find(word, at + 1)
    return False


def may_make(source: bytes, word: bytes) -> bool:
    """Return whether a file may call the class `word`, under this name or another, by its bytes."""
    at = source.find(word)
    while at >= 0:
        before = source[max(0, at - 200) : at]
        after = source[at + len(word) : at + len(word) + 20].lstrip()
        is_called = after.startswith((b"(", b"[")) and not before.endswith(b"class ")
        is_whole = not _is_letter(before[-1:])
        if is_whole and (is_called or after.startswith(b"as ") or before.endswith(b"partial(")):
            return True
        at = source.find(word, at + 1)
    return False


def _is_letter(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_" or byte >= b"\x80"
