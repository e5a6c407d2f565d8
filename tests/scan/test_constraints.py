"""Upserts that name a constraint: each answer beside the database's, each wrong one with its right twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import Resolution

if TYPE_CHECKING:
    from tests.scan.garage import Garage

CONSTRAINT = 'UpsertKey("regno", name="single_regno"),'

INDEXES = {
    "where": 'UpsertKey("regno", where=text("NOT sold"), name="single_regno"),',
    "expression": 'UpsertKey(text("lower(regno)"), name="single_regno"),',
    "as_index": 'UpsertKey("regno", name="single_regno", as_index=True),',
    "pointing at an Index": 'Index("single_regno", "regno", unique=True), UpsertKey("regno"),',
    "pointing at a partial Index": (
        'Index("single_regno", "regno", unique=True, postgresql_where=text("NOT sold")), '
        'UpsertKey("regno", where=text("NOT sold")),'
    ),
    "pointing at a unique, indexed column": (
        'Index("single_regno", func.lower(text("regno")), unique=True), UpsertKey(text("lower(regno)")),'
    ),
    "an Index without a key": 'Index("single_regno", "regno", unique=True),',
    "an Index that is not unique": 'Index("single_regno", "regno"),',
}


@pytest.mark.parametrize("arguments", INDEXES.values(), ids=INDEXES)
def test_a_key_that_becomes_an_index_is_no_constraint(garage: Garage, arguments: str) -> None:
    """42704, whatever made it an index; the twin is a constraint of the same name, and passes."""
    wrong = garage.python(arguments, 'constraint="single_regno"')
    right = garage.python(CONSTRAINT, 'constraint="single_regno"')

    assert wrong.codes == [("missing-constraint", "error")]
    assert (wrong.resolution, wrong.sqlstate) == (Resolution.UNDECLARED, "42704")
    assert "single_regno" in wrong.findings[0].fact
    assert (right.resolution, right.codes, right.sqlstate) == (Resolution.DECLARED, [], None)


def test_a_constraint_that_was_adopted_under_another_name(
    garage: Garage,
) -> None:
    """A key that states no name is served by any: the name is in doubt; one that is stated is the twin."""
    adopted = (
        "ALTER TABLE cars DROP CONSTRAINT uq_cars_regno",
        "CREATE UNIQUE INDEX ux ON cars (regno)",
    )
    wrong = garage.python('UpsertKey("regno"),', 'constraint="uq_cars_regno"', *adopted)
    right = garage.python('UpsertKey("regno", name="uq_cars_regno"),', 'constraint="uq_cars_regno"')

    assert wrong.codes == [("unresolved-upsert", "warning")]
    assert (wrong.resolution, wrong.sqlstate) == (Resolution.UNRESOLVED, "42704")
    assert wrong.findings[0].hint.startswith(
        "write **conflict_target(Car), or state the name in the key"
    )
    assert (right.resolution, right.codes, right.sqlstate) == (Resolution.DECLARED, [], None)


def test_a_name_that_the_models_spell_otherwise(garage: Garage) -> None:
    """The hint is the name that they have, and the columns."""
    models = 'UniqueConstraint("regno", name="uq_cars_regno"),'
    wrong = garage.python(models, 'constraint="cars_regno_uq"')
    right = garage.python(models, 'constraint="uq_cars_regno"')

    assert wrong.codes == [("missing-constraint", "error")]
    assert wrong.sqlstate == "42704"
    assert wrong.findings[0].hint == (
        'write constraint="uq_cars_regno", as the models call it, or index_elements=["regno"]'
    )
    assert (right.resolution, right.sqlstate) == (Resolution.MODELLED, None)
    assert right.codes == [("undeclared-upsert", "warning")]


@pytest.mark.parametrize(
    ("arguments", "name", "resolution", "sqlstate"),
    [
        ('UniqueConstraint("regno"),', "cars_regno_key", Resolution.MODELLED, None),
        ('UniqueConstraint("regno"),', "cars_regno_uq", Resolution.UNRESOLVED, "42704"),
        ('UniqueConstraint("regno"), UpsertKey("regno"),', "cars_regno_key", "declared", None),
        ('UpsertKey("id"),', "cars_pkey", Resolution.DECLARED, None),
        ("", "cars_pkey", Resolution.MODELLED, None),
        ("", "pk_cars", Resolution.UNDECLARED, "42704"),
        (
            'UniqueConstraint("regno", name="u", deferrable=True),',
            "u",
            Resolution.UNDECLARED,
            "55000",
        ),
        ('UniqueConstraint("id", name="u"),', "u", Resolution.UNRESOLVED, None),
        (
            'PrimaryKeyConstraint("id", name="p"), UniqueConstraint("id", name="u"),',
            "u",
            Resolution.UNRESOLVED,
            "42704",
        ),
        (
            'PrimaryKeyConstraint("id", name="p"), UniqueConstraint("id", name="u"),',
            "p",
            Resolution.MODELLED,
            None,
        ),
        ('CheckConstraint("id > 0", name="c"),', "c", Resolution.UNDECLARED, "42809"),
        ('ExcludeConstraint((text("id"), "="), name="x", using="btree"),', "x", "unresolved", None),
    ],
)
def test_names_that_nobody_wrote_and_other_kinds(
    garage: Garage,
    arguments: str,
    name: str,
    resolution: Resolution,
    sqlstate: str | None,
) -> None:
    """What PostgreSQL names by itself counts; a deferrable constraint and one without an index do not."""
    found = garage.python(arguments, f"constraint={name!r}")

    assert (found.resolution, found.sqlstate) == (resolution, sqlstate)
    assert found.codes[:1] != [("missing-constraint", "error")] or sqlstate in ("42704", "42809")


@pytest.mark.parametrize(
    ("arguments", "target", "resolution", "sqlstate"),
    [
        ("", "constraint=Car.__table__.primary_key", Resolution.MODELLED, None),
        ('UpsertKey("id"),', "constraint=Car.__table__.primary_key", Resolution.DECLARED, None),
        ("", "constraint=UniqueConstraint(Car.regno)", Resolution.UNDECLARED, "42P10"),
        (
            CONSTRAINT,
            'constraint=UniqueConstraint(Car.regno, name="single_regno")',
            "declared",
            None,
        ),
        (CONSTRAINT, 'constraint=UniqueConstraint(Car.regno, name="regno")', "undeclared", "42704"),
        (INDEXES["where"], 'constraint=Index("single_regno", Car.regno)', "undeclared", "42P10"),
        (
            INDEXES["where"],
            'constraint=Index("x", Car.regno, postgresql_where=text("NOT sold"))',
            Resolution.DECLARED,
            None,
        ),
        (
            INDEXES["an Index without a key"],
            'constraint=Index("x", Car.regno)',
            Resolution.MODELLED,
            None,
        ),
    ],
)
def test_constraint_objects_are_read_as_sqlalchemy_takes_them(
    garage: Garage,
    arguments: str,
    target: str,
    resolution: Resolution,
    sqlstate: str | None,
) -> None:
    """By name where they have one, by columns where not; an Index by its elements and predicate."""
    if "Car.regno" in target:
        # SQLAlchemy wants the column itself there
        target = target.replace("Car.regno", "Car.__table__.c.regno")
    found = garage.python(arguments, target)

    assert (found.resolution, found.sqlstate) == (resolution, sqlstate)
