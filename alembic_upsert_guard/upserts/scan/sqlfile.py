"""Upserts in files of SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..upsert import Form, Place, Source, Upsert
from .lines import Lines
from .sql import read_sql, without_psql, without_templates

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SUFFIXES", "SqlSource"]

SUFFIXES = (
    ".sql",
    *(".sql.j2", ".sql.jinja", ".sql.jinja2"),
    *(".sql.mysql", ".sql.postgres", ".sql.postgresql", ".sql.sqlite"),
)


class SqlSource:
    """One file of SQL."""

    def __init__(self, path: str, text: str) -> None:
        """Nothing is parsed yet.

        :param path: as the file was asked for.
        """
        self._path = path
        self._text = text

    def upserts(self) -> Iterator[Upsert]:
        """Return every upsert of the file; a comment counts for it on every line of its statement."""
        text = without_templates(without_psql(self._text))
        lines = Lines(text)
        for upsert in read_sql(text):
            yield Upsert(
                source=Source.CODE,
                place=Place(
                    path=self._path,
                    line=lines.at(upsert.start),
                    extent=(lines.at(upsert.first), lines.at(upsert.last)),
                ),
                table=upsert.table,
                target=upsert.target,
                binds=upsert.binds,
                form=Form.SQL,
                definition=upsert.definition,
            )

    def comments(self) -> Iterator[tuple[int, str]]:
        """Return the line, counted from 1, and the text of every comment, those in functions included."""
        for number, line in enumerate(self._text.split("\n"), 1):
            _, dashes, comment = line.partition("--")
            if dashes:
                yield number, comment
