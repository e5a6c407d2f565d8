"""Upserts in the functions and procedures of a database, held against what the database offers.

The planner judges: every upsert is explained with the function's own conflict target, under the function's own
``search_path``. What only a call would show is unresolved, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..catalog import catalog_for
from ..catalog.functions import read_functions
from ..databases import database_for
from ..findings import unknown_dialect
from .declared import DeclaredTables
from .judge import judge_upserts
from .parsers import check_parsers
from .scan.lines import Lines
from .target import NamedTable
from .upsert import Form, Place, RoutineContext, Source, Upsert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from ..catalog.functions import DatabaseFunction
    from ..findings import Finding
    from .scan.sql.made_tables import MadeTables
    from .scan.sql.upsert import SqlUpsert
    from .upsert import JudgedUpsert

__all__ = ["JudgedFunctions", "judge_functions", "upserts_in_functions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFunctions:
    """What the functions of one database upsert."""

    upserts: tuple[JudgedUpsert, ...] = ()
    """Each is ``served``, ``unserved`` or ``unresolved``."""
    unknown: tuple[Finding, ...] = ()
    """That the database cannot be judged."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that there is to report."""
        return (*self.unknown, *(f for judged in self.upserts for f in judged.findings))


def judge_functions(connection: Connection, *, in_sql: bool = False) -> JudgedFunctions:
    """Return every upsert in the database's functions and procedures, judged.

    Nothing is written, and the functions are not called. SQLite has none.

    :param in_sql: whether hints are the SQL to run, and not what a model declares.
    :raises MissingParsersError: the extra ``scan`` is not installed.
    """
    if catalog_for(connection.dialect) is None:
        name = database_for(connection.dialect).name
        return JudgedFunctions(unknown=(unknown_dialect(name),))
    upserts = upserts_in_functions(connection)
    answers = judge_upserts(connection, upserts, None if in_sql else DeclaredTables(()))
    return JudgedFunctions(upserts=tuple(answers[upsert] for upsert in upserts))


def upserts_in_functions(connection: Connection) -> list[Upsert]:
    """Return the upserts in the functions and procedures of a database, in their order; elsewhere than PostgreSQL none.

    :raises MissingParsersError: the extra ``scan`` is not installed.
    """
    if not database_for(connection.dialect).has_functions:
        return []
    check_parsers("reading functions")
    from .scan.sql.made_tables import made_tables  # noqa: PLC0415 - the parsers are an extra

    functions = [
        _Function(function=each, made=made_tables(each.source))
        for each in read_functions(connection)
    ]
    made_anywhere = frozenset[str]().union(*(each.made.names for each in functions))
    return [upsert for each in functions for upsert in each.upserts(made_anywhere)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    """One function, and the tables that it makes."""

    function: DatabaseFunction
    made: MadeTables

    def upserts(self, made_anywhere: frozenset[str]) -> Iterator[Upsert]:
        """Return its upserts, in their order.

        :param made_anywhere: the names of the tables that functions make.
        """
        from .scan.sql.routines import Routine, read_routine  # noqa: PLC0415 - an extra

        function, lines = self.function, Lines(self.function.source)
        routine = Routine(
            language=function.language,
            source=function.source,
            parameters=function.parameters,
            variable_conflict=function.settings.get("plpgsql.variable_conflict", function.prefers),
        )
        for upsert in read_routine(routine):
            yield Upsert(
                source=Source.FUNCTIONS,
                place=Place(path=function.name, line=lines.at(upsert.start)),
                table=upsert.table,
                target=upsert.target,
                form=Form.SQL,
                routine=self._context(upsert, made_anywhere),
            )

    def _context(self, upsert: SqlUpsert, made_anywhere: frozenset[str]) -> RoutineContext:
        table, function = upsert.table, self.function
        is_made, obstacle = False, None
        if isinstance(table, NamedTable):
            is_made = self.made.has_temporary or table.name in made_anywhere
            is_made = is_made and table.schema is None
            obstacle = self._obstacle(table, is_made=is_made)
        return RoutineContext(
            statement=upsert.statement,
            # what the server prints of BEGIN ATOMIC is qualified for the session
            search_path=None if function.atomic else function.settings.get("search_path"),
            clashes=upsert.clashes,
            unplannable=obstacle,
            may_make_table=is_made,
        )

    def _obstacle(self, table: NamedTable, *, is_made: bool) -> str | None:
        """Why no plan shows what is unique on the table at a call; None: one does."""
        if isinstance(table.schema, str) and table.schema.startswith("pg_temp"):
            return f"{table.name} is a temporary table, which exists in its session only"
        if table.schema is not None:
            return None
        moves = _changes_search_path(self.function)
        if moves and not is_made:
            return f"the function changes search_path itself, so which {table.name} is meant is not known"
        if moves or table.name in self.made.names:
            return f"the function makes {table.name} itself, so what is unique there is known at the call only"
        return None


def _changes_search_path(function: DatabaseFunction) -> bool:
    """Whether the body changes the search path itself, as far as its words say."""
    return "search_path" in function.source.lower()
