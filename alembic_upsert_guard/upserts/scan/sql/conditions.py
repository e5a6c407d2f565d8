"""What a condition compares the rows of one table by: columns and expressions for equality, and what else it asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from postgast import pg_query_pb2

from ...target import Unread
from .normal import element_of, sql_of
from .postgresql import messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....inference import Element

__all__ = ["Condition", "Side"]

_KIND = pg_query_pb2.A_Expr_Kind


class _Of(Enum):
    """Whose columns an expression has."""

    TABLE = "the table's only"
    OTHERS = "none of the table's"
    UNKNOWN = "both, or a name that may be either's"


@dataclass(frozen=True, slots=True)
class Side:
    """The table whose rows are looked up, as the condition names it."""

    name: str
    """Its alias, else its own name."""
    bare: str | None
    """Whose a column is that names no table; None: any of the condition's tables may have it."""
    values: frozenset[str] = frozenset()
    """The names that are a routine's variables."""

    def of(self, node: Any) -> _Of:
        """Return whose columns an expression has; a query inside it may have any."""
        if any(True for _ in messages(node, pg_query_pb2.SubLink)):
            return _Of.UNKNOWN
        owners = {self._owner(ref) for ref in messages(node, pg_query_pb2.ColumnRef)}
        if owners == {_Of.TABLE}:
            return _Of.TABLE
        return _Of.OTHERS if owners <= {_Of.OTHERS} else _Of.UNKNOWN

    def _owner(self, reference: Any) -> _Of:
        names = [field.string.sval for field in reference.fields]
        if len(names) > 1:
            return _Of.TABLE if names[-2] == self.name else _Of.OTHERS
        if names[0] in self.values:
            return _Of.OTHERS
        return _Of.UNKNOWN if self.bare is None else _Of.TABLE

    def bare_values(self, node: Any) -> frozenset[str]:
        """Return the names in a condition that are a routine's variables, unless they are columns."""
        references = (ref.fields for ref in messages(node, pg_query_pb2.ColumnRef))
        names = (fields[0].string.sval for fields in references if len(fields) == 1)
        return self.values.intersection(names)


class Condition:
    """A condition on the rows of one table, taken apart."""

    def __init__(self, side: Side, node: Any) -> None:
        """The condition is gone through once.

        :param node: an empty one asks nothing.
        """
        elements: dict[Element, None] = {}
        others: list[Any] = []
        self.unread: Unread | None = None
        """Why a part of it is not known; None: all of it is."""
        for part in _parts(node):
            compared = _compared(part, side)
            if compared is not None:
                elements[_element(compared)] = None
            elif side.of(part) is _Of.TABLE and not _compares_columns(part):
                others.append(part)
            elif side.of(part) is not _Of.OTHERS:
                self.unread = Unread(
                    "the condition that rows are looked up by is more than equalities"
                )
        self.elements = tuple(elements)
        """What is compared for equality, each once."""
        self.clash = next((e.column for e in elements if e.column in side.bare_values(node)), None)
        """A column that is compared, and is named as a variable is that the condition has; None: there is none."""
        self.predicate = " AND ".join(_sql_of_own(part) for part in others) or None
        """What else it asks of the row, in the SQL parser's normal form; None: nothing."""


def _parts(node: Any) -> Iterator[Any]:
    """The conditions that all have to hold; of ``(a, b) = (c, d)`` one for each pair."""
    if node.HasField("bool_expr") and node.bool_expr.boolop == pg_query_pb2.BoolExprType.AND_EXPR:
        for each in node.bool_expr.args:
            yield from _parts(each)
    elif _is_equality(node) and _is_row(node.a_expr.lexpr) and _is_row(node.a_expr.rexpr):
        rows = node.a_expr.lexpr.row_expr.args, node.a_expr.rexpr.row_expr.args
        for left, right in zip(*rows, strict=False):
            pair = pg_query_pb2.Node()
            pair.CopyFrom(node)
            pair.a_expr.lexpr.CopyFrom(left)
            pair.a_expr.rexpr.CopyFrom(right)
            yield pair
    elif node.WhichOneof("node") is not None:
        yield node


def _is_row(node: Any) -> bool:
    return bool(node.WhichOneof("node") == "row_expr")


def _is_equality(node: Any) -> bool:
    """``=``, or ``IS NOT DISTINCT FROM``."""
    if not node.HasField("a_expr"):
        return False
    names = [name.string.sval for name in node.a_expr.name]
    return names == ["="] and node.a_expr.kind in (_KIND.AEXPR_OP, _KIND.AEXPR_NOT_DISTINCT)


def _compared(node: Any, side: Side) -> Any | None:
    """The table's side of an equality with something that is not the table's; None: it is no such thing."""
    if not _is_equality(node):
        return None
    left, right = node.a_expr.lexpr, node.a_expr.rexpr
    sides = side.of(left), side.of(right)
    if sides == (_Of.TABLE, _Of.OTHERS):
        return left
    return right if sides == (_Of.OTHERS, _Of.TABLE) else None


def _compares_columns(node: Any) -> bool:
    """Whether two names that may both be the table's are compared: one may be a variable's."""
    references = {str(r.fields[-1].string.sval) for r in messages(node, pg_query_pb2.ColumnRef)}
    return len(references) > 1


def _element(node: Any) -> Element:
    element = pg_query_pb2.IndexElem()
    element.expr.CopyFrom(_own(node))
    return element_of(element)


def _sql_of_own(node: Any) -> str:
    return sql_of(_own(node))


def _own(node: Any) -> Any:
    """The expression without the table's name in front of its columns."""
    bare = pg_query_pb2.Node()
    bare.CopyFrom(node)
    for reference in messages(bare, pg_query_pb2.ColumnRef):
        del reference.fields[:-1]
    return bare
