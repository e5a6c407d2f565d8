"""The ``alembic`` command, each call in a process of its own, forked from one that has done the imports.

Importing SQLAlchemy and Alembic takes ten times as long as most commands; a suite makes hundreds of them.
``python -m tests.alembic_server`` reads a request a line on standard input and answers each with an exit code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


class AlembicServer:
    """The calling side."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, arguments: list[str], cwd: Path, environment: dict[str, str]
    ) -> tuple[int, str, str]:
        """The exit code, standard output and standard error of ``alembic`` with these arguments."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            request = {
                "arguments": arguments,
                "cwd": str(cwd),
                "environment": environment,
                "out": str(out),
                "err": str(err),
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            return code, out.read_text(), err.read_text()

    def stop(self) -> None:
        """End the process; no request is under way."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def serve() -> None:
    """Answer requests until standard input ends."""
    import alembic.config  # noqa: F401, PLC0415
    import psycopg2  # noqa: F401, PLC0415
    import sqlalchemy.dialects.postgresql  # noqa: PLC0415
    import sqlalchemy.dialects.sqlite  # noqa: PLC0415
    import sqlalchemy.orm  # noqa: F401, PLC0415

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become_alembic(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status) % 256}\n")
        sys.stdout.flush()


def _become_alembic(request: dict[str, Any]) -> None:
    from alembic.config import main  # noqa: PLC0415

    os.chdir(request["cwd"])
    os.environ.update(request["environment"])
    for number, path in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
    sys.path.insert(0, request["cwd"])
    code = 1
    try:
        main(argv=request["arguments"], prog="alembic")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - what the interpreter does with an exception that nobody catches
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code % 256)


if __name__ == "__main__":
    serve()
