"""What runs before a release, each session in an environment of its own: `nox -l` lists them.

    nox                                  # everything
    nox -t matrix                        # the wheel on every cell of the matrix, and docs/matrix.md from what ran
    nox -s "tests(newest)" -- tests/rows # one cell, on folders of your choice

Interpreters are found on PATH (with pyenv: `PYENV_VERSION=3.10.13:3.11.7:3.12.1:3.13.0 nox`); those that are not
there are skipped and said so. Servers other than PostgreSQL 16 and 18 are downloaded by npm.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
BUILD = ROOT / "build"
RESULTS = BUILD / "matrix"

EXTRAS = "[completion,progress,scan]"

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

SPINE = ("tests/rules", "tests/inference", "tests/declaring", "tests/scenarios")
"""What depends on the versions: the rules of inference, the declarations, and whole projects under Alembic."""

CORNER = (
    "tests/rules",
    "tests/inference",
    "tests/declaring",
    "tests/scenarios/test_what_the_database_has.py",
)
"""As much of it as CI has time for; `nox -t matrix` runs all."""

EVERYTHING = ("tests",)

TESTED = ("tests", "sample_project", "docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")
TESTED_FILES = (
    "LICENSE",
    "pyproject.toml",
    ".pre-commit-hooks.yaml",
    "action.yml",
    "noxfile.py",
    "mkdocs.yml",
)
"""What the tests read beside the package; the package itself stays behind."""

# every version of everything, every Alembic with both SQLAlchemys, the newest with the oldest server; 2.1 takes 3.11
CELLS = {
    # name            Python  Alembic    SQLAlchemy   PostgreSQL  tests
    "oldest":       ("3.10", "==1.18.0", "~=2.0.0",   13, EVERYTHING),
    "floor":        ("3.10", "==1.18.0", "==2.0.16",  13, SPINE),
    "1.18.0-new":   ("3.11", "==1.18.0", "~=2.1.0",   14, SPINE),
    "1.18-old":     ("3.12", "~=1.18.0", "~=2.0.0",   15, SPINE),
    "1.18-new":     ("3.13", "~=1.18.0", "~=2.1.0",   16, SPINE),
    "1.19-new":     ("3.11", "~=1.19.0", "~=2.1.0",   17, SPINE),
    "1.19-old":     ("3.10", "~=1.19.0", "~=2.0.0",   18, SPINE),
    "newest-pg13":  ("3.12", ">=1.20",   "~=2.1.0",   13, SPINE),
    "newest-old":   ("3.13", ">=1.20",   "~=2.0.0",   17, SPINE),
    "newest-3.14":  ("3.14", ">=1.20",   ">=2.1",     18, SPINE),
    "newest":       ("3.13", ">=1.20",   ">=2.1",     18, EVERYTHING),
}  # fmt: skip
# 3.13 has no SQLAlchemy below 2.0.31, so the lowest that pyproject.toml allows stands on 3.10


def runs(python: str) -> bool:
    """Whether the interpreter is there: a shim of pyenv may be all that bears its name."""
    program = shutil.which(f"python{python}")
    if program is None:
        return False
    return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0


OLDEST_HERE = next((python for python in PYTHONS if runs(python)), None)


@nox.session(tags=["quick"])
def lint(session: nox.Session) -> None:
    """Ruff, and the direction of imports."""
    session.install("-e", f".{EXTRAS}", *group("test"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session(tags=["quick"])
def typing(session: nox.Session) -> None:
    """The package under mypy, and the public surface under mypy and pyright: what is wrong there has to be."""
    session.install("-e", f".{EXTRAS}", *group("test"), "pyright[nodejs]")
    session.run("mypy")
    session.run("pyright")


@nox.session(tags=["quick", "matrix"])
def package(session: nox.Session) -> None:
    """Wheel and sdist are built, hold what they should, and are the same from either source."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("build", "twine", "check-wheel-contents", "packaging")
    session.run("python", "-m", "build", "--outdir", str(DIST), silent=True)
    files = [str(path) for path in sorted(DIST.iterdir())]
    session.run("twine", "check", "--strict", *files)
    session.run("check-wheel-contents", str(wheel()))
    session.run("python", "-m", "tests.packaging", *files)


@nox.session
@nox.parametrize(
    ("python", "alembic", "sqlalchemy", "server", "folders"),
    [nox.param(*versions, id=name, tags=["matrix"]) for name, versions in CELLS.items()],
)
def tests(
    session: nox.Session, alembic: str, sqlalchemy: str, server: int, folders: tuple[str, ...]
) -> None:
    """The tests against the wheel, on one cell of the matrix; its result goes to build/matrix."""
    test_wheel(session, f"alembic{alembic}", f"sqlalchemy{sqlalchemy}", server, folders)


@nox.session(python=OLDEST_HERE)
def corner(session: nox.Session) -> None:
    """The oldest of everything that this machine has, on the core of what depends on the versions: a part of CI."""
    _, alembic, sqlalchemy, server, _ = CELLS["oldest"]
    if shutil.which("npm") is None:
        server = 16
        session.warn("PostgreSQL 16 of the wheel: there is no npm that could bring an older one")
    test_wheel(session, f"alembic{alembic}", f"sqlalchemy{sqlalchemy}", server, CORNER)


def test_wheel(
    session: nox.Session, alembic: str, sqlalchemy: str, server: int, folders: tuple[str, ...]
) -> None:
    if not DIST.exists():
        session.error("build the wheel first: nox -s package")
    session.install(f"{wheel()}{EXTRAS}", *group("test"), alembic, sqlalchemy)
    folder = beside_the_package(session)
    # what somebody chose to run is no result of the cell, nor is a part of it
    name = session.name.partition("(")[2].strip(")") or session.name
    is_whole = name in CELLS and not session.posargs
    results = RESULTS if is_whole else Path(session.create_tmp()).resolve()
    results.mkdir(parents=True, exist_ok=True)
    with session.chdir(folder):
        session.run(
            *("python", "-m", "tests.matrix", "run", "--cell", name, "--server", str(server)),
            *("--cache", str(BUILD / "servers"), "--results", str(results), "--"),
            *("-n", "auto", "-p", "no:cacheprovider", *(session.posargs or folders)),
        )


@nox.session
def neighbours(session: nox.Session) -> None:
    """What people install beside Alembic, all in one environment with the guard."""
    session.install("-e", f".{EXTRAS}", *group("test", "neighbours"))
    required = {"UPSERT_GUARD_REQUIRE": "neighbours"}
    session.run("pytest", "tests/neighbours", "-n", "auto", *session.posargs, env=required)


@nox.session(tags=["matrix"])
def table(session: nox.Session) -> None:
    """docs/matrix.md, from the results that are there."""
    session.run(
        "python", "-m", "tests.matrix", "table", "--results", str(RESULTS), "--cells", *CELLS
    )


@nox.session(tags=["quick"])
def docs(session: nox.Session) -> None:
    """The pages, built, where a warning is an error, and opened where there is a Chromium."""
    session.install(*group("docs"))
    session.run("zensical", "build", "--strict", env={"PYTHONPATH": str(ROOT / "docs")})
    session.run("python", "-m", "tests.site", str(BUILD / "site"))


def group(*names: str) -> tuple[str, ...]:
    """The requirements of dependency groups, those that they include too."""
    return nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), *names)


def wheel() -> Path:
    """The one wheel that was built."""
    (built,) = DIST.glob("*.whl")
    return built


def beside_the_package(session: nox.Session) -> Path:
    """A folder with the tests and what they read, and without the package: they import the installed one."""
    folder = Path(session.create_tmp()).resolve() / "tree"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", ".venv")
    for name in TESTED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=left_out)
        else:
            shutil.copy(source, folder / name)
    for name in TESTED_FILES:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder / name)
    return folder
