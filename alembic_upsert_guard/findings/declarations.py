"""What is said of declarations that are written into models, and of those that a person has to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["declaration_written", "declare_by_hand"]


def declaration_written(path: str, line: int, keys: Sequence[str], place: str) -> str:
    """Return the line that is said of a declaration which was written, without a full stop.

    :param place: what it was written into, such as ``class User``.
    """
    return f"{path}:{line}: {', '.join(keys)} written into {place}"


def declare_by_hand(line: str, place: str, path: str | None, reason: str) -> str:
    """Return the hint of a finding whose declaration is not written.

    :param line: the statement to paste.
    :param place: what it goes below, such as ``class User``.
    :param path: the file of the place; None: it is not known.
    :param reason: present tense.
    """
    file = "" if path is None else f" in {path}"
    return f"write {line} below {place}{file}; --fix leaves that to you: {reason}"
