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
    copying = ""
    for line in sql.splitlines(keepends=True):
        is_command = line.startswith("\\")
        lines.append(_blank(line) if in_data or is_command else line)
        if in_data:
            in_data = line.rstrip() != "\\."
            continue
        copying = _copying(copying, line)
        in_data = _starts_data(copying) or _starts_data(line)
    return "".join(lines)


def _copying(before: str, line: str) -> str:
    """What is written of ``COPY`` so far, which may be on several lines; empty: it is no such statement."""
    if before.rstrip().endswith(";") or not (before or line.lower().startswith("copy ")):
        return ""
    return before + line


def _starts_data(statement: str) -> bool:
    words = statement.lower().replace(";", " ;").split()
    if words[-1:] != [";"]:
        return False
    is_copied = words[:1] == ["copy"] and ("from", "stdin") in pairwise(words)
    return is_copied or words[-3:] == ["from", "stdin", ";"]


def _blank(line: str) -> str:
    return "".join(character if character in "\r\n" else " " for character in line)
