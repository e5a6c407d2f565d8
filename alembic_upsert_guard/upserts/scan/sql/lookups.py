"""Statements that look rows up by a condition of their own, and insert what they do not find.

``MERGE ... WHEN NOT MATCHED THEN INSERT``, and ``INSERT ... SELECT ... WHERE NOT EXISTS (...)`` on the same table.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from postgast import pg_query_pb2

from ...target import Cause, Lookup, Unread
from .conditions import Condition, Side
from .postgresql import messages, named_table, parse
from .probe import probe_of_table
from .tokens import HOLE
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...target import Target
    from .tokens import SqlToken

__all__ = ["INSERT_UNLESS_THERE", "MERGE", "lookups_in", "may_look_up"]

MERGE = "MERGE"
INSERT_UNLESS_THERE = "INSERT ... WHERE NOT EXISTS"

_PUT_IN = Unread("a part of the condition is put in at run time", Cause.FILLED_IN)
_MERGE_WORDS = ("USING", "ON", "WHEN", "NOT", "MATCHED", "INSERT")
"""What follows; INTO is left out where SQL Server is spoken."""


def may_look_up(text: str) -> bool:
    """Return whether a text may hold such a statement, by its words.

    :param text: in lower case.
    """
    return ("merge" in text and "matched" in text) or ("insert" in text and "exists" in text)


def lookups_in(
    sql: str, tokens: Sequence[SqlToken], values: frozenset[str] = frozenset()
) -> list[SqlUpsert]:
    """Return the lookups of one statement without a conflict clause.

    :param tokens: of `sql`.
    :param values: the names of a routine's variables, in lower case unless quoted.
    """
    merge, exists = _start_of_merge(tokens), _start_of_exists(tokens)
    if merge is None and exists is None:
        return []
    tree = parse(sql, tokens)
    if isinstance(tree, Unread):
        start = merge if merge is not None else exists if _names_twice(tokens) else None
        return [] if start is None else [SqlUpsert(start, tree, tree)]
    found: list[SqlUpsert] = []
    for statement in messages(tree, pg_query_pb2.MergeStmt):
        target = _of_merge(statement, values)
        if merge is not None and target is not None:
            found.append(_upsert(merge, statement.relation, target))
    for statement in messages(tree, pg_query_pb2.InsertStmt):
        target = _of_insert(statement, values)
        if exists is not None and target is not None:
            found.append(_upsert(exists, statement.relation, target))
    return found


def _upsert(start: int, relation: Any, target: Target | Unread) -> SqlUpsert:
    table = named_table(relation.relname, relation.schemaname or None)
    statement = "" if isinstance(target, Unread) else probe_of_table(relation)
    return SqlUpsert(start, table, target, statement=statement)


def _start_of_merge(tokens: Sequence[SqlToken]) -> int | None:
    """Where a MERGE that inserts begins, by its words in their order; None: there is none."""
    words = iter(_MERGE_WORDS)
    word: str | None = next(words)
    start = None
    for token in tokens:
        said = token.text.upper()
        if said == MERGE and word == _MERGE_WORDS[0]:
            start = token.start  # one before it is a name
        elif start is not None and said == word:
            word = next(words, None)
            if word is None:
                return start
    return None


def _start_of_exists(tokens: Sequence[SqlToken]) -> int | None:
    """Where the EXISTS behind an INSERT's NOT is; None: there is none."""
    inserts = False
    before = ""
    for token in tokens:
        inserts = inserts or token.kind == "INSERT"
        if inserts and token.kind == "EXISTS" and before in ("NOT", "NOT_LA", "ASCII_40"):
            return token.start
        before = token.kind
    return None


def _names_twice(tokens: Sequence[SqlToken]) -> bool:
    """Whether the table behind INSERT INTO is behind a later FROM, too, in the quotes of any database."""
    words = [t.text.strip('"').lower() for t in tokens if t.text != "`"]
    named = [after for word, after in pairwise(words) if word == "into"]
    return any(word == "from" and after in named for word, after in pairwise(words))


# -- what is looked up


def _of_merge(statement: Any, values: frozenset[str]) -> Lookup | Unread | None:
    """None: it inserts nothing, or compares nothing of the table."""
    clauses = [node.merge_when_clause for node in statement.merge_when_clauses]
    if not any(clause.command_type == pg_query_pb2.CMD_INSERT for clause in clauses):
        return None
    own = statement.relation.alias.aliasname or statement.relation.relname
    condition = Condition(Side(own, bare=None, values=values), statement.join_condition)
    return _lookup(condition, MERGE)


def _of_insert(statement: Any, values: frozenset[str]) -> Lookup | Unread | None:
    """None: its rows are not looked up in the table that they go into."""
    if statement.HasField("on_conflict_clause"):
        return None
    for query in _queries_of_absence(statement.select_stmt.select_stmt.where_clause):
        sources = [s for node in query.from_clause for s in messages(node, pg_query_pb2.RangeVar)]
        if not any(_is_same(source, statement.relation) for source in sources):
            continue
        if len(sources) > 1:
            return Unread("rows are looked up in several tables at once")
        own = sources[0].alias.aliasname or sources[0].relname
        condition = Condition(Side(own, bare=own, values=values), query.where_clause)
        return _lookup(condition, INSERT_UNLESS_THERE)
    return None


def _lookup(condition: Condition, statement: str) -> Lookup | Unread | None:
    if not condition.elements:
        return condition.unread
    if condition.clash is not None:
        name = condition.clash
        return Unread(f"{name} in the condition is the name of a column and of a variable")
    if any(HOLE in element.label for element in condition.elements):
        return _PUT_IN
    predicate = condition.unread or condition.predicate
    if isinstance(predicate, str) and HOLE in predicate:
        predicate = _PUT_IN
    return Lookup(condition.elements, statement, predicate)


def _queries_of_absence(where: Any) -> Iterator[Any]:
    """The queries of ``NOT EXISTS (...)`` among the conditions that have to hold."""
    expression = where.bool_expr
    if not where.HasField("bool_expr"):
        return
    if expression.boolop == pg_query_pb2.BoolExprType.AND_EXPR:
        for each in expression.args:
            yield from _queries_of_absence(each)
    if expression.boolop == pg_query_pb2.BoolExprType.NOT_EXPR:
        link = expression.args[0].sub_link
        if link.sub_link_type == pg_query_pb2.SubLinkType.EXISTS_SUBLINK:
            yield link.subselect.select_stmt


def _is_same(source: Any, relation: Any) -> bool:
    schemas = {source.schemaname, relation.schemaname} - {""}
    names = {source.relname, relation.relname}
    is_put_in = all(HOLE in name for name in names)
    return (len(names) == 1 or is_put_in) and len(schemas) <= 1
