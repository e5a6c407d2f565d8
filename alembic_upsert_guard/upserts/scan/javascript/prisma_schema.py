"""The models of schema.prisma.

No library on PyPI reads it: those that are there call Prisma's own engine. What an upsert needs of the format (Prisma's
documentation, "Prisma schema") is blocks of one statement a line, so it is read here. What is not understood is left
out.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PrismaModel", "PrismaSchema", "PrismaSchemas", "parsed_schema"]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|@@?[\w.]+|[\w.]+|[^\s\w]')
_STRING = re.compile(r'\A"((?:[^"\\]|\\.)*)"\Z')
_MOST_FOLDERS = 2000
"""Folders that are looked through for a schema, of a workspace."""
_LEVELS = 4
_PLACES = ("prisma/schema.prisma", "schema.prisma", "prisma/schema", "prisma", "schema")
"""Where a schema is found that nothing names; the last ones are folders."""
_DEPTHS = {"(": 1, ")": -1}


@dataclass(slots=True)
class PrismaModel:
    """One model: its table, its columns and what it calls unique."""

    name: str
    table: str = ""
    schema: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    """What the database calls each field."""
    types: dict[str, str] = field(default_factory=dict)
    unique: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The fields of what ``where`` may name: a field, or ``a_b`` of several."""


@dataclass(slots=True)
class PrismaSchema:
    """What the files of one schema state."""

    provider: str | None = None
    models: dict[str, PrismaModel] = field(default_factory=dict)

    def model(self, client_name: str) -> PrismaModel | None:
        """Return the model that the client calls `client_name`: its name, the first letter in lower case."""
        return next(
            (m for n, m in self.models.items() if n[:1].lower() + n[1:] == client_name), None
        )


class PrismaSchemas:
    """Finds the schema of a file of code; each is read once."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        """Nothing is read yet."""
        self._read = read
        self._near: dict[Path, list[PrismaSchema]] = {}

    def with_model(self, path: str, client_name: str) -> PrismaSchema | None:
        """Return the only schema near a file that has a model; None: none has, or several have."""
        schemas = self._of_folder(Path(path).parent)
        found = [schema for schema in schemas if schema.model(client_name) is not None]
        return found[0] if len(found) == 1 else None

    def _of_folder(self, folder: Path) -> list[PrismaSchema]:
        if folder not in self._near:
            self._near[folder] = self._found(folder)
        return self._near[folder]

    def _found(self, folder: Path) -> list[PrismaSchema]:
        """The schema of the nearest project around a file; else those of the workspace's packages."""
        place = self._place_in(folder)
        if place is not None:
            return [self._parsed(place)]
        if not (folder / ".git").exists() and folder.parent != folder:
            above = self._of_folder(folder.parent)
            if above:
                return above
        if not (folder / "package.json").is_file():
            return []
        places = dict.fromkeys(self._place_in(below) for below in _folders(folder))
        return [self._parsed(place) for place in places if place is not None]

    def _place_in(self, folder: Path) -> Path | None:
        """The schema of a project whose root is `folder`: where its package.json says, or where Prisma looks."""
        stated = self._stated(folder / "package.json")
        places = [folder / name for name in ([stated] if stated else _PLACES)]
        return next((p for p in places if p.is_file() or (p.is_dir() and any(_files(p)))), None)

    def _parsed(self, place: Path) -> PrismaSchema:
        """What a file states, or all files of a folder."""
        files = sorted(_files(place)) if place.is_dir() else [place]
        sources = [self._read(str(file)) for file in files]
        return parsed_schema(
            "\n".join(s.decode(errors="replace") for s in sources if s is not None)
        )

    def _stated(self, package: Path) -> str | None:
        source = self._read(str(package)) if package.is_file() else None
        try:
            said = json.loads(source or b"{}")
        except ValueError:
            return None
        options = said.get("prisma") if isinstance(said, dict) else None
        stated = options.get("schema") if isinstance(options, dict) else None
        return stated if isinstance(stated, str) else None


def _files(folder: Path) -> Iterator[Path]:
    return folder.rglob("*.prisma")


def _folders(root: Path) -> Iterator[Path]:
    waiting = [(root, 0)]
    for number, (folder, level) in enumerate(waiting):  # which grows meanwhile
        if number > _MOST_FOLDERS:
            return
        if number:
            yield folder
        if level == _LEVELS:
            continue
        try:
            with os.scandir(folder) as entries:
                waiting += [
                    (Path(entry.path), level + 1)
                    for entry in sorted(entries, key=lambda entry: entry.name)
                    if not entry.name.startswith(".")
                    and entry.name != "node_modules"
                    and entry.is_dir(follow_symlinks=False)
                ]
        except OSError:
            continue


def parsed_schema(text: str) -> PrismaSchema:
    """Return what a schema states."""
    schema = PrismaSchema()
    kind = name = ""
    model: PrismaModel | None = None
    for line in text.splitlines():
        tokens = [token for token in _TOKEN.findall(line) if not token.startswith("//")]
        match tokens:
            case [
                ("model" | "view" | "type" | "enum" | "datasource" | "generator") as kind,
                name,
                "{",
            ] if model is None:
                model = PrismaModel(name, table=name)
            case ["}"]:
                if kind == "model" and model is not None:
                    schema.models[name] = model
                model, kind = None, ""
            case ["provider", "=", stated] if kind == "datasource":
                schema.provider = _string(stated)
            case [first, *_] if kind == "model" and model is not None:
                if first.startswith("@@"):
                    _block_attribute(model, first, tokens[1:])
                elif len(tokens) > 1:
                    _field(model, tokens)
    return schema


def _field(model: PrismaModel, tokens: list[str]) -> None:
    name, model.types[tokens[0]] = tokens[0], tokens[1]
    model.columns[name] = name
    for position, attribute in enumerate(tokens):
        arguments = _arguments(tokens[position + 1 :])
        if attribute == "@map":
            model.columns[name] = _first_string(arguments) or name
        elif attribute in ("@id", "@unique"):
            model.unique[name] = (name,)


def _block_attribute(model: PrismaModel, attribute: str, tokens: list[str]) -> None:
    arguments = _arguments(tokens)
    if attribute == "@@map":
        model.table = _first_string(arguments) or model.table
    elif attribute == "@@schema":
        model.schema = _first_string(arguments)
    elif attribute in ("@@id", "@@unique"):
        fields = _listed(arguments)
        named = _named(arguments, "name")
        if len(fields) == 1 and named is None:
            model.unique[fields[0]] = fields
        elif fields:
            model.unique[named or "_".join(fields)] = fields


def _arguments(tokens: list[str]) -> list[str]:
    """What is between the parentheses that an attribute begins with."""
    if tokens[:1] != ["("]:
        return []
    depth = 0
    for position, token in enumerate(tokens):
        depth += _DEPTHS.get(token, 0)
        if not depth:
            return tokens[1:position]
    return tokens[1:]


def _listed(arguments: list[str]) -> tuple[str, ...]:
    """The fields of ``[a, b(sort: Desc)]``."""
    if "[" not in arguments or "]" not in arguments:
        return ()
    inside = arguments[arguments.index("[") + 1 : arguments.index("]")]
    found, depth = [], 0
    for token in inside:
        depth += _DEPTHS.get(token, 0)
        if not depth and token not in (",", ")"):
            found.append(token)
    return tuple(found)


def _named(arguments: list[str], name: str) -> str | None:
    for position in range(len(arguments) - 2):
        if arguments[position : position + 2] == [name, ":"]:
            return _string(arguments[position + 2])
    return None


def _first_string(arguments: list[str]) -> str | None:
    return next((said for token in arguments if (said := _string(token)) is not None), None)


def _string(token: str) -> str | None:
    found = _STRING.match(token)
    return None if found is None else found[1].replace('\\"', '"')
