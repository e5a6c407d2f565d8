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
import socket
import subprocess
import sys
import tempfile
import threading
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

    def begin(self, arguments: list[str], cwd: Path, environment: dict[str, str]) -> Running:
        """Start ``python`` with these arguments.

        :param arguments: ``-m`` and a module or ``-c`` and code, then what the program gets.
        :param environment: all of it; what the interpreter alone reads, such as PYTHONPATH, changes nothing.
        """
        request = json.dumps(
            {"arguments": arguments, "cwd": str(cwd), "environment": environment}
        ).encode()
        out, its_out = os.pipe()
        err, its_err = os.pipe()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        sent = socket.send_fds(connection, [request], [its_out, its_err])
        assert sent == len(request)
        connection.shutdown(socket.SHUT_WR)
        os.close(its_out)
        os.close(its_err)
        return Running(connection, out, err)

    def stop(self) -> None:
        """End the process; no request is under way."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()


class Running:
    """A program that was begun."""

    def __init__(self, connection: socket.socket, out: int, err: int) -> None:
        self._connection = connection
        self._out = _Stream(out)
        self._err = _Stream(err)

    def until_it_logs(self, words: str) -> None:
        """Wait until `words` are on its standard error; they never are: an assertion fails."""
        assert self._err.has(words), self._err.text

    def done(self) -> bool:
        """Whether it has ended."""
        return bool(select.select([self._connection], [], [], 0)[0])

    def result(self) -> tuple[int, str, str]:
        """Wait for its end: the exit code, standard output and standard error."""
        out, err = self._out.whole(), self._err.whole()
        with self._connection, self._connection.makefile() as answer:
            return int(answer.read()), out, err


class _Stream:
    """What a program writes, read as it comes."""

    def __init__(self, descriptor: int) -> None:
        self.text = ""
        self._changed = threading.Condition()
        self._reading = threading.Thread(target=self._read, args=(descriptor,), daemon=True)
        self._ended = False
        self._reading.start()

    def _read(self, descriptor: int) -> None:
        with open(descriptor) as file:
            for line in file:
                with self._changed:
                    self.text += line
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def has(self, words: str) -> bool:
        """Wait until `words` are there, or can no longer come."""
        with self._changed:
            self._changed.wait_for(lambda: words in self.text or self._ended, timeout=120)
            return words in self.text

    def whole(self) -> str:
        self._reading.join()
        return self.text


def serve(address: str) -> None:
    """Answer requests until standard input ends, as it does when the caller is killed."""
    for name in _IMPORTED:
        with suppress(ModuleNotFoundError):  # the oldest supported versions lack some
            importlib.import_module(name)
    for command in importlib.metadata.entry_points(group="console_scripts", name="upsert-guard"):
        command.load()
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
            with suppress(
                ChildProcessError
            ):  # those that have answered; the others with the next request
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _answer(connection: socket.socket) -> None:
    """Run the program in a process of its own, so that its exit code is known however it ends."""
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
