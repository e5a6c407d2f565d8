"""``[tool.upsert_guard]`` in a project's ``pyproject.toml``: what it states for every run."""

from __future__ import annotations

import glob
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import CannotRunError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # Alembic brings it where Python does not

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "EnvironmentSettings",
    "PyprojectError",
    "Settings",
    "read_pyproject",
    "read_settings",
]

_MEMBERS = ("environments", "exclude", "ignore", "metadata", "paths", "strict")
_ENVIRONMENT = ("config", "metadata", "name", "paths")


class PyprojectError(CannotRunError, ValueError):
    """A setting or an ignore entry that cannot be used, or not be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """One of several Alembic environments of a tree."""

    config: Path
    """Its configuration, an INI or a TOML file, from the folder of the file on."""
    name: str
    """The section of the configuration."""
    paths: tuple[str, ...]
    """What belongs to it, from the folder of the file on; left out: the folder of its configuration."""
    metadata: tuple[str, ...]
    """The models, each as ``module:attribute``; empty: those that its ``env.py`` configures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command takes where its arguments say nothing."""

    paths: tuple[str, ...] = ()
    """What ``scan`` scans, from the folder of the file on."""
    exclude: tuple[str, ...] = ()
    """What ``scan`` leaves out: names, and absolute paths where an entry has a slash, with wildcards."""
    strict: bool = False
    metadata: tuple[str, ...] = ()
    """The models, each as ``module:attribute``; a string counts as a list of one."""
    environments: tuple[EnvironmentSettings, ...] = ()
    """Empty: the one of this folder, or that ``-c`` names."""


def read_settings(pyproject: Path) -> Settings:
    """Return the settings of a file, the defaults where there is none.

    :raises PyprojectError: the file is no TOML, or a setting is of another type.
    """
    _, table = read_pyproject(pyproject)
    if not isinstance(table.get("strict", False), bool):
        raise PyprojectError(f"{pyproject}: strict of [tool.upsert_guard] is true or false")
    if table.get("environments") and table.get("metadata"):
        raise PyprojectError(
            f"{pyproject}: metadata of [tool.upsert_guard] is of one environment: state it in each of environments"
        )
    folder = pyproject.parent
    base = glob.escape(folder.absolute().as_posix())
    return Settings(
        paths=tuple(str(folder / path) for path in _strings(pyproject, table, "paths")),
        exclude=tuple(
            f"{base}/{name.strip('/')}" if "/" in name.strip("/") else name.strip("/")
            for name in _strings(pyproject, table, "exclude")
        ),
        strict=table.get("strict", False),
        metadata=tuple(_strings(pyproject, table, "metadata")),
        environments=tuple(_environments(pyproject, table.get("environments", []))),
    )


def _environments(pyproject: Path, stated: object) -> Iterator[EnvironmentSettings]:
    if not isinstance(stated, list) or not all(isinstance(each, dict) for each in stated):
        raise PyprojectError(f"{pyproject}: write [[tool.upsert_guard.environments]], a table each")
    for each in stated:
        unknown = sorted(set(each) - set(_ENVIRONMENT))
        if unknown:
            raise PyprojectError(
                f"{pyproject}: an environment has the unknown key {unknown[0]}: there are {', '.join(_ENVIRONMENT)}"
            )
        config, name = each.get("config"), each.get("name", "alembic")
        if not (isinstance(config, str) and config):
            raise PyprojectError(
                f"{pyproject}: an environment lacks its config, the path of Alembic's configuration"
            )
        if not (isinstance(name, str) and name):
            raise PyprojectError(f"{pyproject}: name of the environment {config} is a string")
        file = pyproject.parent / config
        of = f"the environment {config}"
        named = [pyproject.parent / path for path in _strings(pyproject, each, "paths", of)]
        yield EnvironmentSettings(
            config=file,
            name=name,
            paths=tuple(map(str, named or [file.parent])),
            metadata=tuple(_strings(pyproject, each, "metadata", of)),
        )


def read_pyproject(pyproject: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of a file and its ``[tool.upsert_guard]``, both empty where there is none.

    :raises PyprojectError: the file is no TOML, or the table has a key that is not known.
    """
    if not pyproject.is_file():
        return "", {}
    try:
        # as TOML has it: UTF-8, and a byte order mark is an error
        text = pyproject.read_bytes().decode("utf-8")
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PyprojectError(f"{pyproject} cannot be read: {error}") from error
    tool = document.get("tool", {})
    table = tool.get("upsert_guard", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise PyprojectError(f"{pyproject}: tool.upsert_guard is no table")
    unknown = sorted(set(table) - set(_MEMBERS))
    if unknown:
        raise PyprojectError(
            f"{pyproject}: [tool.upsert_guard] has the unknown key {unknown[0]}: there are {', '.join(_MEMBERS)}"
        )
    return text, table


def _strings(
    pyproject: Path, table: dict[str, Any], member: str, of: str = "[tool.upsert_guard]"
) -> list[str]:
    stated = table.get(member, [])
    if member == "metadata" and isinstance(stated, str):
        stated = [stated]
    if not isinstance(stated, list) or not all(isinstance(each, str) and each for each in stated):
        raise PyprojectError(f"{pyproject}: {member} of {of} is a list of strings")
    return stated
