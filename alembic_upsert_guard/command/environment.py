"""A project's ``env.py``, run for what it configures and not for what it migrates."""

from __future__ import annotations

import builtins
import io
import sys
from argparse import Namespace
from contextlib import contextmanager, nullcontext
from io import StringIO
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
from .project_code import output_to_standard_error, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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


class EnvironmentFailedError(CannotRunError):
    """The configuration cannot be read, or ``env.py`` did not run to its end; the message says why and where."""


def project_config(
    ini: Path, pyproject: Path, *, name: str = "alembic", x: Sequence[str] | None = None
) -> Config:
    """Return the configuration as the ``alembic`` command makes it; what is no file says nothing.

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
        _writing_no_files(script.env_py_location) if offline else nullcontext(),
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
    lines = text.strip().splitlines()
    name = "" if isinstance(error, CommandError) and lines else type(error).__name__
    described = ": ".join(filter(None, [name, *lines[:1]]))
    place = place_of(error)
    return f"{described} ({place})" if place else described


@contextmanager
def _writing_no_files(env_py: str) -> Iterator[None]:
    """Files that ``env.py`` itself opens to write are kept in memory: Alembic's multidb template writes ``<name>.sql``.

    The template does so whenever it runs offline, before it configures anything. It is one of Alembic's own, and a
    scan that leaves files behind is worse than a patched function. What other modules open, such as log files, is
    opened.
    """
    really_open = builtins.open
    env = Path(env_py).resolve()

    def open_unless_written(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if frozenset(mode).isdisjoint("wax+") or not _is_called_in(env):
            return really_open(file, mode, *more, **named)
        return io.BytesIO() if "b" in mode else StringIO()

    # two names of one function; pathlib knows the second
    builtins.open = open_unless_written
    io.open = open_unless_written
    try:
        yield
    finally:
        builtins.open = really_open
        io.open = really_open


def _is_called_in(file: Path) -> bool:
    """Whether the caller was called from code in `file`, directly or through pathlib."""
    frame = sys._getframe(2)  # noqa: SLF001 - inspect.stack() reads the sources of all frames
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "pathlib":
        frame = frame.f_back
    return Path(frame.f_code.co_filename).resolve() == file
