"""Libraries whose upserts are seen, and not read: Sequelize, MikroORM and smaller ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Unread
from ...upsert import Form
from .meaning import UNDEFINED, Expression
from .nodes import FUNCTIONS, chain_of, text_of
from .site import Site

if TYPE_CHECKING:
    from .meaning import Properties
    from .nodes import MethodCall
    from .origins import Origins
    from .values import Values

__all__ = ["MikroOrm", "MikroOrmBuilder", "OtherLibraries", "Sequelize"]


class Sequelize:
    """Sees ``Model.upsert(values, { conflictFields })`` and ``Model.bulkCreate(rows, { updateOnDuplicate })``."""

    methods = ("bulkCreate", "upsert")

    _OPTIONS = frozenset({"conflictAttributes", "conflictFields", "updateOnDuplicate"})
    _ITS_OWN = frozenset({"conflictWhere", "searchPath", "transaction"})
    """Options of ``upsert()`` that no other library has there."""
    _PACKAGES = ("sequelize", "sequelize-typescript", "@nestjs/sequelize", "@sequelize/core")

    def __init__(self, values: Values, origins: Origins) -> None:
        """Nothing is read yet."""
        self._values = values
        self._origins = origins

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        stated = call.arguments[1:2]
        options = self._values.properties(of.at(stated[0])) if stated else None
        named = set() if options is None else options.named.keys()
        if call.name == "upsert":
            is_its = bool((self._OPTIONS | self._ITS_OWN) & named) or self._origins.is_from(
                of.at(call.owner), *self._PACKAGES
            )
        else:
            is_its = bool(self._OPTIONS & named) or self._ignores(options)
        if not is_its:
            return None
        unread = Unread("the models of Sequelize are not read")
        return Site(form=Form.SEQUELIZE, table=unread, target=unread)

    def _ignores(self, options: Properties | None) -> bool:
        """Whether ``ignoreDuplicates`` may be true."""
        stated = None if options is None else options.named.get("ignoreDuplicates")
        if stated is None:
            return False
        meaning = self._values.meaning(stated)
        is_false = isinstance(meaning, Expression) and meaning.node.type == "false"
        return meaning != UNDEFINED and not is_false


class MikroOrm:
    """Sees ``em.upsert(Entity, data, { onConflictFields })`` and ``em.upsertMany(...)``."""

    methods = ("upsert", "upsertMany")

    _OPTIONS = frozenset(
        {"onConflictAction", "onConflictExcludeFields", "onConflictFields", "onConflictMergeFields"}
    )

    def __init__(self, values: Values, origins: Origins) -> None:
        """Nothing is read yet."""
        self._values = values
        self._origins = origins

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        stated = call.arguments[-1:]
        named = self._values.properties(of.at(stated[0])).named if stated else {}
        is_its = bool(self._OPTIONS & named.keys()) or self._origins.is_from(
            of.at(call.owner), "@mikro-orm"
        )
        return _of_mikro_orm() if is_its else None


class MikroOrmBuilder:
    """Sees ``em.createQueryBuilder(E).insert(rows).onConflict('a')``, which Knex writes, too."""

    methods = ("onConflict",)

    _BUILDERS = frozenset({"createQueryBuilder", "qb"})

    def read(self, _: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        links = chain_of(call.node)
        # TypeORM's insert() takes nothing
        inserts = any(link.name == "insert" and link.arguments for link in links)
        is_its = inserts and any(link.name in self._BUILDERS for link in links)
        return _of_mikro_orm() if is_its else None


def _of_mikro_orm() -> Site:
    unread = Unread("the entities of MikroORM are not read")
    return Site(form=Form.MIKRO_ORM, table=unread, target=unread)


class OtherLibraries:
    """Sees the upserts of Massive, pg-typed, ts-sql-query and Zapatos."""

    _OWN = frozenset(
        {
            *("bulkInsertOrIgnore", "bulkInsertOrUpdate", "insertOrIgnore", "insertOrUpdate"),
            *("onConflictOn", "onConflictOnConstraint", "onConflictOnConstraintDynamic"),
        }
    )
    """Names that stand for nothing else: pg-typed's and ts-sql-query's."""
    methods = (*sorted(_OWN), "insert", "insertMany", "upsert")

    def __init__(self, values: Values, origins: Origins) -> None:
        """Nothing is read yet."""
        self._values = values
        self._origins = origins

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
        if call.name == "upsert":
            is_its = self._origins.is_from(of.at(call.owner), "zapatos")
        else:
            is_its = call.name in self._OWN or self._has_option(of, call)
        if not is_its:
            return None
        unread = Unread(f"{call.name}() is none of the calls that are read")
        return Site(form=Form.OTHER, table=unread, target=unread)

    def _has_option(self, of: Expression, call: MethodCall) -> bool:
        """Whether it is ``insert(row, { onConflictUpdate: ['a'] })`` or the like."""
        if not call.arguments or "onConflict" not in text_of(call.arguments[-1]):
            return False
        named = self._values.properties(of.at(call.arguments[-1])).named
        if "upsert" in named:
            return False  # of supabase-js, which says that it does not
        stated = [value for name, value in named.items() if name.startswith("onConflict")]
        meanings = [self._values.meaning(value) for value in stated]
        return any(not isinstance(m, Expression) or m.node.type not in FUNCTIONS for m in meanings)
