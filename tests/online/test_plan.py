"""What is done next, from what is found: a line of the table in :mod:`alembic_upsert_guard.online.plan` each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.catalog.contract import RelationKind
from alembic_upsert_guard.inference import ConflictTarget, Element
from alembic_upsert_guard.online import OnlineArbiter
from alembic_upsert_guard.online.arbiter import Timing
from alembic_upsert_guard.online.plan import plan
from alembic_upsert_guard.online.state import IndexState, TableState
from alembic_upsert_guard.online.steps import (
    Attach,
    AttachPartition,
    Build,
    DropIndex,
    MakeParent,
    Refusal,
    Swap,
    Wait,
)

TABLE = TableName("public", "t")
CONSTRAINT = OnlineArbiter(
    table=TableName(None, "t"), name="uq", target=ConflictTarget((Element("a"),)), constraint=True
)
INDEX = replace(CONSTRAINT, constraint=False)
REPLACING = replace(CONSTRAINT, replace=True)

VALID = IndexState(oid=1, name="uq", same=True, valid=True)
INVALID = replace(VALID, valid=False)
ATTACHED = replace(VALID, constraint=True)
OTHER = replace(VALID, same=False, definition="UNIQUE (b)")


def table(*indexes: IndexState, builders: tuple[int, ...] = ()) -> list[TableState]:
    return [
        TableState(
            oid=10, name=TABLE, relation=RelationKind.TABLE, indexes=indexes, builders=builders
        )
    ]


def test_nothing_is_there() -> None:
    """It is built, and attached where it is a constraint."""
    assert plan(CONSTRAINT, table()) == (Build(TABLE, "uq"), Attach(TABLE, "uq"))
    assert plan(INDEX, table()) == (Build(TABLE, "uq"),)


def test_invalid_and_the_same() -> None:
    """It is dropped and built again."""
    drop = DropIndex(TABLE, "uq", "an earlier build failed")
    assert plan(CONSTRAINT, table(INVALID)) == (drop, Build(TABLE, "uq"), Attach(TABLE, "uq"))


def test_invalid_while_another_session_may_build_it() -> None:
    """It is waited for."""
    assert plan(CONSTRAINT, table(INVALID, builders=(7,)))[0] == Wait(TABLE, "uq", (7,))


def test_invalid_and_something_else() -> None:
    """It is another's, and is only dropped with ``replace=True``."""
    with pytest.raises(Refusal, match="somebody else's failed"):
        plan(CONSTRAINT, table(replace(OTHER, valid=False)))
    assert Build(TABLE, "uq") in plan(REPLACING, table(replace(OTHER, valid=False)))


def test_valid_and_the_same() -> None:
    """It only has to be attached; as an index it is done."""
    assert plan(CONSTRAINT, table(VALID)) == (Attach(TABLE, "uq"),)
    assert plan(INDEX, table(VALID)) == ()


def test_attached() -> None:
    """It is done; an index that is wanted is not a constraint."""
    assert plan(CONSTRAINT, table(ATTACHED)) == ()
    with pytest.raises(Refusal, match="the constraint uq of t is something else"):
        plan(INDEX, table(ATTACHED))


def test_attached_and_checked_at_another_time() -> None:
    """A DEFERRABLE constraint is another constraint."""
    with pytest.raises(Refusal):
        plan(CONSTRAINT, table(replace(ATTACHED, timing=Timing.DEFERRABLE)))
    late = replace(CONSTRAINT, deferrable=True)
    assert plan(late, table(replace(ATTACHED, timing=Timing.DEFERRABLE))) == ()


def test_valid_and_something_else() -> None:
    """It is refused by its definition."""
    with pytest.raises(Refusal, match=r"something else: UNIQUE \(b\)"):
        plan(CONSTRAINT, table(OTHER))


def test_replacing_resumes_from_wherever_it_stopped() -> None:
    """Build beside it, swap, drop what was put aside: one line less each time."""
    new = replace(VALID, name="uq_upsert_guard_new")
    old = replace(OTHER, name="uq_upsert_guard_old")
    build = Build(TABLE, new.name)
    swap = Swap(table=TABLE, index="uq", new_name=new.name, old_name=old.name, is_constraint=False)
    drop = DropIndex(TABLE, old.name, "it was replaced")
    assert plan(REPLACING, table(OTHER)) == (build, swap, drop)
    assert plan(REPLACING, table(OTHER, new)) == (swap, drop)
    assert plan(REPLACING, table(ATTACHED, old)) == (drop,)
    assert plan(REPLACING, table(ATTACHED)) == ()


def test_replacing_a_constraint_leaves_nothing_to_drop() -> None:
    """It is dropped in the transaction of the swap."""
    assert plan(REPLACING, table(replace(OTHER, constraint=True)))[-1] == Swap(
        table=TABLE,
        index="uq",
        new_name="uq_upsert_guard_new",
        old_name="uq_upsert_guard_old",
        is_constraint=True,
    )


def test_an_old_index_under_our_name_is_no_leftover_without_replace() -> None:
    """Another revision may be on its way to replace it."""
    assert plan(CONSTRAINT, table(ATTACHED, replace(OTHER, name="uq_upsert_guard_old"))) == ()


@pytest.mark.parametrize("suffix", ["_ccnew", "_ccold", "_ccnew1"])
def test_leftovers_of_reindex(suffix: str) -> None:
    """INVALID and the same they are dropped, and otherwise they stay."""
    left = replace(INVALID, name=f"uq{suffix}")
    assert plan(CONSTRAINT, table(ATTACHED, left)) == (
        DropIndex(TABLE, left.name, "REINDEX CONCURRENTLY was interrupted"),
    )
    assert plan(CONSTRAINT, table(ATTACHED, replace(left, same=False))) == ()
    assert plan(CONSTRAINT, table(ATTACHED, replace(left, valid=True))) == ()


def test_a_name_that_begins_alike_is_no_leftover() -> None:
    """The suffix has to be PostgreSQL's."""
    assert plan(CONSTRAINT, table(ATTACHED, replace(INVALID, name="uq_other"))) == ()


def test_a_view_takes_no_index() -> None:
    """It is refused by its kind."""
    with pytest.raises(Refusal, match="t is a view"):
        plan(CONSTRAINT, [TableState(oid=10, name=TABLE, relation=RelationKind.VIEW)])


# -- partitions


PARENT = TableState(oid=10, name=TABLE, relation=RelationKind.PARTITIONED_TABLE)
LEAF = TableState(oid=11, name=TableName("public", "t_1"), relation=RelationKind.TABLE, parent=10)
TOP = replace(INVALID, oid=100, constraint=True)
PART = replace(VALID, oid=101, name="t_1_uq")


def test_a_partitioned_table_from_nothing_to_the_last_leaf() -> None:
    """A step less each time that one is done, whatever the part is called."""
    attach = AttachPartition(parent=TABLE, parent_index="uq", table=LEAF.name, index="t_1_uq")
    steps = (
        MakeParent(TABLE, "uq"),
        Build(LEAF.name, "t_1_uq"),
        Attach(LEAF.name, "t_1_uq"),
        attach,
    )
    top = replace(PARENT, indexes=(TOP,))
    built = replace(PART, constraint=True)
    assert plan(CONSTRAINT, [PARENT, LEAF]) == steps
    assert plan(CONSTRAINT, [top, LEAF]) == steps[1:]
    assert plan(CONSTRAINT, [top, replace(LEAF, indexes=(PART,))]) == steps[2:]
    assert plan(CONSTRAINT, [top, replace(LEAF, indexes=(built,))]) == steps[3:]
    attached = replace(built, attached_to=100, name="whatever it is called")
    assert plan(CONSTRAINT, [top, replace(LEAF, indexes=(attached,))]) == ()


def test_levels_between_get_a_part_of_their_own() -> None:
    """A partitioned partition gets an index that its own partitions attach to."""
    middle = TableState(
        oid=11, name=TableName("public", "m"), relation=RelationKind.PARTITIONED_TABLE, parent=10
    )
    leaf = TableState(oid=12, name=TableName("public", "l"), relation=RelationKind.TABLE, parent=11)
    assert plan(INDEX, [PARENT, middle, leaf]) == (
        MakeParent(TABLE, "uq"),
        MakeParent(middle.name, "m_uq"),
        AttachPartition(parent=TABLE, parent_index="uq", table=middle.name, index="m_uq"),
        Build(leaf.name, "l_uq"),
        AttachPartition(parent=middle.name, parent_index="m_uq", table=leaf.name, index="l_uq"),
    )


def test_a_foreign_partition_is_refused_before_anything_is_built() -> None:
    """It takes no unique index, so the parent's could never be valid."""
    foreign = replace(LEAF, relation=RelationKind.FOREIGN_TABLE)
    with pytest.raises(Refusal, match="t_1, a partition of t, is a foreign table"):
        plan(CONSTRAINT, [PARENT, foreign])


def test_replacing_what_a_foreign_key_needs_is_refused_before_anything_is_built() -> None:
    """It could not be dropped in the end, however often the upgrade is run again."""
    needed = replace(OTHER, needed_by="c_ref_fkey of c")
    with pytest.raises(Refusal, match="the foreign key c_ref_fkey of c needs it"):
        plan(REPLACING, table(needed))
    new = replace(VALID, name="uq_upsert_guard_new")
    with pytest.raises(Refusal, match="needs it"):
        plan(REPLACING, table(needed, new))
