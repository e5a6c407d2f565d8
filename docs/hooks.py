"""What mkdocs is told beside mkdocs.yml: names of blocks become titles, and the codes' pages find their place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

CODES = Path(__file__).parent / "codes"


def on_config(config: Any) -> Any:
    """List the codes' pages, so that a new one needs no line elsewhere."""
    for entry in config.nav:
        if isinstance(entry, dict) and "Finding codes" in entry:
            entry["Finding codes"] = [f"codes/{page.name}" for page in sorted(CODES.glob("*.md"))]
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn the name behind a block's language (the tests go by it) into the block's title."""
    named = re.compile(r"^```(\w+) ([\w./ -]+)$", re.MULTILINE)
    return named.sub(r'```\1 title="\2"', markdown)
