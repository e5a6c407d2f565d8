"""`python -m tests.addresses SOURCE SITE` moves the project: every link leads to that repository and that site.

Both addresses are those of `[project.urls]` in pyproject.toml, which `tests/test_addresses.py` holds every link to.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PYPROJECT = ROOT / "pyproject.toml"
LINKED = (
    *("*.md", "*.toml", "*.yml", "*.yaml", ".github/**/*.yml", "docs/**/*.md", "docs/*.json"),
    *("sample_project/**/*.md", "sample_project/**/*.yml", "alembic_upsert_guard/**/*.py"),
)
"""What may hold a link to the project, from its root on."""

LINK = re.compile(r"https?://[\w.-]+/[\w./-]*|uses: *[\w./-]+@")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the project is."""

    source: str
    """The repository, without a slash at its end."""
    site: str
    """The pages, with a slash at its end."""

    @property
    def action(self) -> str:
        """Owner and name, as a workflow's `uses:` has them."""
        return "/".join(self.source.split("/")[-2:])

    def strangers(self, text: str) -> list[str]:
        """The links that name the project and lead elsewhere."""
        name = self.source.rpartition("/")[2]
        ours = (self.source, self.site, f"uses: {self.action}@")
        links = (link for link in LINK.findall(text) if f"/{name}" in link)
        return [link for link in links if not link.startswith(ours)]

    def moved(self, text: str, new: Addresses) -> str:
        """The text with the links that lead here leading there."""
        for old_start, new_start in (
            (self.source, new.source),
            (self.site, new.site),
            (f"uses: {self.action}@", f"uses: {new.action}@"),
        ):
            text = text.replace(old_start, new_start)
        return text


def addresses() -> Addresses:
    """Those of pyproject.toml."""
    urls = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["urls"]
    return Addresses(urls["Source"], urls["Documentation"])


def linked() -> Iterator[Path]:
    """Every file that may hold a link."""
    for pattern in LINKED:
        yield from ROOT.glob(pattern)


def main(source: str, site: str) -> None:
    """Move every file."""
    old, new = addresses(), Addresses(source.rstrip("/"), site.rstrip("/") + "/")
    for path in linked():
        text = path.read_text(encoding="utf-8")
        if (moved := old.moved(text, new)) != text:
            path.write_text(moved, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
