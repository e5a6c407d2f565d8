"""The Alembic environments that a project's settings name, each with the models that its own process imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from ..errors import CannotRunError
from ..upserts.scan.codec import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..upserts.scan.environments import ScannedEnvironment
    from .pyproject import EnvironmentSettings

__all__ = ["scanned_environments"]

_AT_END = 3.0
"""Seconds that a project has to end, once its models are known."""
_LOOK = 0.1
"""Seconds between two looks at whether it has ended."""

_PART = 65_536
"""Bytes that are read at once."""

_PROGRAM = f"""
import sys
sys.path = [path for path in sys.path if path]
from {__package__}.environment_models import main
sys.exit(main(sys.argv[1:]))
"""
"""Without the current folder on the path, where a folder may be called ``alembic``."""


def scanned_environments(
    stated: Iterable[EnvironmentSettings], x: Sequence[str]
) -> list[ScannedEnvironment]:
    """Return the models, drivers and folders of each environment; each is run in its own folder, one after the other.

    :param x: what each ``env.py`` is given, as ``-x`` has it.
    :raises CannotRunError: there is no such configuration, one of its paths is not there, or its models cannot be read.
    """
    from ..upserts.scan.environments import ScannedEnvironment  # noqa: PLC0415 - the parsers are an extra

    found = []
    for each in stated:
        document = _models(each, x)
        found.append(
            ScannedEnvironment(
                declared=decoded(document["declared"]),
                drivers=decoded(document["drivers"]),
                folders=tuple(map(os.path.realpath, each.paths)),
            )
        )
    return found


def _models(environment: EnvironmentSettings, x: Sequence[str]) -> dict[str, Any]:
    config = environment.config.absolute()
    if not config.is_file():
        raise CannotRunError(f"there is no configuration {environment.config}")
    for path in environment.paths:
        if not Path(path).exists():
            raise CannotRunError(f"{environment.config}: there is no file or folder {path}")
    given = (json.dumps(list(each)) for each in (x, environment.metadata))
    command = [sys.executable, "-c", _PROGRAM, str(config), environment.name, *given]
    with subprocess.Popen(  # noqa: S603 - this interpreter, and the project's env.py as `alembic` runs it
        command, cwd=config.parent, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        line = _first_line(process)
        try:
            process.wait(_AT_END)
        except subprocess.TimeoutExpired:  # a thread of the project's goes on
            process.kill()
    try:
        document: dict[str, Any] = json.loads(line)
    except ValueError:
        document = {"error": f"its process ended with {process.returncode}"}
    if "error" in document:
        raise CannotRunError(f"{environment.config}: {document['error']}")
    return document


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """What the process prints first; empty: it ends before, whoever else may still print there.

    A process that the project starts has the same output, and may have it for ever.
    """
    printed: list[bytes] = []
    output = -1 if process.stdout is None else process.stdout.fileno()

    def read() -> None:
        while b"\n" not in b"".join(printed[-1:]) and (part := os.read(output, _PART)):
            printed.append(part)

    reading = Thread(target=read, daemon=True)
    reading.start()
    while reading.is_alive():
        has_ended = process.poll() is not None
        reading.join(_AT_END if has_ended else _LOOK)
        if has_ended:
            break
    return b"".join(printed).partition(b"\n")[0]
