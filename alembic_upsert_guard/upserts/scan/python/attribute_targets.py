"""Where a source may set an attribute, by its bytes: most places that name it only read it, and are never looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..bounds import check_time
from .word_lines import goes_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .word_lines import WordLines

__all__ = ["AttributeTargets", "attribute_targets"]

_BLANK = re.compile(rb"(?:[ \t\f\n\\]|#[^\n]*)*")
"""What may be between two parts of a statement."""
_BEHIND = re.compile(rb"=(?!=)|:(?!=)|[,)\]]|(?:[-+%&|^@]|\*\*?|//?|<<|>>)=|in\b")
"""What is behind the target of an assignment, a loop or a ``with``, or behind one of several targets."""
_LOOPED = re.compile(rb"[\s\w.,()\[\]]{0,200}?\bin\b")
_BLANKS = b" \t\f\n\\"
_BEFORE = 200
"""Bytes before the attribute that are looked at."""


@dataclass(frozen=True, slots=True)
class AttributeTargets:
    """Where an attribute may be set."""

    lines: tuple[int, ...] | None
    """In their order; None: any line may."""
    in_comprehension: bool
    """Whether a comprehension may: ``for x.key in keys``, which nobody writes."""


def attribute_targets(source: bytes, lines: WordLines, attribute: str) -> AttributeTargets:
    """Return where an attribute may be set or deleted.

    ``x.key = 1``, ``x.key, y = z``, ``x.key += 1``, ``x.key: int = 1``, ``for x.key in y:``, ``with y as x.key:``,
    ``del x.key``. So may some places that only read it: ``f(x.key)``.
    """
    if not lines.are_known or not attribute.isascii():
        return AttributeTargets(None, in_comprehension=True)
    found: list[int] = []
    in_comprehension = False
    for start in _attributes(source, attribute.encode()):
        end = start + len(attribute)
        before = source[max(0, start - _BEFORE) : start]
        if _may_be_target(source, end, before):
            found.append(lines.line_at(start))
        if b"for" in before and _LOOPED.match(source, end):
            in_comprehension = True
    return AttributeTargets(tuple(dict.fromkeys(found)), in_comprehension)


def _attributes(source: bytes, name: bytes) -> Iterator[int]:
    """Where a name is that a dot is before, and that ends there."""
    at = source.find(name)
    while at >= 0:
        check_time()
        behind = source[at + len(name) : at + len(name) + 1]
        if not goes_on(behind) and _is_behind_dot(source, at):
            yield at
        at = source.find(name, at + 1)


def _is_behind_dot(source: bytes, at: int) -> bool:
    last = source[at - 1 : at]
    if last not in _BLANKS:
        return last == b"."
    before = source[max(0, at - _BEFORE) : at]
    code = before.rstrip(_BLANKS)
    # ``x.  # why``, and the attribute on the next line
    is_commented = b"\n" in before[len(code) :] and b"#" in code.rpartition(b"\n")[2]
    is_far = not code and len(before) == _BEFORE
    return is_far or code.endswith(b".") or is_commented


def _may_be_target(source: bytes, end: int, before: bytes) -> bool:
    blank = _BLANK.match(source, end)
    behind = end if blank is None else blank.end()
    if _BEHIND.match(source, behind):
        return True
    earlier, _, line = before.rpartition(b"\n")
    # a ``del`` may be out of sight: at the beginning of a long line, or on the one that this one continues
    return b"del" in line or earlier.endswith(b"\\") or len(line) == _BEFORE
