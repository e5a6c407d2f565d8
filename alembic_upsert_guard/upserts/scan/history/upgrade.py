"""A revision's ``upgrade()``, statement by statement, applied to the tables that are known.

==========================================  =====================================================
a statement of ``upgrade()``                what it does
==========================================  =====================================================
``op.create_table`` and the like            as the arguments say that are constants
``op.execute("...")``, ``bind.execute``     as the SQL says
``with op.batch_alter_table("t") as b``     the same of the table
under ``if``, ``for``, ``try``              in doubt: what it would change
INSERT, UPDATE, DELETE, SELECT; a name      nothing
anything else that is called                every table is in doubt
==========================================  =====================================================
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .arguments import Arguments, UnreadError, called
from .bound_names import bound_names, lines_where_it_runs, unsteady_names
from .operations import OPERATIONS
from .statements import HistoricSql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .revision_file import RevisionFile
    from .tables import HistoricTables

__all__ = ["apply_revision"]

_EXECUTORS = frozenset({"execute", "exec_driver_sql", "scalar", "scalars"})
_QUIET = frozenset(
    """
    get_bind get_context f bulk_insert create_foreign_key inline_literal create_check_constraint
    create_table_comment drop_table_comment commit flush inspect Session sessionmaker print info warning debug
    close text table column Table MetaData fetchall fetchone all first bindparams get_columns get_indexes
    get_table_names get_unique_constraints has_table len set list dict str int sorted range enumerate zip
    isinstance format append utcnow now uuid4 dumps loads mappings scalar_one get items keys values add extend
    strip lower upper join split
    """.split()  # noqa: SIM905 - a list of words
)
"""Functions and methods that change no table."""

_ROWS = frozenset({"insert", "update", "delete", "select"})
"""What SQLAlchemy's statements begin with that are about rows."""

_CONDITIONAL = (
    ast.IfExp
    | ast.BoolOp
    | ast.Lambda
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.GeneratorExp
)
"""Expressions that may run a part of theirs, or run it several times."""

_UNREAD = "an operation of a revision before it is not read"


def apply_revision(tables: HistoricTables, file: RevisionFile, until: int | None = None) -> None:
    """Change the tables as ``upgrade()`` does.

    :param until: the line, counted from 1, whose statement is not run any more; None: all are.
    """
    if file.upgrade is None:
        tables.doubt_all("a revision before it has no upgrade() that is read")
        return
    body = file.upgrade.body
    if until is None:
        _Upgrade(tables, file).run(body, None)
        return
    runs = lines_where_it_runs(file.upgrade, until, _EXECUTORS)
    if not runs:
        tables.end("when it runs is not known")
        return
    later = tables.copy()
    _Upgrade(later, file).run(body, runs[-1])
    _Upgrade(tables, file).run(body, runs[0])
    tables.perhaps(later.give_to, "it runs more than once, and changes in between")


class _Upgrade:
    def __init__(self, tables: HistoricTables, file: RevisionFile) -> None:
        self.tables = tables
        self._file = file
        self._sql = HistoricSql(tables)
        self._locals: dict[str, ast.expr | None] = {}
        upgrade = file.upgrade
        self._own = frozenset() if upgrade is None else bound_names(upgrade)
        self._unsteady = frozenset() if upgrade is None else unsteady_names(upgrade)
        self._batches: dict[str, tuple[str, str | None]] = {}

    def run(self, body: Sequence[ast.stmt], until: int | None) -> None:
        for at, statement in enumerate(body):
            last = statement.end_lineno or statement.lineno
            if until is not None and until < statement.lineno:
                return
            is_here = until is not None and until <= last
            match statement:
                case ast.With():
                    self._with(statement, until if is_here else None)
                case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Import() | ast.ImportFrom():
                    continue
                case ast.If() | ast.For() | ast.While() | ast.Try() | ast.FunctionDef():
                    self._perhaps([statement])
                case ast.Return():
                    return
                case _:
                    self._statement(statement, is_here=is_here)
            if is_here:
                return
            if until is None and _may_return(statement):
                self._perhaps(body[at + 1 :])
                return

    def _statement(self, statement: ast.stmt, *, is_here: bool) -> None:
        """One without a body; that of the upsert itself is not run."""
        if is_here:
            return
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._locals[name] = None if name in self._locals else value
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Assert() | ast.Expr():
                pass
            case _:
                self.tables.doubt_all(_UNREAD)
                return
        self._calls(statement)

    def _perhaps(self, statements: Sequence[ast.AST]) -> None:
        def change(tables: HistoricTables) -> None:
            inside = _Upgrade(tables, self._file)
            inside._locals, inside._batches = dict(self._locals), self._batches
            every = [each for statement in statements for each in ast.walk(statement)]
            for each in every:
                if isinstance(each, ast.With):
                    inside._name_batches(each)
            for each in every:
                if isinstance(each, ast.Assign):
                    names = [t.id for t in each.targets if isinstance(t, ast.Name)]
                    inside._locals.update(dict.fromkeys(names))
            for statement in statements:
                inside._calls(statement)

        self.tables.perhaps(change, "a revision before it changes it under a condition")

    # -- calls

    def _calls(self, node: ast.AST) -> None:
        """Every call of a statement that is no argument of another, nor a part of its chain."""
        for each in _outermost(node):
            if isinstance(each, ast.Call):
                self._call(each)
            else:
                self._perhaps([each])

    def _call(self, call: ast.Call) -> None:
        name = called(call)
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        try:
            if isinstance(owner, ast.Name) and owner.id == "op" and name in OPERATIONS:
                OPERATIONS[name](self, Arguments(self, call, None))
            elif isinstance(owner, ast.Name) and owner.id in self._batches and name in OPERATIONS:
                OPERATIONS[name](self, Arguments(self, call, self._batches[owner.id]))
            elif name in _EXECUTORS and call.args:
                self.execute(call)
            elif self._is_about_rows(call) or self._is_quiet(call):
                return
            else:
                self.tables.doubt_all(_UNREAD)
        except UnreadError:
            self.tables.doubt_all(_UNREAD)

    def execute(self, call: ast.Call) -> None:
        if not call.args or self._is_about_rows(call.args[0]):
            return
        self._sql.apply_text(self.string(call.args[0]))

    def _is_about_rows(self, node: ast.expr | None) -> bool:
        """Whether it is a statement of SQLAlchemy's that changes rows or reads them."""
        node = self.bound(node)
        while isinstance(node, ast.Call):
            name = called(node)
            if self._file.origins.get(name, name) in _ROWS:
                return True
            node = node.func.value if isinstance(node.func, ast.Attribute) else None
            node = self.bound(node)
        return False

    def _is_quiet(self, call: ast.Call) -> bool:
        """Whether a chain of calls changes no table but by the SQL that it executes, which is run."""
        node: ast.expr | None = call
        while isinstance(node, ast.Call):
            name = called(node)
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            if name in _EXECUTORS and node.args:
                self.execute(node)
            elif name in ("create", "drop") and called(self.bound(owner)) in ("Enum", "ENUM"):
                return True
            elif self._file.origins.get(name, name) not in _QUIET | _EXECUTORS:
                return False
            else:
                for each in (*node.args, *node.keywords):
                    self._calls(ast.Expr(each) if isinstance(each, ast.expr) else each)
            node = owner
        return True

    # -- with

    def _with(self, statement: ast.With, until: int | None) -> None:
        if not self._name_batches(statement):
            self.tables.doubt_all(_UNREAD)
        self.run(statement.body, until)

    def _name_batches(self, statement: ast.With) -> bool:
        """Note the tables of ``with op.batch_alter_table(...) as b``; return whether it is nothing else."""
        is_known = True
        for item in statement.items:
            call = item.context_expr
            name = called(call) if isinstance(call, ast.Call) else ""
            if name == "batch_alter_table" and isinstance(call, ast.Call):
                target = item.optional_vars
                try:
                    arguments = Arguments(self, call, None)
                    if arguments.optional("recreate") not in (None, "auto", "never"):
                        is_known = False
                    table = arguments.string(0, "table_name")
                    schema = arguments.optional("schema")
                except UnreadError:
                    is_known = False
                    continue
                if isinstance(target, ast.Name):
                    self._batches[target.id] = (table, schema)
            elif name not in ("autocommit_block", "begin", "begin_nested", "Session"):
                is_known = False
        return is_known

    # -- values

    def bound(self, node: ast.expr | None) -> ast.expr | None:
        for _ in range(8):
            if not isinstance(node, ast.Name):
                return node
            if node.id in self._unsteady:
                return None
            known = self._locals if node.id in self._own else self._file.constants
            node = known.get(node.id)
        return None

    def string(self, node: ast.expr | None) -> str:
        """Return a text that the file states.

        :raises UnreadError: it is put together in another way.
        """
        node = self.bound(node)
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self.string(left) + self.string(right)
            case ast.JoinedStr(values=values) if all(isinstance(v, ast.Constant) for v in values):
                return "".join(self.string(value) for value in values)
            case ast.Call(args=[inner]) if called(node) in (
                "text",
                "dedent",
                "f",
                "DDL",
                "quoted_name",
            ):
                return self.string(inner)
        raise UnreadError

    def names(self, node: ast.expr | None) -> tuple[str, ...]:
        """Return the names in a list that the file states.

        :raises UnreadError: there is something else in it.
        """
        node = self.bound(node)
        if isinstance(node, ast.List | ast.Tuple):
            return tuple(self.string(each) for each in node.elts)
        raise UnreadError


def _may_return(statement: ast.AST) -> bool:
    """Whether what is behind it may not run; a function inside it returns to where it is called."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return False
    inside = ast.iter_child_nodes(statement)
    return isinstance(statement, ast.Return) or any(map(_may_return, inside))


def _outermost(node: ast.AST) -> Iterator[ast.AST]:
    """The calls that are in no other one, and the expressions that may run some of theirs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call | _CONDITIONAL):
            yield child
        else:
            yield from _outermost(child)
