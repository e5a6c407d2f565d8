"""SQL that defines tables, constraints and indexes, applied to the tables that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postgast import pg_query_pb2

from ....inference import Candidate, Element, Kind
from ..sql.normal import element_of, sql_of
from ..sql.postgresql import messages
from .table import HistoricName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .tables import HistoricTables

__all__ = ["apply_definition"]

_CONSTRAINT = pg_query_pb2.ConstrType
_OBJECT = pg_query_pb2.ObjectType
_COMMAND = pg_query_pb2.AlterTableType
_EVENT = pg_query_pb2.CmdType
_TEMPORARY = "t"
"""pg_class.relpersistence"""

_IN_DOUBT = "an ALTER TABLE of it is not read"
_WITHOUT_COLUMNS = frozenset(
    {
        "OBJECT_VIEW",
        "OBJECT_MATVIEW",
        "OBJECT_TRIGGER",
        "OBJECT_POLICY",
        "OBJECT_RULE",
        "OBJECT_SEQUENCE",
    }
)
"""Objects that no column and no index depends on."""

_HARMLESS = frozenset(
    {
        *("AT_ColumnDefault", "AT_CookedColumnDefault", "AT_DropNotNull", "AT_SetNotNull"),
        *("AT_SetStatistics", "AT_SetOptions", "AT_ResetOptions", "AT_SetStorage"),
        *("AT_SetCompression", "AT_ValidateConstraint", "AT_AlterColumnType", "AT_ChangeOwner"),
        *("AT_ClusterOn", "AT_DropCluster", "AT_SetRelOptions", "AT_ResetRelOptions"),
        *("AT_EnableTrig", "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig", "AT_DisableTrig"),
        *("AT_EnableTrigAll", "AT_DisableTrigAll", "AT_EnableTrigUser", "AT_DisableTrigUser"),
        *("AT_ReplicaIdentity", "AT_EnableRowSecurity", "AT_DisableRowSecurity"),
        *("AT_ForceRowSecurity", "AT_NoForceRowSecurity", "AT_AddIdentity", "AT_SetIdentity"),
        *(
            "AT_DropIdentity",
            "AT_AttachPartition",
            "AT_DetachPartition",
            "AT_SetLogged",
            "AT_SetUnLogged",
        ),
        *("AT_SetExpression", "AT_DropExpression", "AT_AddInherit", "AT_DropInherit"),
    }
)
"""Commands that take nothing away that is unique, and make nothing."""


def apply_definition(tables: HistoricTables, statement: pg_query_pb2.Node) -> None:
    """Change the tables as a parsed statement does; one that defines nothing of them changes nothing."""
    kind = statement.WhichOneof("node")
    apply = _STATEMENTS.get(kind or "")
    if apply is not None:
        apply(tables, getattr(statement, str(kind)))


# -- tables


def _create(tables: HistoricTables, statement: Any) -> None:
    name = _name(statement.relation)
    unread = [
        *messages(statement, pg_query_pb2.TableLikeClause),
        *messages(statement, pg_query_pb2.PartitionBoundSpec),
    ]
    if unread or statement.inh_relations:
        tables.doubt(name, "it is made like another table, or as a part of one")
        return
    is_new = tables.create(
        name,
        is_if_missing=statement.if_not_exists,
        is_temporary=statement.relation.relpersistence == _TEMPORARY,
        is_partitioned=statement.HasField("partspec"),
    )
    if is_new:
        _add_constraints(tables, name, _of_elements(statement.table_elts))


def _create_as(tables: HistoricTables, statement: Any) -> None:
    relation = statement.into.rel
    tables.create(
        _name(relation),
        is_if_missing=statement.if_not_exists,
        is_temporary=relation.relpersistence == _TEMPORARY,
    )


def _alter(tables: HistoricTables, statement: Any) -> None:
    name = _name(statement.relation)
    if statement.objtype != _OBJECT.OBJECT_TABLE:
        return
    for node in statement.cmds:
        _alter_by(tables, name, node.alter_table_cmd, is_only=not statement.relation.inh)


def _alter_by(tables: HistoricTables, table: HistoricName, command: Any, *, is_only: bool) -> None:
    kind = _COMMAND.Name(command.subtype)
    definition = getattr(command, "def")
    match kind:
        case "AT_AddConstraint":
            _add_constraints(tables, table, [(definition.constraint, None, False)], is_only=is_only)
        case "AT_AddColumn":
            made = list(_of_column(definition.column_def))
            if made and command.missing_ok:
                tables.doubt(table, "whether a column is added is not known")
            _add_constraints(tables, table, made)
        case "AT_DropConstraint":
            tables.drop_constraint(table, command.name)
        case "AT_DropColumn":
            tables.drop_column(table, command.name)
        case _ if kind not in _HARMLESS:
            tables.doubt(table, _IN_DOUBT)
    if kind == "AT_AttachPartition":
        part = _name(definition.partition_cmd.name)
        tables.doubt(part, "it is a part of another table, which may give it indexes")
    elif kind == "AT_AlterColumnType":
        tables.change_type(table)
    elif kind == "AT_AddInherit":
        tables.doubt(table, "it is a part of another table, whose columns are changed with it")


def _drop(tables: HistoricTables, statement: Any) -> None:
    for each in statement.objects:
        if statement.remove_type == _OBJECT.OBJECT_SCHEMA:
            tables.rename_schema(each.string.sval, None)
            if statement.behavior == pg_query_pb2.DropBehavior.DROP_CASCADE:
                _doubt_made(tables)
        elif statement.remove_type == _OBJECT.OBJECT_TABLE:
            tables.drop(_listed(each))
        elif statement.remove_type == _OBJECT.OBJECT_INDEX:
            tables.drop_index(_listed(each))
        elif statement.behavior == pg_query_pb2.DropBehavior.DROP_CASCADE:
            _drop_along(tables, _OBJECT.Name(statement.remove_type))


def _doubt_made(tables: HistoricTables) -> None:
    """A schema may have held the type of a column that is elsewhere."""
    for name in tables.tables:
        tables.doubt(name, "a DROP SCHEMA ... CASCADE before it may have taken columns along")


def _drop_owned(tables: HistoricTables, _statement: Any) -> None:
    tables.doubt_all("a DROP OWNED before it may have taken it along")


def _rule(tables: HistoricTables, statement: Any) -> None:
    """ON CONFLICT is refused where a rule rewrites INSERT or UPDATE, unless the rule does another thing instead."""
    if statement.event in (_EVENT.CMD_INSERT, _EVENT.CMD_UPDATE):
        tables.doubt(_name(statement.relation), "a rule before it rewrites what is inserted")


def _set_for_sessions(tables: HistoricTables, statement: Any) -> None:
    """A database's or a role's own setting is that of each session from then on."""
    if statement.setstmt.name == "search_path":
        tables.end("a migration before it sets search_path")


def _drop_along(tables: HistoricTables, kind: str) -> None:
    """What goes with an object of that kind."""
    if kind in ("OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE"):
        tables.doubt_expressions(
            "a DROP FUNCTION ... CASCADE before it may have taken an index along"
        )
    elif kind not in _WITHOUT_COLUMNS:
        tables.doubt_all("a DROP ... CASCADE before it may have taken columns along")


def _rename(tables: HistoricTables, statement: Any) -> None:
    name, new = _name(statement.relation), statement.newname
    match statement.rename_type:
        case _OBJECT.OBJECT_TABLE:
            tables.rename(name, HistoricName(name.schema, new))
            tables.rename_candidate(name, new)  # ALTER TABLE takes an index, too
        case _OBJECT.OBJECT_INDEX:
            tables.rename_candidate(name, new)
        case _OBJECT.OBJECT_TABCONSTRAINT:
            tables.rename_candidate(HistoricName(name.schema, statement.subname), new, name)
        case _OBJECT.OBJECT_COLUMN:
            tables.rename_column(name, statement.subname, new)
        case _OBJECT.OBJECT_SCHEMA:
            tables.rename_schema(statement.subname, new)


def _move(tables: HistoricTables, statement: Any) -> None:
    name = _name(statement.relation)
    if statement.object_type == _OBJECT.OBJECT_TABLE:
        tables.rename(name, HistoricName.of(statement.newschema, name.name))


# -- indexes and constraints


def _index(tables: HistoricTables, statement: Any) -> None:
    predicate = sql_of(statement.where_clause) if statement.HasField("where_clause") else None
    candidate = Candidate(
        name=statement.idxname or None,
        elements=tuple(element_of(each.index_elem) for each in statement.index_params),
        kind=Kind.INDEX,
        unique=statement.unique,
        partial=predicate is not None,
        predicate=predicate,
        nulls_not_distinct=statement.nulls_not_distinct,
        include=tuple(each.index_elem.name for each in statement.index_including_params),
    )
    tables.add(
        _name(statement.relation),
        candidate,
        is_if_missing=statement.if_not_exists,
        is_only=not statement.relation.inh,
    )


def _of_elements(elements: Sequence[Any]) -> Iterator[tuple[Any, str | None, bool]]:
    """The constraints of a table, those of its columns among them."""
    for each in elements:
        if each.WhichOneof("node") == "column_def":
            yield from _of_column(each.column_def)
        elif each.WhichOneof("node") == "constraint":
            yield each.constraint, None, False


def _of_column(column: Any) -> Iterator[tuple[Any, str | None, bool]]:
    """Each constraint, the column that it is on, and whether the words behind it make it deferrable."""
    constraints = [node.constraint for node in column.constraints]
    for at, each in enumerate(constraints):
        deferrable = False
        for behind in constraints[at + 1 :]:
            if not _CONSTRAINT.Name(behind.contype).startswith("CONSTR_ATTR_"):
                break
            deferrable |= behind.contype == _CONSTRAINT.CONSTR_ATTR_DEFERRABLE
            deferrable |= behind.contype == _CONSTRAINT.CONSTR_ATTR_DEFERRED
        yield each, column.colname, deferrable


def _add_constraints(
    tables: HistoricTables,
    table: HistoricName,
    constraints: Iterator[tuple[Any, str | None, bool]] | Sequence[tuple[Any, str | None, bool]],
    *,
    is_only: bool = False,
) -> None:
    made: list[Candidate] = []
    for constraint, column, deferrable in constraints:
        is_late = deferrable or constraint.deferrable
        if constraint.contype not in _UNIQUE:
            if constraint.conname:
                tables.add_other(table, constraint.conname)
            if is_late and constraint.contype == _CONSTRAINT.CONSTR_EXCLUSION:
                tables.doubt(table, "an exclusion constraint of it is deferrable")
            continue
        columns = [key.string.sval for key in constraint.keys] or [column]
        candidate = Candidate(
            name=constraint.conname or None,
            elements=tuple(Element(column=each) for each in columns if each is not None),
            kind=_UNIQUE[constraint.contype],
            nulls_not_distinct=constraint.nulls_not_distinct,
            immediate=not is_late,
            include=tuple(each.string.sval for each in constraint.including),
        )
        if constraint.without_overlaps:
            tables.doubt(table, "a constraint of it is WITHOUT OVERLAPS")
        elif constraint.indexname:
            tables.use_index(table, constraint.indexname, candidate)
        else:
            made.append(candidate)
    tables.add_together(table, made, is_only=is_only)


_UNIQUE = {
    _CONSTRAINT.CONSTR_PRIMARY: Kind.PRIMARY_KEY,
    _CONSTRAINT.CONSTR_UNIQUE: Kind.CONSTRAINT,
}

_STATEMENTS: dict[str, Callable[[HistoricTables, Any], None]] = {
    "create_stmt": _create,
    "create_table_as_stmt": _create_as,
    "alter_table_stmt": _alter,
    "index_stmt": _index,
    "drop_stmt": _drop,
    "rename_stmt": _rename,
    "alter_object_schema_stmt": _move,
    "drop_owned_stmt": _drop_owned,
    "rule_stmt": _rule,
    "alter_database_set_stmt": _set_for_sessions,
    "alter_role_set_stmt": _set_for_sessions,
}


def _name(relation: Any) -> HistoricName:
    return HistoricName.of(relation.schemaname, relation.relname)


def _listed(node: Any) -> HistoricName:
    """The name in a list of words."""
    *schema, name = (each.string.sval for each in node.list.items)
    return HistoricName.of(schema[-1] if schema else None, name)
