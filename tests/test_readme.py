"""The README's example, run as it stands."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from tests.project import Project

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def block(language: str, number: int = 0) -> str:
    """The text of the README's fenced block, by language and place."""
    return README.split(f"```{language}\n")[number + 1].split("```")[0]


ANSWERS = """\
from models import UserMistake
from sqlalchemy.dialects.postgresql import insert


def record(session, mistakes):
    upsert = insert(UserMistake).values(mistakes)
    session.execute(upsert.on_conflict_do_update(
        index_elements=["user_id", "question_id"],
        set_={"times_wrong": upsert.excluded.times_wrong},
    ))
"""
ANSWERS_OF_SUPABASE = """\
export async function record(supabase, mistakes) {
  await supabase.from('user_mistakes').upsert(mistakes, { onConflict: 'user_id,question_id' });
}
"""


def test_the_first_commands_find_the_upsert(project: Project) -> None:
    """With models and without, each prints what the README shows."""
    project.models(
        block("python").split("\n\n", 1)[1].replace('(UpsertKey("user_id", "question_id"),)', "()")
    )
    project.sql(block("sql").splitlines()[0])
    for name, source in (("app/answers.py", ANSWERS), ("api/answers.ts", ANSWERS_OF_SUPABASE)):
        (project.path / name).parent.mkdir()
        (project.path / name).write_text(source)

    for number in range(2):
        command, _, shown = block("console", number).partition("\n")
        typed = shlex.split(
            command.removeprefix("$ upsert-guard ").replace("$DATABASE_URL", project.url)
        )
        ran = project.python("-m", "alembic_upsert_guard", *typed)
        assert (ran.code, ran.out) == (1, shown)


def test_every_link_leads_somewhere() -> None:
    """Absolute, as PyPI needs them: to a page of the site, which is a page in docs, or to a file of the repository."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert len(links) > 20
    for link in links:
        address, _, heading = link.partition("#")
        if address.startswith(urls["Documentation"]):
            page = address.removeprefix(urls["Documentation"]).strip("/") or "index"
            files = [(ROOT / "docs" / page).with_suffix(suffix) for suffix in (".md", ".svg")]
        else:
            assert address.startswith(f"{urls['Source']}/blob/main/"), link
            files = [ROOT / address.removeprefix(f"{urls['Source']}/blob/main/")]
        found = next((file for file in files if file.is_file()), None)
        assert found is not None, link
        headings = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
        slugs = {re.sub(r"[^\w ]", "", each).lower().replace(" ", "-") for each in headings}
        assert not heading or heading in slugs, link


def test_the_example_happens_as_told(project: Project) -> None:
    """The error, the red check, the revision, the refusal and the fixed upsert are those of the README."""
    create, upsert, error = block("sql").splitlines()
    project.sql(create)
    with pytest.raises(Exception, match=error.split("42P10: ")[1]):
        project.sql(upsert)

    project.models(block("python").split("\n\n", 1)[1])
    detected, failed = block("text").splitlines()
    check = project.check()
    assert detected in check.err
    assert failed.split("('add_constraint'")[0] in check.out

    assert project.revise().written("upgrade") == [
        line.strip() for line in block("python", 1).splitlines()[1:]
    ]

    row = "INSERT INTO user_mistakes (user_id, question_id, times_wrong) VALUES (1, 7, 1)"
    project.sql(row, row)
    assert block("text", 1).strip() in project.alembic("upgrade", "head").out

    project.sql("DELETE FROM user_mistakes WHERE id = 2")
    project.upgrade()
    project.sql(upsert, upsert)
    assert project.rows("SELECT count(*) FROM user_mistakes") == [(1,)]
    assert project.check().code == 0
