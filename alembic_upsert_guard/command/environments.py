"""The Alembic environments that a project's settings name, each with the models that its own process imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CannotRunError
from ..upserts.scan.codec import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..upserts.scan.environments import ScannedEnvironment
    from .pyproject import EnvironmentSettings

__all__ = ["scanned_environments"]

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
    ran = subprocess.run(  # noqa: S603 - this interpreter, and the project's env.py as `alembic` runs it
        [sys.executable, "-c", _PROGRAM, str(config), environment.name, *given],
        cwd=config.parent,
        stdout=subprocess.PIPE,
        check=False,
    )
    try:
        document: dict[str, Any] = json.loads(ran.stdout.partition(b"\n")[0])
    except ValueError:
        document = {"error": f"its process ended with {ran.returncode}"}
    if "error" in document:
        raise CannotRunError(f"{environment.config}: {document['error']}")
    return document
