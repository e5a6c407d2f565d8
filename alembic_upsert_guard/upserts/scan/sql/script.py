"""Files of SQL: what psql reads there that is no SQL."""

from __future__ import annotations

from itertools import pairwise

__all__ = ["without_psql"]


def without_psql(sql: str) -> str:
    r"""Return a script with psql's own lines blanked: meta-commands, and the data behind ``COPY ... FROM stdin``.

    Every character keeps its place. A line that begins with a backslash is a meta-command wherever it is.
    """
    if "\\" not in sql:
        return sql
    lines = []
    in_data = False
    copying: list[str] = []
    for line in sql.splitlines(keepends=True):
        is_command = line.startswith("\\")
        lines.append(_blank(line) if in_data or is_command else line)
        if in_data:
            in_data = line.rstrip() != "\\."
            continue
        if copying or line.lower().startswith("copy "):
            copying.append(line)  # it may be on several lines
        if line.rstrip().endswith(";"):
            in_data = _starts_data("".join(copying)) or _starts_data(line)
            copying.clear()
    return "".join(lines)


def _starts_data(statement: str) -> bool:
    words = statement.lower().replace(";", " ;").split()
    if words[-1:] != [";"]:
        return False
    is_copied = words[:1] == ["copy"] and ("from", "stdin") in pairwise(words)
    return is_copied or words[-3:] == ["from", "stdin", ";"]


def _blank(line: str) -> str:
    return "".join(character if character in "\r\n" else " " for character in line)
