"""The tables that migrations have made so far, with what is unique on them, as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .made_constraints import default_name, without_alike
from .table import HistoricName, HistoricTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ....inference import Candidate

__all__ = ["HistoricTables"]


@dataclass(slots=True)
class HistoricTables:
    """All tables. A statement on one that no migration made changes nothing, for nothing is known of it."""

    tables: dict[HistoricName, HistoricTable] = field(default_factory=dict)
    unmade: str | None = None
    """Why nothing is known of tables that are not there; None: no statement made them."""

    ended: str | None = None
    """Why nothing that comes later can be known either; None: it can."""

    temporary: frozenset[HistoricName] = frozenset()
    """Those that go with their session."""

    shadowed: frozenset[HistoricName] = frozenset()
    """The names of which there is a temporary table and another one."""

    def copy(self) -> HistoricTables:
        """Return what is known now, which later statements do not change."""
        return replace(self, tables=dict(self.tables))

    def give_to(self, others: HistoricTables) -> None:
        """Have others become what these are."""
        others.tables, others.unmade, others.ended = dict(self.tables), self.unmade, self.ended
        others.temporary, others.shadowed = self.temporary, self.shadowed

    def table(self, name: HistoricName) -> HistoricTable:
        """Return what is known of a table."""
        if self.ended is not None:
            return HistoricTable(doubt=self.ended)
        if name in self.shadowed:
            return HistoricTable(doubt="a temporary table before it has the same name")
        unknown = self.unmade or "no migration before it makes the table"
        return self.tables.get(name) or HistoricTable(doubt=unknown)

    # -- what is not known

    def doubt(self, name: HistoricName, reason: str) -> None:
        """Note that a table is not known any more, until it is made anew."""
        self.tables[name] = HistoricTable(doubt=reason)

    def doubt_all(self, reason: str) -> None:
        """Note that nothing is known any more but what later statements make."""
        self.unmade = reason
        for name in self.tables:
            self.doubt(name, reason)

    def end(self, reason: str) -> None:
        """Note that nothing is known any more, whatever statements come."""
        self.ended = self.ended or reason

    def doubt_expressions(self, reason: str) -> None:
        """Note that indexes on expressions and with predicates may be gone."""
        for name, table in list(self.tables.items()):
            if table.has_expressions:
                self.doubt(name, reason)

    def perhaps(self, change: Callable[[HistoricTables], None], reason: str) -> None:
        """Doubt what a change would change that may not be made."""
        changed = self.copy()
        change(changed)
        self.ended = self.ended or changed.ended
        self.shadowed |= changed.shadowed
        if changed.unmade != self.unmade:
            self.doubt_all(changed.unmade or reason)
        for name in {*self.tables, *changed.tables}:
            before, after = self.tables.get(name), changed.tables.get(name)
            if _uniques(before) != _uniques(after):
                self.doubt(name, reason)

    # -- tables

    def create(
        self,
        name: HistoricName,
        *,
        is_if_missing: bool = False,
        is_temporary: bool = False,
        is_partitioned: bool = False,
    ) -> bool:
        """Make a table without constraints; return False where it is not known to be new.

        :param is_if_missing: whether one of that name is left as it is.
        """
        if name in self.tables and (is_temporary or name in self.temporary):
            self.shadowed |= {name}
        if is_temporary:
            self.temporary |= {name}
        if is_if_missing and name not in self.tables and self.unmade:
            self.doubt(name, self.unmade)
        if is_if_missing and name in self.tables:
            return False
        self.tables[name] = HistoricTable(is_partitioned=is_partitioned)
        return True

    def drop(self, name: HistoricName) -> None:
        """Take a table away."""
        self.tables.pop(name, None)
        self.temporary -= {name}

    def rename(self, name: HistoricName, new: HistoricName) -> None:
        """Give a table another name or schema; its constraints keep theirs."""
        if not self.temporary.isdisjoint((name, new)):
            self.shadowed |= {name, new}
        table = self.tables.pop(name, None)
        if table is not None:
            self.tables[new] = table

    def rename_schema(self, schema: str, new: str | None) -> None:
        """Give a schema another name; None: it is dropped, with all that is in it."""
        renamed = HistoricName.of(schema, "").schema
        for name in [each for each in self.tables if each.schema == renamed]:
            table = self.tables.pop(name)
            if new is not None:
                moved = HistoricName.of(new, name.name)
                self.shadowed |= {moved} & self.temporary
                self.tables[moved] = table

    # -- what is unique

    def add(
        self,
        table: HistoricName,
        candidate: Candidate,
        *,
        is_if_missing: bool = False,
        is_only: bool = False,
        by_convention: bool = False,
    ) -> None:
        """Make a constraint or an index.

        :param is_if_missing: whether an index of that name, of whatever table of the schema, is left as it is.
        :param is_only: whether the parts of a partitioned table get none: it is invalid until each has one.
        :param by_convention: whether a naming convention, which is not known, may give the name that is not stated.
        """
        known = self._known(table)
        if known is None:
            return
        if is_only and known.is_partitioned:
            self.doubt(table, "an index of it is made ON ONLY the partitioned table")
            return
        if is_if_missing and (self._has_index(table.schema, str(candidate.name)) or self.unmade):
            if self.unmade:
                self.doubt(table, self.unmade)
            return
        unnamed, guessed = known.unnamed, known.guessed
        if candidate.name is None:
            name = default_name(table.name, candidate, lambda name: self._is_taken(table, name))
            candidate = replace(candidate, name=name)
            unnamed |= {name}
            is_guessed = by_convention or self._may_be_taken(table.schema)
            guessed |= {name} if is_guessed else frozenset()
        candidates = (*known.candidates, candidate)
        self.tables[table] = replace(known, candidates=candidates, unnamed=unnamed, guessed=guessed)

    def add_together(
        self,
        table: HistoricName,
        candidates: Sequence[Candidate],
        *,
        is_only: bool = False,
        by_convention: bool = False,
    ) -> None:
        """Make the constraints of one definition, those that are alike once."""
        for each in without_alike(candidates):
            self.add(table, each, is_only=is_only, by_convention=by_convention)

    def add_other(self, table: HistoricName, constraint: str) -> None:
        """Make a constraint that is not unique."""
        self._change(table, lambda known: replace(known, others=known.others | {constraint}))

    def drop_constraint(self, table: HistoricName, constraint: str) -> None:
        """Take a constraint of whatever kind away."""
        self._change(table, lambda known: known.without_constraint(constraint))

    def drop_index(self, index: HistoricName) -> None:
        """Take an index away, of whichever table it is."""
        holder = self._holder(index)
        if holder is not None:
            self._change(holder, lambda known: known.without_candidate(index.name))
            return
        for name, table in list(self.tables.items()):
            if table.guessed or (table.unnamed and index.name.startswith(f"{name.name}_")):
                self.doubt(
                    name, f"{index.name} is dropped, and may be an index without a name of its own"
                )

    def use_index(self, table: HistoricName, index: str, constraint: Candidate) -> None:
        """Make a constraint of an index that is there."""
        if self._known(table) is None:
            self.doubt(table, f"which index {index} is, is not known")
        self._change(table, lambda known: known.with_index_used(index, constraint))

    def rename_candidate(
        self, name: HistoricName, new: str, table: HistoricName | None = None
    ) -> None:
        """Give an index or a constraint another name.

        :param table: None: whichever has it.
        """
        holder = self._holder(name) if table is None else table
        if holder is not None:
            self._change(holder, lambda known: known.with_other_name(name.name, new))

    # -- columns

    def drop_column(self, table: HistoricName, column: str) -> None:
        """Take a column away, and every constraint and index that it is in."""
        self._change(table, lambda known: known.without_column(column))

    def rename_column(self, table: HistoricName, column: str, new: str) -> None:
        """Give a column another name."""
        self._change(table, lambda known: known.with_column_renamed(column, new))

    def change_type(self, table: HistoricName) -> None:
        """Give a column another type."""
        self._change(table, HistoricTable.with_type_changed)

    # -- inside

    def _known(self, name: HistoricName) -> HistoricTable | None:
        """A table that is known; None: nothing is to be changed."""
        table = self.tables.get(name)
        return None if table is None or table.doubt is not None else table

    def _change(self, name: HistoricName, change: Callable[[HistoricTable], HistoricTable]) -> None:
        known = self._known(name)
        if known is not None:
            self.tables[name] = change(known)

    def _has_index(self, schema: str | None, name: str) -> bool:
        return self._holder(HistoricName(schema, name)) is not None

    def _is_taken(self, table: HistoricName, name: str) -> bool:
        """Whether something in the schema of a table has a name; a temporary one has a schema of its own."""
        if table in self.temporary:
            return any(each.name == name for each in self.tables[table].candidates)
        named = HistoricName(table.schema, name)
        return named in self.tables or self._holder(named) is not None

    def _may_be_taken(self, schema: str | None) -> bool:
        """Whether a name may be taken by what is not known of a schema."""
        known = (table for name, table in self.tables.items() if name.schema == schema)
        return self.unmade is not None or any(each.doubt is not None for each in known)

    def _holder(self, index: HistoricName) -> HistoricName | None:
        """The table that has an index of that name; an index is in the schema of its table."""
        for name, table in self.tables.items():
            if name.schema == index.schema and any(c.name == index.name for c in table.candidates):
                return name
        return None


def _uniques(table: HistoricTable | None) -> object:
    """What two states of a table are compared by."""
    return table and (table.candidates, table.doubt)
