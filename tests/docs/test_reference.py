"""docs/reference.md names what is offered, with the parameters that it has."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from alembic.operations import BatchOperations, Operations

import alembic_upsert_guard
from alembic_upsert_guard.migration import operations

PAGE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()
SIGNATURES = re.findall(r"^\*\*`([\w.]+)(\(.*\))`\*\*$", PAGE, re.MULTILINE)

DIRECTIVES = {
    f"op.{name}": getattr(operation, name)
    for operation in vars(operations).values()
    if inspect.isclass(operation)
    for name in [getattr(operation, "directive", None)]
    if isinstance(name, str) and hasattr(operation, name)
} | {"op.sql_as_written": operations.SqlAsWrittenDirective.sql_as_written}


@pytest.mark.parametrize(("name", "told"), SIGNATURES, ids=[name for name, _ in SIGNATURES])
def test_a_signature_is_the_one_that_is_there(name: str, told: str) -> None:
    """Names, order, kinds and defaults."""
    if name in DIRECTIVES:
        found = without_annotations(DIRECTIVES[name])[1:]  # Alembic gives the operations
    else:
        found = without_annotations(getattr(alembic_upsert_guard, name))
    assert told == str(inspect.Signature(found)).replace("'", '"')


@pytest.mark.parametrize(
    ("name", "told"), [s for s in SIGNATURES if s[0] in DIRECTIVES and s[0] != "op.sql_as_written"]
)
def test_alembics_objects_have_the_signature(name: str, told: str) -> None:
    """``op`` takes what the page says, with types; ``batch_op`` the same without the table."""
    name = name.removeprefix("op.")
    method = inspect.signature(getattr(Operations, name))
    assert told == str(
        inspect.Signature(without_annotations(getattr(Operations, name))[1:])
    ).replace("'", '"')
    assert method.parameters["elements"].annotation == "Sequence[str | TextClause]"
    in_block = inspect.signature(getattr(BatchOperations, name)).parameters
    assert method.parameters.keys() - in_block.keys() == {"table_name", "schema"}


def without_annotations(offered: object) -> list[inspect.Parameter]:
    parameters = inspect.signature(offered).parameters.values()  # type: ignore[arg-type]
    return [p.replace(annotation=inspect.Parameter.empty) for p in parameters]


def test_all_that_is_offered_is_told_of() -> None:
    """Every public name, and every directive."""
    named = set(re.findall(r"`(?:op\.)?(\w+)", PAGE))
    assert {*alembic_upsert_guard.__all__, "UpsertKeyViolation"} <= named
    assert {name.removeprefix("op.") for name in DIRECTIVES} <= named
