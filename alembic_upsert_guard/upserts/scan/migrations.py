"""Which files are migrations, by the layouts that tools give them, and in which order they run."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "MigrationFile",
    "Revision",
    "django_migration",
    "migration_module",
    "migration_script",
    "revision_depths",
    "revision_from",
]

_NUMBERED = re.compile(r"(?:[vVuU]|migration_)?(\d+(?:[._-]\d+)*)(?:__?|[-.]|$)")
"""How the name of a numbered or timestamped script begins: ``0001_x``, ``migration_001_002``, Flyway's ``V1_2__x``."""

_UNMISTAKABLE = re.compile(r"[vVuU]\d+(?:[._]\d+)*__|\d{12,}[_-]")
"""How a name begins that is a migration's in whatever folder: Flyway's, or a time to the minute."""

_FOLDERS = frozenset(
    {"changelog", "changelogs", "deltas", "migrate", "migration", "migrations", "schema_migrations", "versions"}
)  # fmt: skip
"""Names of folders whose numbered scripts are migrations."""

_OF_A_FOLDER = ("up.sql", "down.sql")
"""Names of scripts in a numbered folder of their own."""

_UP = re.compile(rb"\bup\s*[(:=]")
"""The function of a module that migrates: ``exports.up = ...``, ``up: async (...) => ...``, ``async up(...)``."""

_DJANGO = b"migrations.Migration"
"""What a migration of Django's inherits from."""

_DOWN = ("down.sql", ".undo.sql")
_PRISMA, _PRISMA_LOCK = "migration.sql", "migration_lock.toml"
_DRIZZLE_JOURNAL = "meta/_journal.json"


@dataclass(frozen=True, slots=True)
class Revision:
    """What a file of Alembic's states of itself."""

    revision: str
    down: tuple[str, ...]
    """Those before it; empty: it is the first one."""


def revision_from(stated: Mapping[str, ast.expr]) -> Revision | None:
    """Return the revision that the names of a module state; None: ``revision`` or ``down_revision`` is not there."""
    if "revision" not in stated or "down_revision" not in stated:
        return None
    down = tuple(_strings(stated["down_revision"]))
    return Revision("".join(_strings(stated["revision"])), down)


def _strings(node: ast.expr) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MigrationFile:
    """Where a file is among its migrations."""

    folder: str
    """What holds all of them."""
    position: tuple[int, ...]
    """Among those of the folder; those of one position by name."""
    name: str
    is_undo: bool = False
    """Whether it takes back what another one does: it does not run on the way to today's schema."""
    is_read: bool = True
    """Whether what it makes is read."""


def migration_script(path: str, is_file: Callable[[str], bool]) -> MigrationFile | None:
    """Return where a script of SQL is among migrations; None: it is none, or no script.

    :param is_file: whether there is a file, for those that tools keep beside theirs.
    """
    script = Path(path)
    folder, name = script.parent, script.name
    if script.suffix != ".sql":
        return None
    number = _position(folder.name)
    is_undo = name.lower().endswith(_DOWN) or name[:1] in "uU"
    is_of_folder = name == _PRISMA and is_file(str(folder.parent / _PRISMA_LOCK))
    if number and (is_of_folder or name in _OF_A_FOLDER):
        return MigrationFile(folder=str(folder.parent), position=number, name=path, is_undo=is_undo)
    position = _position(name)
    if position is None or not _holds_migrations(folder, name, is_file):
        return None
    return MigrationFile(folder=str(folder), position=position, name=path, is_undo=is_undo)


def migration_module(path: str, source: bytes | str) -> MigrationFile | None:
    """Return where a module of TypeScript or JavaScript is among migrations; None: it is none.

    TypeORM's says so itself, by its interface. Those of Knex, Kysely and Sequelize have a name and a folder of
    migrations, and a function ``up``: seeds, which are run again and again, have neither.

    :param source: a `str` is the reason why it cannot be read.
    """
    if isinstance(source, str):
        return None
    script = Path(path)
    position = _position(script.name)
    is_typeorm = re.search(rb"\bimplements\s+MigrationInterface\b", source) is not None
    is_named_so = position is not None and _holds_migrations(
        script.parent, script.name, lambda _: False
    )
    if not (is_typeorm or (is_named_so and _UP.search(source))):
        return None
    return MigrationFile(
        folder=str(script.parent), position=position or (), name=path, is_read=False
    )


def django_migration(path: str, read: Callable[[str], bytes | str]) -> MigrationFile | None:
    """Return where a file is among Django's migrations: ``0002_x.py`` with a ``Migration``; None: it is none.

    :param read: reads the file, where its name may be one's; a `str` is the reason why it cannot be read.
    """
    script = Path(path)
    position = _position(script.name)
    if position is None or script.parent.name != "migrations":
        return None
    source = read(path)
    if isinstance(source, str) or _DJANGO not in source:
        return None
    return MigrationFile(folder=str(script.parent), position=position, name=path, is_read=False)


def _holds_migrations(folder: Path, name: str, is_file: Callable[[str], bool]) -> bool:
    is_named_so = any(part.lower() in _FOLDERS for part in folder.parts[-3:])
    return bool(is_named_so or _UNMISTAKABLE.match(name) or is_file(str(folder / _DRIZZLE_JOURNAL)))


def _position(name: str) -> tuple[int, ...] | None:
    matched = _NUMBERED.match(name)
    return None if matched is None else tuple(map(int, re.findall(r"\d+", matched[1])))


def revision_depths(revisions: Mapping[str, Revision]) -> dict[str, int]:
    """Return for each file how many revisions are before it on its longest way, by what the files state.

    :param revisions: by path.
    """
    by_name = {each.revision: each for each in revisions.values()}
    depths: dict[str, int] = {}
    waiting = list(by_name)
    entered: set[str] = set()
    while waiting:
        name = waiting[-1]
        before = [down for down in by_name[name].down if down in by_name]
        unknown = [down for down in before if down not in depths and down not in entered]
        if unknown and name not in entered:
            entered.add(name)
            waiting += unknown
            continue
        waiting.pop()
        depths[name] = max((depths.get(down, 0) + 1 for down in before), default=0)
    return {path: depths[each.revision] for path, each in revisions.items()}
