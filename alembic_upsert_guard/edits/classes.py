"""A class as it is written: its statements, its ``__table_args__``, and where new ones go."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .imports import LINE_LENGTH
from .source import Insertion, UnwritableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .arguments import Spell
    from .places import ClassPlace
    from .source import Source

__all__ = ["ARGS", "ClassBody", "class_named", "refuse_late_column"]

ARGS, _TABLENAME = "__table_args__", "__tablename__"
_METHOD = ast.FunctionDef | ast.AsyncFunctionDef


class ClassBody:
    """The statements of one class."""

    def __init__(self, source: Source, node: ast.ClassDef) -> None:
        """Read them.

        :raises UnwritableError: they are on the line of the class.
        """
        self._source = source
        self.node = node
        first = node.body[0]
        decorators = getattr(first, "decorator_list", [])
        self._first = source.start(decorators[0]) if decorators else source.start(first)
        if source.line(self._first) == source.line(source.header_end(node)):
            raise UnwritableError("the body of the class is on the line of its name")
        self.indent = source.indent(self._first)
        self.unit = self.indent.removeprefix(source.indent(source.start(node))) or "    "

    @property
    def bound(self) -> frozenset[str]:
        """The names that the body gives to anything: the module's of that name are hidden in it."""
        found: set[str] = set()
        waiting: list[ast.AST] = list(self.node.body)
        while waiting:
            node = waiting.pop()
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.AnnAssign(target=ast.Name(id=name)):
                    found.add(name)
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                    continue
            waiting += ast.iter_child_nodes(node)
        return frozenset(found)

    def arguments(self) -> ast.expr | None:
        """Return the value of the class's own ``__table_args__``; None: it has none.

        :raises UnwritableError: it has several, or one under a condition.
        """
        found = [each for each in self.node.body if _binds(each, ARGS)]
        if ARGS in self.bound and len(found) != 1:
            raise UnwritableError(f"{ARGS} is set in more than one place, or under a condition")
        if not found:
            return None
        match found[0]:
            case ast.Assign(targets=[_], value=value):
                return value
            case ast.AnnAssign(annotation=annotation, value=ast.expr() as value):
                if isinstance(value, ast.Dict | ast.Call) and not _takes_anything(annotation):
                    raise UnwritableError(f"the annotation of {ARGS} says that it is no tuple")
                return value
            case ast.FunctionDef() as function:
                return _returned(function)
        raise UnwritableError(f"{ARGS} is not set by a plain assignment")

    def new(
        self,
        begin: str,
        opening: str,
        closing: str,
        spell: Spell,
        *,
        rest: str | None = None,
        comma: bool = False,
        is_method: bool = False,
    ) -> Insertion:
        """Return the statement that sets ``__table_args__``, on one line where it fits.

        :param rest: what is behind the declarations; None: nothing.
        :param comma: whether a single declaration needs one behind it.
        """
        deep = self.indent + self.unit if is_method else self.indent
        items = [*spell(None), *([] if rest is None else [rest])]
        line = f"{begin}{opening}{', '.join(items)}{',' * (comma and len(items) == 1)}{closing}"
        longest = max(map(len, f"{self.indent}{line}".expandtabs(4).split("\n")))
        if longest > LINE_LENGTH:
            inner = deep + self.unit
            items = [*spell(inner), *([] if rest is None else [rest])]
            lines = "".join(f"{inner}{item},\n" for item in items)
            line = f"{begin}{opening}\n{lines}{deep}{closing}"
        return self._placed(f"{self.indent}{line}\n", is_method=is_method)

    def _placed(self, statement: str, *, is_method: bool) -> Insertion:
        """Behind ``__tablename__``, or above everything but the docstring; a method below everything."""
        source, body = self._source, self.node.body
        if is_method:
            return self._behind(body[-1], f"\n{statement}")
        named = next((each for each in body if _binds(each, _TABLENAME)), None)
        if named is not None and isinstance(named, ast.Assign | ast.AnnAssign):
            return self._behind(named, statement)
        if ast.get_docstring(self.node, clean=False) is None:
            at = source.next_line(source.header_end(self.node))
            return Insertion(at, statement if source.is_blank_line(at) else f"{statement}\n")
        end = source.end(body[0])
        is_followed = len(body) > 1 and not source.is_blank_line(source.next_line(end))
        return self._behind(body[0], f"\n{statement}" + "\n" * is_followed)

    def _behind(self, node: ast.stmt, statement: str) -> Insertion:
        source = self._source
        end = source.end(node)
        if not source.ends_line(end):
            raise UnwritableError("there is more than one statement on the line where it goes")
        at = source.next_line(end)
        if source.text[:at].endswith(("\n", "\r")):
            return Insertion(at, statement)
        return Insertion(at, "\n" + statement.removesuffix("\n"))


def class_named(source: Source, qualname: str) -> ast.ClassDef:
    """Return the class of that qualified name.

    :raises UnwritableError: the file has none, or more than one.
    """
    found = [node for name, node in _classes(source.tree, "") if name == qualname]
    if not found:
        raise UnwritableError(
            f"class {qualname} is made by code: the file has no class statement of it"
        )
    if len(found) > 1:
        raise UnwritableError(f"the file has {len(found)} class statements of {qualname}")
    return found[0]


def _classes(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, child
            yield from _classes(child, f"{prefix}{child.name}.")
        elif not isinstance(child, _METHOD | ast.Lambda):
            yield from _classes(child, prefix)


def _binds(node: ast.stmt, name: str) -> bool:
    match node:
        case ast.Assign(targets=targets):
            return any(isinstance(each, ast.Name) and each.id == name for each in targets)
        case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr()):
            return target == name
        case ast.FunctionDef(name=target):
            return target == name
    return False


def _takes_anything(annotation: ast.expr) -> bool:
    """Whether a tuple fits: ``Any``, ``ClassVar``, ``ClassVar[Any]``."""
    match annotation:
        case ast.Subscript(
            value=ast.Name(id="ClassVar") | ast.Attribute(attr="ClassVar"), slice=of
        ):
            return _takes_anything(of)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in ("Any", "ClassVar", "object")
    return False


def _returned(function: ast.FunctionDef) -> ast.expr:
    """What a method returns.

    :raises UnwritableError: it returns in several places, or nothing.
    """
    found: list[ast.Return] = []
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            found.append(node)
        elif not isinstance(node, _METHOD | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    if len(found) != 1 or found[0].value is None:
        raise UnwritableError(f"{ARGS} returns in {len(found) or 'no'} places")
    return found[0].value


def refuse_late_column(place: ClassPlace, body: ClassBody, column: str) -> None:
    """Refuse a column that is not there yet when ``__table_args__`` is read.

    :raises UnwritableError: neither the class nor a mixin has it.
    """
    attributes = [attribute for attribute, name in place.attributes if name == column]
    if not any(each in body.bound or each in place.of_mixins for each in attributes):
        raise UnwritableError(
            f"the column {column} is added to the table after class {place.qualname} is made"
        )
