"""The variables of a routine, and the names in a conflict target that are theirs, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postgast import pg_query_pb2

from ...upsert import NameClash
from .postgresql import messages
from .tokens import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .tokens import SqlToken

__all__ = ["Variables"]

_Scope: TypeAlias = Literal["everywhere", "somewhere"]
"""Where a variable is known: in the whole body, or in a block or loop of it."""


class Variables:
    """The parameters and variables of one routine."""

    def __init__(
        self, tokens: Sequence[SqlToken], parameters: Sequence[str], *, preference: str | None
    ) -> None:
        """The declarations are read.

        :param preference: PL/pgSQL's ``variable_conflict``; None: the routine is SQL, which takes the column.
        """
        self._preference = preference
        local = {} if preference is None else _locals(tokens)
        self._scopes: Mapping[str, _Scope] = {**local, **dict.fromkeys(parameters, "everywhere")}

    @property
    def names(self) -> frozenset[str]:
        """All of them, in lower case unless quoted."""
        return frozenset(self._scopes)

    def clashes(self, insert: pg_query_pb2.InsertStmt) -> Iterator[tuple[str, NameClash]]:
        """Return what is in the conflict target of an INSERT and is, or may be, no column."""
        infer = insert.on_conflict_clause.infer
        own = {insert.relation.relname, insert.relation.alias.aliasname, "excluded"}
        for element in messages(infer, pg_query_pb2.IndexElem):
            if element.name in self._scopes:
                yield element.name, self._clash(element.name)
        for reference in messages(infer, pg_query_pb2.ColumnRef):
            names = [field.string.sval for field in reference.fields]
            if len(names) > 1 and names[0] not in own:
                yield ".".join(names), NameClash.VALUE
            elif len(names) == 1 and names[0] in self._scopes:
                yield names[0], self._clash(names[0])
        for parameter in messages(infer, pg_query_pb2.ParamRef):
            yield f"${parameter.number}", NameClash.VALUE

    def _clash(self, name: str) -> NameClash:
        """What a variable's name is where a column may have it (manual, PL/pgSQL Under the Hood)."""
        if self._preference in (None, "use_column"):
            return NameClash.COLUMN
        is_certain = self._scopes[name] == "everywhere" and self._preference == "error"
        return NameClash.AMBIGUOUS if is_certain else NameClash.EITHER


def _locals(tokens: Sequence[SqlToken]) -> dict[str, _Scope]:
    """Variables that the body declares or loops over, in lower case unless quoted."""
    found: dict[str, _Scope] = {}
    declaring, outermost, before = False, True, ""
    for token in tokens:
        word = token.text.lower()
        if word == "declare":
            declaring = True
        elif word == "begin":
            declaring = outermost = False
        elif declaring and before in ("declare", ";"):
            found[name_of(token)] = "everywhere" if outermost else "somewhere"
        elif before in ("for", "foreach"):
            found.setdefault(name_of(token), "somewhere")
        before = word
    return found
