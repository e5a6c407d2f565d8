"""What the audience sees: a heading a system, a line a step, quotations below."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Narrator:
    """Colours on a terminal only; a line is never folded, so that a log can be searched."""

    def __init__(self, console: Console | None = None) -> None:
        if isinstance(sys.stdout, TextIOWrapper):
            # a terminal of old has no tick: better a question mark than an error
            sys.stdout.reconfigure(errors="replace")
        self._console = console or Console(
            highlight=False, markup=False, emoji=False, soft_wrap=True
        )

    def line(self, text: str = "") -> None:
        self._console.print(text)

    def heading(self, number: int, title: str, key: str, story: str) -> None:
        self.line()
        self._console.print(Text(f"{number}  {title}:", "bold"), Text(key, "cyan"))
        self._console.print(Text(f"   {story}", "italic"))

    def passed(self, step: str, fact: str = "") -> None:
        self._step("✓", "green", step, fact)

    def failed(self, step: str, fact: str = "") -> None:
        self._step("✗", "red", step, fact)

    def quoted(self, lines: Iterable[str], style: str = "dim") -> None:
        for line in lines:
            self._console.print(Text(f"       {line}".rstrip(), style))

    def broken(self, step: str, expected: str, came: str) -> None:
        self._step("✗", "bold red", step, "did not go as told")
        for label, content in (("expected", expected), ("came", came)):
            self._console.print(Text(f"     {label}:", "bold red"))
            self.quoted(content.splitlines(), "red")

    def summary(self, rows: Sequence[tuple[str, str, str, float]]) -> None:
        for title, before, after, seconds in rows:
            self._console.print(
                Text.assemble(
                    (f"{title:<18}", "bold"),
                    (f"✗ {before:<28}", "red"),
                    (f"✓ {after:<38}", "green"),
                    f"{seconds:5.1f} s",
                )
            )

    def _step(self, mark: str, colour: str, step: str, fact: str) -> None:
        line = Text.assemble("   ", (mark, colour), " ", (f"{step:<40}", "bold"), f"  {fact}")
        line.rstrip()
        self._console.print(line)
