"""Every shape of the corpus is resolved as it is labelled: not one otherwise, and none too many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import Resolution, scan
from alembic_upsert_guard.upserts.target import Lookup
from tests.scan.corpus import Shape, described, shapes

if TYPE_CHECKING:
    from pathlib import Path

    from alembic_upsert_guard.upserts.scan import DeclaredTables, JudgedUpsert, ScanReport

SHAPES = shapes()

SEVERITIES = {
    Resolution.MODELLED: "warning",
    Resolution.UNDECLARED: "error",
    Resolution.UNRESOLVED: "warning",
}


def severity_of(judged: JudgedUpsert) -> str:
    """What looks its rows up by itself runs without a key: that one can be declared is no error."""
    looks_up = isinstance(judged.upsert.target, Lookup) and judged.findings[0].offer is not None
    return "warning" if looks_up else SEVERITIES[judged.resolution]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.title)
def test_the_shape_is_resolved_and_reported_as_labelled(
    shape: Shape, folder: Path, shop: DeclaredTables
) -> None:
    """Table, elements, predicate and resolution of every call site, and a finding for each that is not declared."""
    shape.write(folder)

    report = scan([folder], shop)

    assert [described(each) for each in report.upserts] == shape.expected
    assert report.problems == ()
    assert_reported(report)


def test_the_corpus_is_large_and_mixed() -> None:
    """At least 120 call sites, each resolution among them, and no shape twice."""
    labels = Counter(line.split()[0] for shape in SHAPES for line in shape.expected)

    assert labels.total() >= 120
    assert set(labels) == {"declared", "modelled", "undeclared", "unresolved"}
    assert min(labels.values()) >= 20
    assert len({shape.title for shape in SHAPES}) == len(SHAPES)


def assert_reported(report: ScanReport) -> None:
    """What is not declared has a finding of its code and severity, whose fact is the reason, with a hint."""
    wanted = [
        (severity_of(judged), judged.findings[0].fact)
        for judged in report.upserts
        if judged.resolution is not Resolution.DECLARED
    ]
    findings = [f for f in report.findings if f.code != "bound-predicate"]
    assert sorted((f.severity, f.fact) for f in findings) == sorted(wanted)
    unresolved = {f.fact for f in findings if f.code == "unresolved-upsert"}
    upserts = [j for j in report.upserts if j.resolution is Resolution.UNRESOLVED]
    assert unresolved == {judged.findings[0].fact for judged in upserts}
    assert all(f.hint and not f.fact.endswith(".") for f in report.findings)
