"""The options that ``context.configure()`` takes for this package, and the values of each."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alembic.runtime.migration import MigrationContext

__all__ = ["CONCURRENTLY", "CONTRACT", "OBSERVED", "REVEAL", "VALIDATE", "refuse_wrong_options"]

_PREFIX = "upsert_guard_"

CONCURRENTLY = f"{_PREFIX}concurrently"
CONTRACT = f"{_PREFIX}contract"
OBSERVED = f"{_PREFIX}observed"
REVEAL = f"{_PREFIX}reveal"
VALIDATE = f"{_PREFIX}validate"
"""Of the same name as the ``-x`` argument that switches the check of the rows off."""


@dataclass(frozen=True, slots=True)
class _Option:
    values: str
    """What may be written, for the message."""
    takes: Callable[[Any], bool]
    """Of a value other than None, with which the option is left out."""


def _is_bool(stated: Any) -> bool:
    # a string is true, "0" and "off" as well: as a value of `reveal` it would show what was to be held back
    return isinstance(stated, bool)


def _is_path(stated: Any) -> bool:
    return isinstance(stated, str | PathLike)


_OPTIONS: Mapping[str, _Option] = {
    CONCURRENTLY: _Option(
        "True, False, or a callable that returns one of them for a table",
        lambda stated: _is_bool(stated) or callable(stated),
    ),
    CONTRACT: _Option('"separate" or "same"', lambda stated: stated in ("separate", "same")),
    OBSERVED: _Option(
        "the path of a file, or a list of paths",
        lambda stated: (
            _is_path(stated)
            or (isinstance(stated, list | tuple | set | frozenset) and all(map(_is_path, stated)))
        ),
    ),
    REVEAL: _Option("True or False", _is_bool),
    VALIDATE: _Option('"all"', lambda stated: stated == "all"),
}


def refuse_wrong_options(context: MigrationContext) -> None:
    """Refuse an option of ours that does not exist, or that has a value which it does not take.

    :raises CommandError: there is one; the message has what may be written.
    """
    for name, stated in context.opts.items():
        if not name.startswith(_PREFIX):
            continue
        option = _OPTIONS.get(name)
        if option is None:
            listed = ", ".join(_OPTIONS)
            raise CommandError(f"context.configure({name}=...) is not known: there are {listed}")
        if stated is not None and not option.takes(stated):
            raise CommandError(
                f"context.configure({name}={stated!r}) is not known: write {option.values}, or leave it out"
            )
