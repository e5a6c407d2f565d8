"""The models that a project names: by ``module:attribute``, or by ``target_metadata`` in its ``env.py``."""

from __future__ import annotations

import configparser
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CannotRunError
from ..project_code import output_to_standard_error, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import MetaData

    from .project import Project

__all__ = ["Models", "import_all_metadata", "import_metadata", "models_of"]

_NAME_THEM = "name the models with --metadata module:attribute"


@dataclass(frozen=True, slots=True)
class Models:
    """What call sites are held against."""

    metadata: tuple[MetaData, ...] = ()
    """Empty: the project has no configuration, and names none."""
    drivers: frozenset[str] = frozenset()
    """SQLAlchemy's names of the drivers that the project connects with, as far as it says."""


def models_of(project: Project, names: Sequence[str]) -> Models:
    """Return the models that call sites are held against, and the drivers that run them.

    :param names: each ``module:attribute``; empty: what ``env.py`` configures, which is run offline.
    :raises CannotRunError: they cannot be imported, or ``env.py`` fails or configures none.
    """
    if not names:
        return _configured_models(project) if project.is_configured else Models()
    if not project.is_configured:
        return Models(import_all_metadata(names))
    from ..migration.environment import prepended_paths  # noqa: PLC0415 - Alembic

    paths = prepended_paths(project.config())
    return Models(import_all_metadata(names, paths), _drivers_in_configuration(project))


def import_all_metadata(names: Iterable[str], paths: Sequence[str] = ()) -> tuple[MetaData, ...]:
    """Return each metadata that is named, once; see :func:`import_metadata`."""
    return tuple(dict.fromkeys(import_metadata(name, paths) for name in names))


def import_metadata(name: str, paths: Sequence[str] = ()) -> MetaData:
    """Return the metadata that ``module:attribute`` names, itself or by a mapped base class.

    :param paths: where its module may be, besides this folder and what Python knows.
    :raises CannotRunError: it cannot be imported, or is neither.
    """
    from sqlalchemy import MetaData  # noqa: PLC0415 - not needed where there are no models

    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise CannotRunError(f"--metadata {name}: write module:attribute, such as app.models:Base")
    sys.path[:0] = [*paths, str(Path.cwd())]
    try:
        with output_to_standard_error():
            value: Any = importlib.import_module(module)
            for part in attribute.split("."):
                value = getattr(value, part)
    except (Exception, SystemExit) as error:
        place = place_of(error)
        described = f"{type(error).__name__}: {error}" + (f" ({place})" if place else "")
        raise CannotRunError(f"--metadata {name}: {described}") from error
    metadata = getattr(value, "metadata", value)
    if not isinstance(metadata, MetaData):
        raise CannotRunError(
            f"--metadata {name} is a {type(metadata).__name__}, neither a MetaData nor a base class"
        )
    return metadata


def _configured_models(project: Project) -> Models:
    from ..migration.environment import (  # noqa: PLC0415 - Alembic
        EnvironmentFailedError,
        metadata_of,
        run_environment,
    )

    metadata: dict[MetaData, None] = {}
    drivers: set[str] = set()

    def visit(context: MigrationContext) -> None:
        metadata.update(dict.fromkeys(metadata_of(context)))
        drivers.add(context.dialect.driver)

    try:
        run_environment(project.config(), visit, offline=True)
    except EnvironmentFailedError as error:
        raise CannotRunError(f"{error}; {_NAME_THEM}") from error
    if not metadata:
        raise CannotRunError(
            f"env.py configures no target_metadata; {_NAME_THEM}, or ask a database: upsert-guard check --database URL "
            "--code PATH"
        )
    return Models(tuple(metadata), frozenset(drivers))


def _drivers_in_configuration(project: Project) -> frozenset[str]:
    """The driver that the configuration's ``sqlalchemy.url`` names; ``env.py`` is not run for it."""
    from alembic.util import CommandError  # noqa: PLC0415 - Alembic
    from sqlalchemy import make_url  # noqa: PLC0415 - as above
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - as above

    try:
        url = project.config().get_main_option("sqlalchemy.url") or ""
        return frozenset({make_url(url).get_driver_name()})
    except (ArgumentError, CommandError, ValueError, configparser.Error):
        # it is filled in elsewhere, or the configuration has other sections
        return frozenset()
