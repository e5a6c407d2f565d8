"""What autogenerate logs of keys: a line each, and one line for all schemas where it is the same."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...findings import alike, describe_schemas, describe_target, is_tenant_schema
from ..context import log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table

    from ...inference import Candidate, ConflictTarget

__all__ = ["LogLines"]


@dataclass(frozen=True, slots=True)
class _Line:
    level: int
    before: str
    schema: str | None
    table: str
    elements: tuple[str, ...]
    where: str | None
    after: str


class LogLines:
    """What is to be logged at the end of one comparison, in order."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._homes: dict[str, str] = {}

    def info(self, before: str, table: Table, target: ConflictTarget, after: str = "") -> None:
        """Note what is so of a declared key; `before` and `after` are the text around it."""
        key = (target.labels, target.predicate)
        self._note(logging.INFO, f"{before}upsert key ", table, *key, after)

    def warning(self, before: str, table: Table, target: ConflictTarget, after: str = "") -> None:
        """Note what a person has to see to."""
        key = (target.labels, target.predicate)
        self._note(logging.WARNING, f"{before}upsert key ", table, *key, after)

    def removal(self, before: str, table: Table, gone: Candidate, after: str) -> None:
        """Note that an arbiter goes, of a declared key or of none."""
        self._note(logging.WARNING, before, table, gone.labels, None, after)

    def show_schema(self, table: Table, home: str | None) -> None:
        """Name the table with the schema that the search path leads to, as in a loop over tenants that sets it."""
        if table.schema is None and is_tenant_schema(home):
            self._homes[table.name] = str(home)

    def _note(
        self,
        level: int,
        before: str,
        table: Table,
        elements: tuple[str, ...],
        where: str | None,
        after: str,
    ) -> None:
        self._lines.append(_Line(level, before, table.schema, table.name, elements, where, after))

    def log(self) -> None:
        """Log what was noted."""
        lines = [
            replace(line, schema=line.schema or self._homes.get(line.table)) for line in self._lines
        ]
        for group in alike(lines, lambda line: replace(line, schema=None)):
            line = group[0]
            log.log(line.level, "%s%s%s", line.before, _subject(group), line.after)


def _subject(group: Sequence[_Line]) -> str:
    line = group[0]
    is_only_one = len(group) == 1 and line.schema
    table = f"{line.schema}.{line.table}" if is_only_one else line.table
    key = describe_target(table, line.elements, line.where)
    return f"{key}{describe_schemas([each.schema for each in group])}"
