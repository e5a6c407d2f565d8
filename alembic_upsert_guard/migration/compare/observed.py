"""Upserts that tests ran, declared or not: ``upsert_guard_observed`` in ``context.configure()`` names their files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic.util import CommandError

from ...inference import ConflictTarget, State, judge
from ...upserts.target import Constraint, Elements
from ..options import OBSERVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Table

    from ...inference import Candidate
    from ...upserts.observed import ObservedUpsert

__all__ = ["ObservedTarget", "is_observed", "observed_targets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTarget:
    """What one line of the application upserts on."""

    schema: str | None
    """None: the statement names none."""
    table: str
    target: ConflictTarget | str
    """A `str` is the name in ``ON CONSTRAINT``."""
    place: str
    """``path:line``."""

    def is_into(self, table: Table) -> bool:
        """Return whether it may be into the table: where one of both names no schema, that is left to the name."""
        return self.table == table.name and (
            self.schema == table.schema or None in (self.schema, table.schema)
        )

    def loses(self, gone: Candidate, remaining: Sequence[Candidate]) -> bool:
        """Return whether `gone` may serve it, and none of `remaining` does; in doubt one does."""
        if isinstance(self.target, str):
            named = {candidate.name for candidate in remaining}
            return gone.name == self.target and self.target not in named
        may_serve = judge(self.target, [gone]).state is not State.SHORT
        return may_serve and judge(self.target, remaining).state is State.SHORT


def is_observed(context: AutogenContext) -> bool:
    """Return whether files of observed upserts are configured."""
    return bool(_paths(context))


def observed_targets(context: AutogenContext) -> tuple[ObservedTarget, ...]:
    """Return what was observed, by place; an upsert without a target, or with a bound value in it, is left out.

    :raises CommandError: a file that is configured cannot be read.
    """
    if not is_observed(context):
        return ()
    from ...upserts.observed import ObservedFileError, read_observed  # noqa: PLC0415 - few projects need it

    try:
        observed = [each for path in _paths(context) for each in read_observed(path)]
    except ObservedFileError as error:
        raise CommandError(f"{OBSERVED}: {error}") from error
    return tuple(sorted(_targets(observed), key=lambda each: each.place))


def _paths(context: AutogenContext) -> Sequence[str | os.PathLike[str]]:
    stated = context.opts.get(OBSERVED) or ()
    return (stated,) if isinstance(stated, str | os.PathLike) else tuple(stated)


def _targets(observed: Iterable[ObservedUpsert]) -> set[ObservedTarget]:
    return {
        ObservedTarget(
            schema=each.upsert.schema,
            table=each.upsert.table,
            target=target,
            place=f"{place.path}:{place.line}",
        )
        for each in observed
        if (target := _target(each)) is not None
        for place in each.places
        if place.path is not None
    }


def _target(observed: ObservedUpsert) -> ConflictTarget | str | None:
    if observed.upsert.binds:
        return None
    match observed.upsert.target:
        case Constraint(name):
            return name
        case Elements(elements, predicate):
            return ConflictTarget(elements, predicate if isinstance(predicate, str) else None)
    return None
