"""Words are looked for in many files at once, as if each were looked at alone."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import kept_sources
from alembic_upsert_guard.upserts.scan.kept_sources import KeptSources
from alembic_upsert_guard.upserts.scan.source_tree import SourceTree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", range(20))
def test_a_word_is_found_in_the_files_that_have_it(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are joined, in the order in which they came, and in none that only two of them make together."""
    random = Random(seed)  # noqa: S311 - words, not secrets
    monkeypatch.setattr(kept_sources, "_JOINED", random.choice((1, 20, 1000)))
    kept = KeptSources()
    sources: dict[str, bytes] = {}
    for number in range(60):
        path = f"{number:02}.{random.choice(('py', 'ts'))}"
        sources[path] = bytes(random.choices(b"ab", k=random.randrange(12)))
        kept.add(path, sources[path])
        word = bytes(random.choices(b"ab", k=random.randrange(1, 6)))
        assert list(kept.mentioning(word, (".py",))) == [
            path for path, source in sources.items() if path.endswith("py") and word in source
        ]
    assert {path: kept.source_of(path) for path in sources} == sources


def test_files_without_room_are_looked_at_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the paths, whether they are kept or read again."""
    monkeypatch.setattr("alembic_upsert_guard.upserts.scan.source_tree._KEPT", 10)
    paths = [str(tmp_path / f"{number}.py") for number in range(4)]
    for path, text in zip(paths, ("save", "nothing of it", "load, save", "save"), strict=True):
        (tmp_path / path).write_text(text)

    assert SourceTree(paths).files_mentioning(b"save") == (paths[0], paths[2], paths[3])
