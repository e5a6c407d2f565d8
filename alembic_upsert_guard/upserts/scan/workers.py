"""Files read in several processes, where the system lets one be copied as it is."""

from __future__ import annotations

import json
import os
import selectors
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .codec import decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from .file_reader import FileReader, Outcome

__all__ = ["read_in_processes", "workers_for"]

_MOST = 4
_SHARE = 400_000
"""Bytes of files to parse that are worth a process: a few hundred milliseconds of its time, where it starts in ten."""
_NUMBER = 4
"""Bytes of the number of a file."""
_WAITING = 8_192
"""Numbers that wait at most: a pipe takes 64 kB (manual, pipe(7))."""


def workers_for(size: int) -> int:
    """Return how many processes read files of so many bytes in all; 1: this one.

    One thread only may be copied safely, and on macOS not even that: there, and on Windows, it is this process.
    """
    if not hasattr(os, "fork") or _threads() != 1:
        return 1
    return max(1, min(_MOST, len(os.sched_getaffinity(0)), size // _SHARE))


def _threads() -> int:
    """Of this process; 0: that is not known, as on macOS."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - threads that Python does not know, too
    except OSError:
        return 0


def read_in_processes(
    reader: FileReader, sizes: Mapping[str, int], workers: int, done: Callable[[], None]
) -> dict[str, Outcome]:
    """Return what is in each file; a file is left out whose process ended before it was read.

    :param sizes: the bytes of each file.
    :param done: called after each file.
    """
    outcomes: dict[str, Outcome] = {}
    running: dict[int, int] = {}
    try:
        with _queue(_in_turns(sizes)) as waiting:
            for _ in range(workers):
                process, pipe = _begin(reader, waiting, tuple(running.values()))
                running[process] = pipe
        for line in _lines_of(running.values()):
            document = json.loads(line)
            if "path" in document:
                outcomes[document["path"]] = decoded(document["outcome"])
                done()
            else:
                reader.tree.remember(document["read_files"], document["looked_up"])
    finally:
        for process, pipe in running.items():
            os.close(pipe)
            os.kill(process, signal.SIGKILL)  # it has ended, or this process was interrupted
            os.waitpid(process, 0)
    return outcomes


def _in_turns(sizes: Mapping[str, int]) -> list[list[str]]:
    """The files, a few at a time where there are very many; large ones first, so that all processes end together."""
    paths = sorted(sizes, key=lambda path: (-sizes[path], path))
    step = len(paths) // _WAITING + 1
    return [paths[at : at + step] for at in range(0, len(paths), step)]


@dataclass(frozen=True, slots=True)
class _Queue:
    """What is still to be read, as numbers in a pipe: whichever process is free takes the next."""

    turns: list[list[str]]
    pipe: int

    def __iter__(self) -> Iterator[str]:
        while number := os.read(self.pipe, _NUMBER):
            yield from self.turns[int.from_bytes(number, "big")]


@contextmanager
def _queue(turns: list[list[str]]) -> Iterator[_Queue]:
    receiving, sending = os.pipe()
    try:
        os.write(sending, b"".join(n.to_bytes(_NUMBER, "big") for n in range(len(turns))))
    finally:
        os.close(sending)
    try:
        yield _Queue(turns, receiving)
    finally:
        os.close(receiving)


def _begin(reader: FileReader, waiting: Iterable[str], others: Sequence[int]) -> tuple[int, int]:
    """Start a process that reads what is waiting; return its number, and the pipe that its outcomes come through."""
    receiving, sending = os.pipe()
    process = os.fork()
    if process:
        os.close(sending)
        return process, receiving
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for pipe in (receiving, *others):
            os.close(pipe)
        with Path(f"/dev/fd/{sending}").open("w", encoding="utf-8") as stream:
            for path in waiting:
                with suppress(TypeError):  # the other process reads it for itself
                    outcome = {"path": path, "outcome": encoded(reader.read(path))}
                    stream.write(json.dumps(outcome) + "\n")
                    stream.flush()
            tree = reader.tree
            beside = {"read_files": tree.read_files, "looked_up": tree.looked_up}
            stream.write(json.dumps(beside) + "\n")
        code = 0
    finally:
        os._exit(code)  # nothing of the process that it is a copy of is to be cleaned up


def _lines_of(pipes: Collection[int]) -> Iterator[bytes]:
    """The whole lines that come through the pipes, until all are closed."""
    with selectors.DefaultSelector() as selector:
        unended = dict.fromkeys(pipes, b"")
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fd)
                *lines, unended[key.fd] = (unended[key.fd] + chunk).split(b"\n")
                yield from lines
