"""Upserts in the bodies of a database's functions, by their tokens.

libpg_query's own reader of PL/pgSQL refuses types outside of ``public`` and writes no valid JSON for triggers. PL/pgSQL
is cut into tokens as SQL is, so its statements are found there and each is parsed alone, whatever stands around it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import postgast
from postgast import pg_query_pb2

from ...target import AnyArbiter, Constraint, Elements, NamedTable, Unread
from ..lines import Lines
from .dynamic import Assignments, may_upsert, text_in
from .grammar import parse_statement
from .normal import element_of, sql_of
from .postgresql import messages
from .tokens import conflict_clauses, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from ...target import Target
    from .tokens import ConflictClause, SqlToken

__all__ = ["MadeTables", "Routine", "RoutineUpsert", "Scope", "made_tables", "read_routine"]

Scope: TypeAlias = Literal["everywhere", "somewhere"]
"""Where a variable is known: in the whole body, or in a block or loop of it."""

_OVERRIDING = {
    pg_query_pb2.OVERRIDING_USER_VALUE: "OVERRIDING USER VALUE ",
    pg_query_pb2.OVERRIDING_SYSTEM_VALUE: "OVERRIDING SYSTEM VALUE ",
}

_BEGINS = frozenset({";", "begin", "then", "else", "loop", ">>", "query", "in", "for", "declare"})
"""The tokens that a PL/pgSQL statement, or the EXECUTE of one, stands behind; in lower case."""


@dataclass(frozen=True, slots=True)
class Routine:
    """One function, as far as its upserts need it."""

    language: str
    source: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutineUpsert:
    """One upsert of a function, and what to ask the planner about it."""

    line: int
    """Of ``ON CONFLICT``, or of the statement that is put together at run time; counted from 1."""
    table: NamedTable | Unread
    target: Target | Unread
    statement: str = ""
    """The upsert with NULL for values and without its surroundings; empty where it cannot be read."""
    variables: tuple[tuple[str, Scope], ...] = ()
    """Names in the conflict target that are a variable's or a parameter's, whether or not a column's too."""


def read_routine(routine: Routine) -> list[RoutineUpsert]:
    """Return the upserts of a function, and the statements that may be some, in the order they stand there."""
    source = routine.source
    if routine.language not in ("sql", "plpgsql"):
        unread = Unread(f"the function is written in {routine.language}, which is not read")
        at = _on_conflict(source)
        return [RoutineUpsert(_line(source, at), unread, unread)] if at >= 0 else []
    try:
        tokens = tokens_of(source)
    except postgast.PgQueryError as error:
        unread = Unread(f"the body does not read as SQL: {error.message}")
        at = _on_conflict(source)
        return [RoutineUpsert(_line(source, at), unread, unread)] if at >= 0 else []
    scopes: dict[str, Scope] = dict.fromkeys(routine.parameters, "everywhere")
    if routine.language == "plpgsql":
        scopes = {**_locals(tokens), **scopes}
    static = [
        _static(source, tokens, clause, scopes)
        for clause in conflict_clauses(tokens, len(source))
        if not clause.is_duplicate_key
    ]
    strings = list(_blocks(source, tokens))
    if routine.language == "plpgsql":
        strings += _dynamic(source, tokens, routine.parameters)
    return sorted([*static, *strings], key=lambda upsert: upsert.line)


@dataclass(frozen=True, slots=True)
class MadeTables:
    """The tables that a function makes for itself."""

    names: frozenset[str] = frozenset()
    has_temporary: bool = False
    """Whether it makes temporary tables, whose names may be put in at run time."""


def made_tables(source: str) -> MadeTables:
    """Return the tables that a function makes for itself.

    None of a body that cannot be cut into tokens: nothing of it is read.
    """
    try:
        tokens = tokens_of(source)
    except postgast.PgQueryError:
        return MadeTables()
    names, temporary = set(), False
    for at, token in enumerate(tokens):
        if token.kind == "CREATE":
            words, rest = _words(tokens[at + 1 : at + _AHEAD], _BEFORE_A_TABLE)
        elif token.kind == "INTO":
            words, rest = _words(tokens[at + 1 : at + _AHEAD], {"TEMP", "TEMPORARY", "TABLE"})
        else:
            continue
        is_temporary = not words.isdisjoint({"TEMP", "TEMPORARY"})
        temporary |= is_temporary and token.kind == "CREATE"
        if rest and (is_temporary or (token.kind == "CREATE" and "TABLE" in words)):
            schema, dot, table = (*rest, *rest, *rest)[:3]
            if dot.text != ".":
                names.add(_name(schema))
            elif _name(schema).startswith("pg_temp"):
                names.add(_name(table))
    return MadeTables(frozenset(names), temporary)


_BEFORE_A_TABLE = frozenset(
    {"GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "TABLE", "IF_P", "NOT", "EXISTS"}
)
"""What stands between CREATE and a table's name."""

_AHEAD = 16
"""Tokens behind CREATE among which the name is."""


def _words(
    tokens: Sequence[SqlToken], known: AbstractSet[str]
) -> tuple[set[str], Sequence[SqlToken]]:
    """The kinds of the first tokens that are `known`, and the tokens behind them."""
    end = next((at for at, token in enumerate(tokens) if token.kind not in known), len(tokens))
    return {token.kind for token in tokens[:end]}, tokens[end:]


def _on_conflict(text: str) -> int:
    """Where the words stand in a text that cannot be cut into tokens; -1: nowhere."""
    lower = text.lower()
    at = lower.find("conflict")
    while at >= 0:
        before = lower[:at].rstrip()
        if before.endswith("on") and len(before) < at:
            return len(before) - 2
        at = lower.find("conflict", at + 1)
    return -1


def _line(source: str, at: int) -> int:
    return _lines_of(source).at(at)


@lru_cache(maxsize=4)
def _lines_of(source: str) -> Lines:
    return Lines(source)


# -- static statements


def _static(
    source: str, tokens: Sequence[SqlToken], clause: ConflictClause, scopes: dict[str, Scope]
) -> RoutineUpsert:
    line = _line(source, clause.start)
    if clause.insert is None:
        unread = Unread("the INSERT of this ON CONFLICT is not found")
        return RoutineUpsert(line, unread, unread)
    insert = tokens[clause.insert]
    target = source[clause.start : clause.end]
    action = _action(tokens, clause)
    try:
        tree = parse_statement(f"{source[insert.start : clause.start]} {target}\n{action}")
    except postgast.PgQueryError as error:
        unread = Unread(f"the statement does not read as SQL: {error.message}")
        return RoutineUpsert(line, unread, unread)
    insert_of = tree.stmts[0].stmt.insert_stmt
    relation = insert_of.relation
    return RoutineUpsert(
        line,
        NamedTable(relation.relname, relation.schemaname or None),
        _target(insert_of.on_conflict_clause),
        f"{_head(insert_of)} {target}\n{action}",
        tuple(_variables(insert_of, scopes)),
    )


def _target(clause: pg_query_pb2.OnConflictClause) -> Target:
    if not clause.HasField("infer"):
        return AnyArbiter()
    infer = clause.infer
    if infer.conname:
        return Constraint(infer.conname)
    where = sql_of(infer.where_clause) if infer.HasField("where_clause") else None
    return Elements(tuple(element_of(e.index_elem) for e in infer.index_elems), where)


def _action(tokens: Sequence[SqlToken], clause: ConflictClause) -> str:
    """The same action, on one column: exclusion constraints take DO NOTHING alone."""
    end = bisect_left(tokens, clause.end, key=lambda token: token.start)
    after = tokens[end : end + 6]
    words = [t.text.lower() for t in after]
    if words[:3] == ["do", "update", "set"] and len(after) > 3:  # noqa: PLR2004 - and something to set
        column = after[4].text if words[3] == "(" and len(after) > 4 else after[3].text  # noqa: PLR2004
        # a generated column takes DEFAULT alone
        value = "DEFAULT" if words[4:] == ["=", "default"] else f"EXCLUDED.{column}"
        return f"DO UPDATE SET {column} = {value}"
    return "DO NOTHING"


def _head(insert: pg_query_pb2.InsertStmt) -> str:
    relation = insert.relation
    named = ".".join(
        _quoted(n) for n in (relation.catalogname, relation.schemaname, relation.relname) if n
    )
    alias = f" AS {_quoted(relation.alias.aliasname)}" if relation.HasField("alias") else ""
    rows = [row.list.items for row in insert.select_stmt.select_stmt.values_lists]
    values: dict[str, str] = {}
    for position, column in enumerate(insert.cols):
        # a generated column takes DEFAULT alone; elsewhere it would be planned, and can fail
        taken = any(
            row[position : position + 1] and row[position].HasField("set_to_default")
            for row in rows
        )
        values.setdefault(column.res_target.name, "DEFAULT" if taken else "NULL")
    if not values:
        return f"INSERT INTO {named}{alias} DEFAULT VALUES"
    overriding = _OVERRIDING.get(insert.override, "")
    return (
        f"INSERT INTO {named}{alias} ({', '.join(map(_quoted, values))}) {overriding}"
        f"VALUES ({', '.join(values.values())})"
    )


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _variables(
    insert: pg_query_pb2.InsertStmt, scopes: dict[str, Scope]
) -> Iterator[tuple[str, Scope]]:
    """What stands in the conflict target and is, or may be, no column."""
    infer = insert.on_conflict_clause.infer
    own = {insert.relation.relname, insert.relation.alias.aliasname, "excluded"}
    for element in messages(infer, pg_query_pb2.IndexElem):
        if element.name in scopes:
            yield element.name, scopes[element.name]
    for reference in messages(infer, pg_query_pb2.ColumnRef):
        names = [field.string.sval for field in reference.fields]
        if len(names) > 1 and names[0] not in own:
            yield ".".join(names), "somewhere"
        elif len(names) == 1 and names[0] in scopes:
            yield names[0], scopes[names[0]]
    for parameter in messages(infer, pg_query_pb2.ParamRef):
        yield f"${parameter.number}", "somewhere"


def _locals(tokens: Sequence[SqlToken]) -> dict[str, Scope]:
    """Variables that the body declares or loops over, in lower case unless quoted."""
    found: dict[str, Scope] = {}
    declaring, outermost, before = False, True, ""
    for token in tokens:
        word = token.text.lower()
        if word == "declare":
            declaring = True
        elif word == "begin":
            declaring = outermost = False
        elif declaring and before in ("declare", ";"):
            found[_name(token)] = "everywhere" if outermost else "somewhere"
        elif before in ("for", "foreach"):
            found.setdefault(_name(token), "somewhere")
        before = word
    return found


def _name(token: SqlToken) -> str:
    return token.text[1:-1] if token.text.startswith('"') else token.text.lower()


# -- statements in strings


def _blocks(source: str, tokens: Sequence[SqlToken]) -> Iterator[RoutineUpsert]:
    """DO, whose body is a string."""
    unread = Unread("the statement stands in a DO block inside the function, which is not read")
    for position, token in enumerate(tokens):
        before = tokens[position - 1].text.lower() if position else ";"
        if token.kind == "DO" and before in _BEGINS:
            body = [t for t in tokens[position + 1 : position + 4] if t.kind == "SCONST"]
            if body and _on_conflict(body[0].text) >= 0:
                yield RoutineUpsert(_line(source, token.start), unread, unread)


def _dynamic(
    source: str, tokens: Sequence[SqlToken], parameters: Sequence[str]
) -> Iterator[RoutineUpsert]:
    """EXECUTE: a constant string is read, anything else that may upsert is named as unseen."""
    assigned = Assignments(tokens, parameters)
    unseen = Unread("the statement is put together at run time (EXECUTE), and may be an upsert")
    certain = Unread("the upsert is put together at run time (EXECUTE)")
    for position, token in enumerate(tokens):
        before = tokens[position - 1].text.lower() if position else ";"
        if token.kind != "EXECUTE" or before not in _BEGINS:
            continue
        line = _line(source, token.start)
        texts = assigned.texts(_expression(tokens[position + 1 :]))
        constant = text_in(texts)
        if constant is not None:
            # no variable is known in there
            yield from (
                RoutineUpsert(line, u.table, u.target, u.statement, u.variables)
                for u in read_routine(Routine("sql", constant))
            )
        elif any(_on_conflict(text) >= 0 for text in texts):
            yield RoutineUpsert(line, certain, certain)
        elif any(map(may_upsert, texts)):
            yield RoutineUpsert(line, unseen, unseen)


def _expression(tokens: Sequence[SqlToken]) -> Sequence[SqlToken]:
    """The expression behind EXECUTE."""
    depth = 0
    for position, token in enumerate(tokens):
        if token.kind == "ASCII_40":
            depth += 1
        elif token.kind == "ASCII_41":
            depth -= 1
        elif depth == 0 and token.text.lower() in (";", "into", "using", "loop"):
            return tokens[:position]
    return tokens
