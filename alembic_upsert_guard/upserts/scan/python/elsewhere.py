"""What another file than the one that makes a value does to it: looked for by bytes first, so that few are parsed."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..bounds import check_time
from .changes import MUTATORS
from .string_items import last_name
from .values import Expression
from .word_lines import goes_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..source_tree import SourceTree
    from .modules import Modules
    from .values import Meaning

__all__ = ["Elsewhere", "is_stated"]

_SET = re.compile(
    rb"\n[ \t]*(?!self\.|cls\.)([A-Za-z_][\w.]*)\.(\w+)[ \t]*(?::[^=\n]*)?[-+*|]?=(?!=)[ \t]*([^\n]*)"
)
"""``Store.KEY = x`` as a statement: the owner, the attribute, the value."""
_MAY_SET = re.compile(rb"\.\w+[ \t]*(?::|[-+*|]?=(?!=))")
"""What is in a line of :data:`_SET`: it begins with a literal, and so is looked for in half of the time."""
_SET_BY_NAME = re.compile(rb"setattr\(\s*([\w.]+)\s*,\s*[\"'](\w+)[\"']\s*,\s*([^\n]*)")
_OF_RUN_TIME = re.compile(rb"(?:await\b|[\w.]*\w[(\[])")
"""A call, or an item: what is set then is known when it runs, and the source says the default."""
_IMPORTED = rb"\s+import\s+(?:\([^)]*|[^\n]*)\b"
_CHANGED = (
    rb"(?:\s*\.(?:" + "|".join(sorted(MUTATORS)).encode() + rb")\(|\[[^\]\n]*\]\s*=(?!=)|\s*[+|]=)"
)

_STATED = (ast.BinOp, ast.Constant, ast.Dict, ast.JoinedStr, ast.List, ast.Set, ast.Tuple)


def is_stated(meanings: Iterable[Meaning]) -> bool:
    """Return whether one of the meanings is a constant that is written down: columns and calls are none."""
    return any(isinstance(each, Expression) and isinstance(each.node, _STATED) for each in meanings)


class Elsewhere:
    """Looks for changes of a file's values in the other files of the scan."""

    def __init__(self, tree: SourceTree, modules: Modules) -> None:
        """Nothing is looked for yet."""
        self._tree = tree
        self._modules = modules
        self._setting: dict[tuple[bytes, bytes], list[str]] | None = None
        """The files that may set an attribute, by the owner's name and the attribute's."""
        self._known: dict[tuple[str, ...], bool] = {}

    def sets(self, path: str, owner: str, attribute: str) -> bool:
        """Return whether ``owner.attribute = x`` or ``setattr(owner, "attribute", x)`` is in another file.

        What a call or a look-up gives is no such ``x``: the default holds where nothing is configured.

        :param path: the real path of the file that has the owner, a class or the file itself.
        """
        key = (path, owner, attribute)
        if key not in self._known:
            if self._setting is None:
                self._setting = self._find_setting()
            files = self._setting.get((owner.encode(), attribute.encode()), ())
            self._known[key] = any(
                self._is_set_in(other, owner, attribute)
                for other in files
                if self._modules.real_path(other) != path
            )
        return self._known[key]

    def _find_setting(self) -> dict[tuple[bytes, bytes], list[str]]:
        """One pass over all files, for there are more names than files."""
        found: dict[tuple[bytes, bytes], list[str]] = {}
        for path in self._tree.files_mentioning(b"="):
            check_time()
            source = self._tree.bytes_of(path)
            each = [*_set_in(source)]
            if b"setattr(" in source:
                each += _SET_BY_NAME.finditer(source)
            for owner, attribute, value in (match.groups() for match in each):
                if not _OF_RUN_TIME.match(value):
                    found.setdefault((owner.rpartition(b".")[2], attribute), []).append(path)
        return found

    def _is_set_in(self, path: str, owner: str, attribute: str) -> bool:
        """Whether a file really does: not in a text, and not by a method such as monkeypatch's, which takes it back."""
        module = self._modules.at(path)
        return module is not None and any(
            last_name(each) == owner for each in module.sets_on(attribute)
        )

    def changes(self, path: str, name: str) -> bool:
        """Return whether another file changes a list or dictionary in place that it imports: ``KEYS.append(x)``.

        :param path: the real path of the file that makes it.
        """
        key = (path, name)
        if key not in self._known:
            home = Path(path)
            stem = (home.parent.name if home.stem == "__init__" else home.stem).encode()
            word = name.encode()
            imports = re.compile(re.escape(stem) + rb"(?:%b%b\b|\.%b\b)" % (_IMPORTED, word, word))
            changes = re.compile(rb"%b%b" % (word, _CHANGED))
            self._known[key] = any(
                stem in source and imports.search(source) and _is_in_code(changes, source)
                for source in self._others(path, word)
            )
        return self._known[key]

    def _others(self, path: str, word: bytes) -> Iterator[bytes]:
        for other in self._tree.files_mentioning(word):
            if self._modules.real_path(other) != path:
                yield self._tree.bytes_of(other)


def _set_in(source: bytes) -> Iterator[re.Match[bytes]]:
    """The statements that set an attribute, each on a line of its own behind the first one."""
    behind = 0
    for found in _MAY_SET.finditer(source):
        if found.start() < behind:
            continue  # a line is looked at once, however long it is
        line = source.rfind(b"\n", behind, found.start())
        end = source.find(b"\n", found.end())
        behind = len(source) if end < 0 else end
        statement = _SET.match(source, line) if line >= 0 else None
        if statement is not None:
            yield statement


def _is_in_code(pattern: re.Pattern[bytes], source: bytes) -> bool:
    """Whether something is in a source, as a word that begins there, and not behind the sign of a comment."""
    for found in pattern.finditer(source):
        line = source[source.rfind(b"\n", 0, found.start()) + 1 : found.start()]
        if b"#" not in line and not goes_on(line[-1:]):
            return True
    return False
