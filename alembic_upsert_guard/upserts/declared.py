"""What the models declare, as plain values: the one thing that call sites are held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..inference import Candidate, Element

__all__ = [
    "DeclaredClass",
    "DeclaredKey",
    "DeclaredTable",
    "DeclaredTables",
]


@dataclass(frozen=True, slots=True)
class DeclaredKey:
    """One declared upsert key of a table."""

    elements: tuple[Element, ...]
    """In declared order; as the model spells them."""
    where: str | None
    """The predicate's SQL; None: the key covers every row."""
    name: str | None
    """The name that the key states; None: it states none."""
    arbiter: Candidate
    """The constraint or index of the model that the key points at."""
    any_name: bool = False
    """Whether a database may serve the key by an arbiter of any name and kind, which is then kept as it is."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The elements by label."""
        return tuple(element.label for element in self.elements)


@dataclass(frozen=True, slots=True)
class DeclaredTable:
    """One table of the models."""

    schema: str | None
    name: str
    columns: tuple[tuple[str, str], ...]
    """Key (``table.c.<key>``) and name of each column, in the table's order."""
    primary_key: tuple[str, ...]
    """The names of its columns, in key order; empty: it has none."""
    keys: tuple[DeclaredKey, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    """Its primary key, constraints and indexes, as the model spells them; indexes that are not unique, too."""
    others: tuple[tuple[str | None, str], ...] = ()
    """Name and kind (CHECK, EXCLUDE, FOREIGN KEY) of its other constraints; None: it has no name."""

    @property
    def arbiters(self) -> tuple[Candidate, ...]:
        """Those of the candidates that are unique."""
        return tuple(candidate for candidate in self.candidates if candidate.unique)

    @property
    def full_name(self) -> str:
        """The name with the schema in front, where there is one."""
        return self.name if self.schema is None else f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in the table's order."""
        return tuple(name for _, name in self.columns)

    def column(self, key: str) -> str | None:
        """Return the name of the column ``table.c.<key>``; None: there is none."""
        return dict(self.columns).get(key)


@dataclass(frozen=True, slots=True)
class DeclaredClass:
    """One mapped class."""

    module: str
    """As Python imported it, such as ``app.models.user``."""
    qualname: str
    path: str | None
    """The real path of the file that defines it; None: not known."""
    schema: str | None
    table: str
    attributes: tuple[tuple[str, str], ...]
    """Name of the attribute, and of the column of `table` that it maps."""
    root: bool = True
    """False: a subclass in the table of its parent class (single table inheritance)."""

    def column(self, attribute: str) -> str | None:
        """Return the name of the column behind an attribute; None: it maps none of the table's."""
        return dict(self.attributes).get(attribute)


@dataclass(frozen=True)
class DeclaredTables:
    """Everything that the models declare."""

    tables: tuple[DeclaredTable, ...]
    classes: tuple[DeclaredClass, ...] = ()
    default_schema: str | None = "public"
    """The schema that tables without one live in; None: not known."""

    @cached_property
    def _by_name(self) -> dict[tuple[str | None, str], DeclaredTable]:
        return {(table.schema, table.name): table for table in self.tables}

    @cached_property
    def _by_bare_name(self) -> dict[str, tuple[DeclaredTable, ...]]:
        found: dict[str, tuple[DeclaredTable, ...]] = {}
        for table in self._by_name.values():
            found[table.name] = (*found.get(table.name, ()), table)
        return found

    @cached_property
    def _classes_by_qualname(self) -> dict[str, tuple[DeclaredClass, ...]]:
        found: dict[str, tuple[DeclaredClass, ...]] = {}
        for declared in self.classes:
            found[declared.qualname] = (*found.get(declared.qualname, ()), declared)
        return found

    def table(self, schema: str | None, name: str) -> DeclaredTable | None:
        """Return the table that a name in SQL means; None: the models have none of exactly that name."""
        found = self._by_name.get((schema, name))
        if found is None and schema is not None and schema == self.default_schema:
            return self._by_name.get((None, name))
        if found is None and schema is None and self.default_schema is not None:
            return self._by_name.get((self.default_schema, name))
        return found

    def tables_named(self, name: str) -> tuple[DeclaredTable, ...]:
        """Return the tables of exactly that name, in whichever schemas."""
        return self._by_bare_name.get(name, ())

    def tables_of_similar_name(self, schema: str | None, name: str) -> tuple[DeclaredTable, ...]:
        """Return the tables that the name may mean, in another schema or in another case.

        :param schema: None: none is named, or it is not known which.
        """
        folded = name.casefold()
        return tuple(
            table
            for table in self.tables
            if (schema is None or table.schema is None or schema == table.schema)
            and table.name.casefold() == folded
        )

    def table_of(self, declared: DeclaredClass) -> DeclaredTable | None:
        """Return the table that a mapped class is mapped to."""
        return self._by_name.get((declared.schema, declared.table))

    def class_for(self, table: DeclaredTable) -> DeclaredClass | None:
        """Return the class that a key of the table is written into, the first of several; None: it has none."""
        fitting = [c for c in self.classes if (c.schema, c.table) == (table.schema, table.name)]
        return next((c for c in fitting if c.root), None)

    def place_of(self, table: DeclaredTable) -> str:
        """Return where a key of the table is written, in words."""
        mapped = self.class_for(table)
        if mapped is None:
            return f'Table("{table.name}", ...)'
        return f"__table_args__ of class {mapped.qualname} ({mapped.module})"

    def class_in_file(self, path: str, qualname: str) -> DeclaredClass | None:
        """Return the mapped class that a file defines.

        The file is the one it was imported from, or one that its module's name leads to where that is
        not known.

        :param path: the real path of the file.
        """
        named = self._classes_by_qualname.get(qualname, ())
        exact = [c for c in named if c.path == path]
        fitting = exact or [c for c in named if c.path is None and _leads_to(c.module, path)]
        return fitting[0] if len(fitting) == 1 else None

    def class_named(self, dotted: str) -> DeclaredClass | None:
        """Return the mapped class of an import whose file was not read: ``app.models.User``.

        A package that offers a class of one of its modules counts as its home; several such classes do not.
        """
        module, _, qualname = dotted.rpartition(".")
        named = self._classes_by_qualname.get(qualname, ())
        exact = [c for c in named if c.module == module]
        fitting = exact or [c for c in named if c.module.startswith(f"{module}.")]
        return fitting[0] if len(fitting) == 1 else None


def _leads_to(module: str, path: str) -> bool:
    """Whether importing `module`, from some folder, would read the file."""
    stem = path.replace("\\", "/").removesuffix(".py").removesuffix("/__init__")
    return f"/{stem}".endswith("/" + module.replace(".", "/"))
