"""What one reading found is known to another, as far as it depends on nothing that differs."""

from __future__ import annotations

import ast

import pytest

from alembic_upsert_guard.upserts.scan.python.module import Module
from alembic_upsert_guard.upserts.scan.python.reading import Memory, Reading
from alembic_upsert_guard.upserts.scan.python.scope import Argument, Frame, Scope
from alembic_upsert_guard.upserts.scan.python.values import Opening, OpeningKind

MODULE = Module("store.py", b"def save(table): ...\ndef load(table): ...\n")
SAVE, LOAD = (f for f in MODULE.tree.body if isinstance(f, ast.FunctionDef))


def called_with(function: ast.FunctionDef, text: str) -> Frame:
    """A function entered by a call that gives it a text."""
    argument = Argument(Scope(MODULE), ast.Constant(text))
    return Frame(entered=function, arguments={"table": argument})


def found_in(reading: Reading, memory: Memory[str, str], *asked_for: ast.FunctionDef) -> None:
    """Keep an answer that a reading found when it had asked how some functions are entered."""
    mark = reading.mark()
    for function in asked_for:
        reading.assumption(function)
    memory.keep(reading, "x", "answer", mark)


def test_an_answer_holds_where_something_else_is_assumed() -> None:
    """It leant on one function, and the readings differ in another."""
    memory = Memory[str, str]()
    found_in(Reading({SAVE: called_with(SAVE, "users")}), memory, SAVE)

    other = Reading({SAVE: called_with(SAVE, "users"), LOAD: called_with(LOAD, "users")})

    assert memory.recall(other, "x") is not None


@pytest.mark.parametrize("assumed", [{}, {SAVE: called_with(SAVE, "orders")}])
def test_an_answer_does_not_hold_where_what_it_leant_on_differs(
    assumed: dict[ast.FunctionDef, Frame],
) -> None:
    """Another argument, or none that is known."""
    memory = Memory[str, str]()
    found_in(Reading({SAVE: called_with(SAVE, "users")}), memory, SAVE)

    assert memory.recall(Reading({**assumed}), "x") is None


def test_an_answer_that_leant_on_everything_holds_where_all_is_the_same() -> None:
    """One more assumption makes it another reading."""
    memory = Memory[str, str]()
    first = Reading({SAVE: called_with(SAVE, "users")})
    mark = first.mark()
    first.assumptions()
    memory.keep(first, "x", "answer", mark)

    more = Reading({SAVE: called_with(SAVE, "users"), LOAD: called_with(LOAD, "users")})

    assert memory.recall(Reading({SAVE: called_with(SAVE, "users")}), "x") is not None
    assert memory.recall(more, "x") is None


def test_what_an_answer_depends_on_the_next_reading_depends_on() -> None:
    """Openings and leanings are taken over with it."""
    memory = Memory[str, str]()
    opening = Opening(kind=OpeningKind.PARAMETER, module=MODULE, node=SAVE, name="table")
    first = Reading()
    mark = first.mark()
    first.assumption(SAVE)
    first.open(opening)
    memory.keep(first, "x", "answer", mark)

    second = Reading()
    before = second.mark()
    memory.recall(second, "x")

    assert list(second.openings) == [opening]
    assert second.depends_since(before) == (((SAVE, None),), (opening,))


def test_calls_that_give_the_same_word_enter_a_function_alike() -> None:
    """Where the word is written makes no difference."""
    assert called_with(SAVE, "users") == called_with(SAVE, "users")
    assert called_with(SAVE, "users") != called_with(SAVE, "orders")


def test_calls_that_give_the_same_statement_are_told_apart() -> None:
    """A statement is reported where it is written."""
    sql = "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO NOTHING"

    assert called_with(SAVE, sql) != called_with(SAVE, sql)


def test_true_is_not_one() -> None:
    """Python takes them for equal."""
    true, one = (
        Frame(entered=SAVE, arguments={"table": Argument(Scope(MODULE), ast.Constant(value))})
        for value in (True, 1)
    )

    assert true != one
