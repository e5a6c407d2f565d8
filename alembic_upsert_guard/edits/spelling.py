"""A declaration as Python source, in the names that its file has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .imports import LINE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..inference import Element

__all__ = ["KeyToWrite", "escaped", "folded", "sql_of_element"]


@dataclass(frozen=True, slots=True)
class KeyToWrite:
    """One missing upsert key."""

    elements: tuple[Element, ...]
    """In the order in which they are written."""
    where: str | None
    """The predicate's SQL; None: the key covers every row."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it names outside of SQL."""
        return frozenset(e.column for e in self.elements if e.column is not None)

    @property
    def holds_sql(self) -> bool:
        """Whether it takes ``text()`` to write it."""
        return self.where is not None or any(map(sql_of_element, self.elements))

    def arguments(self, text: str) -> list[str]:
        """Return what is in the parentheses of ``UpsertKey``.

        :param text: how the file spells SQLAlchemy's ``text``.
        """
        written = []
        for element in self.elements:
            sql = sql_of_element(element)
            column = _literal(element.column or "")
            written.append(column if sql is None else f"{text}({_literal(escaped(sql))})")
        if self.where is not None:
            written.append(f"where={text}({_literal(escaped(self.where))})")
        return written

    def spelled(self, name_of: Callable[[str], str], name: str = "UpsertKey") -> str:
        """Return the whole declaration, on one line.

        :param name_of: how the file spells ``UpsertKey`` and ``text``.
        """
        text = name_of("text") if self.holds_sql else "text"
        return f"{name_of(name)}({', '.join(self.arguments(text))})"


def sql_of_element(element: Element) -> str | None:
    """Return the SQL of what is no bare column; None: it is one, and is written by its name."""
    if element.column is None:
        return element.expression
    if element.collation is None and element.opclass is None:
        return None
    quoted = element.column
    if not (element.column.isidentifier() and element.column.islower()):
        quoted = '"' + element.column.replace('"', '""') + '"'
    collation = f" COLLATE {element.collation}" if element.collation else ""
    opclass = f" {element.opclass}" if element.opclass else ""
    return f"{quoted}{collation}{opclass}"


def escaped(sql: str) -> str:
    r"""Return SQL as it goes into ``text()``: a colon starts no parameter.

    ``::`` starts none by itself; beside another colon or a backslash it would not be read as it is.
    """
    if "\\" not in sql and ":" not in sql.replace("::", ""):
        return sql
    return sql.replace(":", "\\:")


def folded(call: str, name: str, arguments: list[str], indent: str, unit: str) -> str:
    """Return the call as Black and Ruff fold it where its line would get too long.

    :param call: the whole of it on one line, without what is behind it.
    """
    if len(indent.expandtabs(4)) + len(call) + 1 <= LINE_LENGTH:
        return call
    inner = indent + unit
    line = ", ".join(arguments)
    if len(inner.expandtabs(4)) + len(line) <= LINE_LENGTH:
        return f"{name}(\n{inner}{line}\n{indent})"
    lines = "".join(f"{inner}{argument},\n" for argument in arguments)
    return f"{name}(\n{lines}{indent})"


def _literal(text: str) -> str:
    """`text` as Python source, in double quotes where that reads well."""
    return f'"{text}"' if text.isprintable() and not set(text) & set('"\\') else repr(text)
