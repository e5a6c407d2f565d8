"""Kysely's MERGE: ``db.mergeInto('t').using('s', 's.a', 't.a').whenNotMatched().thenInsertValues(...)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Lookup, Unread
from ...upsert import Form
from ..sql import MERGE
from .drizzle_schema import returned_by
from .identifiers import cased, elements_of
from .meaning import Expression
from .nodes import chain_of, method_call
from .site import Site

if TYPE_CHECKING:
    from ...target import Elements, Target
    from .kysely_tables import KyselyStatement
    from .nodes import MethodCall
    from .values import Values

__all__ = ["KyselyMerges"]

_DEPTH = 20
_OF_COLUMNS = 3
"""Arguments of ``using('s', 's.a', 't.a')``, and of ``onRef('s.a', '=', 't.a')``."""


class KyselyMerges:
    """Reads what a MERGE looks rows up by."""

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def read(self, of: Expression, call: MethodCall, statement: KyselyStatement) -> Site | None:
        """Return the upsert of a MERGE that inserts; None: the statement has an earlier INSERT, where it is."""
        if "thenInsertValues" in statement.links:
            return None
        columns = self._columns(of.at(call.owner), statement)
        target: Target | Unread = (
            columns if isinstance(columns, Unread) else Lookup(columns.elements, MERGE)
        )
        return Site(form=Form.KYSELY, table=statement.table, target=target)

    def _columns(self, expression: Expression, statement: KyselyStatement) -> Elements | Unread:
        """The table's own columns that the condition of ``using()`` compares."""
        unread = Unread("what it compares rows by cannot be read")
        meaning = self._values.meaning(expression)
        for _ in range(_DEPTH):
            link = method_call(meaning.node) if isinstance(meaning, Expression) else None
            if not isinstance(meaning, Expression) or link is None:
                break
            if link.name == "using":
                pairs = self._pairs([meaning.at(argument) for argument in link.arguments])
                names = [self._own(pair, statement) for pair in pairs or ()]
                return elements_of(names) if names else unread
            meaning = self._values.meaning(meaning.at(link.owner))
        return unread

    def _pairs(self, arguments: list[Expression]) -> list[list[Expression]] | None:
        """The columns that are compared for equality, two by two; None: something else is asked, too."""
        if len(arguments) == _OF_COLUMNS:
            return [arguments[1:]]
        function = self._values.meaning(arguments[-1]) if len(arguments) > 1 else None
        body = returned_by(function) if isinstance(function, Expression) else None
        if body is None or not isinstance(function, Expression):
            return None
        found = []
        for link in chain_of(body):
            operands = [function.at(argument) for argument in link.arguments]
            is_equal = len(operands) == _OF_COLUMNS and self._values.text(operands[1]) == "="
            if link.name != "onRef" or not is_equal:
                return None
            found.append([operands[0], operands[2]])
        return found[::-1]

    def _own(self, pair: list[Expression], statement: KyselyStatement) -> str | Unread:
        """Which of two columns is one of the table that is merged into."""
        for stated in pair:
            said = self._values.text(stated)
            if isinstance(said, str) and said.rpartition(".")[0] == (statement.name or None):
                return cased(said.rpartition(".")[2], statement.casing, "Kysely")
        return Unread(f"which table's column {pair[0].source} is cannot be read")
