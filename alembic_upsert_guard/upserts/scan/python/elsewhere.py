"""What another file than the one that makes a value may do to it, by the bytes of that file: few are ever looked at."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .changes import MUTATORS
from .values import Expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..source_tree import SourceTree
    from .values import Meaning

__all__ = ["Elsewhere", "is_stated"]

_IN_CODE = rb"(?m)^[^#\n]*"
_IS_SET = rb"\s*(?::[^=\n]*)?[-+*|]?=(?!=)"
_METHODS = "|".join(sorted(MUTATORS)).encode()


_STATED = (ast.BinOp, ast.Constant, ast.Dict, ast.JoinedStr, ast.List, ast.Set, ast.Tuple)


def is_stated(meanings: Iterable[Meaning]) -> bool:
    """Return whether one of the meanings is a constant that is written down: columns and calls are none."""
    return any(isinstance(each, Expression) and isinstance(each.node, _STATED) for each in meanings)


class Elsewhere:
    """Looks for changes of a file's values in the other files of the scan."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is looked for yet."""
        self._tree = tree
        self._known: dict[tuple[str, ...], bool] = {}

    def sets(self, path: str, owner: str, attribute: str) -> bool:
        """Return whether ``owner.attribute = x`` or ``setattr(owner, "attribute", x)`` is in another file.

        :param path: the real path of the file that has the owner, a class or the file itself.
        """
        key = (path, owner, attribute)
        if key not in self._known:
            of, name = re.escape(owner.encode()), re.escape(attribute.encode())
            assigned = _IN_CODE + rb"\b" + of + rb"\." + name + _IS_SET
            # a method of that name, such as monkeypatch's, takes its change back
            called = (
                _IN_CODE
                + rb"(?<![.\w])setattr\(\s*(?:\w+\.)*"
                + of
                + rb"\s*,\s*[\"']"
                + name
                + rb"[\"']"
            )
            self._known[key] = any(
                owner.encode() in source
                and (re.search(assigned, source) or re.search(called, source))
                for source in self._others(path, attribute)
            )
        return self._known[key]

    def changes(self, path: str, name: str) -> bool:
        """Return whether another file changes a list or dictionary in place that it imports: ``KEYS.append(x)``.

        :param path: the real path of the file that makes it.
        """
        key = (path, name)
        if key not in self._known:
            word = re.escape(name.encode())
            home = Path(path)
            stem = (home.parent.name if home.stem == "__init__" else home.stem).encode()
            changed = (
                _IN_CODE
                + rb"\b"
                + word
                + rb"(?:\s*\.(?:"
                + _METHODS
                + rb")\(|\[[^\]\n]*\]\s*=(?!=)|\s*[+|]=)"
            )
            imported = (
                rb"\b" + re.escape(stem) + rb"\s+import\s+(?:\([^)]*|[^\n]*)\b" + word + rb"\b|\b"
                + re.escape(stem) + rb"\." + word + rb"\b"
            )  # fmt: skip
            self._known[key] = any(
                stem in source and re.search(imported, source) and re.search(changed, source)
                for source in self._others(path, name)
            )
        return self._known[key]

    def _others(self, path: str, word: str) -> Iterator[bytes]:
        for other in self._tree.files_mentioning(word.encode()):
            if os.path.realpath(other) != path:
                yield self._tree.bytes_of(other)
