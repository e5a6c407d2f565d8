"""All files of a tree, read: from what an earlier scan kept, in several processes, or here, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .collection import collection_paused
from .file_reader import FileReader
from .source_tree import SourceTree
from .workers import read_in_processes, workers_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .cache import ScanCache
    from .environments import ScannedEnvironments
    from .file_reader import Glance, Outcome
    from .walk import SourceFiles

__all__ = ["read_tree"]


def read_tree(
    found: SourceFiles,
    environments: ScannedEnvironments,
    *,
    named: Iterable[str],
    cache: ScanCache | None,
    progress: Callable[[int, int], None] | None,
) -> Iterator[tuple[str, Outcome]]:
    """Return what is in each file, in the order of the paths.

    :param found: what was walked.
    :param environments: whose models the files are read by.
    :param named: those of the paths that were named themselves, and not found in a folder.
    :param cache: what earlier scans kept; None: nothing is kept.
    :param progress: called with the number of files done, and of all.
    """
    paths = found.paths
    tree = SourceTree(paths)
    reader = FileReader(tree, environments, named)
    done = _Progress(len(paths), progress)
    glances: dict[str, Glance] = {}
    for path in paths:
        glances[path] = reader.look(path)
        done.advance(not glances[path].size)
    sizes = {path: glance.size for path, glance in glances.items() if glance.size}
    key = ""
    outcomes: dict[str, Outcome] | None = None
    if cache is not None:
        try:
            key = cache.key(glances, found.listings, environments.known_by)
        except TypeError:  # such as a name of a table that is no string
            cache = None
        else:
            outcomes = cache.load(key)
    if outcomes is None:
        with collection_paused():
            outcomes = _outcomes(reader, sizes, done)
            reader.forget()
        if cache is not None:
            cache.store(key, outcomes, tree, glances)
    for path, glance in glances.items():
        yield path, outcomes[path] if glance.size else glance.outcome


def _outcomes(reader: FileReader, sizes: Mapping[str, int], done: _Progress) -> dict[str, Outcome]:
    """What is in the files that have to be parsed."""
    workers = workers_for(sum(sizes.values()))
    outcomes = read_in_processes(reader, sizes, workers, done.advance) if workers > 1 else {}
    for path in sizes:
        if path not in outcomes:
            outcomes[path] = reader.read(path)
            done.advance()
    return outcomes


class _Progress:
    def __init__(self, total: int, report: Callable[[int, int], None] | None) -> None:
        self._total = total
        self._report = report
        self._done = 0

    def advance(self, by: int = 1) -> None:
        self._done += by
        if self._report is not None and by:
            self._report(self._done, self._total)
