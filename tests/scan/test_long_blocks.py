"""What binds a name in a long module: looked up for all names at once, and the same as in a short one."""

from __future__ import annotations

import ast
from time import process_time

import pytest

from alembic_upsert_guard.upserts.scan.python.bindings import bindings_at, bindings_in
from alembic_upsert_guard.upserts.scan.python.module import Module

REST = "".join(f"other_{n} = {n}\n" for n in range(250))
"""So many lines that a name is not looked for in them."""

BINDS = {
    "assignment": "key = 1",
    "several targets": "first = key = 1",
    "tuple": "key, first = 1, 2",
    "nested tuple": "first, (key, second) = x",
    "starred": "first, *key = x",
    "list": "[first, key] = x",
    "augmented": "key += 1",
    "annotated": "key: int = 1",
    "import": "import key",
    "import of a part": "import key.part",
    "import under another name": "import part as key",
    "import of a name": "from part import (\n    first,\n    key,\n)",
    "import of a name under another": "from part import first as key",
    "function": "@first\ndef key(): pass",
    "function that waits": "async def key(): pass",
    "class": "class key: pass",
    "for": "for first, key in x: pass",
    "with": "with x as (first, key): pass",
    "except": "try: pass\nexcept x as key: pass",
    "match": "match x:\n    case [first, *key]: pass",
    "del": "del first, key",
    "in an if": "if x:\n    pass\nelif y:\n    key = 1\nelse:\n    key = 2",
    "in a try": "try:\n    import key\nexcept x:\n    key = None\nfinally:\n    key = 2",
    "in a while": "while x:\n    with y:\n        key = 1",
    "in a case": "match x:\n    case 1:\n        key = 1",
    "walrus": "print(key := 1)",
    "several on a line": "first = 1; key = 2; second = 3",
    "lines that are shared": "first = (\n1); key = (\n2); second = key",
    "global": "def first():\n    global key\n    key = 1\nkey = 2",
}
BINDS_NOT = {
    "use": "print(key)",
    "attribute": "key.part = 1",
    "item": "key[0] = 1",
    "annotated alone": "key: int",
    "import from it": "from key import part",
    "import that it is a part of": "import part.key",
    "import of it under another name": "import key as part",
    "parameter": "def first(key): pass",
    "in a function": "def first():\n    key = 1",
    "in a class": "class first:\n    key = 1",
    "comprehension": "first = [key for key in x]",
}


def bound(source: str, name: str = "key") -> list[str]:
    """What binds a name in a module, as text without places."""
    module = Module("keys.py", source.encode())
    last = module.tree.body[-1]
    every = [*bindings_in(module, module.tree, name), *bindings_at(module, name, last)]
    return [
        f"{type(binding).__name__} "
        + " ".join(
            ast.dump(value) if isinstance(value, ast.AST) else str(value)
            for value in (getattr(binding, slot) for slot in type(binding).__slots__)
        )
        for binding in every
    ]


@pytest.mark.parametrize("statement", BINDS.values(), ids=BINDS)
def test_what_binds_a_name_binds_it_in_a_long_module(statement: str) -> None:
    """Whichever way Python has."""
    short = bound(f"{statement}\nend()\n")

    assert short
    assert bound(f"{statement}\n{REST}end()\n") == short
    assert bound(f"{REST}{statement}\nend()\n") == short


@pytest.mark.parametrize("statement", BINDS_NOT.values(), ids=BINDS_NOT)
def test_what_binds_no_name_binds_none_in_a_long_module(statement: str) -> None:
    """It uses the name, or binds it elsewhere."""
    assert bound(f"{statement}\n{REST}end()\n") == []


def test_a_star_is_bound_in_a_long_module() -> None:
    """What it brings along is looked for where it leads."""
    short = bound("from part import *\nend()\n", "*")

    assert short
    assert bound(f"from part import *\n{REST}end()\n", "*") == short


def test_each_name_is_looked_up_among_the_statements_that_bind_it() -> None:
    """Thousands of names and of statements are no millions of steps."""
    statements = "".join(f"if a_{n}:\n    d.x, b_{n} = 1, 2\n" for n in range(3000))
    module = Module("keys.py", statements.encode())
    begun = process_time()

    found = [bindings_in(module, module.tree, f"b_{n}") for n in range(3000)]

    assert {len(each) for each in found} == {1}
    assert process_time() - begun < 5
