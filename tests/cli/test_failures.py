"""What cannot run says why in one line on standard error, prints nothing else, and ends with 2."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from alembic_upsert_guard.migration.environment_errors import _invalid
from tests.cli.commands import ACCOUNT, ACCOUNTS, UNIQUE, could_not_run, guard

if TYPE_CHECKING:
    from tests.project import Project

FAILED = "env.py did not run to its end: "


@pytest.fixture
def broken(sqlite_project: Project) -> Project:
    sqlite_project.models(ACCOUNT)
    return sqlite_project


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense()", "NameError: name 'nonsense' is not defined (migrations/env.py:2)"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere' (migrations/env.py:2)"),
        ("def", "SyntaxError: invalid syntax (migrations/env.py:2)"),
        ("raise SystemExit(0)", "SystemExit: 0 (migrations/env.py:2)"),
        ("raise SystemExit", "SystemExit (migrations/env.py:2)"),
        ("raise ValueError('one\\ntwo')", "ValueError: one (migrations/env.py:2)"),
        (
            "from alembic.util import CommandError; raise CommandError('no such tenant')",
            "no such tenant (migrations/env.py:2)",
        ),
    ],
)
def test_a_broken_env(broken: Project, line: str, reason: str) -> None:
    """What it raised, and where; and what it raised on purpose is not taken for our exit code."""
    broken.edit("migrations/env.py", "\nimport os\n", f"\n{line}\nimport os\n")
    assert could_not_run(broken, "check") == FAILED + reason


def test_the_url_of_alembics_template(broken: Project) -> None:
    """What `alembic init` writes is no database's: the line to edit is named."""
    url = "driver://user:pass@localhost/dbname"
    ini = broken.path / "alembic.ini"
    kept = [line for line in ini.read_text().splitlines() if "sqlalchemy.url" not in line]
    ini.write_text("\n".join(kept).replace("[alembic]", f"[alembic]\nsqlalchemy.url = {url}", 1))
    line = f"import sqlalchemy; sqlalchemy.create_engine({url!r})"
    broken.edit("migrations/env.py", "\nimport os\n", f"\n{line}\nimport os\n")

    assert could_not_run(broken, "check").endswith(
        "(migrations/env.py:2): sqlalchemy.url of alembic.ini is still the template's"
    )


SETTINGS = """
from pydantic import BaseModel
class Settings(BaseModel):
    database_url: str
    pool: int
"""


def test_settings_that_lack_a_variable(broken: Project) -> None:
    """Each is named with what is wrong with it; a value, which may be a secret, is not repeated."""
    pytest.importorskip("pydantic")
    broken.edit(
        "migrations/env.py", "\nimport os\n", f"{SETTINGS}Settings(pool='hunter2')\nimport os\n"
    )

    assert could_not_run(broken, "check").startswith(
        f"{FAILED}ValidationError: database_url: Field required; pool: Input should be a valid integer"
    )
    assert "hunter2" not in could_not_run(broken, "check")


def test_many_variables_that_are_missing(broken: Project) -> None:
    """Five are named, the others counted."""
    pydantic = pytest.importorskip("pydantic")
    fields: dict[str, Any] = {f"v{number}": (str, ...) for number in range(8)}
    with pytest.raises(pydantic.ValidationError) as raised:
        pydantic.create_model("Settings", **fields)()

    (named,) = _invalid(raised.value)
    assert named == "; ".join([*(f"v{n}: Field required" for n in range(5)), "and 3 more"])


def test_a_broken_model(broken: Project) -> None:
    """The place is the model's, and not that of env.py's import."""
    broken.models("    Base.nothing")
    assert could_not_run(broken, "check").endswith("(models.py:13)")


def test_a_declaration_that_no_database_could_keep(broken: Project) -> None:
    """The fix is in the message."""
    broken.models(ACCOUNT.replace('"email")', '"emial")'))
    assert "emial" in could_not_run(broken, "check")


def test_env_that_never_runs_migrations(broken: Project) -> None:
    """Nothing was checked, and that is no pass."""
    broken.edit("migrations/env.py", "context.run_migrations()", "pass")
    assert could_not_run(broken, "check") == (
        "env.py configured no database: it has to call context.run_migrations()"
    )


@pytest.mark.parametrize("options", [["check"], ["scan", "models.py"]])
def test_env_without_target_metadata(broken: Project, options: list[str]) -> None:
    """No models, no keys: not a pass either."""
    broken.edit("migrations/env.py", "target_metadata=models.Base.metadata", "target_metadata=None")
    assert could_not_run(broken, *options).startswith("env.py configures no target_metadata")


NO_METADATA = (
    "target_metadata is a DeclarativeAttributeIntercept, and no MetaData: write Base.metadata"
)


def test_env_that_names_the_base_class(broken: Project) -> None:
    """A near miss of many an env.py."""
    broken.edit("migrations/env.py", "models.Base.metadata", "models.Base")
    assert could_not_run(broken, "check") == NO_METADATA
    assert could_not_run(broken, "scan", "models.py").startswith(NO_METADATA)


def test_env_that_swallows_what_fails(broken: Project) -> None:
    """An error of the check is not lost in an env.py that catches everything."""
    broken.edit("migrations/env.py", "models.Base.metadata", "models.Base")
    env = broken.path / "migrations" / "env.py"
    run = "            context.run_migrations()"
    swallowing = f"            try:\n    {run}\n            except Exception:\n                pass"
    env.write_text(env.read_text().replace(run, swallowing))
    assert could_not_run(broken, "check") == NO_METADATA


def test_an_unreachable_database(project: Project) -> None:
    """As the driver says it, without the password."""
    project.models(ACCOUNT)
    project.url = "postgresql+psycopg2://me:secret@127.0.0.1:1/nowhere"
    said = could_not_run(project, "check")
    assert said.startswith(f"{FAILED}OperationalError: (psycopg2.OperationalError) connection to")
    assert "secret" not in guard(project, "check").said


def test_a_database_that_does_not_exist(project: Project) -> None:
    """The server's sentence, exit 2, no traceback."""
    project.models(ACCOUNT)
    project.url = project.url.replace("/tests", "/no_such_database", 1)
    assert "does not exist" in could_not_run(project, "check")


def test_a_configuration_that_is_not_there(broken: Project) -> None:
    """Misspelt, missing, or twice."""
    assert (
        could_not_run(broken, "check", "-c", "wrong.ini") == "there is no configuration wrong.ini"
    )
    assert could_not_run(broken, "check", "-c", "alembic.ini", "-c", "alembic.ini").startswith(
        "-c names more than one file of a kind"
    )
    (broken.path / "alembic.ini").unlink()
    nowhere = (
        "there is no alembic.ini, and no [tool.alembic] in pyproject.toml: run it where Alembic's configuration is, "
        "or name it with -c; without Alembic: upsert-guard check --database URL --code PATH"
    )
    assert could_not_run(broken, "check") == nowhere
    (broken.path / "pyproject.toml").write_text("[project]\nname = 'mine'\n")
    assert could_not_run(broken, "check") == nowhere
    (broken.path / "pyproject.toml").write_text("[tool.alembic]\n")
    assert could_not_run(broken, "check") == "No 'script_location' key found in configuration."


def test_a_configuration_that_cannot_be_read(broken: Project) -> None:
    """configparser's error is named, whichever command reads it."""
    (broken.path / "alembic.ini").write_text("script_location = migrations\n")
    assert could_not_run(broken, "check").startswith(
        "the Alembic configuration cannot be read: MissingSectionHeaderError: "
    )
    assert could_not_run(broken, "scan", "models.py", "--metadata", "models:Base").startswith(
        "the Alembic configuration cannot be read: MissingSectionHeaderError: "
    )


def test_a_folder_of_migrations_that_is_not_there(broken: Project) -> None:
    """Alembic's own sentence names the folder."""
    (broken.path / "migrations").rename(broken.path / "moved")
    assert "migrations" in could_not_run(broken, "check")


def test_a_full_disk(broken: Project) -> None:
    """A report that cannot be written is no pass."""
    if sys.platform != "linux":
        pytest.skip("it has no /dev/full")
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ran = subprocess.run(
            [sys.executable, "-m", "alembic_upsert_guard", "explain", "null-rows"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 2
    assert "No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_interruption(project: Project) -> None:
    """Ctrl-C ends it with what shells expect, and no traceback."""
    project.sql(ACCOUNTS, UNIQUE)
    project.models(ACCOUNT)
    project.edit(
        "migrations/env.py",
        "import models\n",
        "import models, time\nprint('here', flush=True)\ntime.sleep(60)\n",
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "alembic_upsert_guard", "check"],
        cwd=project.path,
        env={**os.environ, "PROJECT_URL": project.url, "PYTHONPATH": "."},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    while "here" not in (line := running.stderr.readline()):
        assert line
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert (running.returncode, out, err) == (130, "", "upsert-guard: interrupted\n")
