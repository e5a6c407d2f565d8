"""What is so in many schemas alike is reported once, and what is so in a few is reported of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_upsert_guard.findings import (
    Finding,
    FindingCode,
    Location,
    as_github,
    as_lines,
    describe_schemas,
)


def finding(
    schema: str | None, fact: str = "nothing is unique", table: str | None = "t"
) -> Finding:
    return Finding(
        code=FindingCode.MISSING_ARBITER,
        schema=schema,
        table=table,
        elements=("a",),
        fact=fact,
        hint=f"look at {schema}",
    )


def printed(*findings: Finding) -> list[str]:
    lines = as_lines(findings, coloured=False)
    return [line.removeprefix("error[missing-arbiter]: ") for line in lines]


def test_a_few_are_reported_one_by_one() -> None:
    """Each with its schema and its way out."""
    assert printed(*map(finding, (None, "x", "y"))) == [
        "upsert key t (a): nothing is unique. Look at None",
        "upsert key x.t (a): nothing is unique. Look at x",
        "upsert key y.t (a): nothing is unique. Look at y",
    ]


def test_many_are_reported_together() -> None:
    """Where the first stood, with its way out."""
    other = finding("x", table="u")
    assert printed(finding(None), other, *map(finding, "xyz")) == [
        "upsert key t (a) in 4 schemas (the default one, x, y and 1 more): nothing is unique. Look at None",
        "upsert key x.u (a): nothing is unique. Look at x",
    ]


def test_many_facts_are_folded() -> None:
    """Of a key whose facts differ everywhere, two lines and one for the rest."""
    lines = printed(
        *(finding(schema, f"{number} rows") for number, schema in enumerate("vwxyz", 1))
    )
    assert lines[:2] == [
        "upsert key v.t (a): 1 rows. Look at v",
        "upsert key w.t (a): 2 rows. Look at w",
    ]
    (rest,) = lines[2:]
    assert rest == (
        "upsert key t (a) in 3 schemas (x, y, z): the same, in other numbers or under other names. "
        "See --format json, which lists each"
    )


@pytest.mark.parametrize(
    "each",
    [
        [replace(finding(None), location=Location("a.py", line)) for line in range(9)],
        [finding(None, f"{number} rows", table=None) for number in range(9)],
    ],
    ids=["a place in a file", "no table"],
)
def test_what_is_about_no_schema_is_reported_of_each(each: list[Finding]) -> None:
    """Places in files, and databases that cannot be judged."""
    assert len(printed(*each)) == len(as_github(each)) == 9


def test_annotations_are_as_few() -> None:
    """GitHub shows ten of a step."""
    (annotation,) = as_github([*map(finding, "vwxyz")])
    assert "upsert key t (a) in 5 schemas (v, w, x and 2 more): nothing is unique" in annotation


@pytest.mark.parametrize(
    ("schemas", "label"),
    [
        (["x"], ""),
        (["x", "y"], " in 2 schemas (x, y)"),
        (["w", "x", "y", "z"], " in 4 schemas (w, x, y and 1 more)"),
    ],
)
def test_schemas_are_named_as_far_as_a_line_goes(schemas: list[str], label: str) -> None:
    """The others are counted."""
    assert describe_schemas(schemas) == label
