"""The models of one environment, printed by a process of its own.

Two environments may have packages of the same name, and only one of these can be imported in a process.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from ..errors import UpsertGuardError
from ..upserts.models import declared_tables
from ..upserts.scan.codec import encoded
from .metadata import models_of
from .project import find_project

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Print a line with what the models of an environment declare, and its drivers; or why there are none.

    :param arguments: the configuration, its section, JSON of what ``-x`` gives and of each ``module:attribute`` of the
     models.
    :return: 2 where there are none.
    """
    config, section, x, names = arguments
    # the project may close its own
    output = os.dup(sys.stdout.fileno())
    try:
        models = models_of(find_project([config], section, json.loads(x)), json.loads(names))
        document = {
            "declared": encoded(declared_tables(*models.metadata)),
            "drivers": encoded(models.drivers),
        }
    except (UpsertGuardError, TypeError) as error:
        document = {"error": str(error)}
    # at its end the project may print more
    with os.fdopen(output, "wb") as printed:
        printed.write(json.dumps(document).encode() + b"\n")
    return 2 if "error" in document else 0
