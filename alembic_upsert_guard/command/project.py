"""The files of a project, as the ``alembic`` command finds them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CannotRunError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # Alembic brings it where Python does not

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.config import Config

__all__ = ["Project", "find_project"]

_INI, _TOML = "alembic.ini", "pyproject.toml"
_SECTION = "alembic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Where the configuration of a project is, whether it is there or not."""

    ini: Path
    toml: Path
    """Where Alembic's configuration may be beside `ini`."""
    pyproject: Path
    """The file of the settings and the ignore entries, beside the configuration."""
    is_named: bool
    """Whether ``-c`` or ``ALEMBIC_CONFIG`` names the configuration."""
    section: str
    """As ``-n`` gives it."""
    x: tuple[str, ...]
    """As ``-x`` gives them."""

    @property
    def is_chosen(self) -> bool:
        """Whether ``-c``, ``ALEMBIC_CONFIG`` or ``-n`` asks for one environment."""
        return self.is_named or self.section != _SECTION

    @property
    def is_configured(self) -> bool:
        """Whether Alembic's configuration is named or there: not every ``pyproject.toml`` has a part of it."""
        if self.ini.is_file() or self.is_named:
            return True
        try:
            document = tomllib.loads(self.toml.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            return False
        tool = document.get("tool")
        return isinstance(tool, dict) and "alembic" in tool

    def config(self) -> Config:
        """Return the configuration; this imports Alembic.

        :raises CannotRunError: there is none.
        """
        if not self.is_configured:
            raise CannotRunError(
                f"there is no {self.ini}, and no [tool.alembic] in {self.toml}: run it where Alembic's configuration "
                "is, or name it with -c; without Alembic: upsert-guard check --database URL --code PATH"
            )
        from ..migration.environment import project_config  # noqa: PLC0415 - Alembic

        # None where there is none, as Alembic's own parser has it
        x = list(self.x) or None
        return project_config(self.ini, self.toml, name=self.section, x=x)


def find_project(named: Sequence[str], section: str = _SECTION, x: Sequence[str] = ()) -> Project:
    """Return the project whose configuration is named, or that of this folder.

    The rules are those of Alembic's parser (alembic.config: CommandLine._inis_from_config). It is not used itself: that
    method is private, its options go in front of the command's name only, and a check by URL imports nothing of
    Alembic.

    :param named: what ``-c`` gives; empty: ``ALEMBIC_CONFIG`` counts.
    :raises CannotRunError: a file that is named is not there, or two of a kind are named.
    """
    names = [*named] or [*filter(None, [os.environ.get("ALEMBIC_CONFIG")])]
    paths = [Path(name) for name in names]
    tomls = [path for path in paths if path.name == _TOML]
    inis = [path for path in paths if path.name != _TOML]
    if len(tomls) > 1 or len(inis) > 1:
        raise CannotRunError("-c names more than one file of a kind; name one INI and one TOML")
    for path in (*tomls, *inis):
        if not path.is_file():
            raise CannotRunError(f"there is no configuration {path}")
    toml = tomls[0] if tomls else Path(_TOML)
    return Project(
        ini=inis[0] if inis else Path(_INI),
        toml=toml,
        pyproject=inis[0].with_name(_TOML) if inis and not tomls else toml,
        is_named=bool(names),
        section=section,
        x=tuple(x),
    )
