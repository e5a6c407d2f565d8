"""The reader of Python files."""

from __future__ import annotations

import ast
import io
import tokenize
from functools import partial
from typing import TYPE_CHECKING

from .callers import Callers
from .clients import Clients
from .columns import Columns
from .composition import Composition
from .conflict_arguments import ConflictArguments
from .constants import Constants
from .elsewhere import Elsewhere
from .evidence import evidence_lines
from .heirs import Heirs
from .homes import Homes
from .libraries import Libraries
from .meaning import Names
from .module import Module
from .modules import Modules
from .predicates import Predicates
from .requests_seen import requests_in
from .revision import REVISION, revision_of
from .scope import Scope
from .sites import Sites
from .statements import Statements
from .string_items import last_name
from .strings import Strings
from .tables import Tables
from .targets import Targets
from .word_lines import WordLines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...declared import DeclaredTables
    from ...upsert import Upsert
    from ..migrations import Revision
    from ..source_tree import SourceTree

__all__ = ["PythonReader", "PythonSource"]


_METHODS = Statements.methods | Clients.methods | Libraries.methods


class PythonReader:
    """Reads the upserts of Python files, and follows their imports and their callers into others."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is read yet.

        :param tree: where imports, callers and subclasses are looked for.
        """
        self._modules = Modules(tree)
        self._homes = Homes(tree)
        self._elsewhere = Elsewhere(tree, self._modules)
        self._names: Names | None = None

    def forget(self) -> None:
        """Let go of the trees, so that nothing of them is searched for what goes in circles when the process ends."""
        if self._names is not None:
            self._names.forget()
        vars(self).clear()

    def source(self, path: str, source: bytes, declared: DeclaredTables) -> PythonSource:
        """Return a file, parsed where there is evidence of an upsert in it.

        :param path: as it was asked for.
        :param declared: the models that it is read by.
        :raises SyntaxError: it is not Python, or not in the encoding that it states.
        :raises ValueError: likewise, for some errors of decoding.
        :raises RecursionError: it is nested too deeply.
        """
        lines = WordLines(source)
        evidence = evidence_lines(lines, _METHODS)
        if evidence == [] and REVISION not in source:
            return PythonSource(source)
        module = self._module(path, source, lines, evidence)
        self._modules.begin(module)
        if self._names is not None:
            self._names.forget()
        # what is known of classes and functions is known of trees that are forgotten with the next file
        heirs = Heirs(self._modules, self._homes)
        names = Names(self._modules, heirs, self._elsewhere)
        heirs.names = self._names = names
        constants = Constants(names)
        tables = Tables(names, constants, declared)
        columns = Columns(names, constants, tables, declared)
        predicates = Predicates(names, constants, columns)
        targets = Targets(names, constants, tables, columns, predicates, declared)
        arguments = ConflictArguments(names, constants, tables, targets, predicates)
        calls = (
            Statements(names, tables, arguments),
            Clients(names, constants),
            Libraries(names, constants, tables, declared, self._modules),
        )
        sites = Sites(names, Callers(names, self._modules, self._homes))
        return _ParsedSource(module, sites, calls, Strings(Composition(names, constants, tables)))

    def _module(
        self, path: str, source: bytes, lines: WordLines, evidence: Sequence[int] | None
    ) -> Module:
        """A file, parsed again only where it is another one than another file has led to."""
        real_path = self._modules.real_path(path)
        known = self._modules.known(real_path)
        is_same = known is not None and known.source == source and known.shown_path == path
        if known is not None and is_same and known.take_up(evidence):
            return known
        return Module(real_path, source, path, lines, evidence)


class PythonSource:
    """One file, in which nothing is an upsert."""

    def __init__(self, source: bytes) -> None:
        """Nothing is read yet."""
        self._source = source

    def upserts(self) -> Iterator[Upsert]:
        """Return every upsert of the file."""
        return iter(())

    def revision(self) -> Revision | None:
        """Return the revision of Alembic's that the file is; None: it is none."""
        return None

    def comments(self) -> Iterator[tuple[int, str]]:
        """Return the line, counted from 1, and the text of every comment."""
        try:
            yield from list(_comments(self._source))
        except (tokenize.TokenError, SyntaxError):  # of a later Python
            for number, line in enumerate(self._source.decode(errors="replace").split("\n"), 1):
                _, sign, comment = line.rpartition("#")
                if sign:
                    yield number, comment


class _ParsedSource(PythonSource):
    """One parsed file."""

    def __init__(
        self,
        module: Module,
        sites: Sites,
        calls: tuple[Statements, Clients, Libraries],
        strings: Strings,
    ) -> None:
        super().__init__(module.source)
        self._module = module
        self._sites = sites
        self._calls = calls
        self._strings = strings

    def upserts(self) -> Iterator[Upsert]:
        scope = Scope(self._module)
        for node in self._module.near_evidence():
            if isinstance(node, ast.Call):
                method = last_name(node.func)
                for reader in (each for each in self._calls if method in each.methods):
                    yield from self._sites.read(
                        self._module, node, partial(reader.read, scope, node)
                    )
        yield from self._strings.read(self._module, self._sites)
        yield from requests_in(self._module)

    def revision(self) -> Revision | None:
        return revision_of(self._module)


def _comments(source: bytes) -> Iterator[tuple[int, str]]:
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
