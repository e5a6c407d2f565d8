"""What a revision does for a key, decided without a database: facts in, steps out."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from alembic_upsert_guard.databases import SQLITE
from alembic_upsert_guard.findings import shortfall_fact
from alembic_upsert_guard.inference import Kind, Traits
from alembic_upsert_guard.migration.compare.key_state import KeyState
from alembic_upsert_guard.migration.compare.plan import RepairPlan, plan_repair
from tests.inference.sentences import UNREADABLE, offered, promise, sql

WANTED = offered("uq", "a", "b", kind=Kind.CONSTRAINT)
GOOD = WANTED
ELSEWHERE = offered("ux", "b", "a")
SPOILER = offered("slow", "b", "a", kind=Kind.CONSTRAINT, immediate=False)
BROKEN = offered("broken", "a", "b", valid=False)
IMPOSTOR = offered("uq", "a", "c", kind=Kind.CONSTRAINT)
SUBSET = offered("sub", "a")


def repair(
    *there: Any,
    wanted: Any = WANTED,
    owned: bool = True,
    alembic_drops: tuple[Any, ...] = (),
    alembic_creates: bool = True,
    compared: bool = True,
    nullable: bool = False,
) -> RepairPlan:
    """The repair of a key on ``(a, b)``, or of what is wanted, given what the database has."""
    return plan_repair(
        KeyState(
            target=promise(*wanted.elements, where=wanted.predicate),
            wanted=wanted,
            owned=owned,
            offered=there,
            dropped=frozenset(alembic_drops),
            created=alembic_creates,
            compared=compared,
            nullable=nullable,
        )
    )


def described(plan: RepairPlan) -> list[str]:
    """The steps as text: ``validate``, ``drop slow``, ``create``, ``verify``."""
    return [
        step.action.value
        if step.candidate is None
        else f"{step.action.value} {step.candidate.name}"
        for step in plan.steps
    ]


def reason(plan: RepairPlan) -> str | None:
    """The code that is logged."""
    return None if plan.shortfall is None else str(plan.shortfall.code)


def named(word: str | None, offer: Any) -> Any:
    """The same under another name."""
    return replace(offer, name=word)


# -- nothing of use is there


@pytest.mark.parametrize(
    "there",
    [[], [SUBSET], [offered("ix", "a", "b", unique=False)], [offered("sup", "a", "b", "c")]],
    ids=["nothing", "a subset", "an index that is not unique", "a superset"],
)
@pytest.mark.parametrize("alembic_creates", [True, False])
@pytest.mark.parametrize("owned", [True, False])
def test_nothing_that_serves(there: list[Any], *, alembic_creates: bool, owned: bool) -> None:
    """Validate and create, whether or not Alembic would have; what is near stays."""
    plan = repair(*there, alembic_creates=alembic_creates, owned=owned)

    assert described(plan) == ["validate", "create"]
    assert reason(plan) == "missing-arbiter"
    assert plan.adopted == ()


# -- something good is there


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        ELSEWHERE,
        offered("ux", "a", "b", include=("c",)),
        offered("pk", "a", "b", kind=Kind.PRIMARY_KEY),
    ],
    ids=["itself", "another name, order and kind", "include", "the primary key"],
)
@pytest.mark.parametrize("alembic_drops", [True, False])
@pytest.mark.parametrize("alembic_creates", [True, False])
def test_something_good_for_a_key_that_lets_go(
    good: Any, *, alembic_drops: bool, alembic_creates: bool
) -> None:
    """It is adopted: what Alembic would drop and create for it is taken out."""
    plan = repair(
        good, alembic_drops=(good,) if alembic_drops else (), alembic_creates=alembic_creates
    )

    assert plan == RepairPlan(adopted=(good,))


def test_of_several_good_ones_none_is_dropped() -> None:
    """All are adopted."""
    assert repair(GOOD, ELSEWHERE, alembic_drops=(ELSEWHERE,)) == RepairPlan(
        adopted=(GOOD, ELSEWHERE)
    )


def test_something_good_for_a_key_that_states_its_name() -> None:
    """Alembic's own operations stay, with the check before the creation."""
    plan = repair(ELSEWHERE, owned=False, alembic_drops=(ELSEWHERE,))

    assert described(plan) == ["validate", "create"]
    assert reason(plan) == "missing-arbiter"
    assert plan.adopted == ()


def test_something_good_that_alembic_must_not_drop() -> None:
    """Filtered out, it stays: the reason given for the second one is not that the first covers other rows."""
    plan = repair(ELSEWHERE, owned=False)

    assert described(plan) == ["validate", "create"]
    assert plan.shortfall is not None
    assert "covers other rows" not in shortfall_fact(promise("a", "b"), plan.shortfall)


def test_the_very_thing_for_a_key_that_states_its_name() -> None:
    """Nothing is short, nothing is done."""
    assert repair(GOOD, owned=False, alembic_creates=False) == RepairPlan()


# -- deferrable


@pytest.mark.parametrize("owned", [True, False])
def test_a_spoiler(*, owned: bool) -> None:
    """Validated before anything is changed, and dropped when the new one is there."""
    plan = repair(SPOILER, owned=owned)

    assert described(plan) == ["validate", "create", "drop slow"]
    assert reason(plan) == "deferrable-arbiter"


def test_a_spoiler_that_has_the_wanted_name() -> None:
    """Alembic, which goes by name and columns, would create nothing."""
    plan = repair(named("uq", SPOILER), alembic_creates=False)

    assert described(plan) == ["validate", "create", "drop uq"]


@pytest.mark.parametrize("owned", [True, False])
def test_a_spoiler_beside_something_good(*, owned: bool) -> None:
    """It goes, and nothing else happens."""
    plan = repair(GOOD, SPOILER, owned=owned, alembic_creates=False)

    assert described(plan) == ["drop slow"]
    assert reason(plan) == "deferrable-arbiter"


def test_a_spoiler_beside_something_good_of_another_name() -> None:
    """The key that lets go adopts it, and what Alembic would create is taken out."""
    plan = repair(ELSEWHERE, SPOILER)

    assert described(plan) == ["drop slow"]
    assert plan.adopted == (ELSEWHERE,)


def test_a_spoiler_that_has_the_name_beside_something_good() -> None:
    """A key that states its name gets it: once the spoiler is gone, nothing has it."""
    plan = repair(ELSEWHERE, named("uq", SPOILER), owned=False, alembic_creates=False)

    assert described(plan) == ["validate", "create", "drop uq"]


def test_two_spoilers() -> None:
    """One would be enough to fail on."""
    plan = repair(SPOILER, named("slower", SPOILER))

    assert described(plan) == ["validate", "create", "drop slow", "drop slower"]


def test_a_deferrable_constraint_on_other_elements() -> None:
    """It spoils nothing here."""
    other = offered("slow", "a", "c", kind=Kind.CONSTRAINT, immediate=False)

    assert repair(GOOD, other, alembic_creates=False) == RepairPlan(adopted=(GOOD,))


# -- invalid


@pytest.mark.parametrize("kind", [Kind.INDEX, Kind.CONSTRAINT], ids=["index", "constraint"])
@pytest.mark.parametrize("name", ["uq", "broken"])
def test_something_broken(name: str, kind: Kind) -> None:
    """Of the wanted shape: dropped before the creation, so that its name and its cost are gone."""
    plan = repair(replace(BROKEN, name=name, kind=kind), alembic_creates=name != "uq")

    assert described(plan) == ["validate", f"drop {name}", "create"]
    assert reason(plan) == "invalid-arbiter"


def test_something_broken_that_only_has_the_name() -> None:
    """The creation would run into it."""
    plan = repair(offered("uq", "x", valid=False))

    assert described(plan) == ["validate", "drop uq", "create"]


def test_something_broken_that_is_none_of_the_keys() -> None:
    """Other columns and another name: left alone."""
    plan = repair(offered("theirs", "x", valid=False))

    assert described(plan) == ["validate", "create"]
    assert reason(plan) == "missing-arbiter"


@pytest.mark.parametrize("owned", [True, False])
def test_something_broken_beside_something_good(*, owned: bool) -> None:
    """A leftover of REINDEX CONCURRENTLY is dropped, and nothing else happens."""
    plan = repair(GOOD, named("uq_ccnew", BROKEN), owned=owned, alembic_creates=False)

    assert described(plan) == ["drop uq_ccnew"]
    assert reason(plan) == "invalid-arbiter"


def test_everything_at_once() -> None:
    """The check, then broken ones, then the creation, then spoilers."""
    plan = repair(SPOILER, BROKEN, SUBSET)

    assert described(plan) == ["validate", "drop broken", "create", "drop slow"]
    assert reason(plan) == "deferrable-arbiter"


# -- the name is taken


@pytest.mark.parametrize(
    ("impostor", "code"),
    [
        (IMPOSTOR, "missing-arbiter"),
        (offered("uq", "a", "b", where="p"), "predicate-mismatch"),
    ],
    ids=["other columns", "a predicate"],
)
def test_an_impostor(impostor: Any, code: str) -> None:
    """It has the name, so Alembic sees nothing; code may upsert on it, so it goes after the creation."""
    plan = repair(impostor, alembic_creates=False)

    assert described(plan) == ["validate", "create", "drop uq"]
    assert reason(plan) == code


def test_an_impostor_that_is_not_unique() -> None:
    """Nobody upserts on it: it makes way."""
    plan = repair(offered("uq", "a", "b", unique=False), alembic_creates=False)

    assert described(plan) == ["validate", "drop uq", "create"]
    assert reason(plan) == "missing-arbiter"


def test_an_impostor_that_alembic_sees() -> None:
    """Its own drop is not doubled."""
    plan = repair(IMPOSTOR, alembic_drops=(IMPOSTOR,))

    assert described(plan) == ["validate", "create"]


def test_an_impostor_beside_something_good() -> None:
    """The good one is adopted, and the other one is nobody's business."""
    assert repair(IMPOSTOR, ELSEWHERE, alembic_creates=False) == RepairPlan(adopted=(ELSEWHERE,))


@pytest.mark.parametrize(
    "there",
    [
        offered("uq", sql("lower(a::text)"), kind=Kind.INDEX),
        offered("uq", UNREADABLE, kind=Kind.INDEX),
    ],
    ids=["other text", "no text"],
)
def test_what_may_be_an_impostor_is_left_alone(there: Any) -> None:
    """The database could not be asked, and the name is right: said, and nothing done."""
    plan = repair(
        there, wanted=offered("uq", sql("lower(a)")), alembic_creates=False, compared=False
    )

    assert described(plan) == []
    assert reason(plan) == "unproven-arbiter"


def test_what_was_asked_for_and_is_an_impostor_goes() -> None:
    """The twin: the database says that it is something else."""
    plan = repair(
        offered("uq", sql("upper(a)")),
        wanted=offered("uq", sql("lower(a)")),
        alembic_creates=False,
        compared=True,
    )

    assert described(plan) == ["validate", "create", "drop uq"]
    assert reason(plan) == "missing-arbiter"


# -- predicates and NULLs


@pytest.mark.parametrize(
    ("wanted", "there", "code"),
    [
        (WANTED, offered("ux", "a", "b", where="p"), "predicate-mismatch"),
        (offered("uq", "a", where="p"), offered("ux", "a", where="q"), "predicate-mismatch"),
        (offered("uq", "a", where="p"), offered("ux", "a"), "missing-arbiter"),
        (offered("uq", sql("f(a)")), offered("ux", sql("g(a)")), "missing-arbiter"),
    ],
    ids=["a predicate too many", "another predicate", "a whole index", "another expression"],
)
def test_another_uniqueness(wanted: Any, there: Any, code: str) -> None:
    """The right one is created; the other one stays, as it stays in the model."""
    plan = repair(there, wanted=wanted)

    assert described(plan) == ["validate", "create"]
    assert reason(plan) == code


@pytest.mark.parametrize("not_distinct", [True, False], ids=["equal wanted", "distinct wanted"])
def test_another_null_mode(*, not_distinct: bool) -> None:
    """On nullable columns it is another uniqueness."""
    wanted = replace(WANTED, nulls_not_distinct=not_distinct)
    there = offered("ux", "a", "b", nulls_not_distinct=not not_distinct)

    plan = repair(there, wanted=wanted, nullable=True)
    assert described(plan) == ["validate", "create"]
    assert reason(plan) == "nulls-mismatch"
    assert repair(there, wanted=wanted, nullable=False) == RepairPlan(adopted=(there,))


def test_another_null_mode_under_the_wanted_name() -> None:
    """The impostor goes."""
    wanted = replace(WANTED, nulls_not_distinct=True)

    plan = repair(WANTED, wanted=wanted, nullable=True, alembic_creates=False)
    assert described(plan) == ["validate", "create", "drop uq"]
    assert reason(plan) == "nulls-mismatch"


# -- without a name


def test_what_has_no_name_is_no_namesake() -> None:
    """SQLite's rowid has none, and a unique constraint of the models need have none: nothing is dropped."""
    rowid = offered(None, "id", kind=Kind.PRIMARY_KEY)
    assert described(repair(rowid, wanted=named(None, WANTED), owned=False)) == [
        "validate",
        "create",
    ]


def test_what_has_the_name_is_one() -> None:
    """The twin with names."""
    other = offered("uq", "id", kind=Kind.CONSTRAINT)
    assert described(repair(other, owned=False)) == ["validate", "create", "drop uq"]


# -- primary keys

PRIMARY = offered("pk", "a", "b", kind=Kind.PRIMARY_KEY)


def test_a_primary_key_that_is_there() -> None:
    """Nothing to do."""
    assert repair(PRIMARY, wanted=PRIMARY, owned=False, alembic_creates=False) == RepairPlan()


@pytest.mark.parametrize(
    ("there", "code"),
    [
        ([], "missing-arbiter"),
        ([offered("pk", "a", kind=Kind.PRIMARY_KEY)], "missing-arbiter"),
        ([replace(PRIMARY, immediate=False)], "deferrable-arbiter"),
    ],
    ids=["none", "another", "deferrable"],
)
def test_a_primary_key_that_is_not_there(there: list[Any], code: str) -> None:
    """A person has to reshape it; the revision verifies that it was done."""
    plan = repair(*there, wanted=PRIMARY, owned=False, alembic_creates=False)

    assert described(plan) == ["verify"]
    assert reason(plan) == code


def test_a_unique_index_serves_a_key_on_the_primary_key() -> None:
    """The promise is kept, though not by the primary key."""
    plan = repair(offered("ux", "b", "a"), wanted=PRIMARY, owned=False, alembic_creates=False)

    assert plan == RepairPlan()


def test_what_alembic_creates_on_the_primary_key_is_created() -> None:
    """unique=True on a primary key that is not there: the constraint serves, and nobody has to act."""
    plan = repair(wanted=PRIMARY, owned=False, alembic_creates=True)
    assert described(plan) == ["validate", "create"]
    assert reason(plan) == "missing-arbiter"


def test_without_that_a_person_has_to_act() -> None:
    """The twin without unique=True."""
    assert described(repair(wanted=PRIMARY, owned=False, alembic_creates=False)) == ["verify"]


def test_a_primary_key_that_spoils_what_alembic_creates() -> None:
    """It is created, and the deferrable primary key is still a person's to change."""
    spoiling = offered("pk", "a", "b", kind=Kind.PRIMARY_KEY, immediate=False)
    plan = repair(spoiling, alembic_creates=True)
    assert described(plan) == ["validate", "create", "verify"]


def test_a_spoiler_beside_the_primary_key() -> None:
    """A constraint can be dropped without a person."""
    plan = repair(PRIMARY, SPOILER, wanted=PRIMARY, owned=False, alembic_creates=False)

    assert described(plan) == ["drop slow"]
    assert reason(plan) == "deferrable-arbiter"


def test_a_spoiler_and_no_primary_key() -> None:
    """What can be done is done, and the rest verified."""
    plan = repair(SPOILER, wanted=PRIMARY, owned=False, alembic_creates=False)

    assert described(plan) == ["drop slow", "verify"]


def test_something_broken_beside_the_primary_key() -> None:
    """It goes."""
    plan = repair(PRIMARY, BROKEN, wanted=PRIMARY, owned=False, alembic_creates=False)

    assert described(plan) == ["drop broken"]
    assert reason(plan) == "invalid-arbiter"


@pytest.mark.parametrize("beside", [[], [GOOD]], ids=["alone", "beside something good"])
def test_a_primary_key_that_spoils_a_constraint(beside: list[Any]) -> None:
    """It is never dropped by us."""
    plan = repair(replace(PRIMARY, immediate=False), *beside, alembic_creates=False)

    assert described(plan) == ["verify"]
    assert reason(plan) == "deferrable-arbiter"


# -- what holds for all of them

EVERYTHING = [GOOD, ELSEWHERE, SPOILER, named("uq", SPOILER), BROKEN, named("uq", BROKEN)]
EVERYTHING += [IMPOSTOR, SUBSET, PRIMARY, replace(PRIMARY, immediate=False)]
PAIRS = [(one, other) for one, other in permutations(EVERYTHING, 2) if one.name != other.name]


@pytest.mark.parametrize("owned", [True, False], ids=["owned", "stated"])
@pytest.mark.parametrize("wanted", [WANTED, PRIMARY], ids=["constraint", "primary key"])
def test_what_no_repair_ever_does(wanted: Any, *, owned: bool) -> None:
    """A primary key is not dropped, nothing good is dropped, and nothing is created unchecked."""
    for pair in PAIRS:
        plan = repair(*pair, wanted=wanted, owned=owned, alembic_creates=False)
        dropped = [step.candidate for step in plan.steps if step.candidate is not None]
        actions = [step.action.value for step in plan.steps]

        assert PRIMARY.kind not in {candidate.kind for candidate in dropped}, pair
        assert not {GOOD, ELSEWHERE} & set(dropped), pair
        assert actions.count("create") <= 1, pair
        assert "create" not in actions or "validate" in actions[: actions.index("create")], pair
        assert (plan.shortfall is None) == (plan.steps == ()), pair


@pytest.mark.parametrize("owned", [True, False], ids=["owned", "stated"])
@pytest.mark.parametrize("wanted", [WANTED, PRIMARY], ids=["constraint", "primary key"])
def test_the_order_of_the_catalog_decides_nothing(wanted: Any, *, owned: bool) -> None:
    """The same two, the other way round, come to the same steps."""
    for pair in PAIRS:
        one, other = (
            repair(*there, wanted=wanted, owned=owned, alembic_creates=False)
            for there in (pair, pair[::-1])
        )

        assert (sorted(described(one)), reason(one)) == (sorted(described(other)), reason(other)), (
            pair
        )


# -- SQLite's rowid


def of_the_rowid(wanted: Any, *, alembic_creates: bool = True) -> RepairPlan:
    """A key on ``(a, b)``, where a is the rowid."""
    there = (offered("rowid", "a", kind=Kind.PRIMARY_KEY),)
    state = KeyState(
        target=promise("a", "b"),
        wanted=wanted,
        owned=True,
        offered=there,
        dropped=frozenset(),
        created=alembic_creates,
        compared=True,
        nullable=False,
        traits=Traits(database=SQLITE, rowid="a"),
    )
    return plan_repair(state)


def test_a_key_that_holds_the_rowid_is_refused() -> None:
    """Whatever is made, SQLite infers none of it."""
    assert of_the_rowid(WANTED).is_refused
    assert described(of_the_rowid(WANTED)) == []


def test_a_rowid_that_is_about_to_be_a_part_of_the_primary_key_is_none() -> None:
    """The models reshape the primary key to the key: a person writes that, and it is verified."""
    reshaped = of_the_rowid(PRIMARY, alembic_creates=False)
    assert not reshaped.is_refused
    assert described(reshaped) == ["verify"]


def test_what_alembic_creates_beside_a_reshaped_rowid_does_not_serve() -> None:
    """SQLite infers nothing that holds the rowid: it is created, and the primary key is still to be changed."""
    assert described(of_the_rowid(PRIMARY)) == ["validate", "create", "verify"]
