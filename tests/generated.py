"""What the harnesses share that run generated cases on any server: arguments, cases, report and exit code."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from tests.planner.servers import VERSIONS, embedded_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy
    from sqlalchemy.engine import Connection, Engine

__all__ = [
    "KEEP_GOING",
    "GeneratorDefectError",
    "Harness",
    "Run",
    "WrongClaimError",
    "WrongClaims",
    "counted",
    "executed",
    "for_each",
    "made",
    "pasted",
    "undone",
]

_Case = TypeVar("_Case")


class GeneratorDefectError(Exception):
    """The generated SQL fails for a reason of its own: nothing is learned of the package."""


class WrongClaimError(AssertionError):
    """What the package says is contradicted; its message is a reproducer."""


@dataclass
class WrongClaims:
    """The claims that turned out wrong in a run."""

    times: Counter[str] = field(default_factory=Counter)
    reproducers: dict[str, list[str]] = field(default_factory=dict)
    """By claim: the shortest ones."""

    def add(self, claim: str, reproducer: str) -> None:
        """Count the claim, and keep its shortest reproducer."""
        self.times[claim] += 1
        self.reproducers[claim] = [
            min(*self.reproducers.get(claim, ()), reproducer, reproducer, key=len)
        ]

    def lines(self) -> Iterator[str]:
        for claim, times in self.times.most_common():
            yield f"\n=== {times} times: {claim}"
            yield from (f"\n{reproducer}" for reproducer in self.reproducers.get(claim, ()))
        yield ""


def counted(counts: Counter[str], most: int | None = None) -> Iterator[str]:
    """The `most` frequent, a line each."""
    for what, times in counts.most_common(most):
        yield f"{times:7}  {what}"


# -- one case


def executed(connection: Connection, sql: str) -> Any:
    """Execute SQL whose per cent signs and colons are no parameters."""
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """A savepoint in SQL for the block: SQLAlchemy's own would not begin a transaction on SQLite."""
    executed(connection, "SAVEPOINT generated")
    try:
        yield
    finally:
        executed(connection, "ROLLBACK TO SAVEPOINT generated")
        executed(connection, "RELEASE SAVEPOINT generated")


@contextmanager
def made(connection: Connection, statements: Sequence[str]) -> Iterator[None]:
    """What `statements` make, for as long as the block runs.

    :raises GeneratorDefectError: one of them fails.
    """
    with undone(connection):
        try:
            for statement in statements:
                executed(connection, statement)
        except DBAPIError as error:
            raise GeneratorDefectError(f"{error.orig}\n{pasted(statements)}") from error
        yield


def pasted(statements: Sequence[str]) -> str:
    """The statements as a shell takes them."""
    return "\n".join(f"{statement};" for statement in statements)


# -- many cases


def for_each(
    cases: SearchStrategy[_Case],
    hold: Callable[[_Case], None],
    *,
    size: int,
    seed: int | str,
    shrink: bool = True,
) -> None:
    """Call `hold` with `size` cases, always the same ones for the same seed.

    :param shrink: False: what `hold` raises is raised for the case that was generated, and not for a smaller one.
    """
    budget = settings(
        max_examples=max(size, 1),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )

    # a function of its own: hypothesis leaves its marks on it
    def once(case: _Case) -> None:
        hold(case)

    seeded(seed)(budget(given(cases)(once)))()


# -- the command


class _Tally(Protocol):
    """What has come of a run."""

    @property
    def wrong(self) -> int:
        """How often something was wrong."""

    def lines(self, seconds: float) -> Iterator[str]:
        """What is printed of it."""


@dataclass
class Run:
    """One run of a harness, on the database that is asked for."""

    arguments: argparse.Namespace
    stack: ExitStack
    """What it holds is closed after the run."""

    def engine(self, *, sqlite_isolation: str = "AUTOCOMMIT") -> Engine:
        """Return an engine on the database; it is there until the run ends."""
        if self.arguments.sqlite:
            engine = create_engine("sqlite://", isolation_level=sqlite_isolation)  # type: ignore[arg-type]
        else:
            temporary = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="guard")))
            cache = (self.arguments.cache or temporary).absolute()
            server = embedded_server(self.arguments.server, cache)
            engine = create_engine(self.stack.enter_context(server))
        self.stack.callback(engine.dispose)
        return engine

    def connection(self) -> Connection:
        """Return a connection to the database; it is closed when the run ends."""
        return self.stack.enter_context(self.engine().connect())


@dataclass(frozen=True, kw_only=True)
class Harness:
    """``python -m MODULE``: arguments, the run, what is printed of it, and exit code 1 where something is wrong."""

    module: str
    description: str | None
    cases: int
    """How many by default."""

    what: str
    """What `--cases` is a number of."""

    tally: Callable[[argparse.Namespace], _Tally]
    run: Callable[[Run, Any], None]
    """Fills the tally."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options beyond those that all have, as ``add_argument`` takes them."""

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run, print the tally, return the exit code."""
        arguments = self._parser().parse_args(argv)
        tally = self.tally(arguments)
        started = time.monotonic()
        with ExitStack() as stack:
            try:
                self.run(Run(arguments, stack), tally)
            except WrongClaimError as error:
                print(f"the smallest that hypothesis found:\n{error}\n")  # noqa: T201
        print(*tally.lines(time.monotonic() - started), sep="\n")  # noqa: T201
        return 1 if tally.wrong else 0

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            prog=f"python -m {self.module}", description=self.description
        )
        parser.add_argument("--cases", type=int, default=self.cases, help=f"how many {self.what}")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--server", type=int, choices=VERSIONS, default=18, help="PostgreSQL's")
        where.add_argument("--sqlite", action="store_true", help="SQLite instead of PostgreSQL")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--cache", type=Path, help="where downloaded servers stay")
        for name, details in self.options.items():
            parser.add_argument(name, **details)
        return parser


KEEP_GOING: Mapping[str, Any] = {
    "action": "store_true",
    "help": "count what is wrong, shrink none of it",
}
