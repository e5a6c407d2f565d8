"""The INSERT that the planner is asked about in place of a routine's own."""

from __future__ import annotations

from postgast import pg_query_pb2

__all__ = ["probe_of"]

_OVERRIDING = {
    pg_query_pb2.OVERRIDING_USER_VALUE: "OVERRIDING USER VALUE ",
    pg_query_pb2.OVERRIDING_SYSTEM_VALUE: "OVERRIDING SYSTEM VALUE ",
}


def probe_of(insert: pg_query_pb2.InsertStmt) -> str:
    """Return the INSERT with its columns, one row of NULL, and nothing behind it."""
    relation = insert.relation
    named = ".".join(
        _quoted(n) for n in (relation.catalogname, relation.schemaname, relation.relname) if n
    )
    alias = f" AS {_quoted(relation.alias.aliasname)}" if relation.HasField("alias") else ""
    rows = [row.list.items for row in insert.select_stmt.select_stmt.values_lists]
    values: dict[str, str] = {}
    for position, column in enumerate(insert.cols):
        # a generated column takes only DEFAULT; elsewhere it would be planned, and can fail
        is_default = any(
            row[position : position + 1] and row[position].HasField("set_to_default")
            for row in rows
        )
        values.setdefault(column.res_target.name, "DEFAULT" if is_default else "NULL")
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
