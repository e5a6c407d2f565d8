"""The scripts in components of Vue, Svelte and Astro, and the expressions between their tags that upsert."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["script_of"]

_WORDS = ("upsert", "onconflict", "orignore", "orupdate", "skipduplicates", "on conflict")
"""In lower case: what an upsert has one of."""


def script_of(source: bytes, suffix: str) -> tuple[bytes, bool]:
    """Return a component with all but its scripts and upserting expressions blanked, and whether they may hold JSX.

    Every line keeps its number. A component's scripts share their names, as in ``<script setup>`` beside ``<script>``.

    :param suffix: one of :data:`.suffixes.MARKUP`.
    """
    text = source.decode("utf-8", errors="replace")
    spans, is_jsx = _Scripts(text).found()
    if suffix == ".astro":
        spans = _frontmatter(text) + spans
    kept = []
    done = 0
    for start, end in sorted(spans):
        if start < done:
            continue
        # what ends one script must not run into the next
        kept += [_markup(text[done:start], suffix), text[start:end], ";"]
        done = end + 1
    kept.append(_markup(text[done:], suffix))
    return "".join(kept).encode(), is_jsx


def _markup(text: str, suffix: str) -> str:
    """Markup with all but the expressions that upsert blanked; each of these is a block of statements."""
    if not any(word in text.lower() for word in _WORDS):
        return _blank(text)
    text = _without_comments(text)
    quote = '"' if suffix == ".vue" else None
    kept = []
    done = 0
    for start, end in _quoted(text, quote) if quote else _braced(text):
        inside = text[start + 1 : end - 1]
        if start < done or not any(word in inside.lower() for word in _WORDS):
            continue
        bare = inside.lstrip()
        directive = bare.split(maxsplit=1)[0] if bare[:1] in ("#", ":", "@") else ""
        blanked = inside.replace(directive, " " * len(directive), 1) if directive else inside
        kept += [_blank(text[done:start]), "{", blanked, "}"]
        done = end
    return "".join([*kept, _blank(text[done:])])


def _without_comments(text: str) -> str:
    kept = []
    for position, part in enumerate(text.split("<!--")):
        comment, end, rest = part.partition("-->") if position else ("", "", part)
        kept.append(f"    {_blank(comment)}{'   ' if end else ''}{rest}" if position else rest)
    return "".join(kept)


def _quoted(text: str, quote: str) -> list[tuple[int, int]]:
    """Where the values of attributes are, quotes included: Vue's handlers."""
    found = []
    at = text.find(f"={quote}")
    while at >= 0:
        end = text.find(quote, at + 2)
        if end < 0:
            break
        found.append((at + 1, end + 1))
        at = text.find(f"={quote}", end)
    return found


def _braced(text: str) -> list[tuple[int, int]]:
    """Where the outermost braces are, with what they hold; those in strings do not count."""
    found = []
    depth = start = 0
    string = ""
    for at, character in enumerate(text):
        if string:
            string = "" if character == string else string
        elif depth and character in "\"'`":
            string = character
        elif character == "{":
            start = start if depth else at
            depth += 1
        elif character == "}" and depth:
            depth -= 1
            if not depth:
                found.append((start, at + 1))
    return found


def _blank(text: str) -> str:
    return "".join(character if character in "\r\n" else " " for character in text)


def _frontmatter(text: str) -> list[tuple[int, int]]:
    """Astro's script between two lines of three dashes, where the file begins with one."""
    start = text.find("---")
    if start < 0 or text[:start].strip("\ufeff \t\r\n"):
        return []
    start += 3
    end = text.find("\n---", start)
    return [] if end < 0 else [(start, end + 1)]


class _Scripts(HTMLParser):
    """Where the scripts of a component are, in characters."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self._text = text
        self._starts = [0]
        for line in text.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._open: int | None = None
        self._spans: list[tuple[int, int]] = []
        self._is_jsx = False

    def found(self) -> tuple[list[tuple[int, int]], bool]:
        """Return where the scripts are, and whether one is of JSX."""
        self.feed(self._text)
        self.close()
        return self._spans, self._is_jsx

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "script" or "src" in dict(attrs):
            return
        if (dict(attrs).get("type") or "module").endswith("json"):
            return
        self._is_jsx = self._is_jsx or dict(attrs).get("lang") in ("jsx", "tsx")
        self._open = self._here() + len(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._open is not None:
            self._spans.append((self._open, self._here()))
            self._open = None

    def _here(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column
