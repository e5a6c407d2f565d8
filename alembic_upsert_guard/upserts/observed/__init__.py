"""Upserts that a program ran, as its libraries sent them: the source ``observed``.

:mod:`.instruments` replaces functions of SQLAlchemy and of drivers while anybody records, :mod:`.statement` and
:mod:`.sql_text` say what a statement upserts, :mod:`.frames` which line of the application sent it, :mod:`.outcome`
what the server answered; :mod:`.recorder` counts, and :mod:`.document` is the file.
"""

from __future__ import annotations

from .document import ObservedFileError, read_observed
from .observation import ObservedUpserts, observe
from .observed_upsert import ObservedPlace, ObservedUpsert, SentUpsert, UnreadStatement
from .on_drivers import DRIVERS, UnknownDriverError

__all__ = [
    "DRIVERS",
    "ObservedFileError",
    "ObservedPlace",
    "ObservedUpsert",
    "ObservedUpserts",
    "SentUpsert",
    "UnknownDriverError",
    "UnreadStatement",
    "observe",
    "read_observed",
]
