"""The directives about one upsert key that change nothing: check its rows, ask the database for its arbiter."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

from alembic.operations.ops import MigrateOperation
from alembic.util import CommandError
from sqlalchemy.sql.elements import TextClause

from .directive import directive, is_number
from .markers import NoReverseOp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...inference import Nulls

NULLS = ("warn", "distinct", "not_distinct", "forbid")


class UpsertKeyOp(MigrateOperation):
    """A directive about one upsert key, which changes no schema."""

    directive: ClassVar[str]

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None = None,
        where: str | TextClause | None = None,
        _code: str | None = None,
    ) -> None:
        if isinstance(elements, str) or not elements:
            raise CommandError(
                f"op.{self.directive}({table_name!r}, {elements!r}): give the key's elements as a list, a column "
                "name as str and SQL as sa.text(...)"
            )
        self.table_name = table_name
        self.elements = list(elements)
        self.schema = schema
        self.where = where
        self.code = _code
        """Why autogenerate put it there, a finding code; None: a person wrote it."""

    def reverse(self) -> MigrateOperation:
        """Return the operation for the other direction: nothing, which remembers what it reverses."""
        return NoReverseOp(self)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what ``alembic check`` prints: names and the finding code, in plain strings."""
        elements = tuple(str(element) for element in self.elements)
        return (self.directive, self.schema, self.table_name, elements, self.code)


@directive("validate_upsert_key")
class ValidateUpsertKeyOp(UpsertKeyOp):
    """Raise :class:`.UpsertKeyViolation` where rows of the table break the key; change nothing.

    The rows are read once, with the equality of the index to be built. ``alembic -x upsert_guard_validate=off upgrade``
    skips it, and says so. In a script (``--sql``) PostgreSQL, SQLite, MySQL and MariaDB get statements that fail in the
    same cases.

    :param elements: the key: a ``str`` is a column name, ``sa.text()`` is SQL; order free.
    :param where: the predicate of a partial key, SQL; None: every row.
    :param nulls: rows with NULL in the key: ``"warn"`` logs their number, ``"distinct"`` says nothing,
     ``"not_distinct"`` takes NULLs as equal, ``"forbid"`` refuses them.
    :param sample: groups shown at most.
    :param reveal: False: only counts, no values; so does ``upsert_guard_reveal=False`` in ``context.configure()``.
    :raises UpsertKeyViolation: with the report.
    :raises CommandError: the arguments are unusable, or the table cannot be read.
    """

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None = None,
        where: str | TextClause | None = None,
        nulls: Nulls = "warn",
        sample: int = 5,
        reveal: bool = True,
        _code: str | None = None,
        _suggested_order: Sequence[str] = (),
    ) -> None:
        super().__init__(table_name, elements, schema=schema, where=where, _code=_code)
        require_one_of(self, "nulls", nulls, NULLS)
        if not (is_number(sample) and sample >= 0):
            raise CommandError(
                f"op.validate_upsert_key({table_name!r}, sample={sample!r}): sample is a number of groups, 0 or more"
            )
        self.nulls = nulls
        self.sample = sample
        self.reveal = reveal
        self.suggested_order = tuple(_suggested_order)
        """The columns by which the newest row is known, for the line that a comment offers; empty: none is offered."""

    def without_suggestion(self) -> ValidateUpsertKeyOp:
        """Return the same check without the line that a comment offers."""
        same = copy(self)
        same.suggested_order = ()
        return same


@directive("verify_upsert_key")
class VerifyUpsertKeyOp(UpsertKeyOp):
    """Raise where the database finds no arbiter for the key, or finds one that is deferrable; change nothing.

    The database itself is asked (``EXPLAIN`` of an upsert), in the transaction of the migration: what the lines above
    created is seen. MySQL and MariaDB have no answer of their own: there the catalog decides.

    :param elements: the key: a ``str`` is a column name, ``sa.text()`` is SQL; order free.
    :param where: the predicate of a partial key, SQL; None: every row.
    :raises CommandError: with the database's own message.
    """

    def __init__(
        self,
        table_name: str,
        elements: Sequence[str | TextClause],
        *,
        schema: str | None = None,
        where: str | TextClause | None = None,
        _code: str | None = None,
        _comment: Sequence[str] = (),
    ) -> None:
        super().__init__(table_name, elements, schema=schema, where=where, _code=_code)
        self.comment = tuple(_comment)
        """Lines for the person who edits the revision, rendered above the directive."""


def require_one_of(operation: UpsertKeyOp, argument: str, value: str, known: Sequence[str]) -> None:
    """Refuse an argument of a directive that is none of `known`.

    :raises CommandError: which it is, and what it can be.
    """
    if value not in known:
        raise CommandError(
            f"op.{operation.directive}({operation.table_name!r}, {argument}={value!r}): {argument} is one of "
            + ", ".join(map(repr, known))
        )


def source_of(value: str | TextClause, prefix: str = "sa.") -> str:
    """Return the Python source of an element or a predicate: a ``str``, or ``sa.text(...)``."""
    if isinstance(value, TextClause):
        return f"{prefix}text({value.text!r})"
    return repr(str(value))
