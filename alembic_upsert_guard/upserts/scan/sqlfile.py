"""Upserts in files of SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lines import Lines
from .sighting import Form, Sighting
from .sql import read_sql, without_psql

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SqlSource"]


class SqlSource:
    """One file of SQL."""

    def __init__(self, text: str) -> None:
        """Nothing is parsed yet."""
        self._text = text

    def sightings(self) -> Iterator[Sighting]:
        """Return every upsert of the file; a comment counts for it on every line of its statement."""
        lines = Lines(self._text)
        for upsert in read_sql(without_psql(self._text)):
            yield Sighting(
                lines.at(upsert.start),
                lines.at(upsert.first),
                lines.at(upsert.last),
                upsert.table,
                upsert.target,
                upsert.binds,
                Form.SQL,
            )

    def comments(self) -> Iterator[tuple[int, str]]:
        """Return the line, counted from 1, and the text of every comment, those in functions included."""
        for number, line in enumerate(self._text.split("\n"), 1):
            _, dashes, comment = line.partition("--")
            if dashes:
                yield number, comment
