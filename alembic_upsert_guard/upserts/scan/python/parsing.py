"""Python's own parser, kept from what it cannot take."""

from __future__ import annotations

import ast
import subprocess
import sys
import warnings

from ..newer_python import parse_by_newer

__all__ = ["parsed"]

_OVERFLOWS = sys.version_info < (3, 11)
"""Whether a sum of some 150,000 terms overflows the parser's stack and ends the process: later ones count levels."""

_HARMLESS = 100_000
"""Bytes of a file that cannot hold so many terms."""

_PARSE = "import ast, sys; ast.parse(sys.stdin.buffer.read())"


def parsed(source: bytes, path: str) -> ast.Module:
    """Return the syntax tree of a file; nothing of it is run.

    :raises SyntaxError: it is not Python of this version, nor of a later one that is used; or not in the encoding that
     it states.
    :raises ValueError: likewise, for some errors of decoding.
    :raises RecursionError: it is nested too deeply; Python's parser raises MemoryError, too.
    """
    if _OVERFLOWS and len(source) > _HARMLESS and _ends_the_process(source):
        raise RecursionError
    try:
        with warnings.catch_warnings():
            # about the scanned code, such as a backslash too few: not ours to report
            warnings.simplefilter("ignore")
            return ast.parse(source, path)
    except SyntaxError:
        newer = parse_by_newer(source)
        if newer is None:
            raise
        return newer


def _ends_the_process(source: bytes) -> bool:
    """Whether a process that parses it is ended by a signal, or on Windows by an exception of the system's."""
    ran = subprocess.run(  # noqa: S603 - this interpreter, and nothing of the file is run
        [sys.executable, "-I", "-S", "-c", _PARSE],
        input=source,
        capture_output=True,
        check=False,
    )
    return ran.returncode not in (0, 1)
