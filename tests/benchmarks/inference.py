"""What astroid and jedi know of the tables that public packages upsert into: the reason why `scan` has its own reader.

uv run --with astroid --with jedi python -m tests.benchmarks.inference astroid|jedi [--package NAME] [--cache FOLDER]

Neither library knows that the `Insert` of `insert(users)` is about `users`, so the expression of the table is found
here: down the chain of calls, and through the last assignment to the statement's name. The library is asked what that
expression is. Its answer is *right* where it is the one table of the site; *all of several* where a helper has several
and all are named, though not which call has which; *wrong* where it is another, or some of several as if they were all.
What a library says of a class counts by the class's own `__tablename__`, else by its name in snake case.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.table import Table as Printed

from .truth import read_packages
from .upserts import PACKAGES, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .truth import Package, Site

UPSERTS = {"on_conflict_do_update", "on_conflict_do_nothing", "on_duplicate_key_update"}
OF_A_STATEMENT = UPSERTS | {"values", "returning", "execution_options", "prefix_with"}


class Library(Protocol):
    """One that infers."""

    def tables(self, path: Path, expression: ast.expr) -> set[str]:
        """Names of the tables that an expression can be; an empty one for what is no table."""


class Astroid:
    """``NodeNG.infer``; for a ``Table``, whose name no type has, ``lookup`` of the name up to its assignment."""

    def __init__(self, root: Path) -> None:
        self._astroid: Any = importlib.import_module("astroid")
        self._root = root
        sys.path.insert(0, str(root))

    def tables(self, path: Path, expression: ast.expr) -> set[str]:
        module = ".".join(path.relative_to(self._root).with_suffix("").parts)
        tree = self._astroid.MANAGER.ast_from_file(str(path), module)
        kinds = (self._astroid.nodes.Name, self._astroid.nodes.Attribute)
        ends = (expression.end_lineno, expression.end_col_offset)
        for node in tree.nodes_of_class(kinds):
            if (node.end_lineno, node.end_col_offset) == ends:
                assigned = self._assigned(node)
                return {assigned} if assigned else set(self._inferred(node))
        return set()

    def _assigned(self, node: Any) -> str | None:
        """The name in ``users = Table("users", ...)``, where a name leads there, if through an import."""
        if not isinstance(node, self._astroid.nodes.Name):
            return None
        _, found = node.lookup(node.name)
        if len(found) == 1 and isinstance(found[0], self._astroid.nodes.ImportFrom):
            try:
                module = found[0].do_import_module(found[0].modname)
                _, found = module.lookup(found[0].real_name(node.name))
            except self._astroid.AstroidError:
                return None
        value = getattr(found[0].parent, "value", None) if len(found) == 1 else None
        return None if value is None else _table_of(value.as_string())

    def _inferred(self, node: Any) -> Iterator[str]:
        try:
            for each in node.infer():
                is_class = isinstance(each, self._astroid.nodes.ClassDef)
                if is_class and str(each.root().file).startswith(str(self._root)):
                    yield _table_of_class(each.as_string(), each.name)
                else:
                    yield ""
        except self._astroid.AstroidError:
            yield ""


class Jedi:
    """``Script.goto`` through imports, and where that leads to no class and no ``Table``, ``Script.infer``."""

    def __init__(self, root: Path) -> None:
        self._jedi: Any = importlib.import_module("jedi")
        here = [path for path in sys.path if path]
        self._project = self._jedi.Project(str(root), sys_path=[str(root), *here])
        self._root = root

    def tables(self, path: Path, expression: ast.expr) -> set[str]:
        script = self._jedi.Script(path=str(path), project=self._project)
        line = expression.end_lineno or 0
        column = (expression.end_col_offset or 0) - 1
        led_to = script.goto(line, column, follow_imports=True)
        return {name for name in map(self._named, led_to) if name} or {
            self._named(each) for each in script.infer(line, column)
        }

    def _named(self, name: Any) -> str:
        if not name.line or not str(name.module_path).startswith(str(self._root)):
            return ""
        return _defined(name)


def _defined(name: Any) -> str:
    for node in ast.walk(ast.parse(Path(name.module_path).read_bytes())):
        if isinstance(node, ast.ClassDef | ast.Assign) and node.lineno == name.line:
            if isinstance(node, ast.ClassDef):
                return _table_of_class(ast.unparse(node), node.name)
            return _table_of(ast.unparse(node.value)) or ""
    return ""


def _table_of(text: str) -> str | None:
    """The name in the source of a ``Table(...)``."""
    node = ast.parse(text, mode="eval").body
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Table":
        return str(ast.literal_eval(node.args[0])) if _is_constant(node.args[0]) else None
    return None


def _table_of_class(text: str, name: str) -> str:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Assign([ast.Name("__tablename__")], value):
                return str(ast.literal_eval(value)) if _is_constant(value) else ""
            case ast.FunctionDef("__tablename__", _, [*_, ast.Return(ast.Constant(stated))]):
                return str(stated)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def expression_of(tree: ast.Module, line: int) -> ast.expr | None:
    """The expression of the table of SQLAlchemy's upsert on a line; None: there is none, or no name of it."""
    for call in ast.walk(tree):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in UPSERTS
            and call.func.end_lineno == line
        ):
            return _inserted_into(tree, call.func.value)
    return None


def _inserted_into(tree: ast.Module, node: ast.expr | None, steps: int = 12) -> ast.expr | None:
    for _ in range(steps):
        match node:
            case ast.Call(ast.Attribute(value, attr)) if attr in OF_A_STATEMENT:
                node = value
            case ast.Call(_, [first, *_]):
                return first
            case ast.Name(name):
                node = _last_assigned(tree, name, node.lineno)
            case _:
                return None
    return None


def _last_assigned(tree: ast.Module, name: str, line: int) -> ast.expr | None:
    before = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and node.lineno < line
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]
    return max(before, key=lambda node: node.lineno).value if before else None


def verdict(site: Site, answers: set[str]) -> str:
    """What a library's answer is worth."""
    right = {answer.table for use in site.uses for answer in use.answers}
    if not answers or "" in answers:
        return "nothing"
    if answers != right:
        return "wrong"
    return "right" if len(right) == 1 else "all of several"


def ask(library: Library, package: Package, root: Path) -> Counter[str]:
    """Ask about every upsert of SQLAlchemy's that a package has."""
    counted: Counter[str] = Counter()
    for site in package.sites:
        path = root / site.place.path
        if path.suffix == ".py":
            expression = expression_of(ast.parse(path.read_bytes()), site.place.line)
            if expression is not None:
                counted[verdict(site, library.tables(path, expression))] += 1
    return counted


def main() -> None:
    """Print the verdicts of each package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", choices=("astroid", "jedi"))
    parser.add_argument("--package", action="append", help="only this one; may be given again")
    parser.add_argument("--cache", type=Path, help="where packages stay that are downloaded")
    arguments = parser.parse_args()
    heads = ("right", "all of several", "wrong", "nothing")
    printed = Printed("package", *heads, "seconds")
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for package in read_packages(PACKAGES):
            if arguments.package and package.name not in arguments.package:
                continue
            root = unpacked(package, arguments.cache or Path(folder)).resolve()
            begun = perf_counter()
            library = Astroid(root) if arguments.library == "astroid" else Jedi(root)
            counted = ask(library, package, root)
            total += counted
            numbers = (str(counted[head]) for head in heads)
            printed.add_row(package.name, *numbers, f"{perf_counter() - begun:.1f}")
    printed.add_row("all", *(str(total[head]) for head in heads), "")
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    Console().print(printed, f"{megabytes:,} MB at most")


if __name__ == "__main__":
    main()
