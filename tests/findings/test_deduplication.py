"""The line that is offered to fix the rows with: which row it takes for the newest."""

from __future__ import annotations

import pytest

from alembic_upsert_guard.findings import ColumnInOrder, RowOrder, order_of, suggest_directives


def moment(name: str, *, null: bool = False) -> ColumnInOrder:
    return ColumnInOrder(name, is_moment=True, is_nullable=null)


ID = ColumnInOrder("id", is_moment=False, is_nullable=False, is_number=True)
NAME = ColumnInOrder("name", is_moment=False, is_nullable=False)


@pytest.mark.parametrize(
    ("columns", "order"),
    [
        pytest.param([NAME], ("id",), id="no time: the primary key"),
        pytest.param(
            [moment("measurement_timestamp")], ("measurement_timestamp",), id="the only time"
        ),
        pytest.param(
            [moment("created_at"), moment("updated_at")], ("updated_at",), id="the last change"
        ),
        pytest.param(
            [moment("created_at"), moment("updated_at", null=True)],
            ("updated_at", "created_at"),
            id="a row that was never changed was made",
        ),
        pytest.param(
            [moment("onboarded_at", null=True), moment("created_at")],
            ("created_at",),
            id="not a time that rows may lack",
        ),
        pytest.param(
            [moment("created_at", null=True)], ("created_at",), id="made, as far as is known"
        ),
        pytest.param([moment("seen_at", null=True)], ("id",), id="some time or other, or none"),
        pytest.param([moment("expires_at")], ("id",), id="an end is no beginning"),
        pytest.param(
            [moment("deleted_at", null=True), moment("created_at")],
            ("created_at",),
            id="nor is this one",
        ),
        pytest.param([moment("day")], ("id",), id="not a part of the key"),
    ],
)
def test_the_newest_row_is_found_by(columns: list[ColumnInOrder], order: tuple[str, ...]) -> None:
    """The time of the last change before any other, and no time that says nothing."""
    assert order_of([ID, *columns], ["id"], ["user_id", "day"]) == RowOrder(order)


def test_a_primary_key_that_is_random_orders_nothing() -> None:
    """The choice is left open, between what else the rows have; a time decides it as before."""
    random = ColumnInOrder("id", is_moment=False, is_nullable=False)

    assert order_of([random, NAME], ["id"], ["user_id"]) == RowOrder(choices=("name",))
    assert order_of([random], ["id"], ["user_id"]) == RowOrder(choices=("id",))
    assert order_of([random, moment("created_at")], ["id"], []) == RowOrder(("created_at",))
    assert order_of([ID], ["user_id", "id"], ["user_id"]) == RowOrder(("user_id", "id"))


def test_an_open_line_names_the_columns_to_choose_from() -> None:
    """Three dots stand for them, which the directive refuses."""
    choice = RowOrder(choices=("a", "b"))
    lines = suggest_directives(
        "lines", ["'order'"], schema=None, where=None, nulls="warn", order_by=choice
    )

    assert lines.is_open
    assert lines.upgrade == (
        "op.deduplicate_upsert_key('lines', ['order'], keep='last', order_by=[...], "
        "archive_table='lines_duplicates')  # instead of the dots, one or more of 'a', 'b'"
    )


def test_the_lines_carry_everything_that_the_check_has() -> None:
    """Schema, predicate and the meaning of NULL go along, and the archive is named after the table."""
    lines = suggest_directives(
        "accounts",
        ["'tenant'", "sa.text('lower(email)')"],
        schema="crm",
        where="sa.text('live')",
        nulls="not_distinct",
        order_by=RowOrder(("updated_at", "id")),
    )

    assert lines.upgrade == (
        "op.deduplicate_upsert_key('accounts', ['tenant', sa.text('lower(email)')], keep='last', "
        "order_by=['updated_at', 'id'], archive_table='accounts_duplicates', schema='crm', "
        "where=sa.text('live'), nulls='not_distinct')"
    )
    assert lines.downgrade == (
        "op.restore_deduplicated_rows('accounts', ['tenant', sa.text('lower(email)')], "
        "archive_table='accounts_duplicates', schema='crm', where=sa.text('live'))"
    )


def test_the_archive_of_a_long_name_keeps_its_ending() -> None:
    """A name that the database would cut is cut before, at a whole character."""
    lines = suggest_directives(
        "ü" * 31, ["'a'"], schema=None, where=None, nulls="warn", order_by=RowOrder(("id",))
    )

    assert f"archive_table={'ü' * 26 + '_duplicates'!r}" in lines.upgrade
