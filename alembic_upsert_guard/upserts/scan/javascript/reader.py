"""The reader of TypeScript's and JavaScript's files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .drizzle import Drizzle
from .drizzle_schema import DrizzleSchemas
from .entities import Entities
from .hasura import Hasura
from .helpers import Helpers
from .knex import Knex
from .kysely import Kysely
from .module import Module
from .modules import Modules
from .nodes import line_of, text_of
from .origins import Origins
from .postgrest import PostgRest
from .prisma import Prisma
from .prisma_schema import PrismaSchemas
from .sql_strings import SqlStrings
from .supabase import Supabase
from .typeorm import TypeOrm
from .unparsed import unparsed_upserts
from .unread_libraries import MikroOrm, MikroOrmBuilder, OtherLibraries, Sequelize
from .values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...upsert import Upsert
    from ..source_tree import SourceTree
    from .site import LibraryReader

__all__ = ["JavaScriptReader", "JavaScriptSource"]


class JavaScriptReader:
    """Reads the upserts of files, and follows their imports into others."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is read yet.

        :param tree: where imports, schemas and calls are looked for.
        """
        self._modules = Modules(tree)
        values = Values(self._modules)
        schemas = DrizzleSchemas(values)
        origins = Origins(self._modules, values)
        libraries: tuple[LibraryReader, ...] = (
            Drizzle(values, schemas),
            Kysely(values),
            TypeOrm(values, Entities(values)),
            MikroOrmBuilder(),
            Knex(values),
            Supabase(values),
            Prisma(values, PrismaSchemas(tree.read)),
            MikroOrm(values, origins),
            Sequelize(values, origins),
            OtherLibraries(values, origins),
        )
        self._helpers = Helpers(
            self._modules,
            values,
            tree,
            libraries,
            SqlStrings(values, schemas),
            PostgRest(values),
            Hasura(values),
        )

    def source(self, path: str, source: bytes) -> JavaScriptSource:
        """Return a file, parsed.

        :param path: as it was asked for; it ends in one of :data:`.suffixes.SUFFIXES`.
        """
        module = self._modules.parsed(os.path.realpath(path))
        # the nodes of another tree of the same file would be others
        if module is None or not module.is_of(source, path):
            module = Module(os.path.realpath(path), source, path)
            self._modules.add(module)
        return JavaScriptSource(module, self._helpers)


class JavaScriptSource:
    """One parsed file."""

    def __init__(self, module: Module, helpers: Helpers) -> None:
        """Nothing is read yet."""
        self._module = module
        self._helpers = helpers

    def upserts(self) -> Iterator[Upsert]:
        """Return every upsert of the file."""
        found = list(self._helpers.read(self._module))
        yield from found
        yield from unparsed_upserts(self._module, found)

    def comments(self) -> Iterator[tuple[int, str]]:
        """Return the line, counted from 1, and the text of every comment."""
        for node in self._module.nodes:
            if node.type in ("comment", "html_comment"):
                yield line_of(node), text_of(node)
