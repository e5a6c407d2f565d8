"""What the pages on databases and drivers show is what happens."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.drivers import DRIVERS, GOES_THROUGH

DOCS = Path(__file__).parents[1] / "docs"
ERROR = "-- ERROR: "


def test_the_statements_of_the_page_on_sqlite_are_answered_as_it_says() -> None:
    """All of them in one database, in their order; an error stands below the statement that it answers."""
    page = (DOCS / "sqlite.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    answers = [line for block in blocks for line in block.splitlines()]
    assert answers

    with closing(sqlite3.connect(":memory:")) as connection:
        for line, below in zip(answers, [*answers[1:], ""], strict=True):
            if not line.startswith(ERROR):
                assert answer_of(connection, line) == (
                    below.removeprefix(ERROR) if below.startswith(ERROR) else "ok"
                ), line


def answer_of(connection: sqlite3.Connection, statement: str) -> str:
    try:
        connection.execute(statement)
    except sqlite3.Error as error:
        return str(error)
    return "ok"


def test_the_table_of_drivers_is_what_ran() -> None:
    """A row a driver of the spine's tests: its URL, its template, and how often a bound predicate goes through."""
    page = (DOCS / "drivers.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if re.match(r"\| .*`(postgresql|sqlite)\+", line)
    ]

    told = {row[1].strip("`"): (row[2], row[3].split(",")[0].split(":")[0]) for row in rows}
    assert told == {
        f"{driver.dialect}+{driver.name}": (
            driver.template,
            f"{GOES_THROUGH[driver]} times" if driver in GOES_THROUGH else "always",
        )
        for driver in DRIVERS
    }
