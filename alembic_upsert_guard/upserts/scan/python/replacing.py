"""What a regular expression of the scanned source makes of a name: ``re.sub(r"(?<!^)(?=[A-Z])", "_", "UserName")``."""

from __future__ import annotations

import re

from ...target import Unread

__all__ = ["replaced"]

_LONGEST = 100
"""Characters of a pattern and of a name."""
_QUANTIFIERS = 3
"""Of a pattern that is run: as many steps as the name has characters, to the power of this."""


def replaced(pattern: str, put_in: str, text: str) -> str | Unread:
    """Return ``re.sub(pattern, put_in, text)``; what may run long is not run."""
    unread = Unread(f"what the pattern {pattern} makes of {text} is not read")
    quantifiers = sum(pattern.count(each) for each in "*+{")
    nested = any(f"){each}" in pattern for each in "*+{")
    if max(len(pattern), len(text)) > _LONGEST or quantifiers > _QUANTIFIERS or nested:
        return unread
    try:
        return re.sub(pattern, put_in, text)
    except (re.error, IndexError):
        return unread
