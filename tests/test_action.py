"""``action.yml``: its steps, run as GitHub runs them, on a small project."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {
    step["id"]: step for step in ACTION["runs"]["steps"] if "run" in step
}

MODELS = """
from sqlalchemy import Column, Integer, MetaData, Table
metadata = MetaData()
Table("answers", metadata, Column("id", Integer, primary_key=True), Column("question", Integer))
"""
SERVICE = """
from models import metadata
from sqlalchemy.dialects.sqlite import insert
answers = metadata.tables["answers"]
statement = insert(answers).on_conflict_do_nothing(index_elements=["question"])
"""


def substituted(text: str, inputs: dict[str, str]) -> str:
    """As GitHub replaces expressions, of which two kinds are used."""

    def value(found: re.Match[str]) -> str:
        if found[1] == "github.action_path":
            return str(ROOT)
        return inputs[found[1].removeprefix("inputs.")]

    return re.sub(r"\$\{\{ (.*?) \}\}", value, text)


class Runner:
    """A job's machine: a project, and a folder for what steps leave."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        (self.project / "models.py").write_text(MODELS)
        (self.project / "service.py").write_text(SERVICE)
        self.temp = folder / "temp"
        self.temp.mkdir()
        self.output = folder / "output"
        self.programs = programs

    def runs(
        self, step: str, environment: dict[str, str], **given: str
    ) -> subprocess.CompletedProcess[str]:
        inputs = {name: each["default"] for name, each in ACTION["inputs"].items()} | given
        variables = {name: substituted(v, inputs) for name, v in STEPS[step]["env"].items()}
        script = self.temp / f"{step}.sh"
        script.write_text(STEPS[step]["run"])
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.project,
            env={
                "PATH": f"{self.programs}:/usr/bin:/bin",
                "HOME": str(self.temp),
                "RUNNER_TEMP": str(self.temp),
                "GITHUB_OUTPUT": str(self.output),
                **variables,
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path, Path(sys.executable).parent)


def test_no_input_is_part_of_a_script() -> None:
    """An expression in ``run`` is replaced in the shell's text, where it could be a command."""
    assert STEPS.keys() == {"install", "run"}
    for step in STEPS.values():
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_what_is_given_back_is_written_by_the_step() -> None:
    """Each output is one of the step that runs."""
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.run.outputs.{name} }}}}"
        assert name in STEPS["run"]["run"]


@pytest.mark.slow
def test_it_scans_and_leaves_the_file_to_upload(runner: Runner) -> None:
    """Red where an upsert is not declared; the output names the SARIF, which has it."""
    ran = runner.runs("run", {}, format="sarif", metadata="models:metadata")

    assert ran.returncode == 1, ran.stderr
    document = json.loads(Path(runner.outputs()["sarif"]).read_text())
    (result,) = document["runs"][0]["results"]
    assert document["version"] == "2.1.0"
    assert result["ruleId"] == "undeclared-upsert"


@pytest.mark.slow
def test_with_a_database_it_checks_too(runner: Runner) -> None:
    """One report each, and the database's answer is in the second; no input is a command or a pattern."""
    ran = runner.runs(
        "run",
        {},
        **{"database-url": f"sqlite:///{runner.project}/it.db", "format": "sarif"},
        paths="service.py\n$(touch${IFS}injected)",
    )
    assert ran.returncode == 2
    assert "$(touch${IFS}injected)" in ran.stderr
    assert not (runner.project / "injected").exists()

    runner.output.unlink()
    tables = "CREATE TABLE answers (id INTEGER PRIMARY KEY, question INTEGER)"
    made = f"import sqlite3; sqlite3.connect('it.db').execute({tables!r})"
    subprocess.run([sys.executable, "-c", made], cwd=runner.project, check=True)
    ran = runner.runs(
        "run",
        {},
        **{"database-url": f"sqlite:///{runner.project}/it.db", "format": "sarif"},
        metadata="models:metadata",
    )
    assert ran.returncode == 1, ran.stderr
    assert runner.outputs().keys() == {"sarif", "sarif-check"}
    checked = json.loads(Path(runner.outputs()["sarif-check"]).read_text())
    assert [each["level"] for each in checked["runs"][0]["results"]] == ["error"]


@pytest.mark.parametrize("given", [{"format": "text"}, {"command": "rm"}])
def test_a_wrong_input_is_refused(runner: Runner, given: dict[str, str]) -> None:
    """With its name, and with the exit code of what could not run."""
    ran = runner.runs("run", {}, **given)

    assert ran.returncode == 2
    assert ran.stderr.startswith(next(iter(given)))


@pytest.mark.slow
def test_it_installs_itself(tmp_path: Path) -> None:
    """Into the Python on PATH, from the folder of the action, with the command."""
    if not (ROOT / "alembic_upsert_guard").is_dir():
        pytest.skip("these are the tests of a wheel: its source is not here")
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    runner = Runner(tmp_path, environment / "bin")
    # what it depends on is there already, and is not downloaded again
    (packages,) = environment.glob("lib/*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    ran = runner.runs("install", pip)
    assert ran.returncode == 0, ran.stderr

    ran = runner.runs("run", {}, metadata="models:metadata")

    assert ran.returncode == 1, ran.stderr
    assert "::error file=service.py,line=5,title=undeclared-upsert" in ran.stdout
    assert list(packages.glob("alembic_upsert_guard-*.dist-info"))
