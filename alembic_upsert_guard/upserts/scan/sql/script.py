"""Files of SQL: what psql reads there that is no SQL."""

from __future__ import annotations

__all__ = ["without_psql"]


def without_psql(sql: str) -> str:
    r"""Return a script with psql's own lines blanked: meta-commands, and the data behind ``COPY ... FROM stdin``.

    Every character keeps its place. A line that begins with a backslash is a meta-command wherever it is.
    """
    if "\\" not in sql:
        return sql
    lines = []
    in_data = False
    for line in sql.splitlines(keepends=True):
        is_command = line.startswith("\\")
        lines.append(_blank(line) if in_data or is_command else line)
        in_data = line.rstrip() != "\\." if in_data else _starts_data(line)
    return "".join(lines)


def _starts_data(line: str) -> bool:
    words = line.lower().replace(";", " ;").split()
    return words[-3:] == ["from", "stdin", ";"]


def _blank(line: str) -> str:
    return "".join(character if character in "\r\n" else " " for character in line)
