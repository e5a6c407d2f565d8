"""The placeholders of drivers, as parameters that a parser takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tokens import HOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tokens import SqlToken

__all__ = ["variable_at", "with_names", "with_parameters"]


def with_parameters(sql: str, tokens: Sequence[SqlToken], parameter: str) -> str:
    r"""Return `sql` with the placeholders of Python's drivers, of ``text()`` and of psql as parameters.

    =====================  =====================================
    ``%s`` ``%(name)s``    psycopg, PyMySQL; ``%%`` is one ``%``
    ``:name``              ``text()``, sqlite3, psql; ``\:`` is one ``:``
    ``:'name'``            psql
    ``:1``                 python-oracledb
    ``?`` ``?1``           sqlite3
    ``@name``              sqlite3, sqlc
    =====================  =====================================

    :param parameter: what is put in their place: ``$1`` to PostgreSQL, ``?`` to MySQL.
    """
    written: list[str] = []
    done = position = 0
    while position < len(tokens):
        found = _placeholder(_adjacent(tokens, position))
        if found is None:
            position += 1
            continue
        kept, taken = found
        # execute_values puts the rows in place of one parameter
        is_rows = position > 0 and tokens[position - 1].kind == "VALUES"
        written += [
            sql[done : tokens[position].start],
            kept.replace(_HERE, f" ({parameter}) " if is_rows else f" {parameter} "),
        ]
        position += taken
        done = tokens[position - 1].end
    return "".join(written) + sql[done:]


def with_names(sql: str, tokens: Sequence[SqlToken]) -> str:
    """Return `sql` with the variables of scripts as names that are put in at run time.

    =============================================  ====================================
    ``:"name"``                                    psql
    ``:name`` in front of a dot                    psql
    ``${name}`` ``$(name)`` ``{name}``, likewise   Flyway, sqlcmd, ``str.format``
    ``@extschema@``, likewise                      scripts of PostgreSQL's extensions
    =============================================  ====================================
    """
    written: list[str] = []
    done = 0
    for position, token in enumerate(tokens):
        taken = variable_at(tokens, position)
        last = position + taken - 1
        is_name = [each.text for each in tokens[last + 1 : last + 2]] == ["."]
        if taken and token.start >= done and (is_name or tokens[last].text.startswith('"')):
            written += [sql[done : token.start], f"{HOLE}{token.start}p_"]
            done = tokens[last].end
    return "".join(written) + sql[done:]


def variable_at(tokens: Sequence[SqlToken], position: int) -> int:
    """Return of how many tokens the variable of a script is that begins at a position; 0: none does."""
    match [each.text for each in _adjacent(tokens, position)]:
        case [":", *behind] if behind:
            return 2
        case ["$", "{", _, "}", *_] | ["$", "(", _, ")", *_]:
            return 4
        case ["{", _, "}", *_] | ["@", "extschema", "@", *_]:
            return 3
    return 0


_HERE = "\0"
_LONGEST = 5


def _placeholder(tokens: Sequence[SqlToken]) -> tuple[str, int] | None:
    """What is written for the first of `tokens`, and for how many of them; None: they are no placeholder.

    An operator can be in front without a space: ``=%s`` is cut up as ``=%`` and ``s``.
    """
    operator, *following = (token.text for token in tokens)
    kept, sign = operator[:-1], operator[-1]
    word = bool(following) and (following[0][0].isalpha() or following[0][0] in "_'")
    match sign, following:
        case "%", ["s", *_]:
            return kept + _HERE, 2
        case "%", ["(", _, ")", "s"]:
            return kept + _HERE, 5
        case "%", _ if kept.endswith("%"):
            return kept, 1
        case "?", [number, *_] if number.isdigit():
            return kept + _HERE, 2
        case "?", _:
            return kept + _HERE, 1
        case ":", [number, *_] if number.isdigit() and operator != "::":
            return kept + _HERE, 2
        case ((":" | "@"), _) if word and operator != "::":
            return kept + _HERE, 2
        case "\\", [(":" | "::") as colons, *_]:
            return colons, 2
    return None


def _adjacent(tokens: Sequence[SqlToken], position: int) -> Sequence[SqlToken]:
    """The tokens from here on that have nothing between them, as many as a placeholder can have."""
    last = position + 1
    while (
        last < min(len(tokens), position + _LONGEST) and tokens[last].start == tokens[last - 1].end
    ):
        last += 1
    return tokens[position:last]
