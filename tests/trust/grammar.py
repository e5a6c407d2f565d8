"""PostgreSQL's own grammar over our statements: what in them is looked up by a bare name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import postgast
from postgast import pg_query_pb2 as nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

Found = list[str]

PINNED = "'pg_catalog, pg_temp'"

KEYWORDS = {"boolean", "bigint", "integer"}
"""Types that are SQL's own keywords, which the grammar takes for the system's."""

# parser/gram.y looks these up as operators by their bare names, and no syntax gives them a schema
BARE = {"AEXPR_IN", "AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR", "AEXPR_NULLIF"}
RANGES = {"AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN", "AEXPR_BETWEEN_SYM", "AEXPR_NOT_BETWEEN_SYM"}
DISTINCT = {"AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"}


def bare_names(statement: str) -> Found:
    """Functions, operators, types and catalogs of the system that the search path of the session leads to."""
    tree = postgast.parse(statement)
    found = [name for node in _messages(tree) for name in _bare(node)]
    if any(isinstance(node, nodes.DoStmt | nodes.CreateFunctionStmt) for node in _messages(tree)):
        found += _Block(statement).found()
    return found


def called_functions(block: str) -> set[str]:
    """The names of the functions that a DO block calls, with a schema or under the pinned path."""
    return {
        node.funcname[-1].string.sval
        for query in _queries(postgast.parse_plpgsql(block))
        for node in _messages(_parsed(query))
        if isinstance(node, nodes.FuncCall)
    }


def bare_types(block: str) -> Found:
    """The types that a block declares its variables with by a bare name; libpg_query keeps no schema of theirs."""
    declarations = block.partition("DECLARE\n")[2].partition("\nBEGIN")[0].splitlines()
    words = [line.partition("--")[0].replace(" CONSTANT ", " ").split() for line in declarations]
    types = [each[1].rstrip(";") for each in words if each]
    return [each for each in types if not each.startswith("pg_catalog.") and each not in KEYWORDS]


def _messages(node: Any) -> Iterator[Any]:
    yield node
    for field, value in node.ListFields():
        if field.message_type is not None:
            for child in value if _is_repeated(field, value) else [value]:
                yield from _messages(child)


def _is_repeated(field: Any, value: Any) -> bool:
    return not hasattr(value, "ListFields") and field.message_type is not None


def _bare(node: Any) -> Iterator[str]:
    match node:
        case nodes.A_Expr():
            yield from _bare_operator(node)
        case nodes.SubLink():
            kind = nodes.SubLinkType.Name(node.sub_link_type)
            if kind in ("ANY_SUBLINK", "ALL_SUBLINK") and len(node.oper_name) < 2:
                yield "operator of a subquery"
        case nodes.FuncCall() if len(node.funcname) == 1:
            yield f"function {node.funcname[0].string.sval}"
        case nodes.TypeName() if len(node.names) == 1:
            yield f"type {node.names[0].string.sval}"
        case nodes.RangeVar() if not node.schemaname and node.relname.startswith("pg_"):
            yield f"catalog {node.relname}"
        case nodes.CaseExpr() if node.HasField("arg"):
            yield "operator of CASE x WHEN"
        case nodes.JoinExpr() if node.using_clause or node.is_natural:
            yield "operator of USING"


def _bare_operator(node: nodes.A_Expr) -> Iterator[str]:
    kind = nodes.A_Expr_Kind.Name(node.kind)
    if kind in DISTINCT:
        # parse_expr.c, transformAExprDistinct: beside the constant NULL it is IS NULL, and looks nothing up
        if not any(side.a_const.isnull for side in (node.lexpr, node.rexpr)):
            yield f"operator of {kind}"
    elif kind in BARE | RANGES:
        yield f"operator of {kind}"
    elif len(node.name) == 1:
        yield f"operator {node.name[0].string.sval}"


class _Block:
    """A DO block or procedure, in the order in which it runs; the path is the user's until it is pinned."""

    def __init__(self, statement: str) -> None:
        (self.function,) = postgast.parse_plpgsql(statement)
        self.bare: Found = []
        self.loops: list[bool] = []
        """Of each loop around, whether the path is pinned where it begins."""

    def found(self) -> Found:
        function = self.function["PLpgSQL_function"]
        for datum in function["datums"]:
            variable = datum.get("PLpgSQL_var", {})
            if variable.get("refname") in (None, "found", "sqlstate", "sqlerrm"):
                continue
            self._expressions(variable.get("default_val"), pinned=False)
        self._run([function["action"]], pinned=False)
        return self.bare

    def _run(self, statements: list[dict[str, Any]], *, pinned: bool) -> bool:
        """Hold the statements against the path; return whether it is pinned behind them."""
        for statement in statements:
            ((kind, parts),) = statement.items()
            pinned = self._step(kind, parts, pinned=pinned)
        return pinned

    def _step(self, kind: str, parts: dict[str, Any], *, pinned: bool) -> bool:
        if kind == "PLpgSQL_stmt_perform":
            query = parts["expr"]["PLpgSQL_expr"]["query"]
            self._expressions(parts, pinned=pinned)
            if "'search_path'" in query:
                return PINNED in query
            return pinned
        self._leaf(kind, parts, pinned=pinned)
        bodies = {
            name: value
            for name, value in parts.items()
            if name in ("body", "then_body", "else_body")
        }
        rest = {name: value for name, value in parts.items() if name not in bodies}
        nested = rest.pop("elsif_list", [])
        handlers = rest.pop("exceptions", {})
        self._expressions(rest, pinned=pinned)
        # behind a branch or a loop the path is pinned where it is so on every way there
        is_loop = "loop" in kind or "_for" in kind
        if is_loop:  # what a round leaves is where the next one begins
            self.loops.append(pinned)
            pinned = pinned and all(self._run(body, pinned=pinned) for body in bodies.values())
        after = [self._run(body, pinned=pinned) for body in bodies.values() if not _leaves(body)]
        for body in bodies.values():
            if _leaves(body):
                self._run(body, pinned=pinned)
        if is_loop:
            self.loops.pop()
        for elsif in nested:
            inner = elsif["PLpgSQL_if_elsif"]
            self._expressions(inner["cond"], pinned=pinned)
            after.append(self._run(inner["stmts"], pinned=pinned))
        # the subtransaction took its settings back
        after += [
            self._run(handler["PLpgSQL_exception"].get("action", []), pinned=pinned)
            for handler in handlers.get("PLpgSQL_exception_block", {}).get("exc_list", [])
        ]
        if kind == "PLpgSQL_stmt_block":
            return all(after)
        return pinned and all(after)

    def _leaf(self, kind: str, parts: dict[str, Any], *, pinned: bool) -> None:
        if kind == "PLpgSQL_stmt_exit" and not pinned and self.loops[-1]:
            self.bare.append("a loop is left under the user's path")
        if kind == "PLpgSQL_stmt_dynexecute" and pinned:
            self._execute(parts)

    def _execute(self, parts: dict[str, Any]) -> None:
        """Under the pinned path only utility statements on names with a schema are executed: LOCK, ALTER, DROP."""
        query = parts["query"]["PLpgSQL_expr"]["query"]
        if not any(word in query for word in ("'LOCK TABLE ", "'ALTER TABLE ", "'DROP TABLE ")):
            self.bare.append(f"user's statement under our path: {query}")

    def _expressions(self, node: Any, *, pinned: bool) -> None:
        if pinned:
            return
        for query in _queries(node):
            self.bare += [
                f"{name} in {query}" for each in _messages(_parsed(query)) for name in _bare(each)
            ]


def _parsed(query: str) -> Any:
    """The tree of a query, or of an expression, which PL/pgSQL keeps without its SELECT."""
    try:
        return postgast.parse(query)
    except postgast.PgQueryError:
        return postgast.parse(f"SELECT {query.partition(':=')[2] or query}")


def _queries(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _queries(each)
    elif isinstance(node, dict):
        if isinstance(node.get("query"), str):
            yield node["query"]
        for value in node.values():
            yield from _queries(value)


def _leaves(body: list[dict[str, Any]]) -> bool:
    """Whether the statements end in an error, or leave the loop or the function, so that nothing comes behind them."""
    if body[-1].keys() & {"PLpgSQL_stmt_exit", "PLpgSQL_stmt_return"}:
        return True
    return "PLpgSQL_stmt_raise" in body[-1] and body[-1]["PLpgSQL_stmt_raise"]["elog_level"] > 20
