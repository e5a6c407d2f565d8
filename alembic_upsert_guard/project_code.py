"""A project's own code, imported or run by the command: where its output goes, and where its errors come from."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["output_to_standard_error", "place_of"]


@contextmanager
def output_to_standard_error() -> Iterator[None]:
    """What the block prints goes to standard error, also what the processes that it starts print."""
    try:
        kept = os.dup(1)
    except OSError:  # the parent process has closed it
        with redirect_stdout(sys.stderr):
            yield
        return
    sys.stdout.flush()
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 1)
        os.close(kept)


def place_of(error: BaseException) -> str:
    """Return where in the project an error comes from, as ``migrations/env.py:12``; empty where that is not known."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_relative(error.filename)}:{error.lineno}"
    here = Path.cwd()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(here) and "site-packages" not in path.parts:
            return f"{path.relative_to(here)}:{frame.lineno}"
    return ""


def _relative(path: str) -> Path:
    here = Path.cwd()
    return Path(path).relative_to(here) if Path(path).is_relative_to(here) else Path(path)
