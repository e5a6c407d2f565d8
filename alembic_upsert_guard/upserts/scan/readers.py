"""A reader for each kind of file. Importing this module imports the parser of PostgreSQL's SQL."""

from __future__ import annotations

import sys
import tokenize
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .bounds import SECONDS, OutOfTimeError, time_limit
from .files import Problem
from .ignoring import IgnoreComment, ignored_codes
from .javascript import SUFFIXES as JAVASCRIPT
from .newer_python import NewerSyntaxError
from .python import PythonReader, PythonSource
from .sqlfile import SUFFIXES as SQL
from .sqlfile import SqlSource

if TYPE_CHECKING:
    from ..declared import DeclaredTables
    from ..upsert import Upsert
    from .javascript.reader import JavaScriptReader, JavaScriptSource
    from .migrations import Revision
    from .source_tree import SourceTree

__all__ = ["SUFFIXES", "ReadFile", "Readers"]

SUFFIXES = (".py", *SQL, *JAVASCRIPT)

_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Of the parser: a file for a later one may not parse."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What is in one file."""

    upserts: tuple[Upsert, ...]
    comments: tuple[IgnoreComment, ...]
    revision: Revision | None = None
    """What a revision of Alembic's states of itself; None: the file is none."""


class Readers:
    """Reads files of every kind; Python's follow imports into others, which are kept for the next."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is read yet.

        :param tree: where imports are looked for.
        """
        self._tree = tree
        self._python = PythonReader(tree)

    def forget(self) -> None:
        """Let go of the trees of Python; nothing can be read afterwards."""
        self._python.forget()

    def read(self, path: str, source: bytes, declared: DeclaredTables) -> ReadFile | Problem:
        """Return what is in a file, or why it cannot be read."""
        try:
            with time_limit(SECONDS):
                read = self._source(path, source, declared)
                return ReadFile(
                    tuple(read.upserts()),
                    tuple(_ignore_comments(path, read, source)),
                    read.revision() if isinstance(read, PythonSource) else None,
                )
        except OutOfTimeError:
            return Problem(path, f"it took more than {SECONDS:.0f} seconds of processor time")
        except SyntaxError as error:
            version = error.version if isinstance(error, NewerSyntaxError) else _VERSION
            reason = f"it does not parse as Python {version}: {error.msg}"
            return Problem(path, reason, error.lineno, may_be_newer=True)
        except tokenize.TokenError as error:
            reason = f"it does not parse as Python {_VERSION}: {error.args[0]}"
            return Problem(path, reason, may_be_newer=True)
        except UnicodeDecodeError as error:
            line = source.count(b"\n", 0, error.start) + 1
            return Problem(path, f"it is not UTF-8: byte 0x{source[error.start]:02x}", line)
        except ValueError as error:
            return Problem(path, f"it does not parse: {error}")
        except (RecursionError, MemoryError):
            return Problem(path, "it is nested too deeply to be read")

    @cached_property
    def _javascript(self) -> JavaScriptReader:
        from .javascript.reader import JavaScriptReader  # noqa: PLC0415 - many a tree has no such file

        return JavaScriptReader(self._tree)

    def _source(
        self, path: str, source: bytes, declared: DeclaredTables
    ) -> PythonSource | JavaScriptSource | SqlSource:
        suffix = Path(path).suffix
        if suffix == ".py":
            return self._python.source(path, source, declared)
        text = source.decode("utf-8-sig")
        return (
            SqlSource(path, text) if path.endswith(SQL) else self._javascript.source(path, source)
        )


def _ignore_comments(
    path: str, read: PythonSource | JavaScriptSource | SqlSource, source: bytes
) -> list[IgnoreComment]:
    if b"upsert-guard" not in source:
        return []
    comments = read.comments()
    return [
        IgnoreComment(path, line, code) for line, text in comments for code in ignored_codes(text)
    ]
