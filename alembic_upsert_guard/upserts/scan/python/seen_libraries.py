"""Libraries whose upserts are seen, and most of them not read: what is evidence of each. Data only."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DJANGO", "SEEN", "SeenLibrary"]

DJANGO = "Django"
"""Read where the models are, and otherwise seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLibrary:
    """One way of a library to upsert."""

    name: str
    """As people call the library."""
    methods: frozenset[str]
    keywords: frozenset[str] = frozenset()
    """One of them is given, and not as False or None; empty: none is needed."""
    package: str | None = None
    """What the file has to import, for others have such methods; None: the words are its own."""
    followed_by: frozenset[str] = frozenset()
    """One of these methods is called on what the call returns; empty: none has to be."""


def _library(name: str, methods: str, keywords: str = "", **other: object) -> SeenLibrary:
    return SeenLibrary(
        name=name,
        methods=frozenset(methods.split()),
        keywords=frozenset(keywords.split()),
        **other,  # type: ignore[arg-type]
    )


SEEN = (
    # INSERT ... ON CONFLICT of the names of fields, which only its own models map to columns
    _library("Tortoise ORM", "bulk_create", "on_conflict"),
    _library("Tortoise ORM", "bulk_create", "ignore_conflicts", package="tortoise"),
    _library(DJANGO, "bulk_create abulk_create", "update_conflicts ignore_conflicts"),
    _library("django-postgres-extra", "on_conflict", package="psqlextra"),
    _library("django-postgres-extra", "bulk_upsert upsert upsert_and_get", "conflict_target"),
    _library(
        "peewee", "on_conflict", "conflict_constraint conflict_target conflict_where preserve"
    ),
    _library("peewee", "on_conflict_ignore on_conflict_replace"),
    _library("peewee", "on_conflict", package="peewee"),
    _library("peewee", "on_conflict", package="playhouse"),
    _library("Piccolo", "on_conflict", "action"),
    _library("Piccolo", "on_conflict", package="piccolo"),
    _library("PyPika", "on_conflict", followed_by=frozenset({"do_nothing", "do_update"})),
    _library("python-sql", "insert", "on_conflict", package="sql"),
    # the target is the index of a DataFrame
    _library("pangres", "aupsert upsert", "if_row_exists"),
    _library("Prisma Client Python", "upsert", "where", package="prisma"),
    # UPDATE, and INSERT where that met no row
    _library("dataset", "upsert upsert_many", package="dataset"),
)
"""In the order in which they are asked; the first that fits is the one."""
