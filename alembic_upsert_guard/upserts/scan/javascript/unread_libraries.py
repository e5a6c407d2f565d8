"""Libraries whose upserts are seen, and not read: Sequelize and MikroORM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Unread
from ...upsert import Form
from .site import Site

if TYPE_CHECKING:
    from .meaning import Expression
    from .nodes import MethodCall
    from .values import Values

__all__ = ["MikroOrm", "Sequelize"]


class Sequelize:
    """Sees ``Model.upsert(values, { conflictFields })`` and ``Model.bulkCreate(rows, { updateOnDuplicate })``."""

    methods = ("bulkCreate", "upsert")

    _OPTIONS = frozenset({"conflictAttributes", "conflictFields", "updateOnDuplicate"})

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        stated = call.arguments[1:2]
        named = self._values.properties(of.at(stated[0])).named if stated else {}
        has_options = bool(self._OPTIONS & named.keys())
        is_its = call.name == "upsert" and of.module.imports_from(
            "sequelize", "sequelize-typescript"
        )
        if not has_options and not is_its:
            return None
        unread = Unread("the models of Sequelize are not read")
        return Site(form=Form.SEQUELIZE, table=unread, target=unread)


class MikroOrm:
    """Sees ``em.upsert(Entity, data, { onConflictFields })`` and ``em.upsertMany(...)``."""

    methods = ("upsert", "upsertMany")

    _OPTIONS = frozenset(
        {"onConflictAction", "onConflictExcludeFields", "onConflictFields", "onConflictMergeFields"}
    )

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        stated = call.arguments[-1:]
        named = self._values.properties(of.at(stated[0])).named if stated else {}
        if not self._OPTIONS & named.keys() and not of.module.imports_from("@mikro-orm"):
            return None
        unread = Unread("the entities of MikroORM are not read")
        return Site(form=Form.MIKRO_ORM, table=unread, target=unread)
