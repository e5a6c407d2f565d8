"""One key to declare is offered once, whatever the number of call sites that lack it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .finding import Finding

__all__ = ["offered_once"]

_FEW = 5
"""As many places are listed beside an offer; each has a line of its own as well."""


def offered_once(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings in their order, a key offered by the first that lacks it, and referred to by the others."""
    groups: dict[tuple[str | None, str | None, str], list[Finding]] = {}
    for finding in findings:
        if finding.offer is not None and finding.location is not None:
            key = (finding.schema, finding.table, finding.offer)
            groups.setdefault(key, []).append(finding)
    hints: dict[int, str] = {}
    for (_, _, offer), (first, *others) in groups.items():
        if not others:
            continue
        places = [_place(finding) for finding in others]
        listed = ", ".join(places[:_FEW])
        more = f" and {len(places) - _FEW} more" if len(places) > _FEW else ""
        hints[id(first)] = first.hint.replace(offer, f"{offer} (also for {listed}{more})", 1)
        for finding in others:
            hints[id(finding)] = finding.hint.replace(
                offer, f"declare the key as at {_place(first)}", 1
            )
    return [replace(each, hint=hints.get(id(each), each.hint)) for each in findings]


def _place(finding: Finding) -> str:
    at = finding.location
    return "" if at is None else f"{at.path}:{at.line}"
