"""The password of a database, which is in no message."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus, unquote

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

__all__ = ["secrets_of", "without"]

_SECRET_PARAMETERS = ("password", "sslpassword", "passwd")
"""Parameters behind the question mark that hold a password."""


def secrets_of(text: str) -> frozenset[str]:
    """Return every spelling of the password in a URL, as far as the URL can be read."""
    found: set[str] = set()
    behind_scheme = text.partition("://")[2] or text
    user, at, _ = behind_scheme.rpartition("@")
    if at:
        found.add(user.partition(":")[2])
        # an @ in the password, which SQLAlchemy takes for its end
        found.add(behind_scheme.partition("@")[0].partition(":")[2])
    try:
        url = make_url(text)
        found.add(str(url.password or ""))
        found.update(str(url.query.get(name, "")) for name in _SECRET_PARAMETERS)
        if "@" in (url.host or ""):
            found.add(str(url.host).rpartition("@")[0])
    except (ArgumentError, ValueError):
        pass
    spelled = {
        spelling
        for secret in found
        for spelling in (secret, unquote(secret), quote(secret, safe=""), quote_plus(secret))
    }
    return frozenset(spelled - {""})


def without(message: str, secrets: frozenset[str]) -> str:
    """Return a message in which ``***`` is in the place of each of `secrets`.

    In the middle of a word it is none: a password may be ``postgres``, or a letter.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        before = r"(?<![a-zA-Z0-9])" if secret[0].isalnum() else ""
        after = r"(?![a-zA-Z0-9])" if secret[-1].isalnum() else ""
        message = re.sub(f"{before}{re.escape(secret)}{after}", "***", message)
    return message
