"""The models of one environment, printed by a process of its own.

Two environments may have packages of the same name, and only one of these can be imported in a process.
"""

from __future__ import annotations

import json
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
    """Print what the models of an environment declare, and its drivers; or why it cannot be told, and return 2.

    :param arguments: the configuration, its section, and each ``module:attribute`` of the models.
    """
    config, section, *names = arguments
    try:
        models = models_of(find_project([config], section), names)
        document = {
            "declared": encoded(declared_tables(*models.metadata)),
            "drivers": encoded(models.drivers),
        }
    except (UpsertGuardError, TypeError) as error:
        sys.stdout.write(json.dumps({"error": str(error)}))
        return 2
    sys.stdout.write(json.dumps(document))
    return 0
