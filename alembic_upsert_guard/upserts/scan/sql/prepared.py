"""SQL that MySQL and MariaDB prepare from a text: ``SET @sql = CONCAT('INSERT ...', ...); PREPARE s FROM @sql``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .dynamic import pieces_of, string_of
from .replacing import may_replace
from .tokens import HOLE, name_of, on_conflict_in
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .tokens import SqlToken

__all__ = ["prepared_in"]

_BEHIND = frozenset({")", ":", "begin", "do", "else", "loop", "repeat", "then"})
"""What a statement of a procedure is behind, which is cut up as if it were a script; in lower case."""
_FIRST = frozenset({"EXECUTE", "PREPARE", "SELECT", "SET"})
"""What such a statement begins with."""
_PUT_TOGETHER = Unread(
    "MySQL prepares the statement from a text that is put together when it runs", Cause.FILLED_IN
)


@dataclass(slots=True)
class _Text:
    """A text that is put together, with holes where a run puts something in."""

    written: str = ""
    parts: list[tuple[int, SqlToken]] = field(default_factory=list)
    """Where the string of each token begins in it."""
    holes: int = 0

    def add(self, token: SqlToken) -> None:
        self.parts.append((len(self.written), token))
        self.written += _string_of(token)

    def add_hole(self) -> None:
        self.written += f"{HOLE}{self.holes}_"
        self.holes += 1

    def place(self, at: int) -> int:
        """Where a place of the text is, in characters of the statement around it."""
        start, token = max((p for p in self.parts if p[0] <= at), default=self.parts[0])
        # a doubled quote is one character of the text
        return min(token.start + 1 + max(at - start, 0), token.end - 1)


def prepared_in(
    tokens: Sequence[SqlToken], read_sql: Callable[[str], list[SqlUpsert]]
) -> Iterator[SqlUpsert]:
    """Return the upserts in texts that a statement assigns to a variable, prepares or executes.

    :param tokens: of one statement, as it is cut at semicolons.
    :param read_sql: reads the SQL inside.
    """
    for position, token in enumerate(tokens):
        before = tokens[position - 1].text.lower() if position else ""
        if token.kind not in _FIRST or (position and before not in _BEHIND):
            continue  # what is behind a token is not gone through for each
        for expression in _expressions(token, tokens[position + 1 :]):
            yield from _upserts(expression, read_sql)


def _expressions(first: SqlToken, rest: Sequence[SqlToken]) -> Iterator[Sequence[SqlToken]]:
    """What the texts are that a statement makes or runs, by its first token."""
    words = [token.text.lower() for token in rest]
    match first.kind:
        case "SET":
            for assignment in pieces_of(rest, ","):
                signs = [n for n, t in enumerate(assignment) if t.text in ("=", ":=")]
                if signs:
                    yield assignment[signs[0] + 1 :]
        case "PREPARE" if words[1:2] == ["from"]:
            yield rest[2:]
        case "EXECUTE" if words[:1] == ["immediate"]:
            yield rest[1:]
        case "SELECT" if "into" in words:
            into = len(words) - 1 - words[::-1].index("into")
            if words[into + 1 : into + 2] == ["@"]:
                yield from pieces_of(rest[:into], ",")


def _upserts(
    expression: Sequence[SqlToken], read_sql: Callable[[str], list[SqlUpsert]]
) -> Iterator[SqlUpsert]:
    strings = [token for token in expression if _is_string(token)]
    if not any(_says_upsert(token.text) for token in strings):
        return
    text = _Text()
    _put_together(expression, text)
    found = read_sql(text.written) if text.parts else []
    if not found and _is_upsert("".join(map(_string_of, strings))):
        first = next(token for token in strings if _says_upsert(token.text))
        found = [SqlUpsert(0, _PUT_TOGETHER, _PUT_TOGETHER)]
        text = _Text(parts=[(0, first)])
    for upsert in found:
        at = text.place(upsert.start)
        yield replace(upsert, start=at, first=expression[0].start, last=expression[-1].end)


def _put_together(expression: Sequence[SqlToken], text: _Text) -> None:
    """Add what an expression is: a string, or ``CONCAT()`` of strings and others; a hole for anything else."""
    words = [token.text.lower() for token in expression[:2]]
    if len(expression) == 1 and _is_string(expression[0]):
        text.add(expression[0])
    elif words == ["concat", "("] and expression[-1].kind == "ASCII_41":
        for piece in pieces_of(expression[2:-1], ","):
            _put_together(piece, text)
    else:
        text.add_hole()


def _is_string(token: SqlToken) -> bool:
    """Whether it is a string to MySQL, to which double quotes are quotes of one."""
    return token.kind == "SCONST" or (token.text.startswith('"') and " " in token.text)


def _string_of(token: SqlToken) -> str:
    return string_of(token) if token.kind == "SCONST" else name_of(token)


def _says_upsert(text: str) -> bool:
    lower = text.lower()
    return "duplicate" in lower or may_replace(lower) or on_conflict_in(lower) >= 0


def _is_upsert(text: str) -> bool:
    """Whether strings are an upsert, or the end of one, as far as their words say, and no sentence that names one."""
    words = text.lower().split()
    begins = words[:1] in (["insert"], ["replace"])
    ends = words[:3] == ["on", "duplicate", "key"] or words[:2] == ["on", "conflict"]
    return begins or ends
