"""``UpsertKey``: what a model declares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import event
from sqlalchemy.schema import SchemaItem

from .arbiters import Nulls
from .declaration import Declaration, declarations_of, settle_when_more_is_declared
from .elements import (
    bound_to,
    checked_target,
    clause_of,
    element_on,
    label_of,
    sql_expression,
    table_of,
)
from .errors import DeclarationError

if TYPE_CHECKING:
    from types import FrameType

    from sqlalchemy import Table

    from ..inference import ConflictTarget, Element

__all__ = ["UpsertKey", "declare_upsert_key"]

_OWN_PACKAGE = str(Path(__file__).parents[1])


class UpsertKey(SchemaItem):
    """Rows of the table are matched by these elements when the application upserts.

    After it is attached, the table holds exactly one arbiter for the key: the primary key, unique constraint
    or unique index that it declares itself (before or after the key), or else one that the key attaches.

    :param elements: column names, ``Column`` objects or mapped attributes, or SQL expressions; their order is
     kept for the index and means nothing to inference.
    :param where: the predicate of a partial key, a SQL expression or ``text()``; None: every row.
    :param nulls: what NULL in a nullable key column means. ``"warn"``: not stated, so say that NULLs never
     conflict; ``"distinct"``: intended; ``"not_distinct"``: NULLs conflict, which takes PostgreSQL 15;
     ``"forbid"``: the preflight refuses them.
    :param name: the arbiter's name; None: the metadata's naming convention, else ``uq_<table>_<columns>``.
    :param as_index: attach a unique index in place of a unique constraint. Partial keys and keys with
     expressions always do: constraints can hold neither.
    :raises DeclarationError: when the key can never be served as written.
    """

    __visit_name__ = "upsert_key"

    def __init__(
        self,
        *elements: Any,
        where: Any = None,
        nulls: Nulls = "warn",
        name: str | None = None,
        as_index: bool = False,
    ) -> None:
        if not elements:
            raise DeclarationError(
                "UpsertKey() names no elements: name the columns that the upsert matches rows by, "
                'as in UpsertKey("user_id", "question_id")'
            )
        if nulls not in get_args(Nulls):
            raise DeclarationError(
                f"UpsertKey(nulls={nulls!r}) is not known: write one of "
                + ", ".join(map(repr, get_args(Nulls)))
            )
        if where is not None:
            sql_expression(where)
        self._elements = elements
        self._where = where
        self._nulls: Nulls = nulls
        self._name = name
        self._as_index = as_index
        self._declared_at = _calling_line(sys._getframe(1))  # noqa: SLF001 - cheaper than inspect

    def __repr__(self) -> str:
        return f"UpsertKey({', '.join(map(repr, self._elements))})"

    def _set_parent(self, parent: Any, **_: Any) -> None:
        # the same object is attached to every table that shares a mixin's __table_args__: it keeps no state
        table: Table = parent
        elements = tuple(element_on(table, element) for element in self._elements)
        where = None if self._where is None else bound_to(table, clause_of(self._where))
        declaration = Declaration(
            elements=elements,
            where=where,
            target=checked_target(table, elements, where),
            nulls=self._nulls,
            name=self._name,
            as_index=self._as_index,
            declared_at=self._declared_at,
        )
        for existing in declarations_of(table):
            if _identity(existing.target) == _identity(declaration.target):
                raise DeclarationError(
                    f"{label_of(table, declaration.target)} is declared twice: drop one of the two declarations"
                )
        declaration.settle(table)
        event.listen(table, "before_create", declaration, propagate=True)
        settle_when_more_is_declared()


def declare_upsert_key(
    table_or_class: Any,
    *elements: Any,
    where: Any = None,
    nulls: Nulls = "warn",
    name: str | None = None,
    as_index: bool = False,
) -> None:
    """Declare an upsert key on a table or mapped class that cannot be edited.

    The parameters, and what is true afterwards, are those of :class:`UpsertKey`.

    :raises DeclarationError: when the key can never be served as written.
    """
    key = UpsertKey(*elements, where=where, nulls=nulls, name=name, as_index=as_index)
    key._set_parent_with_dispatch(table_of(table_or_class))  # noqa: SLF001 - as Table() itself attaches its items


def _calling_line(frame: FrameType | None) -> tuple[str, int] | None:
    """File and line of the innermost call that is not of this package; None: there is none."""
    while frame is not None and frame.f_code.co_filename.startswith(_OWN_PACKAGE):
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def _identity(target: ConflictTarget) -> tuple[frozenset[Element], str | None]:
    return frozenset(target.elements), target.predicate
