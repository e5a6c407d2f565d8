"""Where an import of no relative path leads: ``paths`` of a tsconfig, SvelteKit's ``$lib``, a workspace's packages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .module import Module
from .nodes import key_of, string_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from ..source_tree import SourceTree

__all__ = ["Workspaces"]

_CONFIGURATIONS = ("tsconfig.json", "jsconfig.json")
_LEVELS = 3
"""How far below a workspace's root its packages are looked for."""


class Workspaces:
    """What the configuration of projects says of the names that are imported; each file is read once."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is read yet."""
        self._tree = tree
        self._paths: dict[Path, list[tuple[str, list[Path]]]] = {}
        self._packages: dict[Path, dict[str, Path]] = {}

    def candidates(self, folder: Path, source: str) -> list[Path]:
        """Return the files, or their names without suffix, that `source` may mean in a file of `folder`."""
        found: list[Path] = []
        for pattern, targets in self._paths_of(folder):
            if pattern == source:
                found += targets
            elif pattern.endswith("*") and source.startswith(pattern[:-1]):
                rest = source[len(pattern) - 1 :]
                found += [Path(str(target).replace("*", rest)) for target in targets]
        if source.startswith("$lib/") or source == "$lib":
            root = self._above(folder, "svelte.config.js", "svelte.config.ts")
            if root is not None:
                found.append(root / "src" / "lib" / source[5:])
        return found or list(self._in_packages(folder, source))

    def _paths_of(self, folder: Path) -> list[tuple[str, list[Path]]]:
        root = self._above(folder, *_CONFIGURATIONS)
        if root is None:
            return []
        if root not in self._paths:
            self._paths[root] = []
            for name in _CONFIGURATIONS:
                self._paths[root] += self._configured(root / name, frozenset())
        return self._paths[root]

    def _configured(self, path: Path, visited: frozenset[Path]) -> list[tuple[str, list[Path]]]:
        """The ``paths`` of one configuration, or of the one that it extends."""
        source = None if path in visited else self._tree.read(str(path))
        if source is None:
            return []
        said = _relaxed_json(source)
        options = said.get("compilerOptions")
        options = options if isinstance(options, dict) else {}
        paths = options.get("paths")
        if isinstance(paths, dict):
            base = path.parent / str(options.get("baseUrl", "."))
            return [
                (pattern, [base / str(target) for target in targets])
                for pattern, targets in paths.items()
                if isinstance(targets, list)
            ]
        extended = said.get("extends")
        if isinstance(extended, str) and extended.startswith("."):
            other = path.parent / extended
            other = other if other.suffix == ".json" else other.with_name(f"{other.name}.json")
            return self._configured(other, visited | {path})
        return []

    def _in_packages(self, folder: Path, source: str) -> Iterator[Path]:
        """What a package of the same workspace exports under that name."""
        parts = source.split("/")
        length = 2 if source.startswith("@") else 1
        name, rest = "/".join(parts[:length]), "/".join(parts[length:])
        for root in folder.parents:
            if not any(self._is_file(root / n) for n in ("package.json", "pnpm-workspace.yaml")):
                continue
            if root not in self._packages:
                self._packages[root] = dict(self._packages_below(root))
            package = self._packages[root].get(name)
            if package is not None:
                yield from self._exported(package, rest)
                return

    def _packages_below(self, root: Path) -> Iterator[tuple[str, Path]]:
        """The packages of a workspace, by name; none: the folder is no workspace's root."""
        said = self._json(root / "package.json")
        if "workspaces" not in said and not self._is_file(root / "pnpm-workspace.yaml"):
            return
        folders = [root]
        for _ in range(_LEVELS):
            folders = [
                inside
                for folder in folders
                for inside in sorted(folder.iterdir())
                if inside.name != "node_modules"
                and not inside.name.startswith(".")
                and not inside.is_symlink()
                and inside.is_dir()
            ]
            for folder in folders:
                if self._is_file(folder / "package.json"):
                    yield str(self._json(folder / "package.json").get("name")), folder

    def _exported(self, package: Path, rest: str) -> Iterator[Path]:
        said = self._json(package / "package.json")
        exports = said.get("exports")
        key = f"./{rest}" if rest else "."
        if isinstance(exports, dict):
            yield from (package / path for path in _paths_in(exports.get(key)))
        elif isinstance(exports, str) and not rest:
            yield package / exports
        if not rest:
            yield from (package / path for path in (said.get("main"),) if isinstance(path, str))
        yield package / "src" / (rest or "index")
        yield package / (rest or "index")

    def _above(self, folder: Path, *names: str) -> Path | None:
        """The nearest folder with one of these files, this one or above it."""
        folders = (folder, *folder.parents)
        return next((f for f in folders if any(self._is_file(f / name) for name in names)), None)

    def _is_file(self, path: Path) -> bool:
        return self._tree.is_file(str(path))

    def _json(self, path: Path) -> dict[str, Any]:
        source = self._tree.read(str(path))
        try:
            said = {} if source is None else json.loads(source)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


def _paths_in(exported: object) -> list[str]:
    if isinstance(exported, str):
        return [exported]
    if isinstance(exported, dict):
        return [path for value in exported.values() for path in _paths_in(value)]
    return []


def _relaxed_json(source: bytes) -> dict[str, Any]:
    """What a JSON file with comments and trailing commas says, read as the JavaScript that it is."""
    root = Module("configuration.js", b"(" + source + b")").root
    node: Node | None = root
    while node is not None and node.type != "object":
        node = next((n for n in node.named_children if n.type != "comment"), None)
    return {} if node is None else _object(node)


def _object(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in node.named_children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        name = None if key is None else key_of(key)
        if name is not None and value is not None:
            found[name] = _value(value)
    return found


def _value(node: Node) -> object:
    if node.type == "object":
        return _object(node)
    if node.type == "array":
        return [_value(child) for child in node.named_children if child.type != "comment"]
    return string_in(node)
