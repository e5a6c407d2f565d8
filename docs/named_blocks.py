"""A Markdown extension: the name behind a block's language, by which the tests go, becomes the block's title."""

from __future__ import annotations

import re
from typing import Any

from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

NAMED = re.compile(r"^```(\w+) ([\w./ -]+)$")
BEFORE_FENCES = 30  # pymdownx.superfences reads its blocks at 25


class NamedBlocks(Preprocessor):
    """Turns the fence of a named block into what superfences calls a title."""

    def run(self, lines: list[str]) -> list[str]:
        return [NAMED.sub(r'```\1 title="\2"', line) for line in lines]


class NamedBlocksExtension(Extension):
    def extendMarkdown(self, md: Any) -> None:  # noqa: N802 - Markdown calls it so
        md.preprocessors.register(NamedBlocks(md), "named_blocks", BEFORE_FENCES)


def makeExtension(**options: Any) -> NamedBlocksExtension:  # noqa: N802 - Markdown calls it so
    """Return the extension; `markdown_extensions: [named_blocks]` calls this."""
    return NamedBlocksExtension(**options)
