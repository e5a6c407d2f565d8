"""From SQL text to the upserts in it: statement by statement, so that a broken one hides no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import postgast

from ...target import Unread
from ...upsert import RoutineHead
from ..bounds import check_time
from .arguments import read_arguments
from .bodies import read_bodies
from .by_lines import cut_at_lines, is_mysql, read_without_tokens, without_backslashes
from .grammar import LONGEST
from .holes import Apart
from .lookups import lookups_in, may_look_up
from .postgresql import NESTED, PIECES, PUT_IN, parse, upserts_in
from .prepared import prepared_in
from .replacing import may_replace, replacing_in
from .routine_head import opens_body, routine_head
from .shortened import shortened
from .tokens import HOLE, SqlToken, conflict_clauses, inserts, statements, tokens_of
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postgast import pg_query_pb2

    from ...target import Target
    from .tokens import ConflictClause

__all__ = ["read_sql"]

_ROUTINES = frozenset({"function", "procedure", "trigger"})
_AHEAD = 8
"""Words of a statement among which is what it creates."""


def read_sql(sql: str) -> list[SqlUpsert]:
    """Return every upsert in `sql`, in their order.

    :param sql: one statement, several, or a piece of one; text that is put in at run time is there as a
     name that begins with :data:`.tokens.HOLE`, a number and an underscore.
    """
    apart = Apart(sql)
    found: list[SqlUpsert] = []
    for start, statement, tokens, head in _statements(apart.text):
        check_time()
        for upsert in _read_statement(statement, tokens):
            # one in a function's body knows where it begins and ends
            whole = upsert if upsert.last else replace(upsert, last=len(statement))
            found.append(apart.moved_back(replace(whole.moved(start), definition=head)))
    return found


def _statements(sql: str) -> Iterator[tuple[int, str, list[SqlToken] | None, RoutineHead | None]]:
    """Where each statement begins that may upsert, its text, its tokens, and the routine that it is part of.

    None of tokens: it cannot be cut into any.
    """
    sql = without_backslashes(sql) if is_mysql(sql) else sql
    try:
        tokens = tokens_of(sql)
    except postgast.PgQueryError:
        # a string without an end, or MySQL's own: a semicolon that ends a line ends a statement, one hopes
        yield from _statements_by_lines(sql)
        return
    open_head: RoutineHead | None = None
    for cut in statements(tokens):
        if not cut:
            continue
        head = routine_head(cut)
        open_head = head if head is not None and opens_body(cut) else open_head
        if _may_upsert(statement := sql[cut[0].start : cut[-1].end]):
            start = cut[0].start
            moved = [_moved(token, -start) for token in cut] if start else list(cut)
            yield start, statement, moved, head or open_head
        if cut[0].kind == "END_P":
            open_head = None


def _statements_by_lines(sql: str) -> Iterator[tuple[int, str, None, RoutineHead | None]]:
    """The statements of what cannot be cut into tokens; a routine's name is not known, and it ends with an END."""
    head: RoutineHead | None = None
    for start, statement in cut_at_lines(sql):
        words = statement.lower().split()[:_AHEAD]
        if words[:1] == ["create"] and not _ROUTINES.isdisjoint(words):
            head = RoutineHead(name="", arguments=None)
        if _may_upsert(statement):
            yield start, statement, None, head
        if words[:1] == ["end"]:
            head = None


def _may_upsert(statement: str) -> bool:
    lower = statement.lower()
    return "conflict" in lower or "duplicate" in lower or may_look_up(lower) or may_replace(lower)


def _moved(token: SqlToken, by: int) -> SqlToken:
    return SqlToken(token.kind, token.text, token.start + by, token.end + by)


def _read_statement(sql: str, tokens: list[SqlToken] | None) -> list[SqlUpsert]:
    if tokens is None:
        try:
            sql = without_backslashes(sql)
            tokens = tokens_of(sql)
        except postgast.PgQueryError as error:
            return read_without_tokens(sql, error.message)
    clauses = conflict_clauses(tokens, len(sql))
    if not clauses:
        inside = [*read_bodies(sql, read_sql), *read_arguments(tokens, read_sql)]
        own = [*lookups_in(sql, tokens), *replacing_in(tokens), *prepared_in(tokens, read_sql)]
        return sorted([*own, *inside], key=lambda upsert: upsert.start)
    if clauses[0].is_duplicate_key:
        from .dialects import read_mysql  # noqa: PLC0415 - sqlglot takes longer to import than to read most projects

        upsert = read_mysql(sql, tokens, clauses[0])
        return [] if upsert is None else [upsert]
    tree = _tree(sql, tokens, clauses)
    if tree is NESTED:
        return [_read_shortened(sql, tokens, clause) for clause in clauses]
    return _read_tree(sql, tokens, clauses, tree)


def _tree(
    sql: str, tokens: list[SqlToken], clauses: Sequence[ConflictClause]
) -> pg_query_pb2.ParseResult | Unread:
    """The tree of a statement without the targets that are put in at run time."""
    if len(tokens) > LONGEST:
        return NESTED
    readable = _with_targets_put_in_blanked(sql, clauses)
    return parse(readable, tokens if readable == sql else tokens_of(readable))


def _read_tree(
    sql: str,
    tokens: list[SqlToken],
    clauses: Sequence[ConflictClause],
    tree: pg_query_pb2.ParseResult | Unread,
) -> list[SqlUpsert]:
    if isinstance(tree, Unread):
        return list(_read_unparsed(sql, tokens, clauses, tree))
    upserts = upserts_in(tree)
    if len(upserts) != len(clauses):
        return [SqlUpsert(clause.start, PUT_IN, PUT_IN) for clause in clauses]
    return [
        replace(upsert, start=clause.start, target=_unless_put_in(sql, clause, upsert.target))
        for upsert, clause in zip(upserts, clauses, strict=True)
    ]


def _read_shortened(sql: str, tokens: list[SqlToken], clause: ConflictClause) -> SqlUpsert:
    """The upsert of a clause in a statement that the parser cannot take whole: its table and target are enough."""
    check_time()
    found = _read_short(shortened(sql, tokens, clause, sql[clause.start : clause.end]))
    if found is None:
        without_target = _read_short(shortened(sql, tokens, clause, "ON CONFLICT"))
        if without_target is None:
            return SqlUpsert(clause.start, NESTED, NESTED)
        found = replace(without_target, target=NESTED)
    return replace(found, start=clause.start)


def _read_short(sql: str | None) -> SqlUpsert | None:
    """The one upsert of a shortened statement; None: the parser does not take it either."""
    if sql is None:
        return None
    sql = f"{sql} DO NOTHING"
    tokens = tokens_of(sql)
    clauses = conflict_clauses(tokens, len(sql))
    tree = _tree(sql, tokens, clauses)
    found = [] if tree is NESTED else _read_tree(sql, tokens, clauses, tree)
    return found[0] if len(found) == 1 else None


def _with_targets_put_in_blanked(sql: str, clauses: Sequence[ConflictClause]) -> str:
    """The statement with every target that is put in at run time left out: the table can still be read."""
    for clause in reversed(clauses):
        if HOLE in sql[clause.start : clause.end]:
            action = sql[clause.end :] or "DO NOTHING"
            sql = f"{sql[: clause.start]} ON CONFLICT {action}"
    return sql


def _unless_put_in(sql: str, clause: ConflictClause, target: Target | Unread) -> Target | Unread:
    """`target`, unless text that is put in at run time is anywhere in it."""
    return PUT_IN if HOLE in sql[clause.start : clause.end] else target


def _read_unparsed(
    sql: str, tokens: Sequence[SqlToken], clauses: Sequence[ConflictClause], said: Unread
) -> Iterator[SqlUpsert]:
    """What can be said of a statement that PostgreSQL's grammar refuses.

    an INSERT that SQLite's grammar takes          | table and target
    a piece of a statement, from ON CONFLICT on    | its target, without the table
    any other INSERT                               | unread, with what the parser said
    an INSERT whose clause no grammar takes        | likewise
    prose that names ON CONFLICT                   | nothing
    """
    is_insert = any(t.kind == "INSERT" and inserts(tokens, n) for n, t in enumerate(tokens))
    if len(clauses) == 1 and not clauses[0].is_mistaken:
        from .dialects import read_sqlite  # noqa: PLC0415 - as above

        if HOLE not in sql and (upsert := read_sqlite(sql, tokens, clauses[0])) is not None:
            yield upsert
            return
        if (piece := _piece(sql, clauses[0])) is not None:
            yield replace(piece, table=said if is_insert else PIECES)
            return
    for clause in clauses:
        if is_insert:
            yield SqlUpsert(clause.start, said, said)
        elif clause.start == 0:
            yield SqlUpsert(clause.start, PIECES, PIECES)


def _piece(sql: str, clause: ConflictClause) -> SqlUpsert | None:
    """The upsert of a piece of text from its conflict clause on; what follows may be missing."""
    for rest in (f"{HOLE}rest_", "DO NOTHING"):
        statement = f"INSERT INTO t DEFAULT VALUES {sql[clause.start :]} {rest}"
        tree = parse(statement, tokens_of(statement))
        upserts = [] if isinstance(tree, Unread) else upserts_in(tree)
        if len(upserts) == 1:
            target = _unless_put_in(sql, clause, upserts[0].target)
            return replace(upserts[0], start=clause.start, target=target)
    return None
