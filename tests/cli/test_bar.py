"""The bar of ``scan`` and of ``check --rows``: on a terminal, and nowhere else."""

from __future__ import annotations

import io

import pytest

from alembic_upsert_guard.command.bar import bar_for


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
