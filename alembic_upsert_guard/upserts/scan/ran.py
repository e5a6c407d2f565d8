"""What was seen to run at a line: the table and the target of an upsert whose source does not show them."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..target import Elements, Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..target import NamedTable, Target
    from ..upsert import Upsert

__all__ = ["RanUpsert", "RanUpserts", "known_from_runs"]

_PYTHON = (".py", ".pyi")


@dataclass(frozen=True, slots=True, kw_only=True)
class RanUpsert:
    """One upsert that a line of a file ran."""

    path: str
    """From this folder on, or absolute."""
    line: int
    """Of the call that sent the statement, counted from 1."""
    table: NamedTable
    target: Target | Unread


class RanUpserts:
    """Everything that ran, by file."""

    def __init__(self, ran: Iterable[RanUpsert]) -> None:
        """No file is read."""
        self._by_path: dict[str, list[RanUpsert]] = {}
        self._anywhere: set[tuple[object, ...]] = set()
        for each in ran:
            self._by_path.setdefault(os.path.realpath(each.path), []).append(each)
            self._anywhere.add(_identity(each.table.name, each.target))

    def has(self, upsert: Upsert) -> bool:
        """Return whether an upsert of this table and target ran, wherever that was."""
        return _identity(upsert.table_name, upsert.target) in self._anywhere

    def at_sites(self, path: str, sites: Sequence[Upsert]) -> Mapping[Upsert, Sequence[RanUpsert]]:
        """Return what each upsert of a file was seen to be: empty where it did not run, or where that is not clear.

        A line within the call or the string of the upsert is its own. Of Python, so is any other of the function around
        it where this has no other upsert: a statement is made in one line and sent in another.

        :param sites: all upserts of the file.
        """
        ran = self._by_path.get(os.path.realpath(path), ())
        found = {site: [each for each in ran if _is_within(site, each.line)] for site in sites}
        if not ran or not path.endswith(_PYTHON):
            return found
        claimed = {each for of_site in found.values() for each in of_site}
        unclaimed = [each for each in ran if each not in claimed]
        functions = _Functions(path)
        for function, inside in functions.with_one_of(sites):
            for site in inside:
                if not found[site]:
                    found[site] = [e for e in unclaimed if functions.around(e.line) == function]
        return found


def known_from_runs(upsert: Upsert, ran: Sequence[RanUpsert]) -> Sequence[Upsert]:
    """Return an upsert whose source does not show its table or its target once for each that ran; else as it is.

    What a helper ran has its place there: which of the calls led to it, is not known.
    """
    is_read = not isinstance(upsert.table, Unread) and not isinstance(upsert.target, Unread)
    if isinstance(upsert.target, Elements) and isinstance(upsert.target.predicate, Unread):
        is_read = False
    fitting = [
        each
        for each in ran
        if isinstance(upsert.table, Unread) or each.table.name == upsert.table.name
    ]
    if is_read or not fitting:
        return (upsert,)
    place = upsert.place.written
    found = [replace(upsert, table=e.table, target=e.target, place=place) for e in fitting]
    return tuple(dict.fromkeys(found))


def _identity(table: str | None, target: Target | Unread) -> tuple[object, ...]:
    """What upserts have in common that are the same; the order of elements makes no difference."""
    if isinstance(target, Elements):
        return table, frozenset(target.elements), target.predicate
    return table, target


def _is_within(site: Upsert, line: int) -> bool:
    written = site.place.written
    first, last = written.extent or (written.line or 0, written.line or 0)
    return first <= line <= last


class _Functions:
    """Where the functions of a Python file are."""

    def __init__(self, path: str) -> None:
        try:
            tree = ast.parse(Path(path).read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError):
            self._spans: list[tuple[int, int]] = []
            return
        self._spans = [
            (node.lineno, node.end_lineno or node.lineno)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]

    def with_one_of(
        self, sites: Sequence[Upsert]
    ) -> Iterator[tuple[tuple[int, int], Sequence[Upsert]]]:
        """Yield each function in which exactly one of `sites` is written, and that one, once for each of its calls."""
        inside: dict[tuple[int, int], list[Upsert]] = {}
        for site in sites:
            function = self.around(site.place.written.line or 0)
            if function is not None:
                inside.setdefault(function, []).append(site)
        for function, written_there in inside.items():
            if len({site.place.written for site in written_there}) == 1:
                yield function, written_there

    def around(self, line: int) -> tuple[int, int] | None:
        """Return the innermost function that holds the line; None: none does."""
        holding = [span for span in self._spans if span[0] <= line <= span[1]]
        return min(holding, key=lambda span: span[1] - span[0], default=None)
