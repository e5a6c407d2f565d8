"""What a database infers for a conflict target, judged without asking it; each shortfall with a twin that passes."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from alembic_upsert_guard.databases import SQLITE
from alembic_upsert_guard.inference import Kind, Traits, judge
from tests.inference.sentences import (
    UNREADABLE,
    assert_falls_short,
    assert_served,
    assert_unknown,
    column,
    offered,
    promise,
    sql,
)

# -- elements


@pytest.mark.parametrize("kind", Kind)
def test_the_same_elements_serve(kind: Kind) -> None:
    """As an index, a constraint or the primary key."""
    verdict = judge(promise("a", "b"), [offered("uq", "a", "b", kind=kind)])

    assert_served(verdict, "uq")


@pytest.mark.parametrize("order", list(permutations("abc")), ids="".join)
def test_order_is_free(order: tuple[str, ...]) -> None:
    """Elements are a set."""
    assert_served(judge(promise("a", "b", "c"), [offered("uq", *order)]), "uq")


@pytest.mark.parametrize(
    ("near", "elements"),
    [
        ("a subset", ["a"]),
        ("a superset", ["a", "b", "c"]),
        ("an overlap", ["a", "c"]),
        ("an expression of one", ["a", sql("lower(b)")]),
        ("an expression too many", ["a", "b", sql("lower(c)")]),
    ],
)
def test_other_elements_do_not_serve(near: str, elements: list[Any]) -> None:
    """The set has to be exactly the target's."""
    verdict = judge(promise("a", "b"), [offered("near", *elements)])

    assert_falls_short(verdict, "missing-arbiter", index="near")


def test_two_singles_are_not_a_pair() -> None:
    """Uniqueness of each column alone is another promise."""
    verdict = judge(promise("a", "b"), [offered("uq_a", "a"), offered("uq_b", "b")])

    assert_falls_short(verdict, "missing-arbiter", index="uq_a")


def test_a_pair_beside_two_singles_serves() -> None:
    """The others do no harm."""
    verdict = judge(
        promise("a", "b"), [offered("uq_a", "a"), offered("uq", "b", "a"), offered("uq_b", "b")]
    )

    assert_served(verdict, "uq")


def test_nothing_near_is_nothing_named() -> None:
    """An index on columns of its own is not worth a word."""
    assert_falls_short(judge(promise("a"), [offered("far", "x")]), "missing-arbiter", index=None)


def test_nothing_offered_is_nothing_found() -> None:
    """A bare table."""
    assert_falls_short(judge(promise("a"), []), "missing-arbiter", index=None)


def test_names_are_compared_letter_for_letter() -> None:
    """``"Email"`` and ``email`` are two columns."""
    assert_falls_short(
        judge(promise("email"), [offered("uq", "Email")]), "missing-arbiter", index=None
    )


def test_columns_that_are_carried_do_not_count() -> None:
    """INCLUDE is ignored: neither does it serve nor does it spoil."""
    carrying = offered("uq", "a", include=("b",))

    assert_served(judge(promise("a"), [carrying]), "uq")
    assert_falls_short(judge(promise("a", "b"), [carrying]), "missing-arbiter", index="uq")


def test_an_index_that_is_not_unique_does_not_serve() -> None:
    """It is the nearest miss there is."""
    assert_falls_short(
        judge(promise("a"), [offered("ix", "a", unique=False)]), "missing-arbiter", index="ix"
    )
    assert_served(judge(promise("a"), [offered("ix", "a", unique=True)]), "ix")


def test_nulls_are_another_question() -> None:
    """Inference takes NULLS NOT DISTINCT and the default alike."""
    offers = [offered("equal", "a", nulls_not_distinct=True), offered("other", "a")]

    assert_served(judge(promise("a"), offers), "equal", "other")


# -- state

GOOD = offered("good", "a")
INVALID = offered("invalid", "a", valid=False)
DEFERRABLE = offered("deferrable", "a", kind=Kind.CONSTRAINT, immediate=False)
DEFERRED = offered("deferred", "a", kind=Kind.CONSTRAINT, immediate=False, initially_deferred=True)


@pytest.mark.parametrize("spoiler", [DEFERRABLE, DEFERRED], ids=["immediate", "deferred"])
def test_a_deferrable_arbiter_spoils_the_upsert(spoiler: Any) -> None:
    """Whatever it starts as: the executor refuses it."""
    assert_falls_short(judge(promise("a"), [spoiler]), "deferrable-arbiter", index=spoiler.name)


@pytest.mark.parametrize("offers", list(permutations([GOOD, DEFERRABLE])), ids=["after", "before"])
def test_a_deferrable_arbiter_spoils_it_beside_a_good_one(offers: Any) -> None:
    """The database lists both, and the verdict does too."""
    verdict = judge(promise("a"), offers)

    assert_falls_short(verdict, "deferrable-arbiter", index="deferrable")
    assert verdict.arbiters == offers


def test_a_deferrable_constraint_on_other_elements_spoils_nothing() -> None:
    """Only what is inferred can be refused."""
    offers = [GOOD, offered("deferrable", "a", "b", immediate=False)]

    assert_served(judge(promise("a"), offers), "good")


def test_a_deferrable_arbiter_spoils_a_partial_target() -> None:
    """A constraint over every row is inferred for a target with a predicate too."""
    verdict = judge(promise("a", where="p"), [offered("partial", "a", where="p"), DEFERRABLE])

    assert_falls_short(verdict, "deferrable-arbiter", index="deferrable")


def test_an_invalid_index_does_not_serve() -> None:
    """A failed CREATE INDEX CONCURRENTLY leaves one."""
    assert_falls_short(judge(promise("a"), [INVALID]), "invalid-arbiter", index="invalid")


@pytest.mark.parametrize("offers", list(permutations([GOOD, INVALID])), ids=["after", "before"])
def test_an_invalid_index_does_no_harm_beside_a_good_one(offers: Any) -> None:
    """The database passes it over, and so do we."""
    assert_served(judge(promise("a"), offers), "good")


def test_an_invalid_deferrable_index_is_invalid_first() -> None:
    """It is not inferred, so it spoils nothing."""
    broken = offered("broken", "a", valid=False, immediate=False)

    assert_falls_short(judge(promise("a"), [broken]), "invalid-arbiter", index="broken")
    assert_served(judge(promise("a"), [broken, GOOD]), "good")


def test_a_deferrable_arbiter_is_told_before_an_invalid_one() -> None:
    """The upsert fails on it, whatever becomes of the other."""
    assert_falls_short(
        judge(promise("a"), [INVALID, DEFERRABLE]), "deferrable-arbiter", index="deferrable"
    )


def test_every_arbiter_is_named() -> None:
    """In the order they were offered."""
    offers = [offered("z", "a", "b"), offered("x", "a"), offered("y", "b", "a")]

    assert_served(judge(promise("a", "b"), offers), "z", "y")


# -- predicates

WHOLE = offered("whole", "a")
SAME = offered("same", "a", where="status = 'open'")
OTHER = offered("other", "a", where="status = 'new'")
UNTOLD = offered("untold", "a", partial=True)


def test_a_partial_index_cannot_serve_an_unconditional_key() -> None:
    """A key without a predicate is not served by an index that has one."""
    assert_falls_short(judge(promise("a"), [SAME]), "predicate-mismatch", index="same")
    assert_served(judge(promise("a"), [WHOLE]), "whole")


def test_a_partial_index_whose_predicate_is_untold_cannot_serve_it_either() -> None:
    """SQLite does not give the text; that there is one is enough."""
    assert_falls_short(judge(promise("a"), [UNTOLD]), "predicate-mismatch", index="untold")


def test_the_same_predicate_serves() -> None:
    """Equal text means the same on both sides."""
    assert_served(judge(promise("a", where="status = 'open'"), [SAME]), "same")


@pytest.mark.parametrize("offer", [OTHER, UNTOLD], ids=["another", "untold"])
def test_a_predicate_that_reads_differently_proves_nothing(offer: Any) -> None:
    """It may imply the other one: never a guess."""
    assert_unknown(judge(promise("a", where="status = 'open'"), [offer]), index=offer.name)


def test_a_whole_index_serves_a_target_with_a_predicate() -> None:
    """What is unique everywhere is unique there."""
    assert_served(judge(promise("a", where="status = 'open'"), [WHOLE]), "whole")


def test_whole_and_partial_are_both_inferred() -> None:
    """The database names both."""
    assert_served(judge(promise("a", where="status = 'open'"), [WHOLE, SAME]), "whole", "same")


@pytest.mark.parametrize("offers", list(permutations([OTHER, SAME])), ids=["after", "before"])
def test_what_is_proven_outweighs_what_is_not(offers: Any) -> None:
    """One arbiter is enough."""
    assert_served(judge(promise("a", where="status = 'open'"), offers), "same")


def test_doubt_outweighs_what_is_broken() -> None:
    """The database may well find the other one."""
    verdict = judge(promise("a", where="status = 'open'"), [INVALID, OTHER])

    assert_unknown(verdict, index="other")


def test_a_broken_index_raises_no_doubt() -> None:
    """An INVALID index is not inferred, whatever its predicate means."""
    broken = offered("broken", "a", where="status = 'new'", valid=False)

    assert_falls_short(
        judge(promise("a", where="status = 'open'"), [broken]), "invalid-arbiter", index="broken"
    )


def test_a_predicate_makes_no_near_miss_an_arbiter() -> None:
    """The elements come first."""
    verdict = judge(promise("a", where="p"), [offered("near", "a", "b", where="p")])

    assert_falls_short(verdict, "missing-arbiter", index="near")


# -- expressions


def test_the_same_expression_serves() -> None:
    """Equal text, beside columns and other expressions, in any order."""
    target = promise("a", sql("lower(b)"), sql("upper(c)"))

    assert_served(judge(target, [offered("uq", sql("upper(c)"), "a", sql("lower(b)"))]), "uq")


@pytest.mark.parametrize("other", [sql("upper(b)"), sql("lower((b)::text)"), UNREADABLE])
def test_an_expression_that_reads_differently_proves_nothing(other: Any) -> None:
    """Or that cannot be read at all."""
    assert_unknown(judge(promise("a", sql("lower(b)")), [offered("uq", "a", other)]), index="uq")


def test_two_expressions_that_cannot_be_read_prove_nothing() -> None:
    """They are two, though neither has a text to be told apart by."""
    target = promise(sql("lower(a)"), sql("lower(b)"))

    assert_unknown(judge(target, [offered("uq", UNREADABLE, UNREADABLE)]), index="uq")


def test_an_unreadable_expression_is_not_even_equal_to_itself() -> None:
    """Two unknowns prove nothing."""
    assert_unknown(judge(promise(UNREADABLE), [offered("uq", UNREADABLE)]), index="uq")


@pytest.mark.parametrize("elements", [["a"], ["b"], ["a", "b"], ["a", sql("x"), sql("y")]])
def test_columns_and_the_number_of_expressions_prove_enough(elements: list[Any]) -> None:
    """No reading of an expression makes up for a column."""
    verdict = judge(promise("a", sql("lower(b)")), [offered("uq", *elements)])

    assert verdict.state.value == "short"


def test_an_expression_in_doubt_with_a_predicate_too_many_is_no_doubt() -> None:
    """A partial index never serves a target without a predicate."""
    verdict = judge(promise(sql("lower(a)")), [offered("uq", UNREADABLE, where="p")])

    assert_falls_short(verdict, "predicate-mismatch", index="uq")


# -- collations and operator classes

C = column("a", collation="C")
PATTERN = column("a", opclass="text_pattern_ops")
NAMED = [
    # what the target names, what the index has, whether it serves
    ("a", "a", True),
    ("a", C, True),
    ("a", PATTERN, True),
    (C, C, True),
    (C, "a", False),
    (C, column("a", collation="POSIX"), False),
    (C, column("a", collation="C", opclass="text_pattern_ops"), True),
    (PATTERN, PATTERN, True),
    (PATTERN, "a", False),
    (PATTERN, column("a", opclass="varchar_pattern_ops"), False),
    (PATTERN, column("a", collation="C", opclass="text_pattern_ops"), True),
    (column("a", collation="C", opclass="text_pattern_ops"), C, False),
    (sql("lower(a)"), sql("lower(a)", collation="C"), True),
    (sql("lower(a)", collation="C"), sql("lower(a)", collation="C"), True),
    (sql("lower(a)", collation="C"), sql("lower(a)"), False),
]


@pytest.mark.parametrize(("wanted", "found", "serves"), NAMED)
def test_collation_and_opclass_count_where_the_target_names_them(
    wanted: Any, found: Any, *, serves: bool
) -> None:
    """And nowhere else."""
    verdict = judge(promise(wanted, "b"), [offered("uq", "b", found)])

    if serves:
        assert_served(verdict, "uq")
    else:
        assert_falls_short(verdict, "collation-mismatch", index="uq")


@pytest.mark.parametrize("found", [sql("lower((a)::text)", collation="C"), UNREADABLE])
def test_a_named_collation_on_an_expression_in_doubt_stays_in_doubt(found: Any) -> None:
    """Whether it is the same expression decides first, and the core cannot tell."""
    verdict = judge(promise(sql("lower(a)", collation="C")), [offered("uq", found)])

    assert_unknown(verdict, index="uq")


# -- what a table of rows cannot say


def test_one_reason_is_told_though_there_are_several() -> None:
    """Deferrable before unproven before broken before missing."""
    target = promise("a", where="p")
    reasons = [
        (DEFERRABLE, "deferrable-arbiter"),
        (offered("unproven", "a", where="q"), "unproven-arbiter"),
        (INVALID, "invalid-arbiter"),
        (offered("near", "a", "b"), "missing-arbiter"),
    ]

    for place, (_, code) in enumerate(reasons):
        verdict = judge(target, [offer for offer, _ in reversed(reasons[place:])])
        assert str(verdict.shortfall and verdict.shortfall.code) == code


def test_candidates_may_come_from_anywhere_once() -> None:
    """A generator is read a single time."""
    assert_served(judge(promise("a"), (offer for offer in [INVALID, GOOD])), "good")


def test_the_rowid_is_inferred_alone_or_not_at_all() -> None:
    """SQLite's INTEGER PRIMARY KEY beside another column: nothing serves, and the reason names it, in any case."""
    traits = Traits(database=SQLITE, rowid="id")
    offers = [
        offered("rowid", "id", kind=Kind.PRIMARY_KEY),
        offered("uq", "tenant", "id", inferable=False),
    ]

    for target in (promise("tenant", "id"), promise("tenant", "ID")):
        verdict = judge(target, offers, traits)
        assert_falls_short(verdict, "missing-arbiter", index=None)
        assert verdict.shortfall is not None
        assert verdict.shortfall.columns == ("id",)

    assert_served(judge(promise("id"), offers, traits), "rowid")
