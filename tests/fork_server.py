"""``python -m MODULE`` and ``python -c CODE``, each in a process of its own, forked from one that has done the imports.

Importing SQLAlchemy and Alembic takes ten times as long as most commands; a suite makes thousands of them.
``python -m tests.fork_server SOCKET`` answers each connection with an exit code: the request is one JSON value, and
the descriptors of standard output and standard error come with it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

_LONGEST_REQUEST = 1 << 20
_IMPORTED = (
    "alembic.config",
    "logging.config",
    "psycopg2",
    "pymysql",
    "sqlalchemy.dialects.mysql.pymysql",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.orm",
    # the parsers of `scan`
    "pathspec",
    "postgast",
    "sqlglot.dialects.mysql",
    "sqlglot.dialects.sqlite",
    "tree_sitter_javascript",
    "tree_sitter_typescript",
)


class ForkServer:
    """The calling side; any number of threads may call at once."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="guard")  # short, as a socket's path is
        self._address = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, self._address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"listening\n"

    def run(
        self, arguments: list[str], cwd: Path, environment: dict[str, str]
    ) -> tuple[int, str, str]:
        """The exit code, standard output and standard error of ``python`` with these arguments.

        :param arguments: ``-m`` and a module or ``-c`` and code, then what the program gets.
        :param environment: all of it; what the interpreter alone reads, such as PYTHONPATH, changes nothing.
        """
        request = json.dumps(
            {"arguments": arguments, "cwd": str(cwd), "environment": environment}
        ).encode()
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as connection,
        ):
            connection.connect(self._address)
            sent = socket.send_fds(connection, [request], [out.fileno(), err.fileno()])
            assert sent == len(request)
            connection.shutdown(socket.SHUT_WR)
            code = int(connection.makefile().read())
            return code, _text_of(out.fileno()), _text_of(err.fileno())

    def stop(self) -> None:
        """End the process; no request is under way."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()


def _text_of(descriptor: int) -> str:
    with open(os.dup(descriptor), newline=None) as file:  # noqa: PTH123 - a descriptor has no path
        file.seek(0)
        return file.read()


def serve(address: str) -> None:
    """Answer requests until standard input ends, as it does when the caller is killed."""
    for name in _IMPORTED:
        with suppress(ModuleNotFoundError):  # the oldest supported versions lack some
            importlib.import_module(name)
    for command in importlib.metadata.entry_points(group="console_scripts", name="upsert-guard"):
        command.load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who answer
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(16)
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(connection)
            connection.close()


def _answer(connection: socket.socket) -> None:
    """Run the program in a process of its own, so that its exit code is known however it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 2)
    while more := connection.recv(_LONGEST_REQUEST):
        request += more
    child = os.fork()
    if child == 0:
        connection.close()
        _become(json.loads(request), descriptors)
    _, status = os.waitpid(child, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)}".encode())
    os._exit(0)


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Do what the interpreter does with its arguments, and end as it ends."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), *descriptors)):
        os.dup2(descriptor, number)
    sys.path[0] = request["cwd"]
    option, program, *arguments = request["arguments"]
    code = 1
    try:
        sys.argv = [option, *arguments]
        if option == "-m":
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            sys.modules["__main__"] = ModuleType("__main__")
            exec(compile(program, "<string>", "exec"), vars(sys.modules["__main__"]))  # noqa: S102
        code = 0
    except SystemExit as end:
        code = _code_of(end)
    except BaseException:  # noqa: BLE001 - what the interpreter does with an exception that nobody catches
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code % 256)


def _code_of(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    sys.stderr.write(f"{end.code}\n")
    return 1


if __name__ == "__main__":
    serve(sys.argv[1])
