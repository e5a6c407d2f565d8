"""The scripts in components of Vue, Svelte and Astro."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["SUFFIXES", "script_of"]

SUFFIXES = (".astro", ".svelte", ".vue")


def script_of(source: bytes, suffix: str) -> tuple[bytes, bool]:
    """Return a component with all but its scripts blanked, and whether they may hold JSX.

    Every line keeps its number. A component's scripts share their names, as in ``<script setup>`` beside ``<script>``.

    :param suffix: one of :data:`SUFFIXES`.
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
        kept += [_blank(text[done:start]), text[start:end], ";"]
        done = end + 1
    kept.append(_blank(text[done:]))
    return "".join(kept).encode(), is_jsx


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
