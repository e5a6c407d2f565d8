"""What comes through the pipe of another process, waited for no longer than a while."""

from __future__ import annotations

import os
import queue
import select
import threading
from typing import IO

__all__ = ["Incoming"]

_SIZE = 1 << 16
_SELECTS_PIPES = hasattr(os, "fork")
"""Windows selects sockets only. It copies no process either, so that a thread is in nobody's way there."""


class Incoming:
    """The bytes of one pipe."""

    def __init__(self, pipe: IO[bytes]) -> None:
        """Nothing is read yet, or what comes is read by a thread that ends with the pipe."""
        self._descriptor = pipe.fileno()
        self._read: queue.SimpleQueue[bytes] | None = None
        if not _SELECTS_PIPES:
            self._read = queue.SimpleQueue()
            threading.Thread(target=self._read_all, args=(self._read,), daemon=True).start()

    def chunk(self, seconds: float) -> bytes:
        """Return some bytes; empty: the pipe is at its end, or nothing came in time.

        :raises OSError: it cannot be read.
        """
        if self._read is None:
            readable, _, _ = select.select([self._descriptor], [], [], max(0.0, seconds))
            return os.read(self._descriptor, _SIZE) if readable else b""
        try:
            return self._read.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return b""

    def _read_all(self, read: queue.SimpleQueue[bytes]) -> None:
        chunk = b"-"
        while chunk:
            try:
                chunk = os.read(self._descriptor, _SIZE)
            except OSError:  # it was closed
                chunk = b""
            read.put(chunk)
