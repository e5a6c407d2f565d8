"""In which files of a tree something of a name is found: by their bytes first, so that few are parsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..source_tree import SourceTree

__all__ = ["Homes", "Key", "may_make", "may_use"]

Key = tuple[str, str, int]
"""What is looked for: the file that defines a class or a function, its name, and its line."""

_FILES = 60
"""Files that are parsed for one name, at most: a name that more have says nothing."""
_SIZE = 3_000_000
"""Bytes of the files that are parsed for one name, at most: a second or two."""
_BASES = re.compile(rb"class [^(:]{0,300}\(((?:[^:]|::){0,1000})")
"""What may be the bases of a class: a colon ends them, where it is no slice's. A docstring may be taken for one."""


class Homes:
    """What was found in which files, by their paths: it stays known when their trees are forgotten."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is looked for yet."""
        self._tree = tree
        self._known: dict[tuple[Key, str], tuple[str, ...] | None] = {}
        self._bases: dict[str, bytes] = {}
        """Of all the classes of a file."""

    def of(
        self, key: Key, word: str, is_likely: Callable[[bytes, bytes], bool]
    ) -> tuple[str, ...] | None:
        """Return the files that may have what is looked for; None: too many.

        :param word: a name that all have in them.
        :param is_likely: says by a file's bytes, and the word's, whether it may.
        """
        if (key, word) not in self._known:
            encoded = word.encode()
            self._known[key, word] = self._few(
                path
                for path in self._tree.files_mentioning(encoded)
                if is_likely(self._tree.bytes_of(path), encoded)
            )
        return self._known[key, word]

    def of_heirs(self, key: Key, name: str) -> tuple[str, ...] | None:
        """Return the files that may have a class with `name` among its bases; None: too many."""
        if (key, name) not in self._known:
            encoded = name.encode()
            bases = self._bases or self._find_bases()
            self._known[key, name] = self._few(path for path in bases if encoded in bases[path])
        return self._known[key, name]

    def _find_bases(self) -> dict[str, bytes]:
        """The bases of all classes, found in one pass: many classes are asked for, and each file has few."""
        for path in self._tree.files_mentioning(b"class "):
            self._bases[path] = b"\n".join(_BASES.findall(self._tree.bytes_of(path)))
        return self._bases

    def _few(self, paths: Iterable[str]) -> tuple[str, ...] | None:
        found: list[str] = []
        size = 0
        for path in paths:
            found.append(path)
            size += len(self._tree.bytes_of(path))
            if len(found) > _FILES or size > _SIZE:
                return None
        return tuple(found)

    def keep(self, key: Key, word: str, paths: Iterable[str]) -> None:
        """Keep which of the files really have it: the others are not parsed again."""
        self._known[key, word] = tuple(paths)


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
