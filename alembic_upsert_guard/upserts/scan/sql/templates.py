"""SQL with Jinja in it, as SQL with holes. Nothing is rendered, and nothing of it is run.

==========================================  =====================================================
the template                                in its place
==========================================  =====================================================
``{{ expression }}``                        a hole
``{% for %} ... {% endfor %}``              a hole, unless an upsert is inside
``{% if %} ... {% else %} ... {% endif %}`` a hole, unless an upsert is inside
an upsert inside                            the text of every branch, whole statements apart
``{% set %}``, ``{# comment #}``, others    nothing
==========================================  =====================================================

So a hole in a table or a target is one, whichever tag made it, and what is around a statement does not matter. A set
of braces that is none of these, as in ``'{{1,2},{3,4}}'``, stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .tokens import HOLE

__all__ = ["without_templates"]

_TAG = re.compile(r"\{\{([^{}]*)\}\}|\{%[-+]?\s*(\w+)[^{}]*?%\}|\{#.*?#\}", re.DOTALL)
"""A tag; not SQL, which it is cut out of."""

_PAIRS = {
    "for": "endfor",
    "if": "endif",
    "macro": "endmacro",
    "call": "endcall",
    "filter": "endfilter",
}
_BRANCHES = frozenset({"elif", "else"})
_WORDS = frozenset(
    {*_PAIRS, *_PAIRS.values(), *_BRANCHES}
    | {
        "block",
        "endblock",
        "do",
        "extends",
        "from",
        "import",
        "include",
        "raw",
        "endraw",
        "set",
        "endset",
    }
    | {"with", "endwith", "autoescape", "endautoescape", "materialization", "endmaterialization"}
)
_STATEMENTS = ("insert", "merge", "with", "create", "do", "begin", "update", "delete", "select")


@dataclass(slots=True)
class _Block:
    """A tag that an end belongs to, with what is in it."""

    end: str
    start: int
    branches: list[list[str]] = field(default_factory=lambda: [[]])
    """The pieces of text of each."""


def without_templates(sql: str) -> str:
    """Return a text with holes in place of its tags; every line keeps its number."""
    if "{{" not in sql and "{%" not in sql and "{#" not in sql:
        return sql
    outermost = _Block("", 0)
    open_blocks = [outermost]
    done = 0
    for tag in _TAG.finditer(sql):
        word = tag[2]
        if word is not None and word not in _WORDS:
            continue
        written = open_blocks[-1].branches[-1]
        written.append(sql[done : tag.start()])
        done = tag.end()
        lines = "\n" * tag[0].count("\n")
        if tag[1] is not None:
            written.append(_hole(tag.start()) + lines)
        elif word in _PAIRS:
            written.append(lines)
            open_blocks.append(_Block(_PAIRS[word], tag.start()))
        elif word in _BRANCHES and len(open_blocks) > 1:
            open_blocks[-1].branches.append([lines])
        elif word == open_blocks[-1].end:
            closed = open_blocks.pop()
            open_blocks[-1].branches[-1].append(_text_of(closed) + lines)
        else:
            written.append(lines)
    for unclosed in reversed(open_blocks[1:]):
        outermost.branches[-1].append(_text_of(unclosed))
    return "".join(outermost.branches[-1]) + sql[done:]


def _text_of(block: _Block) -> str:
    texts = ["".join(pieces) for pieces in block.branches]
    if not any(_may_upsert(text) for text in texts):
        return _hole(block.start) + "\n" * "".join(texts).count("\n")
    return "".join(_apart(text) for text in texts)


def _may_upsert(text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in ("conflict", "duplicate", "insert", "merge"))


def _apart(text: str) -> str:
    """A branch that begins with a statement is not part of the one before or behind it."""
    return f";{text};" if text.lstrip().lower().startswith(_STATEMENTS) else text


def _hole(at: int) -> str:
    return f"{HOLE}{at}j_"
