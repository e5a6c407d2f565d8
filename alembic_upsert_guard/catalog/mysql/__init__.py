"""MySQL and MariaDB: information_schema read once for all tables. No server can be asked about a conflict target."""

from __future__ import annotations

from .empty_copy import empty_copy, normalize
from .made_unique import made_unique_by
from .offers import offered_from, read
from .script import failing_statements, text_literal, verification_script
from .server import errno, server_message
from .statement import catalog_statement

__all__ = [
    "catalog_statement",
    "empty_copy",
    "errno",
    "failing_statements",
    "made_unique_by",
    "normalize",
    "offered_from",
    "read",
    "server_message",
    "text_literal",
    "verification_script",
]
