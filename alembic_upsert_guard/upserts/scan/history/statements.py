"""Scripts of SQL, statement by statement, applied to the tables that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import postgast
from postgast import pg_query_pb2

from ..lines import Lines
from ..sql.grammar import parse_statement
from ..sql.postgresql import messages
from ..sql.tokens import name_of, statements, tokens_of
from .definitions import apply_definition
from .table import HistoricName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..sql.tokens import SqlToken
    from .tables import HistoricTables

__all__ = ["HistoricSql", "Statement"]

_BEGINNINGS = frozenset(
    {"CREATE", "ALTER", "DROP", "DO", "SELECT", "CALL", "SET", "ROLLBACK", "ABORT_P", "EXECUTE"}
)
"""The first tokens of statements that may change what is unique."""

_CLIENTS = frozenset({"delimiter", "source", "use"})
"""Commands of MySQL's client, behind which statements may be cut otherwise, or be another database's."""

_DEFINE = frozenset({"CREATE", "ALTER", "DROP"})
_OBJECTS = frozenset({"TABLE", "INDEX", "SCHEMA", "COLUMN", "CONSTRAINT"})
_AHEAD = 8
"""Tokens of a statement among which is what it defines."""

_BEFORE = frozenset({"", ";", "begin", "then", "else", "loop", ">>"})
"""What a statement of PL/pgSQL is behind, in lower case."""

_TOOLS_OWN = ("$user", "public")
_SEARCH_PATH = "a migration before it sets search_path"


class Statement(NamedTuple):
    """One statement of a script."""

    first: int
    """Its first line, counted from 1."""
    last: int
    text: str
    tokens: Sequence[SqlToken]

    @property
    def cannot_upsert(self) -> bool:
        """Whether it only defines something: an upsert on its line is another statement's."""
        return self.tokens[0].kind in _DEFINE

    @property
    def is_block(self) -> bool:
        """Whether it is DO, which may define something before it upserts."""
        return self.tokens[0].kind == "DO"


class HistoricSql:
    """What statements of SQL do to the tables; the functions that they define are known to those behind them."""

    def __init__(self, tables: HistoricTables) -> None:
        """Nothing is applied yet."""
        self.tables = tables
        self._defining: set[str] = set()
        """The names of functions that may define something when they are called."""

    def statements(self, sql: str) -> Iterator[Statement]:
        """Return the statements of a script, whose tables are all in doubt where it cannot be cut into any."""
        try:
            tokens = tokens_of(sql)
        except postgast.PgQueryError as error:
            self.tables.doubt_all(f"a migration before it does not read as SQL: {error.message}")
            return
        lines = Lines(sql)
        for cut in statements(tokens):
            if cut:
                first, last = cut[0].start, cut[-1].end
                yield Statement(lines.at(first), lines.at(last), sql[first:last], cut)

    def apply(self, statement: Statement) -> None:
        """Change the tables as a statement does."""
        kinds = [token.kind for token in statement.tokens[:_AHEAD]]
        if name_of(statement.tokens[0]) in _CLIENTS:
            self.tables.doubt_all("a migration before it is written for another client")
        elif kinds[0] not in _BEGINNINGS:
            self._call(statement.tokens, statement.text)
        elif kinds[0] in ("ROLLBACK", "ABORT_P"):
            self.tables.doubt_all("a migration before it rolls back")
        elif kinds[0] in ("SELECT", "CALL", "EXECUTE"):
            self._call(statement.tokens, statement.text)
        else:
            self._define(statement, kinds)

    def apply_text(self, sql: str) -> None:
        """Change the tables as every statement of a text does."""
        for statement in self.statements(sql):
            self.apply(statement)

    def _define(self, statement: Statement, kinds: Sequence[str]) -> None:
        try:
            tree = parse_statement(statement.text)
        except postgast.PgQueryError:
            self._refused(statement, kinds)
            return
        for each in tree.stmts:
            match each.stmt.WhichOneof("node"):
                case "do_stmt":
                    self._run_block(each.stmt.do_stmt)
                case "variable_set_stmt":
                    self._set(each.stmt.variable_set_stmt)
                case "create_function_stmt":
                    self._note_function(each.stmt.create_function_stmt)
                case _:
                    apply_definition(self.tables, each.stmt)

    def _refused(self, statement: Statement, kinds: Sequence[str]) -> None:
        """What no grammar of PostgreSQL's takes: another database's, in its own quotes."""
        if "`" in statement.text and '"' not in statement.text:
            quoted = statement.text.replace("`", '"')
            again = [each for each in self.statements(quoted) if each.text == quoted]
            if again:
                self.apply(again[0])
                return
        if kinds[0] == "DO" or not _OBJECTS.isdisjoint(kinds):
            self.tables.doubt_all("a migration before it defines something in SQL that is not read")

    def _set(self, statement: pg_query_pb2.VariableSetStmt) -> None:
        """Names without a schema are those of another one from now on."""
        names = [arg.a_const.sval.sval for arg in statement.args]
        if statement.name == "search_path" and not set(names) <= {*_TOOLS_OWN, ""}:
            self.tables.end(_SEARCH_PATH)

    def _set_by_call(self, text: str) -> None:
        """``set_config()`` of a path that is not stated, or of another one than pg_dump sets."""
        try:
            tree = parse_statement(text)
        except postgast.PgQueryError:
            self.tables.end(_SEARCH_PATH)
            return
        for call in messages(tree, pg_query_pb2.FuncCall):
            if call.funcname[-1].string.sval != "set_config":
                continue
            name, value = (each.a_const.sval.sval for each in call.args[:2])
            is_stated = all(each.WhichOneof("node") == "a_const" for each in call.args[:2])
            paths = {each.strip(' "') for each in value.split(",")}
            if name in ("search_path", "") and not (is_stated and paths <= {*_TOOLS_OWN, ""}):
                self.tables.end(_SEARCH_PATH)

    def _note_function(self, statement: pg_query_pb2.CreateFunctionStmt) -> None:
        words = {word.upper() for text in _strings(statement) for word in text.split()}
        calls = any(name in text.lower() for text in _strings(statement) for name in self._defining)
        if calls or not words.isdisjoint({*_DEFINE, "EXECUTE"}):
            self._defining.add(statement.funcname[-1].string.sval)

    def _call(self, tokens: Sequence[SqlToken], text: str) -> None:
        """A function that is called may define something, as may a statement that was prepared."""
        called = {name_of(token) for token in tokens if token.kind == "IDENT"}
        if tokens[0].kind == "EXECUTE" or not self._defining.isdisjoint(called):
            self.tables.doubt_all("a migration before it calls a function that defines something")
        elif "set_config" in called:
            self._set_by_call(text)
        elif tokens[0].kind == "SELECT" and "INTO" in [token.kind for token in tokens]:
            try:
                tree = parse_statement(text)
            except postgast.PgQueryError:
                return
            for each in messages(tree, pg_query_pb2.IntoClause):
                self.tables.doubt(_into(each), "it is made by SELECT INTO")

    def _run_block(self, statement: pg_query_pb2.DoStmt) -> None:
        """What a block defines, it may define under a condition; what it executes is not known."""
        language = next(
            (
                a.def_elem.arg.string.sval
                for a in statement.args
                if a.def_elem.defname == "language"
            ),
            "plpgsql",
        )
        if language != "plpgsql":
            self.tables.doubt_all(f"a block before it is written in {language}")
            return
        for body in _strings(statement):
            try:
                tokens = tokens_of(body)
            except postgast.PgQueryError:
                self.tables.doubt_all("a block before it does not read as SQL")
                return
            before = ""
            for at, token in enumerate(tokens):
                if before in _BEFORE and token.kind in _DEFINE:
                    end = next((t.start for t in tokens[at:] if t.text == ";"), len(body))
                    self._perhaps(body[token.start : end])
                elif before in _BEFORE and token.kind == "EXECUTE":
                    self._execute(tokens, at)
                before = token.text.lower()
            self._call_in_block(tokens)

    def _execute(self, tokens: Sequence[SqlToken], at: int) -> None:
        rest = [*tokens[at + 1 : at + 3]]
        if [each.kind for each in rest] == ["SCONST", "ASCII_59"] and rest[0].text.startswith("'"):
            self._perhaps(rest[0].text[1:-1].replace("''", "'"))
            return
        texts = " ".join(t.text for t in tokens[at : at + 40] if t.kind == "SCONST").upper()
        if any(word in texts for word in _OBJECTS) or not texts:
            self.tables.doubt_all("a block before it executes what is put together at run time")

    def _perhaps(self, sql: str) -> None:
        def change(tables: HistoricTables) -> None:
            inside = HistoricSql(tables)
            inside.apply_text(sql)

        self.tables.perhaps(change, "a block before it changes it under a condition")

    def _call_in_block(self, tokens: Sequence[SqlToken]) -> None:
        called = {name_of(token) for token in tokens if token.kind == "IDENT"}
        if not self._defining.isdisjoint(called):
            self.tables.doubt_all("a block before it calls a function that defines something")


def _strings(statement: object) -> list[str]:
    """The bodies of a function or a block."""
    return [each.sval for each in messages(statement, pg_query_pb2.String)]


def _into(clause: pg_query_pb2.IntoClause) -> HistoricName:
    return HistoricName.of(clause.rel.schemaname, clause.rel.relname)
