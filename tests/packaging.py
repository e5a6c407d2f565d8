"""What is uploaded: its contents, and a project that it is installed into and taken out of again.

python -m tests.packaging dist/*.whl dist/*.tar.gz
"""

from __future__ import annotations

import ast
import email
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "alembic_upsert_guard"

MODELS = """\
from sqlalchemy import Column, Integer, MetaData, Table
from alembic_upsert_guard import UpsertKey
metadata = MetaData()
Table("answers", metadata, Column("id", Integer, primary_key=True), Column("question", Integer, nullable=False))
"""
KEY = """\
from sqlalchemy import Column, Integer, MetaData, Table
from alembic_upsert_guard import UpsertKey
metadata = MetaData()
Table("answers", metadata, Column("id", Integer, primary_key=True), Column("question", Integer, nullable=False),
      UpsertKey("question", as_index=True))
"""


def main() -> None:
    """Say what holds; what does not fails an assertion."""
    wheel = next(Path(name).absolute() for name in sys.argv if name.endswith(".whl"))
    sdist = next(Path(name).absolute() for name in sys.argv if name.endswith(".tar.gz"))
    with tempfile.TemporaryDirectory() as folder:
        for check in (holds_what_it_needs, says_what_it_is, is_the_same_from_the_tree):
            check(wheel, Path(folder))
            say(f"The wheel {check.__name__.replace('_', ' ')}.")
        holds_its_tests(sdist)
        say("The sdist holds its tests.")
        works_and_leaves_a_readable_history(wheel, Path(folder))
        say("A project that it was installed into works with it, and without it.")


def say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def holds_what_it_needs(wheel: Path, _: Path) -> None:
    """Every module, SQL program and page, and py.typed; the command and the plugins; nothing of ours beside it."""
    found = contents(wheel)
    for path in PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert found[path.relative_to(ROOT).as_posix()] == path.read_bytes(), path
    for page in (ROOT / "docs" / "codes").glob("*.md"):
        assert found[f"alembic_upsert_guard/codes/{page.name}"] == page.read_bytes(), page
    assert "alembic_upsert_guard/py.typed" in found
    assert {name.partition("/")[0].partition("-")[0] for name in found} == {"alembic_upsert_guard"}
    (entry_points,) = (text for name, text in found.items() if name.endswith("entry_points.txt"))
    assert set(filter(None, entry_points.decode().splitlines())) == {
        "[console_scripts]",
        "upsert-guard = alembic_upsert_guard.cli:main",
        "[alembic.plugins]",
        "alembic.autogenerate.upsert_guard = alembic_upsert_guard.migration.plugin:plugin",
        "[pytest11]",
        "upsert_guard = alembic_upsert_guard.pytest_plugin",
    }


def says_what_it_is(wheel: Path, _: Path) -> None:
    """The metadata: what it requires and offers, the Pythons that noxfile.py tests, links, licence and README."""
    (text,) = (body for name, body in contents(wheel).items() if name.endswith("/METADATA"))
    said = email.message_from_bytes(text)

    required = [re.split(r"[<>=!~; ]", each)[0] for each in said.get_all("Requires-Dist", ())]
    in_extras = [each for each in said.get_all("Requires-Dist", ()) if "extra ==" in each]
    assert set(said.get_all("Provides-Extra", ())) == {"completion", "progress", "scan"}
    assert {"alembic", "sqlalchemy"} <= set(required)
    assert len(required) == 2 + len(in_extras), "only these two come with the package"
    labels = {each.partition(",")[0] for each in said.get_all("Project-URL", ())}
    assert labels == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    prefix = "Programming Language :: Python :: 3."
    pythons = [each for each in said.get_all("Classifier", ()) if each.startswith(prefix)]
    assert [each.rpartition(" ")[2] for each in pythons] == list(tested_pythons())
    assert (said["License-Expression"], said.get_all("License-File")) == ("MIT", ["LICENSE"])
    assert said["Description-Content-Type"] == "text/markdown"
    assert said.get_payload(decode=True) == (ROOT / "README.md").read_bytes()


def tested_pythons() -> tuple[str, ...]:
    """`PYTHONS` of noxfile.py."""
    found = re.search(
        r"^PYTHONS = (\(.*\))$", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE
    )
    assert found is not None
    return tuple(ast.literal_eval(found[1]))


def is_the_same_from_the_tree(wheel: Path, folder: Path) -> None:
    """`python -m build` made it from the sdist."""
    build = ("-m", "build", "--wheel", "--outdir", folder / "dist", ROOT)
    run(sys.executable, *build, cwd=folder)
    (other,) = (folder / "dist").glob("*.whl")
    assert contents(wheel) == contents(other)


def holds_its_tests(sdist: Path) -> None:
    """With what they read, so that a distributor can run them."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in (
        *(
            "tests/conftest.py",
            "sample_project/alembic.ini",
            "docs/codes",
            "docs/report.schema.json",
        ),
        *(
            "Makefile",
            "noxfile.py",
            "action.yml",
            ".pre-commit-hooks.yaml",
            "CHANGELOG.md",
            "LICENSE",
        ),
    ):
        assert any(name.startswith(needed) for name in names), needed


def works_and_leaves_a_readable_history(wheel: Path, folder: Path) -> None:
    """In an environment and a project of its own, both new."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    bin_ = environment / ("Scripts" if os.name == "nt" else "bin")
    quiet = ("install", "--quiet", "--disable-pip-version-check")
    run(bin_ / "python", "-m", "pip", *quiet, wheel, cwd=folder)
    project = folder / "project"
    project.mkdir()

    assert "missing-arbiter" in run(
        bin_ / "upsert-guard", "explain", "missing-arbiter", cwd=project
    )
    run(bin_ / "alembic", "init", "migrations", cwd=project)
    (project / "models.py").write_text(MODELS)
    env = project / "migrations" / "env.py"
    env.write_text(env.read_text().replace("= None", "= __import__('models').metadata"))
    ini = project / "alembic.ini"
    url = "driver://user:pass@localhost/dbname"
    ini.write_text(ini.read_text().replace(url, "sqlite:///project.db"))

    revise(bin_, project, "tables")
    (project / "models.py").write_text(KEY)
    revise(bin_, project, "key")
    assert "No new upgrade operations" in run(bin_ / "alembic", "check", cwd=project)
    assert "nothing to do" in run(bin_ / "upsert-guard", "check", "--rows", cwd=project)
    assert any(
        "op.validate_upsert_key('answers', ['question'])" in path.read_text()
        for path in (project / "migrations" / "versions").glob("*.py")
    )

    run(bin_ / "python", "-m", "pip", "uninstall", "-y", "alembic-upsert-guard", cwd=project)
    assert "(head), key" in run(bin_ / "alembic", "history", cwd=project)
    assert "(head)" in run(bin_ / "alembic", "heads", cwd=project)


def revise(bin_: Path, project: Path, message: str) -> None:
    run(bin_ / "alembic", "revision", "--autogenerate", "-m", message, cwd=project)
    run(bin_ / "alembic", "upgrade", "head", cwd=project)


def run(*command: str | Path, cwd: Path) -> str:
    """What the command said; it must go through."""
    ran = subprocess.run(
        [str(word) for word in command], cwd=cwd, check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout + ran.stderr


if __name__ == "__main__":
    main()
