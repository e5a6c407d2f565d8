"""Upserts in a tree of files, held against the declared upsert keys; no database is needed.

Readers (:mod:`.python`, :mod:`.javascript`, :mod:`.sqlfile`) yield the upserts of a file, :mod:`.resolve` holds them
against :class:`DeclaredTables`, plain values that :mod:`..models` takes from SQLAlchemy's metadata. Nothing that is
scanned is imported or run, and what the source does not say is unresolved, never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declared import DeclaredClass, DeclaredKey, DeclaredTable, DeclaredTables
from ..parsers import check_parsers, without_parsers
from ..upsert import JudgedUpsert, Place, Resolution, Source, Upsert, call_site_member
from .files import Problem
from .ignoring import IgnoreComment
from .newer_python import use_newer
from .report import ScanReport

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from .cache import ScanCache
    from .environments import ScannedEnvironment
    from .newer_python import NewerPython
    from .ran import RanUpserts

__all__ = [
    "DeclaredClass",
    "DeclaredKey",
    "DeclaredTable",
    "DeclaredTables",
    "IgnoreComment",
    "JudgedUpsert",
    "Place",
    "Problem",
    "Resolution",
    "ScanReport",
    "Source",
    "Upsert",
    "call_site_member",
    "scan",
]

_OTHER_PARSERS = ("pathspec", "tree_sitter", "tree_sitter_javascript", "tree_sitter_typescript")
"""What is not SQL's."""


def scan(
    paths: Iterable[str | os.PathLike[str]],
    declared: DeclaredTables | Sequence[ScannedEnvironment] | None,
    *,
    drivers: frozenset[str] = frozenset(),
    progress: Callable[[int, int], None] | None = None,
    exclude: Iterable[str] = (),
    ran: RanUpserts | None = None,
    cache: ScanCache | None = None,
    migrations: bool = True,
    newer_python: NewerPython | None = None,
) -> ScanReport:
    """Return the call sites under `paths`, held against what the models declare and what they are unique on.

    What cannot be read becomes a problem and a finding of the report, and the rest is scanned. Files of more than
    :data:`.files.LARGEST` bytes are not read, nor is one that takes more than :data:`.bounds.SECONDS` seconds.

    :param paths: files, and folders to walk; hidden folders, ``node_modules``, virtual environments and what git
     ignores are left out unless they are named here. No link is followed out of them.
    :param declared: None: there are no models; what can be read is ``read``, and judged by nothing. Several
     environments, each with its models, drivers and folders: an upsert is held against those of its folder.
    :param drivers: SQLAlchemy's names of the drivers that the project connects with; empty: they are not known.
    :param progress: called after each file with the number of files done, and of all.
    :param exclude: names and absolute paths to leave out, with wildcards; see :func:`.walk.find_files`.
    :param ran: what was seen to run: an upsert that cannot be read from its source is known from the runs of its line;
     None: nothing was recorded.
    :param cache: what earlier scans of the same files read; None: nothing is kept.
    :param migrations: whether upserts count that ran once, in a migration; see :mod:`.migration_upserts`.
    :param newer_python: what parses the files that this Python does not take; None: they are not read.
    :raises MissingParsersError: the extra ``scan`` is not installed.
    """
    check_parsers("scanning", _OTHER_PARSERS)
    try:
        from .environments import ScannedEnvironment  # noqa: PLC0415 - as below
        from .scanner import Scanner  # noqa: PLC0415 - the parsers are an extra
    except ModuleNotFoundError as error:  # one is there, and lacks what it needs itself
        if not (error.name or "").startswith(("postgast", *_OTHER_PARSERS)):
            raise
        raise without_parsers("scanning", [str(error.name)]) from error
    environments = (
        [ScannedEnvironment(declared=declared, drivers=drivers)]
        if declared is None or isinstance(declared, DeclaredTables)
        else declared
    )
    with use_newer(newer_python):
        return Scanner(environments, ran).scan(
            paths, progress, exclude, cache, migrations=migrations
        )
