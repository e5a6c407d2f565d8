"""A project's ``env.py``, run for what it configures and not for what it migrates."""

from __future__ import annotations

import sys
from argparse import Namespace
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError

from ..catalog.messages import holds_no_value, message_of
from ..errors import CannotRunError
from ..project_code import output_to_standard_error, place_of
from .options import refuse_wrong_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

__all__ = [
    "EnvironmentFailedError",
    "connection_of",
    "metadata_of",
    "prepended_paths",
    "project_config",
    "run_environment",
]


_PROBLEMS = 5
"""As many variables of a validation error are named."""


class EnvironmentFailedError(CannotRunError):
    """The configuration cannot be read, or ``env.py`` did not run to its end; the message says why and where."""


def project_config(
    ini: Path, pyproject: Path, *, name: str = "alembic", x: Sequence[str] | None = None
) -> Config:
    """Return the configuration as the ``alembic`` command makes it; what is no file is skipped.

    :param name: the section, as ``-n`` gives it.
    :param x: the arguments for ``env.py``, as ``-x`` gives them.
    """
    # what an env.py may look at: to it, this is `alembic check`
    options = Namespace(
        config=[str(ini)], name=name, x=x, raiseerr=False, cmd=(command.check, [], [])
    )
    return Config(
        file_=str(ini),
        toml_file=str(pyproject),
        ini_section=name,
        cmd_opts=options,
        stdout=sys.stderr,
    )


def run_environment(
    config: Config, visit: Callable[[MigrationContext], None], *, offline: bool = False
) -> None:
    """Run ``env.py`` as Alembic does, and call `visit` for each database that it configures, on its connection.

    No revision is run and no version table is made. What ``env.py`` prints goes to standard error.

    :param offline: as for a script: no database is connected to, and the script is kept nowhere, not even in files that
     ``env.py`` opens for it.
    :raises EnvironmentFailedError: the configuration is unusable, ``env.py`` failed, or it configured no database.
    :raises Exception: whatever `visit` raises, though ``env.py`` caught it.
    """
    visited: list[MigrationContext] = []
    failed: list[Exception] = []

    def visit_and_migrate_nothing(_: Any, context: MigrationContext) -> list[Any]:
        visited.append(context)
        try:
            _refuse_wrong_options(context)
            visit(context)
        except Exception as error:
            failed.append(error)
            raise
        return []

    script = _script_directory(config)
    if offline:
        config.output_buffer = StringIO()
    with (
        output_to_standard_error(),
        EnvironmentContext(
            config,
            script,
            fn=visit_and_migrate_nothing,
            as_sql=offline,
            dont_mutate=True,
            destination_rev=None,
            starting_rev=None,
        ),
    ):
        try:
            if offline and Path(script.env_py_location).is_file():
                _run_env_without_files(script.env_py_location)
            else:
                script.run_env()
        except (Exception, SystemExit) as error:
            if not failed:
                raise EnvironmentFailedError(
                    f"env.py did not run to its end: {_description(error)}"
                ) from error
    if failed:
        raise failed[0]
    if not visited:
        raise EnvironmentFailedError(
            "env.py configured no database: it has to call context.run_migrations()"
        )


def _refuse_wrong_options(context: MigrationContext) -> None:
    try:
        refuse_wrong_options(context)
    except CommandError as error:
        raise EnvironmentFailedError(str(error)) from error


def metadata_of(context: MigrationContext) -> Sequence[MetaData]:
    """Return the ``target_metadata`` of ``context.configure()``, one or several; empty where there is none.

    :raises EnvironmentFailedError: it is something else.
    """
    target = context.opts.get("target_metadata")
    if target is None:
        return ()
    several = tuple(target) if isinstance(target, list | tuple | set | frozenset) else (target,)
    for each in several:
        if not isinstance(each, MetaData):
            raise EnvironmentFailedError(
                f"target_metadata is a {type(each).__name__}, and no MetaData: write Base.metadata"
            )
    return several


def connection_of(context: MigrationContext) -> Connection:
    """Return the connection that ``env.py`` configured.

    :raises EnvironmentFailedError: there is none.
    """
    if context.connection is None:
        raise EnvironmentFailedError("env.py configured no connection")
    return context.connection


def prepended_paths(config: Config) -> Sequence[str]:
    """Return the folders that ``prepend_sys_path`` names.

    :raises EnvironmentFailedError: the configuration cannot be read.
    """
    try:
        return config.get_prepend_sys_paths_list() or ()
    except Exception as error:
        raise _unreadable(error) from error


def _script_directory(config: Config) -> ScriptDirectory:
    try:
        return ScriptDirectory.from_config(config)
    except CommandError as error:
        raise EnvironmentFailedError(str(error)) from error
    except Exception as error:  # whatever the readers of INI and TOML raise
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> EnvironmentFailedError:
    return EnvironmentFailedError(
        f"the Alembic configuration cannot be read: {_description(error)}"
    )


def _description(error: BaseException) -> str:
    # a syntax error's text names the file as well
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    if isinstance(error, DBAPIError):
        # of statements that env.py itself runs
        text = text if holds_no_value(error) else message_of(error, reveal=False, see="")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    name = "" if isinstance(error, CommandError) and lines else type(error).__name__
    kept = _invalid(error) or lines[:1]
    described = ": ".join(filter(None, [name, *kept]))
    place = place_of(error)
    return f"{described} ({place})" if place else described


def _invalid(error: BaseException) -> list[str]:
    """Of a validation error of pydantic: how many there are, and which variables, without their values; else nothing.

    https://docs.pydantic.dev/latest/errors/errors/: ``errors()`` has a dict each, with ``loc`` and ``msg``.
    """
    errors = getattr(error, "errors", None)
    if type(error).__name__ != "ValidationError" or not callable(errors):
        return []
    try:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in errors()]
    except Exception:  # noqa: BLE001 - another library's error of that name
        return []
    more = f"and {len(problems) - _PROBLEMS} more" if len(problems) > _PROBLEMS else ""
    return ["; ".join(filter(None, [*problems[:_PROBLEMS], more]))]


def _run_env_without_files(env_py: str) -> None:
    """Run ``env.py`` as Alembic does, with an ``open()`` of its own: what it opens to write is kept in memory.

    Alembic's multidb template writes ``<name>.sql`` where its name says that it is offline. What other modules open,
    such as log files, is opened.
    """
    spec = spec_from_file_location("env_py", env_py)
    assert spec is not None  # noqa: S101 - Alembic found the file
    assert spec.loader is not None  # noqa: S101 - and it is one of Python
    module = module_from_spec(spec)
    vars(module)["open"] = _open_unless_written
    spec.loader.exec_module(module)


def _open_unless_written(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
    if frozenset(mode).isdisjoint("wax+"):
        return open(file, mode, *args, **kwargs)  # noqa: PTH123 - env.py closes it
    return BytesIO() if "b" in mode else StringIO()
