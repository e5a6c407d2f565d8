"""The missing declarations, written into the models: ``upsert-guard scan --diff`` and ``--fix``.

A declaration is inserted into the text, at offsets that Python's own :mod:`ast` and :mod:`tokenize` give. Nothing
that was there is printed again, so every other byte stays by construction: comments, spacing, quotes, line ends,
tabs, cookie, byte order mark. Libraries that keep formatting were tried on the same files (2026, Python 3.11):

============== ======================== ============================== ===========================
..             ast and tokenize         libcst 1.9                     parso 0.8
============== ======================== ============================== ===========================
it takes       nothing                  18 MB with PyYAML, a wheel     0.8 MB
                                        for each platform and version
it reads       what the interpreter     a grammar of its own           a grammar for each version,
               that imported the models                                without nested f-strings
               reads
other bytes    cannot change            a lone carriage return is lost stay
layout         ours: neither library folds what is new as Black and Ruff do
============== ======================== ============================== ===========================

:mod:`.missing` says which keys, :mod:`.origins` where their tables were made (it alone knows SQLAlchemy);
:mod:`.declarations`, :mod:`.arguments` and :mod:`.imports` what is inserted into a :class:`.source.Source`;
:mod:`.plan` puts files together, :mod:`.files` reads and writes them, :mod:`.outcome` says what is left to report.
Nothing is imported to find out: the models were loaded before.
"""

from __future__ import annotations

from .files import diff_of
from .outcome import described, left_after, plan_declarations, write_edits
from .plan import ChangedFile, Edits, Refused, Written

__all__ = [
    "ChangedFile",
    "Edits",
    "Refused",
    "Written",
    "described",
    "diff_of",
    "left_after",
    "plan_declarations",
    "write_edits",
]
