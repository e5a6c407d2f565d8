"""The INSERT that the planner is asked about in place of a routine's own."""

from __future__ import annotations

from postgast import pg_query_pb2

__all__ = ["probe_of", "probe_of_table"]

_OVERRIDING = {
    pg_query_pb2.OVERRIDING_USER_VALUE: "OVERRIDING USER VALUE ",
    pg_query_pb2.OVERRIDING_SYSTEM_VALUE: "OVERRIDING SYSTEM VALUE ",
}


def probe_of(insert: pg_query_pb2.InsertStmt) -> str:
    """Return the INSERT with its columns, one row of NULL, and nothing behind it."""
    relation = insert.relation
    named = _named(relation)
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


def probe_of_table(relation: pg_query_pb2.RangeVar) -> str:
    """Return an INSERT that shows which table a name means."""
    return f"INSERT INTO {_named(relation)} DEFAULT VALUES"


def _named(relation: pg_query_pb2.RangeVar) -> str:
    names = relation.catalogname, relation.schemaname, relation.relname
    return ".".join(_quoted(name) for name in names if name)


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
