"""How the command line is parsed: what complaints say, and what a shell completes."""

from __future__ import annotations

import argparse
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "Parser", "PrintCompletion"]

COMMANDS = ("check", "scan", "functions", "explain")

_SHELLS = ("bash", "zsh", "tcsh")


class Parser(argparse.ArgumentParser):
    """One whose complaints repeat no password of a URL."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit with 2."""
        from .secrets import secrets_of, without  # noqa: PLC0415 - SQLAlchemy

        if message.endswith("required: command"):
            message = f"name a command: {', '.join(COMMANDS)}"
        _, unknown, options = message.partition("unrecognized arguments: ")
        if unknown:
            message += self._suggested(options)
        secrets = frozenset[str]().union(*(secrets_of(word) for word in message.split()))
        super().error(without(message, secrets))

    def _suggested(self, unknown: str) -> str:
        known = {
            option
            for action in self._actions
            if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - it has no public name
            for command in action.choices.values()
            for option in command._option_string_actions  # noqa: SLF001 - as above
        }
        first = unknown.split(maxsplit=1)[0].partition("=")[0]
        meant = get_close_matches(first, sorted(known), n=1) if first.startswith("--") else []
        return "".join(f"; did you mean {each}?" for each in meant)


class PrintCompletion(argparse.Action):
    """Print a shell's completion script, made by shtab, and exit."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(
            option_strings, dest, choices=_SHELLS, default=argparse.SUPPRESS, **options
        )

    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any) -> None:
        """Print it; exit with 2 where shtab is not installed."""
        _, shell, *_ = arguments
        try:
            import shtab  # noqa: PLC0415 - an extra
        except ModuleNotFoundError:
            parser.error("completion needs shtab: pip install 'alembic-upsert-guard[completion]'")
        sys.stdout.write(f"{shtab.complete(parser, shell)}\n")
        parser.exit()
