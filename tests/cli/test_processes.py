"""The commands as a shell starts them; everywhere else they are forked from a process with the imports done."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import ACCOUNT, ACCOUNTS

if TYPE_CHECKING:
    from tests.project import Project, Ran

FORMATS = ("text", "json", "github")
REPORTING = [
    (*command, "--format", form)
    for command in (
        ("check",),
        ("check", "--rows", "--code", "service.py"),
        ("scan", "service.py"),
        ("functions",),
    )
    for form in FORMATS
]


@pytest.fixture
def service(project: Project) -> Project:
    """A key without an arbiter, an upsert on another, and a function with a third."""
    project.sql(
        ACCOUNTS,
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS "
        "'INSERT INTO accounts (tenant, email) VALUES (1, '''') ON CONFLICT (tenant) DO NOTHING'",
    )
    project.models(ACCOUNT)
    (project.path / "service.py").write_text(
        "from models import Account\nfrom sqlalchemy.dialects.postgresql import insert\n\n"
        'insert(Account).on_conflict_do_nothing(index_elements=["email"])\n'
    )
    return project


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        *REPORTING,
        ("check", "--metadata", "models:Base"),
        ("scan", "service.py", "--diff"),
        ("explain", "missing-arbiter"),
    ],
    ids=" ".join,
)
def test_upsert_guard_prints_the_same(service: Project, arguments: tuple[str, ...]) -> None:
    """Exit code and both streams, to the byte."""
    command = ("-m", "alembic_upsert_guard", *arguments)
    started = service.python(*command, forked=False)

    assert started.code in (0, 1, 2)
    assert started.said
    assert _timeless(started) == _timeless(service.python(*command))


def _timeless(ran: Ran) -> Ran:
    """What it printed, without when it ran."""
    return replace(ran, out=re.sub(r'"started": "[^"]*"', '"started": ""', ran.out))


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("check",), ("history",), ("upgrade", "head", "--sql")])
def test_alembic_prints_the_same(service: Project, arguments: tuple[str, ...]) -> None:
    """The plugin included, which its entry point loads in either."""
    service.revise()
    command = ("-m", "alembic", *arguments)

    assert service.python(*command, forked=False) == service.python(*command)
