"""The bar of ``scan`` and of ``check --rows``: on a terminal, and nowhere else."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine

from alembic_upsert_guard import UpsertKey
from alembic_upsert_guard.command.bar import bar_for
from alembic_upsert_guard.verdict.check import check_keys

if TYPE_CHECKING:
    from alembic_upsert_guard.verdict.read_progress import ReadRows


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """One that draws."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def test_on_a_terminal_it_is_drawn(terminal: Terminal) -> None:
    """With what is done, how much of it, and with brackets as they are."""
    with bar_for("scanning [app]", terminal, quiet=False) as bar:
        assert bar is not None
        bar.advance(1, 4)

    assert "scanning [app]" in terminal.getvalue()
    assert "25%" in terminal.getvalue()


def test_each_read_of_rows_is_reported(url: str) -> None:
    """Before and after, with the rate of the last by the table's statistics; a table without any has none."""
    metadata = MetaData()
    for name in ("answers", "marks"):
        question = Column("question", Integer, nullable=False)
        Table(
            name, metadata, Column("id", Integer, primary_key=True), question, UpsertKey("question")
        )
    engine = create_engine(url)
    metadata.create_all(engine)
    reads: list[ReadRows] = []
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO answers SELECT i, i FROM generate_series(1, 100) i")
        connection.exec_driver_sql("ANALYZE answers")
        checked = check_keys(connection, [metadata], rows=True, progress=reads.append)
    engine.dispose()

    assert checked.findings == ()
    assert [(each.done, each.total, each.table) for each in reads] == [
        (0, 2, "answers"),
        (1, 2, "answers"),
        (1, 2, "marks"),
        (2, 2, "marks"),
    ]
    assert reads[1].per_second
    assert reads[3].per_second is None


def test_quiet_draws_none(terminal: Terminal) -> None:
    """Not a byte."""
    with bar_for("scanning", terminal, quiet=True) as bar:
        assert bar is None

    assert terminal.getvalue() == ""


def test_in_a_log_there_is_none() -> None:
    """A file keeps every byte that a bar would overwrite."""
    log = io.StringIO()
    with bar_for("scanning", log, quiet=False) as bar:
        assert bar is None

    assert log.getvalue() == ""
