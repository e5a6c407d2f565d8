"""Options of ``context.configure()``: another value than an option takes is refused, whatever is run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError

from alembic_upsert_guard.migration.options import refuse_wrong_options

if TYPE_CHECKING:
    from tests.project import Project

KNOWN = {
    "upsert_guard_reveal": (True, False, None),
    "upsert_guard_validate": ("all", None),
    "upsert_guard_concurrently": (True, False, lambda _: True, None),
    "upsert_guard_contract": ("separate", "same", None),
    "upsert_guard_observed": ("a.json", Path("a.json"), ["a.json", Path("b.json")], (), None),
    "transaction_per_migration": ("whatever",),
}
WRONG = {
    "upsert_guard_reveal": ("0", "False", 0, 1, ""),
    "upsert_guard_validate": ("al", True, False, ["all"]),
    "upsert_guard_concurrently": ("yes", 1, ["answers"]),
    "upsert_guard_contract": ("seperate", True, "", ["same"]),
    "upsert_guard_observed": (1, True, [1], b"a.json"),
    "upsert_guard_contracts": ("same", None),
}


def configured(name: str, value: Any) -> MigrationContext:
    return MigrationContext.configure(dialect_name="sqlite", opts={name: value})


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in KNOWN.items() for value in values]
)
def test_each_value_that_an_option_takes_is_taken(name: str, value: Any) -> None:
    """None leaves it out, and what is not ours is not looked at."""
    refuse_wrong_options(configured(name, value))


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_any_other_value_is_refused(name: str, value: Any) -> None:
    """A string is no bool, and an option of another name is none of ours."""
    with pytest.raises(CommandError, match=rf"^context\.configure\({name}=.* is not known: "):
        refuse_wrong_options(configured(name, value))


def test_the_message_has_what_may_be_written() -> None:
    """The values of the option, or the names of all."""
    with pytest.raises(CommandError) as of_value:
        refuse_wrong_options(configured("upsert_guard_contract", "seperate"))
    with pytest.raises(CommandError) as of_name:
        refuse_wrong_options(configured("upsert_guard_contracts", "same"))

    assert str(of_value.value) == (
        'context.configure(upsert_guard_contract=\'seperate\') is not known: write "separate" or "same", '
        "or leave it out"
    )
    assert str(of_name.value) == (
        "context.configure(upsert_guard_contracts=...) is not known: there are upsert_guard_concurrently, "
        "upsert_guard_contract, upsert_guard_observed, upsert_guard_reveal, upsert_guard_validate"
    )


@pytest.mark.parametrize(
    "command",
    [
        ("alembic", "check"),
        ("alembic", "upgrade", "head"),
        ("alembic", "upgrade", "head", "--sql"),
        ("alembic_upsert_guard", "check"),
    ],
    ids=" ".join,
)
def test_whatever_is_run_refuses_it(sqlite_project: Project, command: tuple[str, ...]) -> None:
    """Also where there is nothing that the option is about: no key is declared, and the revision makes no index."""
    sqlite_project.configure(upsert_guard_contract="'seperate'")
    (sqlite_project.path / "migrations" / "versions" / "r01.py").write_text(
        "from alembic import op\nrevision = 'r01'\ndown_revision = None\n\n\n"
        "def upgrade():\n    op.execute('SELECT 1')\n"
    )
    if command[-1] == "check" and command[0] == "alembic":
        (sqlite_project.path / "migrations" / "versions" / "r01.py").unlink()
    ran = sqlite_project.python("-m", *command)

    assert ran.code != 0
    assert "context.configure(upsert_guard_contract='seperate') is not known" in ran.said
    assert "Traceback" not in ran.said
