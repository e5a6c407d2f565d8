"""Creations and drops of arbiters that Alembic's own operations cannot write, or cannot take back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from alembic.operations.ops import (
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    DropIndexOp,
    ExecuteSQLOp,
)
from sqlalchemy import column

from ...sqltext import escape_colons
from .markers import NoReverseOp

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnClause


class CreateArbiterIndexOp(CreateIndexOp):
    """A unique index that serves a key. Its SQL is rendered so that ``%`` and ``:`` in it survive."""


INCLUDE = "postgresql_include"
"""The option of a constraint whose index carries columns beside the key."""


class CreateIncludingConstraintOp(CreateUniqueConstraintOp):
    """A unique constraint that carries columns beside its own.

    ``op.create_unique_constraint`` looks names of such columns up in a table that has the key's columns only.
    """

    @classmethod
    def of(cls, op: CreateUniqueConstraintOp) -> CreateIncludingConstraintOp:
        """Return the same constraint, the columns that it carries as objects, which nothing looks up."""
        carried: list[ColumnClause[Any]] = [
            column(str(getattr(each, "name", each))) for each in op.kw[INCLUDE]
        ]
        return cls(
            op.constraint_name,
            op.table_name,
            op.columns,
            schema=op.schema,
            **{**op.kw, INCLUDE: carried},
        )


class DropIncludingConstraintOp(DropConstraintOp):
    """The drop of such a constraint."""

    @classmethod
    def of(cls, op: DropConstraintOp) -> DropIncludingConstraintOp:
        """Return the same drop, which can be taken back."""
        drop = cls(op.constraint_name, op.table_name, op.constraint_type, schema=op.schema)
        vars(drop).update(vars(op))
        return drop

    def reverse(self) -> Any:
        """Return what makes it again, with the columns that it carries."""
        return CreateIncludingConstraintOp.of(cast("CreateUniqueConstraintOp", super().reverse()))


class DropInvalidIndexOp(DropIndexOp):
    """Drop an index that a concurrent build left INVALID. No downgrade brings it back."""

    def reverse(self) -> Any:
        """Return nothing: an INVALID index serves nobody."""
        return NoReverseOp(self)


class DropInvalidConstraintOp(DropConstraintOp):
    """Drop a constraint whose index is INVALID (a partition lacks its part). No downgrade brings it back."""

    def reverse(self) -> Any:
        """Return nothing: an INVALID constraint serves nobody."""
        return NoReverseOp(self)


class DropIndexByDefinitionOp(DropIndexOp):
    """The drop of an index of which only the database's own statement has every clause."""

    def __init__(
        self, index_name: str, table_name: str, *, schema: str | None, definition: str
    ) -> None:
        super().__init__(index_name, table_name, schema=schema)
        self.definition = definition

    def reverse(self) -> Any:
        """Return the execution of the statement that the database printed."""
        return ExecuteSQLOp(escape_colons(self.definition))


class DropByDefinitionOp(DropConstraintOp):
    """The drop of a constraint that no directive of Alembic's creates, an exclusion constraint."""

    def __init__(
        self, constraint_name: str, table_name: str, *, schema: str | None, definition: str
    ) -> None:
        super().__init__(constraint_name, table_name, schema=schema)
        self.definition = definition

    def reverse(self) -> Any:
        """Return the execution of the statement that the database printed."""
        return ExecuteSQLOp(escape_colons(self.definition))

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return names: there is no constraint object to show."""
        return ("remove_constraint", self.schema, self.table_name, self.constraint_name)


class RenameArbiterOp(ExecuteSQLOp):
    """The new arbiter takes the name of the one that it replaces, which no directive of Alembic's can do."""

    def __init__(self, sql: str, sql_back: str, *, old_name: str, new_name: str) -> None:
        super().__init__(sql)
        self.sql_back = sql_back
        self.old_name, self.new_name = old_name, new_name

    def reverse(self) -> RenameArbiterOp:
        """Return the way back to the name that it was created under."""
        return RenameArbiterOp(
            self.sql_back, str(self.sqltext), old_name=self.new_name, new_name=self.old_name
        )

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what ``alembic check`` prints."""
        return ("rename_arbiter", self.old_name, self.new_name)
