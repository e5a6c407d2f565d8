"""A scan's answers held against what a person read: which upserts are read, which wrongly, which not and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .truth import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .truth import Answer, Package, Site, Use

__all__ = ["Comparison", "Report", "Wrong", "compare"]

SILENT = "nothing is reported"


@dataclass(frozen=True, slots=True)
class Report:
    """What a scan says of one upsert."""

    place: Place
    answer: Answer | str
    """The reason, where it is unread."""
    written: Place | None = None
    """Of a helper's upsert that is reported at a call: where it is written; None: at `place`."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that no reading of the source gives."""

    report: Report
    right: frozenset[Answer]
    """Empty: the truth has no upsert there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A package, and what a scan makes of it."""

    package: Package
    read: frozenset[Use]
    wrong: tuple[Wrong, ...]
    reasons: dict[Use, str]
    """Of every use that can be known and is not read."""

    @property
    def known(self) -> list[Site]:
        """The sites of which the source says what they mean."""
        return [site for site in self.package.sites if site.is_known]

    @property
    def read_sites(self) -> list[Site]:
        """Those that are read: a helper where each of its calls is that can be known."""
        return [
            site
            for site in self.known
            if all(use in self.read for use in site.uses if use.is_known)
        ]

    @property
    def share(self) -> float | None:
        """Of the sites that can be known, how many are read; None: there are none."""
        return len(self.read_sites) / len(self.known) if self.known else None

    @property
    def share_of_all(self) -> float:
        """Of all sites, how many are read."""
        return len(self.read_sites) / len(self.package.sites)

    @property
    def unread(self) -> Counter[str]:
        """How many upserts that can be known are unread, by reason; a call is one upsert."""
        return Counter(self.reasons.values())


def compare(
    package: Package, reports: Iterable[Report], last_line: Callable[[Place], int]
) -> Comparison:
    """Return how a scan's reports agree with the truth.

    :param last_line: of the call that begins at a place; a report anywhere in a call is about that call.
    """
    where = _uses_by_place(package, last_line)
    read: set[Use] = set()
    wrong: list[Wrong] = []
    said: dict[Use, str] = {}
    for report in reports:
        uses = where.get(report.place, frozenset())
        if not uses and report.written is not None:
            # what all calls have in common is known where it is written
            uses = where.get(report.written, frozenset())
        if isinstance(report.answer, str):
            said |= dict.fromkeys(uses, report.answer)
            continue
        agreeing = {use for use in uses if report.answer in use.answers}
        read |= agreeing
        if not agreeing:
            right = frozenset(answer for use in uses for answer in use.answers)
            wrong.append(Wrong(report, right))
    known = {use for site in package.sites for use in site.uses if use.is_known}
    return Comparison(
        package=package,
        read=frozenset(read),
        wrong=tuple(wrong),
        reasons={use: said.get(use, SILENT) for use in known - read},
    )


def _uses_by_place(
    package: Package, last_line: Callable[[Place], int]
) -> dict[Place, frozenset[Use]]:
    """Every place where a scan may report, with the uses that it may mean there; an exact line comes first."""
    exact: dict[Place, set[Use]] = {}
    around: dict[Place, set[Use]] = {}
    for site in package.sites:
        for place in (site.place, *site.via):
            exact.setdefault(place, set()).update(site.uses)
        if site.is_helper:
            for use in site.uses:
                exact.setdefault(use.place, set()).add(use)
    for place, uses in exact.items():
        for inside in _inside(place, last_line):
            around.setdefault(inside, set()).update(uses)
    return {place: frozenset(uses) for place, uses in (around | exact).items()}


def _inside(place: Place, last_line: Callable[[Place], int]) -> Iterator[Place]:
    for line in range(place.line, last_line(place) + 1):
        yield Place(place.path, line)
