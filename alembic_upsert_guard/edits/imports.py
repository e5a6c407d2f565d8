"""The imports that a declaration needs: what is there is used, else one is added where ``isort`` would have it."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .source import Insertion, UnwritableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .names import ModuleNames
    from .source import Source

__all__ = ["LINE_LENGTH", "Imports"]

LINE_LENGTH = 88
"""Characters of a line that Black and Ruff leave as it is, unless they are configured otherwise."""

_HOMES = {
    "UpsertKey": "alembic_upsert_guard",
    "text": "sqlalchemy",
    "declared_attr": "sqlalchemy.orm",
}
"""Where each thing that a declaration names is imported from."""

_THIRD_PARTY = frozenset({"sqlalchemy", "sqlmodel", "alembic", "alembic_upsert_guard"})
"""Packages in the section of the imports that ours belongs into."""


class Imports:
    """The imports of one file, and those that are added to it."""

    def __init__(self, source: Source, names: ModuleNames) -> None:
        """Nothing is added yet."""
        self._source = source
        self._names = names
        self._added: dict[str, str] = {}
        """What was asked for and is not there, by its module-level name."""

    @contextmanager
    def undone_on_refusal(self) -> Iterator[None]:
        """Inside, what is asked for is kept if nothing is refused."""
        added = dict(self._added)
        try:
            yield
        except UnwritableError:
            self._added = added
            raise

    def name_of(self, wanted: str, before: int, hidden: frozenset[str]) -> str:
        """Return how the file spells `wanted` there, by an import that it gets if it has none.

        :param wanted: a member of ``_HOMES``.
        :param before: the offset of the use; an import behind it does not count.
        :param hidden: names that mean something else there, such as attributes of the class.
        """
        bound = frozenset(self._bound(before)) - hidden
        for name in self._names.spelled(wanted):
            if name.partition(".")[0] in bound:
                return name
        if wanted not in hidden and self._is_free(wanted):
            self._added[wanted] = f"from {_HOMES[wanted]} import {wanted}"
            return wanted
        home = _HOMES[wanted]
        self._added[home] = f"import {home}"
        return f"{home}.{wanted}"

    def _is_free(self, name: str) -> bool:
        """Whether nothing else in the module has that name."""
        return name in self._added or name not in self._names.all

    def _bound(self, before: int) -> Iterator[str]:
        """The names that imports of the module bind in front of that place, wherever in the module's own code."""
        waiting: list[ast.AST] = list(self._source.tree.body)
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Import | ast.ImportFrom):
                if self._source.end(node) <= before:
                    yield from (a.asname or a.name.partition(".")[0] for a in node.names)
            elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                waiting += ast.iter_child_nodes(node)

    # -- writing

    def insertions(self, before: int) -> Iterator[Insertion]:
        """Return what adds the imports that were asked for.

        :param before: the offset of the statement that uses them first.
        """
        for name, statement in sorted(self._added.items(), key=lambda each: each[1]):
            yield self._merged(name, before) or self._new(statement, before)

    def _statements(self, before: int) -> list[ast.Import | ast.ImportFrom]:
        """The imports at the top level, a line each and nothing beside them, in front of that place."""
        body = self._source.tree.body
        lines = [node.lineno for node in body] + [node.end_lineno for node in body]
        return [
            node
            for node in body
            if isinstance(node, ast.Import | ast.ImportFrom)
            and self._source.end(node) <= before
            and lines.count(node.lineno) == 1 + (node.lineno == node.end_lineno)
            and lines.count(node.end_lineno) == 1 + (node.lineno == node.end_lineno)
        ]

    def _merged(self, name: str, before: int) -> Insertion | None:
        """`name` among those of an import from its home; None: there is none, or its line would get too long."""
        for node in self._statements(before):
            if not isinstance(node, ast.ImportFrom) or node.level or name not in _HOMES:
                continue
            if node.module == _HOMES[name] and node.names[0].name != "*":
                return self._among(node, name)
        return None

    def _among(self, node: ast.ImportFrom, name: str) -> Insertion | None:
        source = self._source
        follower = next((a for a in node.names if _order(a.name) > _order(name)), None)
        one = follower or node.names[-1]
        start, end = source.start(one), source.end(one)
        in_brackets = source.bracket_ending(source.end(node)) is not None
        if in_brackets and source.starts_line(start):
            indent = source.indent(start)
            if follower is None and "#" not in source.text[end : source.next_line(end)]:
                # the comma behind the last one, if there is one, stays behind the last one
                return Insertion(end, f",\n{indent}{name}")
            return Insertion(start, f"{name},\n{indent}")
        line = source.text[source.line_start(start) : source.next_line(start)]
        if len(line.rstrip()) + len(name) + 2 > LINE_LENGTH:
            return None
        return Insertion(start, f"{name}, ") if follower else Insertion(end, f", {name}")

    def _new(self, statement: str, before: int) -> Insertion:
        """A line of its own: sorted into the section of SQLAlchemy's, above the relative ones, or below them all."""
        found = self._statements(before)
        group = self._section(found)
        follower = next((n for n in group if _statement_order(n) > _order_of(statement)), None)
        if follower is not None:
            return Insertion(self._source.start(follower), f"{statement}\n")
        if group:
            return self._below(group[-1], statement)
        relative = next((n for n in found if isinstance(n, ast.ImportFrom) and n.level), None)
        if relative is not None and self._begins_a_section(relative):
            return Insertion(self._source.start(relative), f"{statement}\n\n")
        return self._below(found[-1], statement) if found else self._at_the_top(statement)

    def _begins_a_section(self, node: ast.stmt) -> bool:
        start = self._source.start(node)
        return start == 0 or self._source.is_blank_line(start - 1)

    def _section(
        self, found: list[ast.Import | ast.ImportFrom]
    ) -> list[ast.Import | ast.ImportFrom]:
        """The first run of imports, without a blank line in it, that has one of SQLAlchemy; empty: none has."""
        runs: list[list[ast.Import | ast.ImportFrom]] = []
        for node in found:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                continue
            above = runs[-1][-1].end_lineno if runs else None
            if above is not None and node.lineno == above + 1:
                runs[-1].append(node)
            else:
                runs.append([node])
        return next((run for run in runs if any(map(_is_third_party, run))), [])

    def _below(self, node: ast.Import | ast.ImportFrom, statement: str) -> Insertion:
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        gap = "\n" if is_future else ""
        at = self._source.next_line(self._source.end(node))
        if not self._source.text[:at].endswith(("\n", "\r")):
            return Insertion(at, f"\n{gap}{statement}")
        return Insertion(at, f"{gap}{statement}\n")

    def _at_the_top(self, statement: str) -> Insertion:
        """In front of the first statement, below the docstring, the cookie and the comments above it."""
        body = self._source.tree.body
        if ast.get_docstring(self._source.tree, clean=False) is not None:
            at = self._source.next_line(self._source.end(body[0]))
            return Insertion(at, f"\n{statement}\n")
        first = body[0]
        decorators = getattr(first, "decorator_list", [])
        at = self._source.start(decorators[0] if decorators else first)
        return Insertion(self._source.line_start(at), f"{statement}\n\n\n")


def _order(name: str) -> tuple[int, str]:
    """As isort and Ruff order the names of an import: constants, classes, the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def _statement_order(node: ast.Import | ast.ImportFrom) -> tuple[int, str]:
    """As isort and Ruff order a section: ``import`` first."""
    if isinstance(node, ast.Import):
        return 0, node.names[0].name.casefold()
    return 1, "." * node.level + (node.module or "").casefold()


def _order_of(statement: str) -> tuple[int, str]:
    (node,) = ast.parse(statement).body
    assert isinstance(node, ast.Import | ast.ImportFrom)  # noqa: S101 - it is one of ours
    return _statement_order(node)


def _is_third_party(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return not node.level and (node.module or "").partition(".")[0] in _THIRD_PARTY
    return any(alias.name.partition(".")[0] in _THIRD_PARTY for alias in node.names)
