"""Why a project's ``env.py`` did not run, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from ..catalog.messages import holds_no_value, message_of
from ..errors import CannotRunError
from ..project_code import place_of

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["EnvironmentFailedError", "failed_env", "no_script_directory", "unreadable"]

_PROBLEMS = 5
"""As many variables of a validation error are named."""


class EnvironmentFailedError(CannotRunError):
    """The configuration cannot be read, or ``env.py`` did not run to its end; the message says why and where."""


def failed_env(config: Config, error: BaseException) -> EnvironmentFailedError:
    """Return that ``env.py`` ended with an error."""
    return EnvironmentFailedError(
        f"env.py did not run to its end: {_description(error)}{_template_url(config, error)}"
    )


def no_script_directory(config: Config, error: CommandError) -> EnvironmentFailedError:
    """Return that Alembic takes the configuration for none."""
    return EnvironmentFailedError(_missing_section(config) or str(error))


def _missing_section(config: Config) -> str | None:
    """What is wrong with an INI file that lacks the section; None: it is something else."""
    file, section = config.config_file_name, config.config_ini_section
    if file is None or not Path(file).is_file() or config.file_config.has_section(section):
        return None
    return f"{file} has no section [{section}]"


def _template_url(config: Config, error: BaseException) -> str:
    """What is said beside a driver that is not there, where the URL is that of Alembic's template."""
    if not isinstance(error, NoSuchModuleError):
        return ""
    url = config.file_config.get(config.config_ini_section, "sqlalchemy.url", raw=True, fallback="")
    is_template = url.startswith("driver://")
    return (
        f": sqlalchemy.url of {config.config_file_name} is still the template's"
        if is_template
        else ""
    )


def unreadable(error: Exception) -> EnvironmentFailedError:
    """Return that a reader of INI or TOML refuses the configuration."""
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
