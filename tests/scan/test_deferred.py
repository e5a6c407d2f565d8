"""Functions whose bodies are parsed when they are asked for: the same tree as that of the whole file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from alembic_upsert_guard.upserts.scan import DeclaredTables, scan
from alembic_upsert_guard.upserts.scan.python.deferred import Progress, parsed_by_parts
from alembic_upsert_guard.upserts.scan.python.outline import bodies_of

LONG = "".join(f"    x{n} = 'some value or other' + str({n})\n" for n in range(250))
"""A body that is worth the trouble, in a file that is."""

SHAPES = {
    "plain": f"def f():\n{LONG}\nY = 1\n",
    "method": f"class A:\n    def f(self):\n{LONG.replace('    ', '        ')}\n    y = 1\n",
    "async": f"async def f():\n    await g()\n{LONG}",
    "a header on several lines": f"def f(\n    a: str = 'x:y',  # (\n    b=(1, (2,)),\n) -> dict[str, int]:\n{LONG}",
    "low lines in a string": f"def f():\n    s = '''\ndef g():\n'''\n{LONG}    t = '''\nlow\n'''\nY = 1\n",
    "a string at the end": f"def f():\n{LONG}    return '''\nlow # no comment\n'''\n\n\n'''text'''\nY = 1\n",
    "a function in a string": f"S = '''\ndef f():\n{LONG}'''\ndef g():\n{LONG}",
    "quotes in a comment": f"def f():\n    # it's a '''\n{LONG}# '''\nY = 1\n",
    "quotes in a string": f"def f():\n    s = \"'''\" + '\"\"\"'\n{LONG}Y = 1\n",
    "escaped quotes": f"def f():\n    s = '''\\'''low\n def g():\n'''\n{LONG}Y = 1\n",
    "comments at the end": f"def f():\n{LONG}    # last\n# more\n\nY = 1\n",
    "a low bracket": f"def f():\n{LONG}    return (\n1,\n)\nY = 1\n",
    "a continued line": f"def f():\n{LONG}    return 1 + \\\n2\nY = 1\n",
    "a continued string": f'def f():\n    s = \'a \\\ndef g(): """\'\n{LONG}Y = 1\n',
    "an inner function": f"def f():\n    def g():\n{LONG.replace('    ', '        ')}\n    return g\n",
    "in a branch": f"if True:\n    def f():\n{LONG.replace('    ', '        ')}else:\n    f = None\n",
    "two on one line": f"def f():\n{LONG}    a = 1; b = 2\nY = 1; Z = 2\n",
    "decorated": f"@d(1)\n@e\ndef f():\n{LONG}\n@d\ndef g():\n{LONG}",
}


def dumped(tree: ast.AST) -> str:
    """A tree with its lines and columns; where a statement ends in its last line is not asked for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.excepthandler):
            node.end_col_offset = 0
    return ast.dump(tree, include_attributes=True)


def by_parts(source: bytes) -> tuple[ast.Module, Progress]:
    """The tree of a file, and how much of it was parsed."""
    progress = Progress()
    return parsed_by_parts(source, "f.py", lambda _first, _last: False, progress), progress


@pytest.mark.parametrize("source", SHAPES.values(), ids=SHAPES)
def test_a_file_by_parts_is_the_whole_file(source: str) -> None:
    """Every node, line and column."""
    tree, _ = by_parts(source.encode())

    assert dumped(tree) == dumped(ast.parse(source))


def test_a_body_is_parsed_when_it_is_asked_for() -> None:
    """Before, only what is around it is."""
    source = SHAPES["plain"].encode()
    tree, progress = by_parts(source)
    before = progress.size
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)

    assert len(function.body) == 250
    assert before < 100
    assert progress.size > 9_000


def test_a_function_that_has_a_word_is_parsed_at_once() -> None:
    """Its lines are asked about."""
    source = SHAPES["plain"].encode()
    asked: list[tuple[int, int]] = []
    progress = Progress()

    parsed_by_parts(source, "f.py", lambda first, last: not asked.append((first, last)), progress)

    assert asked == [(1, 251)]
    assert progress.size == len(source)


def test_a_body_that_does_not_parse_returns_what_is_not_known() -> None:
    """The rest of the file is read."""
    tree, _ = by_parts(f"def f():\n{LONG}    a b\nKEYS = ['a']\n".encode())
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)

    assert ast.unparse(function.body) == "return ..."
    assert len(tree.body) == 2


@pytest.mark.parametrize(
    "source",
    [
        f"def f():\r\n{LONG}",
        f"# coding: latin-1\ndef f():\n{LONG}",
        f"def f():\n\tx = 1\n{LONG}",
        f"def f(): return 1\n{LONG.replace('    ', '')}",
    ],
    ids=["carriage returns", "another encoding", "tabs", "on one line"],
)
def test_what_is_hard_to_tell_is_parsed_as_a_whole(source: str) -> None:
    """No body is left out."""
    assert bodies_of(source.encode()) == []


def test_an_upsert_in_a_broken_function_is_a_problem(tmp_path: Path) -> None:
    """A file is not read in silence whose upsert cannot be."""
    path = tmp_path / "a.py"
    path.write_text(f"def f():\n{LONG}    upsert(\n\n\ndef g():\n{LONG}")

    report = scan([path], DeclaredTables(()))

    assert [problem.is_unread for problem in report.problems] == [True]


def test_an_upsert_in_a_broken_function_is_a_problem_whichever_file_led_there(
    tmp_path: Path,
) -> None:
    """What another file asked for was in the rest of it."""
    (tmp_path / "a.py").write_text(
        "from b import KEY\nSQL = f'INSERT INTO t (a) VALUES (1) ON CONFLICT ({KEY}) DO NOTHING'\n"
    )
    (tmp_path / "b.py").write_text(f"KEY = 'a'\ndef f(s):\n{LONG}    upsert('ON CONFLICT' = = s)\n")

    report = scan([tmp_path], DeclaredTables(()))

    assert [Path(problem.path).name for problem in report.problems] == ["b.py"]


@pytest.mark.parametrize("padding", ["", LONG], ids=["small", "large"])
@pytest.mark.parametrize(
    ("source", "change"),
    [
        (
            (
                "class Store:\n    TABLE = 'a'\n    def put(self, s):\n"
                "        s.execute(f'INSERT INTO {self.TABLE} (k) VALUES (1) ON CONFLICT (k) DO NOTHING')\n"
            ),
            "setattr(Store, 'TABLE', 'b')",
        ),
        (
            (
                "TABLE = 'a'\ndef put(s):\n"
                "    s.execute(f'INSERT INTO {TABLE} (k) VALUES (1) ON CONFLICT (k) DO NOTHING')\n"
            ),
            "globals()['TABLE'] = 'b'",
        ),
    ],
    ids=["setattr", "globals"],
)
def test_what_is_changed_by_its_name_is_not_trusted(
    tmp_path: Path, source: str, change: str, padding: str
) -> None:
    """As with ``Store.TABLE = x`` and ``global TABLE``."""
    (tmp_path / "app.py").write_text(f"{source}def switch():\n{padding}    {change}\n")

    (judged,) = scan([tmp_path], None).upserts

    assert judged.resolution.value == "unresolved"
