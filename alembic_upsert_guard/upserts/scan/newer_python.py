"""Files of a later Python than the one at hand, parsed by an interpreter of that version, and sent back as plain data.

The other interpreter runs nothing of a project's: it is started without a site (``-I -S``), outside of the tree, with
the text below, and is given bytes. Its trees hold only what the Python at hand has a node for: type parameters are left
out, ``type X = ...`` is an assignment, a t-string is read as an f-string.
"""

from __future__ import annotations

import ast
import json
import os
import select
import subprocess
import sys
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["NewerPython", "NewerSyntaxError", "find_newer_python", "parse_by_newer", "use_newer"]

_SECONDS = 30.0
"""How long an answer may take; an interpreter that does not give one is asked no more."""

_BEGINNING = 10.0
"""How long the first answer may take, which is the version."""

_LATEST = 30
"""The minor version that is looked for first."""

_PROGRAM = r"""
import ast, json, sys, warnings
warnings.simplefilter("ignore")
KINDS = {"TemplateStr": "JoinedStr", "Interpolation": "FormattedValue", "TryStar": "Try"}

def plain(value):
    if isinstance(value, ast.AST):
        name = type(value).__name__
        if name == "TypeAlias":
            value = ast.copy_location(ast.Assign([value.name], value.value), value)
            name = "Assign"
        node = {"is": KINDS.get(name, name)}
        for field in (*value._fields, *value._attributes):
            if field not in ("type_params", "type_ignores", "str"):
                node[field] = plain(getattr(value, field, None))
        return node
    if isinstance(value, list):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if value is ...:
        return {"constant": "..."}
    if isinstance(value, bytes):
        return {"constant": "bytes", "value": value.decode("latin-1")}
    if isinstance(value, complex):
        return {"constant": "complex", "value": [value.real.hex(), value.imag.hex()]}
    if isinstance(value, float):
        return {"constant": "float", "value": value.hex()}
    return {"constant": "int", "value": hex(value)}

def answer(source):
    try:
        return {"tree": plain(ast.parse(source))}
    except SyntaxError as error:
        return {"refused": error.msg, "line": error.lineno}
    except (ValueError, RecursionError, MemoryError):
        return {}

def send(value):
    body = json.dumps(value).encode()
    sys.stdout.buffer.write(b"%d\n" % len(body) + body)
    sys.stdout.buffer.flush()

send(list(sys.version_info[:2]))
while True:
    size = sys.stdin.buffer.readline()
    if not size:
        break
    source = sys.stdin.buffer.read(int(size))
    try:
        send(answer(source))
    except (ValueError, RecursionError, MemoryError):
        send({})
"""


class NewerSyntaxError(SyntaxError):
    """Neither the Python at hand nor the later one takes the file."""

    def __init__(self, message: str, line: int | None, version: str) -> None:
        """It is the later one's."""
        super().__init__(message)
        self.lineno = line
        self.version = version


class _GaveUpError(Exception):
    """There is no answer, and there will be none."""


class NewerPython:
    """The first of some interpreters that is later. It is started with the first file, in each process that reads."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Nothing is started yet."""
        self._paths = tuple(paths)
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._is_usable = True
        self._version = ""

    @property
    def identity(self) -> str:
        """What trees depend on: the interpreters that there are, and their state."""
        return " ".join(f"{path} {Path(path).stat().st_mtime_ns}" for path in self._paths)

    def parse(self, source: bytes) -> ast.Module | None:
        """Return the syntax tree of a file; None: this interpreter gives none.

        :raises NewerSyntaxError: it is no Python of this version either.
        """
        if not self._is_usable:
            return None
        try:
            document = self._ask(source)
            if "refused" in document:
                raise NewerSyntaxError(str(document["refused"]), document["line"], self._version)
            tree = _node(document["tree"]) if "tree" in document else None
        except (_GaveUpError, OSError, ValueError, KeyError, TypeError, AttributeError):
            self.close()
            self._is_usable = False
            return None
        except RecursionError:
            return None
        return tree if isinstance(tree, ast.Module) else None

    def is_later(self) -> bool:
        """Return whether one starts, and is of a later version than the Python at hand; it is ended again."""
        try:
            self._begin()
        except _GaveUpError:
            return False
        finally:
            self.close()
        return True

    def close(self) -> None:
        """End it, if this process has started it."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()

    def _ask(self, source: bytes) -> dict[str, Any]:
        if self._process is None or self._owner != os.getpid():
            self._begin()
        assert self._process is not None  # noqa: S101 - for mypy
        assert self._process.stdin is not None  # noqa: S101 - as above
        self._process.stdin.write(b"%d\n" % len(source) + source)
        self._process.stdin.flush()
        answer = self._receive(_SECONDS)
        if not isinstance(answer, dict):
            raise _GaveUpError
        return answer

    def _begin(self) -> None:
        if not any(self._starts(path) for path in self._paths):
            raise _GaveUpError

    def _starts(self, path: str) -> bool:
        try:
            self._start(path)
        except (_GaveUpError, OSError, ValueError, TypeError):
            self.close()
            return False
        return True

    def _start(self, path: str) -> None:
        self._owner = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603 - no file of the tree, and nothing of a file is run
            [path, "-I", "-S", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=os.sep,  # a wrapper may look for its settings there
        )
        major, minor = self._receive(_BEGINNING)
        if (major, minor) <= sys.version_info[:2]:
            raise _GaveUpError
        self._version = f"{major:d}.{minor:d}"

    def _receive(self, seconds: float) -> Any:
        end = monotonic() + seconds
        received = b""
        while b"\n" not in received:
            received += self._chunk(end)
        size, _, body = received.partition(b"\n")
        parts, missing = [body], int(size) - len(body)
        while missing > 0:
            parts.append(self._chunk(end))
            missing -= len(parts[-1])
        return json.loads(b"".join(parts))

    def _chunk(self, end: float) -> bytes:
        assert self._process is not None  # noqa: S101 - for mypy
        assert self._process.stdout is not None  # noqa: S101 - as above
        left = end - monotonic()
        readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, left))
        chunk = os.read(self._process.stdout.fileno(), 1 << 16) if readable else b""
        if not chunk:
            raise _GaveUpError
        return chunk


_USED: ContextVar[NewerPython | None] = ContextVar("_USED", default=None)


@contextmanager
def use_newer(python: NewerPython | None) -> Iterator[None]:
    """Let :func:`parse_by_newer` ask an interpreter, which is ended afterwards; None: it asks none."""
    token = _USED.set(python)
    try:
        yield
    finally:
        _USED.reset(token)
        if python is not None:
            python.close()


def parse_by_newer(source: bytes) -> ast.Module | None:
    """Return the syntax tree of a file that the Python at hand does not take; None: no other one is used, or helps.

    :raises NewerSyntaxError: it is no Python of that version either.
    """
    python = _USED.get()
    return None if python is None else python.parse(source)


def find_newer_python(tree: Iterable[str]) -> NewerPython | None:
    """Return the Pythons on the PATH that are later than the one at hand by name, the latest first; None: none is.

    :param tree: what is scanned: nothing in there is run, nor in the folder that this process is in.
    """
    roots = [os.path.realpath(root) for root in (*tree, os.curdir)]
    folders = [f for f in os.get_exec_path() if Path(f).is_absolute() and not _is_in(f, roots)]
    found = [
        str(path)
        for minor in range(_LATEST, sys.version_info.minor, -1)
        for path in (Path(folder) / f"python3.{minor}" for folder in folders)
        if path.is_file() and os.access(path, os.X_OK) and not _is_in(str(path), roots)
    ]
    return NewerPython(found) if found else None


def _is_in(path: str, roots: Iterable[str]) -> bool:
    """Whether a path, or what it leads to, is one of the folders, or in one."""
    spelled = (Path(os.path.abspath(path)), Path(os.path.realpath(path)))  # noqa: PTH100 - links are kept
    return any(each.is_relative_to(root) for each in spelled for root in roots)


# -- from plain data to nodes


def _node(value: Any) -> Any:
    """The nodes of the Python at hand; a kind that it does not have is a KeyError."""
    if isinstance(value, list):
        return [_node(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "constant" in value:
        return _CONSTANTS[value["constant"]](value.get("value"))
    kind = getattr(ast, value["is"])
    if not (isinstance(kind, type) and issubclass(kind, ast.AST)):
        raise KeyError(value["is"])
    members = (*kind._fields, *kind._attributes)  # noqa: SLF001 - public, and documented
    node = kind(**{name: _node(value[name]) for name in members if name in value})
    if isinstance(node, ast.Module):
        node.type_ignores = []
    return node


_CONSTANTS: dict[str, Callable[[Any], object]] = {
    "...": lambda _: ...,
    "bytes": lambda value: value.encode("latin-1"),
    "complex": lambda value: complex(*map(float.fromhex, value)),
    "float": float.fromhex,
    "int": lambda value: int(value, 16),
}
