"""Draws docs/architecture.svg from the imports of the package: ``python -m tests.architecture``.

A box is a package or module of the top level, on the floor above all that it imports; an arrow is an import that is
not already there by way of another box. ``tests/docs/test_architecture.py`` fails where the picture is not this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

PICTURE = Path(__file__).parents[1] / "docs" / "architecture.svg"

PACKAGE = "alembic_upsert_guard"
LEFT_OUT = frozenset({"__main__"})

WIDTH, BOX, HEIGHT, FLOOR = 1040, 150, 34, 86
STYLE = """\
svg { font: 14px system-ui, sans-serif; background: #fff }
rect { fill: #e6f2f1; stroke: #00796b } text { fill: #12312e; text-anchor: middle }
.import { fill: none; stroke: #6b8a87; marker-end: url(#arrow) } marker { fill: #6b8a87 }
@media (prefers-color-scheme: dark) {
svg { background: #141c1b } rect { fill: #17403c; stroke: #3fa99d } text { fill: #e6f2f1 } }"""

ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 8 4 0 8z"/></marker>'
)

Edges = dict[str, frozenset[str]]


def imports() -> Edges:
    """What each part of the top level imports, of these parts."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    parts = sorted(
        each for each in graph.find_children(PACKAGE) if each.rpartition(".")[2] not in LEFT_OUT
    )
    for part in parts:
        graph.squash_module(part)
    return {
        _short(part): frozenset(
            _short(each)
            for each in graph.find_modules_directly_imported_by(part)
            if each in parts and each != part
        )
        for part in parts
    }


def _short(module: str) -> str:
    return module.removeprefix(f"{PACKAGE}.")


def floors(edges: Edges) -> dict[str, int]:
    """The floor of each part, 0 for one that imports no other; each is above all that it imports."""
    known: dict[str, int] = {}

    def floor(part: str) -> int:
        if part not in known:
            known[part] = 1 + max(map(floor, edges[part]), default=-1)
        return known[part]

    for part in edges:
        floor(part)
    return known


def without_shortcuts(edges: Edges) -> Edges:
    """The imports that are not implied by others: no arrow where a path of arrows leads."""
    below = {part: _below(part, edges) for part in edges}
    return {
        part: frozenset(
            each for each in to if not any(each in below[other] for other in to if other != each)
        )
        for part, to in edges.items()
    }


def _below(part: str, edges: Edges) -> frozenset[str]:
    return edges[part].union(*(_below(each, edges) for each in edges[part]))


@dataclass(frozen=True, slots=True)
class Place:
    x: float
    y: float


def places(edges: Edges) -> dict[str, Place]:
    """The middle of each box: floors from the top down, each spread over the width."""
    by_floor: dict[int, list[str]] = {}
    for part, floor in floors(edges).items():
        by_floor.setdefault(floor, []).append(part)
    top = max(by_floor)
    return {
        part: Place(WIDTH * (2 * n + 1) / (2 * len(parts)), 30 + FLOOR * (top - floor))
        for floor, parts in by_floor.items()
        for n, part in enumerate(sorted(parts))
    }


def picture() -> str:
    edges = imports()
    at = places(edges)
    arrows = [
        _arrow(at[part], at[each])
        for part, to in sorted(without_shortcuts(edges).items())
        for each in sorted(to)
    ]
    height = int(max(place.y for place in at.values()) + 30)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            "<title>The packages of alembic-upsert-guard, and what each imports</title>",
            f"<style>{STYLE}</style>",
            ARROW,
            *arrows,
            *(_box(part, place) for part, place in sorted(at.items())),
            "</svg>\n",
        ]
    )


def _arrow(start: Place, end: Place) -> str:
    top, bottom = start.y + HEIGHT / 2, end.y - HEIGHT / 2
    bend = (bottom - top) / 2
    return (
        f'<path class="import" d="M{start.x:.0f} {top:.0f}C{start.x:.0f} {top + bend:.0f} '
        f'{end.x:.0f} {bottom - bend:.0f} {end.x:.0f} {bottom:.0f}"/>'
    )


def _box(part: str, place: Place) -> str:
    x, y = place.x - BOX / 2, place.y - HEIGHT / 2
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{BOX}" height="{HEIGHT}" rx="5"/>'
        f'<text x="{place.x:.0f}" y="{place.y + 5:.0f}">{escape(part)}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
