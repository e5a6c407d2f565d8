"""What was seen to run at a line: the table and the target of an upsert whose source does not show them."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..target import AnyArbiter, Constraint, Elements, Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
        it where what ran can be no other upsert of that function: a statement is made in one line and sent in another.

        :param sites: all upserts of the file.
        """
        ran = self._by_path.get(os.path.realpath(path), ())
        found = {site: [each for each in ran if _is_within(site, each.line)] for site in sites}
        if not ran or not path.endswith(_PYTHON):
            return found
        claimed = {each for of_site in found.values() for each in of_site}
        functions = _Functions(path)
        inside = functions.holding(sites)
        for each in ran:
            if each in claimed:
                continue
            fitting = [s for s in inside.get(functions.around(each.line), ()) if _fits(s, each)]
            # a helper's upsert is a site at each of its calls
            if len({site.place.written for site in fitting}) == 1:
                for site in fitting:
                    if claimed.isdisjoint(found[site]):
                        found[site].append(each)
        return found


def known_from_runs(upsert: Upsert, ran: Sequence[RanUpsert]) -> Sequence[Upsert]:
    """Return an upsert whose source does not show its table or its target once for each that ran; else as it is.

    What a helper ran has its place there: which of the calls led to it, is not known.
    """
    fitting = [
        each
        for each in ran
        if isinstance(upsert.table, Unread) or each.table.name == upsert.table.name
    ]
    if not upsert.unread or not fitting:
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


def _fits(site: Upsert, ran: RanUpsert) -> bool:
    """Whether what ran can be the upsert of a site, as far as the source says what that is."""
    if not isinstance(site.table, Unread) and site.table.name != ran.table.name:
        return False
    written, sent = site.target, ran.target
    if isinstance(written, Elements) and isinstance(sent, Elements):
        columns, sent_columns = ([e.column for e in target.elements] for target in (written, sent))
        # SQL has several spellings
        return None in (*columns, *sent_columns) or set(columns) == set(sent_columns)
    if isinstance(written, Constraint) and isinstance(sent, Constraint):
        return written == sent
    named = (AnyArbiter, Constraint, Elements)
    is_known = isinstance(written, named) and isinstance(sent, named)
    return type(written) is type(sent) if is_known else True


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

    def holding(self, sites: Sequence[Upsert]) -> dict[tuple[int, int] | None, list[Upsert]]:
        """Return which of `sites` are written in each function."""
        inside: dict[tuple[int, int] | None, list[Upsert]] = {}
        for site in sites:
            function = self.around(site.place.written.line or 0)
            if function is not None:
                inside.setdefault(function, []).append(site)
        return inside

    def around(self, line: int) -> tuple[int, int] | None:
        """Return the innermost function that holds the line; None: none does."""
        holding = [span for span in self._spans if span[0] <= line <= span[1]]
        return min(holding, key=lambda span: span[1] - span[0], default=None)
