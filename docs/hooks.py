"""What mkdocs is told beside mkdocs.yml: names of blocks become titles, and every page finds its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent


def on_config(config: Any) -> Any:
    """List the codes' pages, and under "More" every page that mkdocs.yml does not name."""
    for entry in config.nav:
        if "Finding codes" in entry:
            entry["Finding codes"] = [f"codes/{path.name}" for path in pages(DOCS / "codes")]
    more = [path.name for path in pages(DOCS) if path.name not in str(config.nav)]
    if more:
        config.nav.append({"More": more})
    return config


def pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.md"))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn the name behind a block's language (the tests go by it) into the block's title."""
    named = re.compile(r"^```(\w+) ([\w./ -]+)$", re.MULTILINE)
    return named.sub(r'```\1 title="\2"', markdown)
