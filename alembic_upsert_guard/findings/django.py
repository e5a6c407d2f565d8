"""The ways out for Django's upserts: ``unique_fields``, and the constraints that its models and migrations make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..inference import Code, Kind
from .calls import django_line, quoted, target_line
from .rows_in_the_way import behind_rows

if TYPE_CHECKING:
    from ..inference import ConflictTarget, Shortfall
    from .calls import Call
    from .rows_in_the_way import RowsInTheWay

__all__ = ["django_hint", "django_without_unique"]

_MIGRATE = "then run makemigrations and migrate"
_NO_PREDICATE = (
    "a UniqueConstraint with condition= serves no unique_fields, for Django states no predicate"
)


def django_hint(
    call: Call,
    target: ConflictTarget,
    shortfall: Shortfall,
    name: str,
    rows: RowsInTheWay | None,
) -> str:
    """Return what to write in the upsert or in its model; the likelier fault comes first.

    :param target: columns only.
    :param name: of the constraint to make.
    :param rows: None: the table has none.
    """
    near = shortfall.candidate
    if shortfall.code is Code.DEFERRABLE_ARBITER and near is not None and near.name is not None:
        constraint = f"UniqueConstraint named {quoted(near.name)}"
        return f"take deferrable= out of the {constraint} in {_meta(call)}, {_MIGRATE}"
    offer = behind_rows(_constraint(call, target, name), rows)
    if shortfall.code is Code.PREDICATE_MISMATCH:
        return f"{offer}: {_NO_PREDICATE}"
    line = None
    if near is not None and near.is_sound:
        line = target_line(call, near.elements, None)
    if near is None or line is None:
        return offer
    wanted, found = frozenset(target.labels), frozenset(near.labels)
    if found < wanted and near.kind is not Kind.PRIMARY_KEY:
        # an upsert narrower than the model was likely written without a look at the model
        return f"{offer}; or, where the model is right, write {line}"
    if found < wanted or wanted < found:
        return f"write {line}; or, where the upsert is right, {offer}"
    return offer


def django_without_unique(call: Call) -> str:
    """Return the way out where an upsert names no fields, and nothing of its table is unique."""
    return (
        "add models.UniqueConstraint(...), with the fields that rows are matched by, to "
        f"{_meta(call)}, {_MIGRATE}"
    )


def _constraint(call: Call, target: ConflictTarget, name: str) -> str:
    before, after = "models.UniqueConstraint(fields=[", f"], name={quoted(name)})"
    line = django_line(call, target.labels, before, after)
    return f"add {line} to {_meta(call)}, {_MIGRATE}"


def _meta(call: Call) -> str:
    return f"Meta.constraints of {'the model' if call.model is None else f'class {call.model}'}"
