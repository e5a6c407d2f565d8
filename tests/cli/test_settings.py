"""``[tool.upsert_guard]`` in ``pyproject.toml``: what the command takes where its arguments say nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import ACCOUNT, could_not_run, guard, heads, report

if TYPE_CHECKING:
    from tests.project import Project

SAVE = "INSERT INTO accounts (email) VALUES (1) ON CONFLICT (email) DO NOTHING;\n"


@pytest.fixture
def shop(sqlite_project: Project) -> Project:
    """Two folders with an upsert in each."""
    sqlite_project.models(ACCOUNT)
    for name in ("app", "other"):
        (sqlite_project.path / name).mkdir()
        (sqlite_project.path / name / "seed.sql").write_text(SAVE)
    return sqlite_project


def seen(project: Project, *arguments: str) -> set[str]:
    return {s["path"] for s in report(project, "scan", *arguments).call_sites or []}


@pytest.mark.parametrize(
    ("settings", "arguments", "paths"),
    [
        ("", [], {"./app/seed.sql", "./other/seed.sql"}),
        ('paths = ["app"]', [], {"app/seed.sql"}),
        ('paths = ["app"]', ["other"], {"other/seed.sql"}),
        ('exclude = ["app"]', [], {"./other/seed.sql"}),
        ('exclude = ["app/seed.*"]', [], {"./other/seed.sql"}),
        ('exclude = ["seed.sql"]', [], set()),
        ('exclude = ["eed.sql"]', [], {"./app/seed.sql", "./other/seed.sql"}),
    ],
)
def test_what_is_scanned(
    shop: Project, settings: str, arguments: list[str], paths: set[str]
) -> None:
    """A PATH on the command line counts instead of `paths`; `exclude` is from the folder of the file on."""
    (shop.path / "pyproject.toml").write_text(f"[tool.upsert_guard]\n{settings}\n")
    assert seen(shop, *arguments) == paths


def test_the_models_are_named(shop: Project) -> None:
    """env.py is not run, and need not be there."""
    shutil.rmtree(shop.path / "migrations")
    (shop.path / "pyproject.toml").write_text(
        '[tool.upsert_guard]\nmetadata = "models:Base"\npaths = ["app"]\n'
    )
    assert report(shop, "scan").codes == ["undeclared-upsert"]


@pytest.mark.parametrize(("strict", "code"), [("true", 1), ("false", 0)])
def test_warnings_fail_where_the_project_says_so(shop: Project, strict: str, code: int) -> None:
    """`strict` in pyproject.toml is --strict."""
    (shop.path / "app" / "service.py").write_text(
        "from sqlalchemy.dialects.postgresql import insert\n"
        "insert(unknown()).on_conflict_do_nothing(index_elements=['a'])\n"
    )
    (shop.path / "pyproject.toml").write_text(f"[tool.upsert_guard]\nstrict = {strict}\n")
    ran = guard(shop, "scan", "app/service.py")
    assert ran.code == code
    assert heads(ran.out)[0].startswith("app/service.py:2:19: warning[unresolved-upsert]: ")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "path = ['app']",
            "has the unknown key path: there are environments, exclude, ignore, metadata, paths, strict",
        ),
        ("paths = 'app'", "paths of [tool.upsert_guard] is a list of strings"),
        ("exclude = [1]", "exclude of [tool.upsert_guard] is a list of strings"),
        ("strict = 1", "strict of [tool.upsert_guard] is true or false"),
        ("metadata = [1]", "metadata of [tool.upsert_guard] is a list of strings"),
        ("paths = ['nowhere']", "pyproject.toml: paths: there is no file or folder nowhere"),
    ],
)
def test_a_setting_that_cannot_be_used(shop: Project, settings: str, message: str) -> None:
    """Exit 2: a misspelt one must not pass for none."""
    (shop.path / "pyproject.toml").write_text(f"[tool.upsert_guard]\n{settings}\n")
    assert message in could_not_run(shop, "scan")
