"""``upsert-guard``: parse, call, print, exit. What asks a database is imported by the commands that do."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from .command.arguments import argument_parser
from .command.project import find_project
from .command.pyproject import read_settings
from .command.report import (
    Rendering,
    fails,
    project_url,
    rendered,
    suppressed_in,
    with_baseline,
)
from .command.scan import ScanOptions, Writing, scan_project
from .command.scan_cache import CacheOptions
from .errors import CannotRunError, UpsertGuardError
from .findings import error_as_json, list_of_codes, page_of

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import TextIO

    from .command.project import Project
    from .command.report import Report

__all__ = ["main"]

_DONE, _FOUND, _COULD_NOT_RUN, _INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 nothing to do, 1 something was found, 2 the command could not run.

    :param arguments: None: those of the process.
    """
    options = argument_parser().parse_args(arguments)
    options.started = datetime.now(timezone.utc)
    if hasattr(sys.stdout, "reconfigure"):
        # a name in another encoding than the terminal's is printed all the same
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _COMMANDS[options.command](options)
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader of the report has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _COULD_NOT_RUN
    except KeyboardInterrupt:
        return _failed(options, "interrupted", _INTERRUPTED)
    except UpsertGuardError as error:
        return _failed(options, str(error))
    except Exception as error:  # noqa: BLE001 - 1, which Python would end with, says that something was found
        message = _of_database(error)
        if message is None and getattr(options, "debug", False):
            traceback.print_exc()
        return _failed(options, message or _unforeseen(error))
    return code


def _of_database(error: Exception) -> str | None:
    """That the database could not be read; None: the error is none of a database's."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - not needed where nothing fails

    from .catalog.messages import message_of  # noqa: PLC0415 - as above

    if not isinstance(error, DBAPIError):
        return None
    return f"the database could not be read: {message_of(error, reveal=False, see='')}"


def _unforeseen(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return (
        f"{type(error).__name__}: {error} ({where}): this is a fault of upsert-guard: please report it, with what "
        f"--debug shows: {project_url('Issues')}"
    )


def _failed(options: Namespace, message: str, code: int = _COULD_NOT_RUN) -> int:
    """Say why there is no report: on standard error, and under ``--format json`` as the document."""
    from .command.secrets import without  # noqa: PLC0415 - SQLAlchemy

    message = without(message, _secrets(options))
    print(f"upsert-guard: {message}", file=sys.stderr)
    if getattr(options, "format", None) == "json" and code == _COULD_NOT_RUN:
        print(error_as_json(message))
    return code


def _secrets(options: Namespace) -> frozenset[str]:
    """The passwords in the URLs that were given."""
    from .command.secrets import secrets_of  # noqa: PLC0415 - SQLAlchemy

    urls = (getattr(options, name, None) or "" for name in ("database", "statements_from"))
    return frozenset[str]().union(*map(secrets_of, urls))


# -- call


def _project(options: Namespace) -> Project:
    return find_project(
        [*options.config_before, *options.config_after],
        options.name_after or options.name_before or "alembic",
        [*options.x_before, *options.x_after],
    )


def _cache(options: Namespace) -> CacheOptions:
    return CacheOptions(not options.no_cache, options.cache_dir)


def _check(options: Namespace) -> int:
    from .command.check import CheckOptions, check_database, check_project  # noqa: PLC0415 - SQLAlchemy
    from .command.records import RecordOptions  # noqa: PLC0415 - as above

    project = _project(options)
    records = RecordOptions(
        statements=options.statements,
        statements_from=options.statements_from,
        logs=tuple(options.log),
        log_database=options.log_database,
        observed=tuple(options.observed),
    )
    sources = CheckOptions(
        rows=options.rows,
        code=tuple(options.code),
        functions=options.functions,
        records=records,
        cache=_cache(options),
        migrations=options.migrations,
        python=options.python,
        quiet=options.quiet,
    )
    if options.database is not None:
        report = check_database(project, sources, options.database, options.metadata)
    elif options.metadata:
        raise CannotRunError("--metadata goes with --database; without it, env.py has the models")
    else:
        report = check_project(project, sources)
    return _print(options, project, report)


def _scan(options: Namespace) -> int:
    if options.writing is Writing.DIFF and options.format != "text":
        raise CannotRunError("--diff prints a diff: leave out --format")
    project = _project(options)
    asked = ScanOptions(
        paths=tuple(options.paths),
        metadata=tuple(options.metadata),
        writing=options.writing,
        observed=tuple(options.observed),
        # under --strict the warning about a primary key fails, too
        primary_keys=options.strict,
        cache=_cache(options),
        migrations=options.migrations,
        python=options.python,
        quiet=options.quiet,
    )
    return _print(options, project, scan_project(project, asked))


def _functions(options: Namespace) -> int:
    from .command.check import functions_of_project  # noqa: PLC0415 - SQLAlchemy

    project = _project(options)
    return _print(options, project, functions_of_project(project))


def _explain(options: Namespace) -> int:
    if options.code is None:
        print("\n".join(list_of_codes()))
    else:
        print(page_of(options.code), end="")
    return _DONE


_COMMANDS = {"check": _check, "scan": _scan, "functions": _functions, "explain": _explain}


# -- print, exit


def _print(options: Namespace, project: Project, report: Report) -> int:
    """Print what is not suppressed, and return the exit code.

    :raises CannotRunError: the file of ``--output`` cannot be written.
    """
    outcome = suppressed_in(report, project.pyproject)
    notes = report.notes
    if options.baseline:
        outcome, note = with_baseline(outcome, project.pyproject)
        notes = (*notes, note)
    if not options.quiet:
        for line in notes:
            print(line, file=sys.stderr)
    stream = sys.stdout
    if report.diff is not None:
        sys.stdout.flush()
        sys.stdout.buffer.writelines(report.diff)
        sys.stdout.buffer.flush()
        stream = sys.stderr
    strict = options.strict or read_settings(project.pyproject).strict
    rendering = Rendering(
        form=options.format,
        command=options.command,
        started=options.started,
        coloured=options.output is None and _takes_colours(stream),
        width=_width_of(stream) if options.output is None else None,
        quiet=options.quiet,
        statistics=options.statistics,
        strict=strict,
    )
    text = rendered(report, outcome, rendering)
    if options.output is not None:
        _write(Path(options.output), text)
    elif text:
        print(text, file=stream)
    return _FOUND if fails(outcome, strict=strict) else _DONE


def _takes_colours(stream: TextIO) -> bool:
    """As https://no-color.org and https://force-color.org have it."""
    if os.environ.get("NO_COLOR"):
        return False
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def _width_of(stream: TextIO) -> int | None:
    """The terminal's width in columns; None: it is none."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CannotRunError(f"--output {path}: {error.strerror or error}") from error


if __name__ == "__main__":
    sys.exit(main())
